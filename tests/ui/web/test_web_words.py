from __future__ import annotations

from datetime import datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.catalogue.canvases import CanvasRow
from retrieval.catalogue.documents import Filters
from ui.web.markup import card, heading, section, table
from ui.web.wording import (
    as_markdown,
    by_chance,
    canvas_lines,
    citation,
    cited,
    credit,
    isolated,
    likeness,
    metadata_rows,
    named_already,
    narrowed,
    nothing_found,
    reference,
    said_on,
    said_to_be,
    ship_and_date,
)
from ui.wording import counted


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0005, "1 in 2,000 unrelated marks looks this alike"),
        (0.1, "1 in 10 unrelated marks looks this alike"),
        (0.3, "as alike as any two marks"),
        (1.0, "as alike as any two marks"),
        (1e-6, "fewer than 1 in 1,000,000 unrelated marks look this alike"),
    ],
)
def test_a_likeness_is_said_as_a_share_of_unrelated_marks(share: float, words: str) -> None:
    assert likeness(share) == words


def test_counts_and_chances() -> None:
    assert counted(1, "page") == "1 page"
    assert counted(1204, "page") == "1,204 pages"
    assert by_chance(200) == "about 1 time in 10"
    assert by_chance(2000) == "about 1 time"
    assert by_chance(1_000_000) == "about 500 times"


def test_filters_are_said() -> None:
    assert narrowed(Filters()) == ""
    assert narrowed(Filters(1702, 1710, "HCA 32", "De Hoop")) == "HCA 32, De Hoop, 1702–1710"
    assert narrowed(Filters(year_from=1702)) == "1702 and later"
    assert narrowed(Filters(year_to=1702)) == "1702 and earlier"


def test_why_nothing_was_found_is_said() -> None:
    assert nothing_found("mark", "", left_out=False).startswith("All indexed marks have since")
    said = nothing_found("mark or other spot", "Amity", left_out=True)
    assert said == "No mark or other spot but those that you chose matches the filters: Amity."


def test_a_mark_without_a_document_is_called_by_its_file() -> None:
    assert reference(None, "box/7.tif") == "box/7.tif"
    assert reference({"reference": "HCA 32/1"}, "7.tif") == "HCA 32/1"
    assert ship_and_date(None) == "not catalogued"
    assert ship_and_date({"ship": "Amity", "date": None}) == "Amity"
    assert ship_and_date({"ship": None, "date": None, "title": "Letter"}) == "Letter"


def test_every_column_of_a_document_is_shown_once() -> None:
    rows = metadata_rows(
        {
            "title": "Letter",
            "reference": "HCA 30/7",
            "year_from": 1745,
            "ship": None,
            "details": {"cargo_list": ["rum", "sugar"]},
        }
    )
    assert rows == [("Reference", "HCA 30/7"), ("Title", "Letter"), ("Cargo list", "rum, sugar")]


FULL = CanvasRow("f. 12r", "The Archive", "https://example.org/r")


def test_a_place_is_cited_with_its_page() -> None:
    document = {"reference": "HCA 32/1", "title": "Letter"}
    assert cited(document, "Letters/f. 12r", FULL) == "HCA 32/1, f. 12r"
    assert cited(document, "Letters/f. 12r", None) == "HCA 32/1"
    assert cited(document | {"title": "f. 12r"}, "Letters/f. 12r", FULL) == "HCA 32/1"
    assert cited(document, "x", CanvasRow(" f.\n12r ", None, None)) == "HCA 32/1, f. 12r"
    assert cited(None, "Letters/f. 12r", FULL) == "Letters/f. 12r", "it is in the name already"
    assert cited(None, "Letters/canvas 3", FULL) == "Letters/canvas 3, f. 12r"


def test_a_place_is_cited_with_its_file_and_box() -> None:
    size, what = (500, 360), "mark 17 in the archive my-archive"
    said = citation("HCA 32/1, f. 12r", "box/7.tif", 1, (40, 50, 60, 70), size, what)
    assert said == (
        "HCA 32/1, f. 12r, box/7.tif, image 2, box 40,50,60,70 of 500 × 360 pixels, mark 17 in the "
        "archive my-archive"
    )
    said = citation("box/7.tif", "box/7.tif", 0, (40, 50, 60, 70), size, what)
    assert said.startswith("box/7.tif, box 40,50")


