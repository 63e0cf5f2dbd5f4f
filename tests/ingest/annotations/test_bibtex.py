from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings

from ingest.annotations.annotation import AnnotatedImage, Annotation
from ingest.annotations.formats import EXPORT_FORMATS
from tests.ingest.annotations.drawn import images
from tests.ingest.annotations.understood import A_BOX, PAGE


def test_bibtex_has_an_entry_a_document_and_the_pages_of_its_marks() -> None:
    document = {
        "reference": "HCA 32/1/1", "title": r"Bill & {list} 100% \x", "date": "c. 1702",
        "year_from": 1702, "ship": "De Hoop", "place": None, "captain": "Jan_Pietersz",
    }  # fmt: skip
    pages = [
        AnnotatedImage(("x",), (one,), page=at, ordinal=at, document=document)
        for at, one in enumerate(
            [A_BOX, A_BOX, Annotation((0, 0, 1, 1), status="rejected"), A_BOX], start=1
        )
    ]
    other = AnnotatedImage(("y",), (), page=9, document={"reference": "HCA-32/1/1"})
    text = EXPORT_FORMATS["bibtex"].text([other, *pages, PAGE])
    assert [re.search(r"\{(.*),", one)[1] for one in text.split("@misc")[1:]] == [
        "hca-32-1-1", "hca-32-1-1.2",
    ]  # fmt: skip
    first = text.split("@misc")[1]
    assert r"title = {{Bill \& \{list\} 100\% \textbackslash{}x}}" in first
    assert "pages = {1--2, 4}" in first
    assert r"note = {Ship: De Hoop; Captain: Jan\_Pietersz; 3 merchant's marks confirmed}" in first
    assert "year = {1702}" in first
    assert "No merchant's marks" in text.split("@misc")[2]


@pytest.mark.parametrize(
    ("statuses", "pages", "note"),
    [
        (
            ["confirmed", "proposed proposed", "rejected"],
            "1",
            "1 merchant's mark confirmed, 2 proposed",
        ),
        (
            ["proposed", "confirmed proposed", "confirmed"],
            "2--3",
            "2 merchant's marks confirmed, 2 proposed",
        ),
        (["proposed", "", "proposed"], "1, 3", "No merchant's mark confirmed, 2 proposed"),
        (["rejected", ""], "", "No merchant's marks"),
    ],
)
def test_what_nobody_confirmed_is_told_apart(statuses: list[str], pages: str, note: str) -> None:
    images = [
        AnnotatedImage(
            ("x",),
            tuple(Annotation((0, 0, 1, 1), status=status) for status in on_page.split()),
            page=at,
            ordinal=at,
            document={"reference": "A 1"},
        )
        for at, on_page in enumerate(statuses, start=1)
    ]
    text = EXPORT_FORMATS["bibtex"].text(images)
    assert f"note = {{{note}}}" in text
    assert re.findall(r"pages = \{(.*)\}", text) == ([pages] if pages else [])


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(some=images())
def test_bibtex_is_balanced_whatever_the_titles(some: list[AnnotatedImage]) -> None:
    text = re.sub(r"\\textbackslash\{\}|\\.", "", EXPORT_FORMATS["bibtex"].text(some))
    assert text.count("{") == text.count("}")
