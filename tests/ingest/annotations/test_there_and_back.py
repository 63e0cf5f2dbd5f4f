from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from ingest.annotations.annotation import Annotation
from ingest.annotations.formats import ANNOTATION_FORMATS, EXPORT_FORMATS
from ingest.annotations.importing import import_annotations
from ingest.annotations.wanted import pages_in_parts
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


def row_of(page: int, mark: Annotation) -> dict[str, Any]:
    x, y, width, height = mark.box
    return dict(
        page_id=page, x=x, y=y, width=width, height=height, crop="0" * 64, polygon=mark.polygon,
        status=mark.status, score=mark.score, origin=mark.origin, created_at=mark.created,
    )  # fmt: skip


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
        rows = [
            row_of(page, mark)
            for page in session.scalars(select(Page.id)).all()
            for mark in data.draw(st.lists(drawn_marks(WIDTH, HEIGHT), max_size=2))
        ]
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


#: What programs that marks are corrected in give back of one, by what they lose.
TOOLS: dict[str, Callable[[Annotation], Annotation]] = {
    "nothing": lambda one: one,
    "microseconds": lambda one: replace(one, created=in_milliseconds(one.created)),
    "status": lambda one: replace(one, status=None, created=in_milliseconds(one.created)),
    "all but the outline": lambda one: Annotation(one.box, one.polygon),
}


def in_milliseconds(moment: datetime | None) -> datetime | None:
    return moment and moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@st.composite
def apart(draw: st.DrawFn) -> list[Annotation]:
    """Marks of a page that are far from one another, and can be moved by a pixel."""
    cells = draw(st.sets(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=5))
    found = []
    for column, row in sorted(cells):
        x, y = 25 * column + 1, 26 * row + 1
        width, height = draw(st.integers(20, 22)), draw(st.integers(20, 22))
        outline = ((x, y), (x + width, y + 5), (x + 3, y + height))
        one = draw(drawn_marks(WIDTH, HEIGHT))
        polygon = draw(st.sampled_from([None, outline]))
        found.append(replace(one, box=(x, y, width, height), polygon=polygon))
    return found


def moved_to(one: Annotation, x: int, y: int) -> Annotation:
    left, top, width, height = one.box
    outline = one.polygon and tuple((at - left + x, down - top + y) for at, down in one.polygon)
    return replace(one, box=(x, y, width, height), polygon=outline)


@pytest.mark.parametrize("form", sorted(ANNOTATION_FORMATS))
@pytest.mark.parametrize("lost", TOOLS)
@settings(max_examples=6, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_mark_that_was_moved_is_the_only_one_that_changes_whatever_a_program_loses(
    form: str, lost: str, data: st.DataObject, two: tuple[Archive, Archive], tmp_path: Path
) -> None:
    archive, _ = two
    emptied(archive)
    with archive.writing() as session:
        rows = [
            row_of(page, mark)
            for page in session.scalars(select(Page.id)).all()
            for mark in data.draw(apart())
        ]
        assume(any(row["status"] != "rejected" for row in rows))
        session.execute(insert(Mark), rows)
    before = {row["id"]: row for row in dump(archive, moments=True)["marks"]}
    chosen = data.draw(
        st.sampled_from([one for one in before if before[one]["status"] != "rejected"])
    )
    x, y, width, height = (before[chosen][side] for side in ("x", "y", "width", "height"))
    far = st.tuples(st.integers(0, WIDTH - width), st.integers(0, HEIGHT - height))
    near = st.sampled_from([(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)])
    place = data.draw((near if lost == "all but the outline" else far).filter((x, y).__ne__))
    with archive.session() as session:
        images = [image for some in pages_in_parts(session) for image in some]
    images = [
        replace(
            image,
            annotations=tuple(
                TOOLS[lost](moved_to(one, *place) if one.mark == chosen else one)
                for one in image.annotations
            ),
        )
        for image in images
    ]
    one = ANNOTATION_FORMATS[form]
    groups = [[image] for image in images] if one.a_file_an_image else [images]
    files = [tmp_path / f"{at}{one.suffix}" for at in range(len(groups))]
    for file, group in zip(files, groups, strict=True):
        file.write_text(one.text(group))
    for _ in range(2):
        reports = import_annotations(archive, files)
        assert [report.refused for report in reports] == [()] * len(files)
        assert sum(report.added for report in reports) == 0
        after = {row["id"]: row for row in dump(archive, moments=True)["marks"]}
        assert after.keys() == before.keys()
        assert {at: row for at, row in after.items() if at != chosen} == {
            at: row for at, row in before.items() if at != chosen
        }
        now = after[chosen]
        assert (now["x"], now["y"], now["width"], now["height"]) == (*place, width, height)
        assert (now["status"], now["created_at"]) == ("confirmed", before[chosen]["created_at"])
        assert (now["polygon"] is None) == (before[chosen]["polygon"] is None)
    assert sum(report.unchanged for report in reports) == len(before)


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
        exported_text(filled, ANNOTATION_FORMATS["iiif"].at("https://x.org/marks"))
    )
    (report,) = import_annotations(filled, [tmp_path / "m.json"])
    assert (report.format, report.unchanged) == ("iiif", len(dump(filled)["marks"]))
    assert report.refused == ()