@pytest.mark.parametrize(
    ("address", "cell"),
    [
        (
            "https://example.org/canvas?a=1&b='2",
            "<a href='https://example.org/canvas?a=1&amp;b=&#x27;2' target='_blank' "
            "rel='noopener noreferrer'>https://example.org/canvas?a=1&amp;b=&#x27;2</a>",
        ),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("https://<img src=x>", "<a href='https://&lt;img src=x&gt;' target='_blank' "
         "rel='noopener noreferrer'>https://&lt;img src=x&gt;</a>"),
    ],
)  # fmt: skip
def test_only_addresses_of_the_web_are_links(address: str, cell: str) -> None:
    assert table([], [("Canvas", address)]) == (
        "<table class='pm-table'><tbody>"
        f"<tr><th scope='row'>Canvas</th><td>{cell}</td></tr></tbody></table>"
    )


def test_what_others_wrote_from_the_right_stays_apart_from_what_is_beside() -> None:
    assert isolated("De Hoop, 12") == "De Hoop, 12"
    assert isolated("שם 12") == "\u2068שם 12\u2069"
    assert isolated("سفينة") == "\u2068سفينة\u2069"
    assert isolated("\u202eevil\u2069") == "\u2068evil\u2069", "it cannot end its isolation"
    document = {"reference": "שם 12", "ship": "אניה", "date": "1702"}
    assert ship_and_date(document) == "\u2068אניה\u2069, 1702"
    assert narrowed(Filters(1702, 1710, None, "אניה")) == "\u2068אניה\u2069, 1702–1710"
    assert said_to_be("confirmed", "שם") == "confirmed, identified as “\u2068שם\u2069”"
    assert named_already(1, 2, "שם").startswith("1 of the 2 is identified as “\u2068שם\u2069”. ")
    assert said_on("עדה", datetime(2026, 5, 3)) == "\u2068עדה\u2069 said on 3 May 2026"
    assert credit(CanvasRow(None, "ארכיון", "CC BY 4.0")) == "\u2068ארכיון\u2069 · CC BY 4.0"
    where = cited(document, "7.tif", FULL)
    assert where == "\u2068שם 12\u2069, f. 12r"
    said = citation(where, "7.tif", 0, (40, 50, 60, 70), (500, 360), "mark 17")
    assert said == "שם 12, f. 12r, 7.tif, box 40,50,60,70 of 500 × 360 pixels, mark 17"


def test_credit_is_one_line() -> None:
    assert credit(FULL) == "The Archive · https://example.org/r"
    assert credit(CanvasRow("f. 12r", None, "https://example.org/r")) == "https://example.org/r"
    assert credit(CanvasRow("f. 12r", None, None)) == ""
    assert credit(CanvasRow(None, "CC BY 4.0", "CC BY  4.0")) == "CC BY 4.0"
    assert credit(None) == ""


def test_what_a_canvas_says_stands_beside_what_the_document_says() -> None:
    document = {"reference": "HCA 32/1", "details": {"rights": "crown copyright"}}
    assert canvas_lines(FULL, document) == [
        ("Page", "f. 12r"),
        ("Attribution of the image", "The Archive"),
        ("Rights in the image", "https://example.org/r"),
    ]
    document["details"] = {"attribution": "The Archive"}
    assert [label for label, _ in canvas_lines(FULL, document)] == ["Page", "Rights in the image"]
    assert canvas_lines(None, document) == []


class _Read(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


# HTML has no way to say these: a parser replaces them whatever is done.
_SAYABLE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60)
_OURS = {
    "header", "bdi", "h1", "h2", "p", "span", "div", "table", "tbody", "tr", "th", "td"
}  # fmt: skip


@given(_SAYABLE)
def test_text_never_becomes_markup(text: str) -> None:
    for made in (
        heading(text, text, [text, text]),
        card(text, True, text, text, way=text, already=text, credit=text),
        section(text, text),
        table([(text, text)]),
    ):
        read = _Read()
        read.feed(made)
        read.close()
        assert read.tags <= _OURS
        assert read.text.count(text) >= 2


@given(st.text(max_size=60))
def test_text_never_becomes_markdown(text: str) -> None:
    escaped = as_markdown(text)
    for place, character in enumerate(escaped):
        if character in "[]()<>*_`$:!#~|&{}\"'":
            before = len(escaped[:place]) - len(escaped[:place].rstrip("\\"))
            assert before % 2 == 1, escaped
    assert "\n" not in escaped
