from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from ingest.annotations.exporting import pages_in_parts
from ingest.annotations.formats import ANNOTATION_FORMATS, EXPORT_FORMATS
from ingest.annotations.importing import import_annotations
from retrieval.catalogue.archive import Archive, create_archive
from retrieval.catalogue.tables import Mark, Page
from tests.ingest.annotations.drawn import marks as drawn_marks
from tests.ingest.annotations.exported import exported_text
from tests.ingest.annotations.five_pages import HEIGHT, TROUBLE, WIDTH, make_scans, written
from tests.ingest.scans import dump, pages_of


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Archive, Archive]]:
    """Two archives of the same pages."""
    folder = tmp_path_factory.mktemp("two")
    scans = make_scans(folder / "in")
    made = [create_archive(folder / name) for name in ("one", "other")]
    pages_of(made[0], scans)
    # Other ids, and other sources: found by what they end in.
    pages_of(made[1], scans / "b/two.tif", scans / f"b/{TROUBLE}")
    pages_of(made[1], scans)
    yield made[0], made[1]
    for one in made:
        one.close()


def all_marks(archive: Archive) -> list[Any]:
    """What there is of each mark but for ids and crops, in an order that does not need them."""
    with archive.session() as session:
        images = [image for some in pages_in_parts(session) for image in some]
    found = [
        (image.sha256, image.frame, replace(one, mark=None))
        for image in images
        for one in image.annotations
    ]
    return sorted(found, key=repr)


def emptied(archive: Archive) -> None:
    with archive.writing() as session:
        session.execute(delete(Mark))


def test_marks_of_the_two_archives_have_other_ids(two: tuple[Archive, Archive]) -> None:
    pages = [dump(archive)["pages"] for archive in two]
    assert [page["source"] for page in pages[0]] != [page["source"] for page in pages[1]]


@pytest.mark.parametrize("form", sorted(ANNOTATION_FORMATS))
@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_out_and_into_an_empty_archive_and_out_gives_the_same_marks(
    form: str, data: st.DataObject, two: tuple[Archive, Archive], tmp_path: Path
) -> None:
    one, other = two
    emptied(one)
    emptied(other)
    with one.writing() as session:
        rows = []
        for page in session.scalars(select(Page.id)).all():
            for mark in data.draw(st.lists(drawn_marks(WIDTH, HEIGHT), max_size=2)):
                x, y, width, height = mark.box
                rows.append(
                    dict(
                        page_id=page, x=x, y=y, width=width, height=height, crop="0" * 64,
                        polygon=mark.polygon, status=mark.status, score=mark.score,
                        origin=mark.origin, created_at=mark.created,
                    )
                )  # fmt: skip
        if rows:
            session.execute(insert(Mark), rows)
    files = written(one, form, tmp_path / "1")
    reports = import_annotations(other, files)
    assert [report.refused for report in reports] == [()] * len(files)
    assert sum(report.added for report in reports) == len(rows)
    assert all_marks(other) == all_marks(one)
    again = import_annotations(other, files)
    assert sum(report.unchanged for report in again) == len(rows)
    files = written(other, form, tmp_path / "2")
    emptied(one)
    import_annotations(one, files)
    assert all_marks(other) == all_marks(one)


@pytest.mark.parametrize("form", sorted(ANNOTATION_FORMATS))
def test_importing_what_was_exported_changes_nothing(
    form: str, filled: Archive, tmp_path: Path
) -> None:
    with filled.writing() as session:
        session.get_one(Mark, 1).status = "rejected"
    before = dump(filled, moments=True)
    for _ in range(2):
        reports = import_annotations(filled, written(filled, form, tmp_path / "out"))
        assert sum(report.unchanged for report in reports) == len(before["marks"])
        assert dump(filled, moments=True) == before


def test_the_list_for_reading_comes_back_as_well(filled: Archive, tmp_path: Path) -> None:
    before = dump(filled, moments=True)
    assert len({page["source"] for page in before["pages"]}) < len(before["pages"])
    (tmp_path / "marks.csv").write_text(exported_text(filled, EXPORT_FORMATS["csv"]))
    (report,) = import_annotations(filled, [tmp_path / "marks.csv"])
    assert (report.unchanged, report.refused) == (len(before["marks"]), ())
    assert dump(filled, moments=True) == before


def test_a_manifest_that_was_published_comes_back(filled: Archive, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(
        exported_text(filled, ANNOTATION_FORMATS["iiif"], base="https://x.org/marks")
    )
    (report,) = import_annotations(filled, [tmp_path / "m.json"])
    assert (report.format, report.unchanged) == ("iiif", len(dump(filled)["marks"]))
    assert report.refused == ()
