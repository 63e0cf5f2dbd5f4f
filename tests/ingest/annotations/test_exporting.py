from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from ingest.annotations.annotation import AnnotatedImage
from ingest.annotations.exporting import export_file, export_text, file_names
from ingest.annotations.formats import ANNOTATION_FORMATS, EXPORT_FORMATS
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import QueryError
from retrieval.catalogue.tables import Identity, IdentityMark, Mark
from tests.ingest.annotations.drawn import images
from tests.ingest.scans import dump


def test_rejected_marks_are_written_unless_they_are_not_wanted(filled: Archive) -> None:
    with filled.writing() as session:
        session.get_one(Mark, 1).status = "rejected"
    count = len(dump(filled)["marks"])
    for form in (*ANNOTATION_FORMATS.values(), EXPORT_FORMATS["csv"]):
        if form.a_file_an_image:
            continue
        whole = export_text(filled, form)
        less = export_text(filled, form, without_rejected=True)
        assert whole.count("rejected") - less.count("rejected") == 1
    rows = list(csv.reader(io.StringIO(export_text(filled, EXPORT_FORMATS["csv"]))))
    assert len(rows) == count + 1
    assert [int(row[0]) for row in rows[1:]] == list(range(1, count + 1))


def test_a_table_says_whose_mark_it_is(filled: Archive) -> None:
    with filled.writing() as session:
        session.add(Identity(id=1, name="Jan de Vries"))
        session.flush()
        session.add(IdentityMark(identity_id=1, mark_id=2, certainty="certain", said_by="Ada"))
    for form in (ANNOTATION_FORMATS["csv"], EXPORT_FORMATS["csv"]):
        rows = list(csv.DictReader(io.StringIO(export_text(filled, form))))
        assert {row["mark"]: row["identity"] for row in rows if row["identity"]} == {
            "2": "Jan de Vries"
        }


def test_a_folder_gets_one_file_a_page(filled: Archive, tmp_path: Path) -> None:
    done = export_file(filled, ANNOTATION_FORMATS["page-xml"], tmp_path / "out")
    assert (done.pages, done.files) == (5, 5)
    (tmp_path / "web").mkdir()
    export_file(filled, ANNOTATION_FORMATS["webannotation"], tmp_path / "web")
    assert sorted(path.name for path in (tmp_path / "web/b").iterdir()) == [
        "1.json", "two.2.json", "two.json", "ö (2);\u2028&_{.json",
    ]  # fmt: skip
    with pytest.raises(QueryError, match="one file a page"):
        export_text(filled, ANNOTATION_FORMATS["page-xml"])


def test_nothing_is_written_out_of_the_folder(filled: Archive, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out/a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(QueryError, match="leads out"):
        export_file(filled, ANNOTATION_FORMATS["page-xml"], tmp_path / "out")
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("base", ["ftp://x.org", "x", "https://x.org/#", "https://x y"])
def test_a_base_that_is_no_address_is_refused(filled: Archive, base: str) -> None:
    with pytest.raises(QueryError, match="is no address"):
        export_text(filled, ANNOTATION_FORMATS["iiif"], base=base)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(some=images())
def test_names_of_files_stay_in_their_folder_and_are_different(some: list[AnnotatedImage]) -> None:
    names = [name for name, _ in file_names(some, ".xml")]
    assert len({name.casefold() for name in names}) == len(some)
    for name in names:
        path = Path("/folder", name)
        assert ".." not in path.parts and path.is_relative_to("/folder")
        assert all(0 < len(part.encode()) <= 255 for part in path.parts)


def test_names_of_files_are_those_of_the_images() -> None:
    some = [
        AnnotatedImage((source,), frame=frame)
        for source, frame in (
            ("a/1.png", 0), ("a/2.tif", 0), ("a/2.tif", 1), ("b/1.png", 0), ("b/1.jpg", 0),
            ("../../etc/passwd", 0), ("https://x.org/c?d", 0), (".hidden.png", 0),
        )
    ]  # fmt: skip
    assert [name for name, _ in file_names(some, ".xml")] == [
        "a/1.xml", "a/2.xml", "a/2.2.xml", "b/1.png.xml", "b/1.jpg.xml", "etc/passwd.xml",
        "https_/x.org/c_d.xml", "_.hidden.xml",
    ]  # fmt: skip
