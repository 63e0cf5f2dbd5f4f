from __future__ import annotations

import csv
import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from sqlalchemy import select

from ingest.annotations.annotation import MAX_ORIGIN
from ingest.annotations.importing import import_annotations
from ingest.batch import ingest_pages
from ingest.confirming import (
    PERSON,
    Changed,
    Verdict,
    confirm_place,
    judge_mark,
    judge_marks,
    take_back_mark,
    take_back_marks,
)
from ingest.manner import Manner
from ingest.segmentation import Segmenter
from ingest.taken_back import TAKEN_BACK
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.entered_names import LONGEST_PERSON
from retrieval.catalogue.errors import ArchiveError, RequestError, SourceError
from retrieval.catalogue.marks import MarkRow, mark_rows
from retrieval.catalogue.tables import Identity, IdentityMark, Mark, Page
from retrieval.crops import load_crop
from tests.ingest.scans import pages_of, scan
from tests.missed_marks import PLACES, SIDE, make_missed, missed_page, none_at_all
from tests.missed_marks import first_alone as first

BOX = (*PLACES[2], SIDE, SIDE)


@pytest.fixture
def page(archive: Archive, tmp_path: Path) -> int:
    make_missed(archive, tmp_path / "scans", 1)
    with archive.session() as session:
        return session.scalars(select(Page.id)).one()


def marks(archive: Archive) -> list[tuple[int, str, str]]:
    with archive.session() as session:
        return [
            (mark.id, mark.status, mark.origin)
            for mark in session.scalars(select(Mark).order_by(Mark.id))
        ]


def seen(archive: Archive, mark: int) -> MarkRow:
    with archive.session() as session:
        return mark_rows(session, [mark])[mark]


def taken_back(archive: Archive) -> list[tuple[str, ...]]:
    """What was noted, but for the moment."""
    path = archive.folder / TAKEN_BACK
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [
            (row["of"], row["said"], row["said_by"], row["taken_back_by"])
            for row in csv.DictReader(file)
        ]


def test_the_longest_name_of_a_person_is_kept_whole_and_one_of_nothing_is_none(
    archive: Archive, page: int
) -> None:
    mark = confirm_place(archive, page, BOX, "a" * LONGEST_PERSON)
    assert marks(archive)[-1] == (mark, "confirmed", PERSON + "a" * LONGEST_PERSON)
    assert len(PERSON + "a" * LONGEST_PERSON) <= MAX_ORIGIN, "so an export can be taken back in"
    for person in ("a" * (LONGEST_PERSON + 1), "\u200b"):
        with pytest.raises(RequestError, match="name"):
            judge_mark(archive, seen(archive, mark), "rejected", person)
    judge_mark(archive, seen(archive, mark), "rejected", "\u202eBo\u200b")
    assert marks(archive)[-1] == (mark, "rejected", "person:Bo")


def test_a_place_becomes_a_confirmed_mark_cut_from_its_master(archive: Archive, page: int) -> None:
    mark = confirm_place(archive, page, BOX, "  A.  Reader ")
    assert marks(archive)[-1] == (mark, "confirmed", "person:A. Reader")
    with archive.session() as session:
        row = session.get_one(Mark, mark)
        assert (row.x, row.y, row.width, row.height) == BOX
        crop = row.crop
    x, y = PLACES[2]
    wanted = missed_page(0)[y : y + SIDE, x : x + SIDE]
    np.testing.assert_array_equal(load_crop(archive, crop), wanted)


def test_it_is_not_doubled_and_a_later_ingest_leaves_it(
    archive: Archive, page: int, tmp_path: Path
) -> None:
    mark = confirm_place(archive, page, BOX, "one")
    assert confirm_place(archive, page, (BOX[0] + 1, *BOX[1:]), "two") == mark
    proposal = marks(archive)[0][0]
    assert confirm_place(archive, page, (*PLACES[0], SIDE, SIDE), "two") == proposal
    assert [said for _, *said in marks(archive)] == [
        ["confirmed", "person:two"],
        ["confirmed", "person:one"],
    ]
    cv2.imwrite(str(tmp_path / "scans/0.png"), np.minimum(missed_page(0), 243))
    ingest_pages(archive, [tmp_path / "scans"], Segmenter("first-1", first), Manner(workers=0))
    assert {mark, proposal} <= {one for one, *_ in marks(archive)}


@pytest.mark.parametrize(
    ("box", "person", "message"),
    [
        (BOX, "  ", "Enter a name for"),
        ((-1, 0, 9, 9), "me", "not on page"),
        ((0, 0, 0, 9), "me", "not on page"),
        ((670, 10, 11, 9), "me", "not on page"),
    ],
)
def test_what_cannot_be_is_refused(
    archive: Archive, page: int, box: tuple[int, int, int, int], person: str, message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        confirm_place(archive, page, box, person)
    with pytest.raises(RequestError, match="no page"):
        confirm_place(archive, page + 1, BOX, "me")
    assert len(marks(archive)) == 1


def test_a_master_of_the_size_and_date_of_the_pages_is_not_taken_for_it(
    archive: Archive, tmp_path: Path
) -> None:
    paths = [scan(tmp_path / "in" / f"{at}.tif", (at, at)) for at in (1, 2)]
    for path in paths:
        os.utime(path, (1_000_000_000, 1_000_000_000))
    pages_of(archive, tmp_path / "in")
    paths[0].rename(tmp_path / "aside")
    paths[1].rename(paths[0])
    with pytest.raises(SourceError, match="its master has changed since it was ingested"):
        confirm_place(archive, 1, (60, 60, 9, 9), "A. Reader")
    (tmp_path / "aside").rename(paths[0])
    confirm_place(archive, 1, (60, 60, 9, 9), "A. Reader")


def test_a_master_that_is_gone_is_said(archive: Archive, page: int, tmp_path: Path) -> None:
    (tmp_path / "scans/0.png").unlink()
    with pytest.raises(SourceError, match=r"0\.png"):
        confirm_place(archive, page, BOX, "me")
    assert len(marks(archive)) == 1


def test_where_there_is_no_room_for_the_crop_it_is_said_what_to_do(
    archive: Archive, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ingest.cutting.write_crops", full)
    with pytest.raises(
        ArchiveError, match=r"No space left on device\. Free some space there and try"
    ):
        confirm_place(archive, page, BOX, "me")
    assert len(marks(archive)) == 1


def test_a_proposal_is_confirmed_or_rejected_and_either_is_taken_back(
    archive: Archive, page: int
) -> None:
    (before,) = marks(archive)
    mark, status, origin = before
    assert status == "proposed"
    judge_mark(archive, seen(archive, mark), "confirmed", " A.  Reader ")
    assert marks(archive) == [(mark, "confirmed", "person:A. Reader")]
    judge_mark(archive, seen(archive, mark), "rejected", "B")
    assert marks(archive) == [(mark, "rejected", "person:B")]
    take_back_mark(archive, seen(archive, mark), "C. Reader")
    assert marks(archive) == [(mark, "proposed", origin)]
    assert taken_back(archive) == [
        (f"mark {mark}", "it is a mark", "A. Reader", "B"),
        (f"mark {mark}", "it is not a mark", "B", "C. Reader"),
    ]


def test_who_contradicts_themselves_takes_nothing_of_anybody_else_back(
    archive: Archive, page: int
) -> None:
    ((mark, *_),) = marks(archive)
    judge_mark(archive, seen(archive, mark), "confirmed", "A")
    judge_mark(archive, seen(archive, mark), "rejected", "A")
    assert marks(archive) == [(mark, "rejected", "person:A")]
    assert taken_back(archive) == []


def test_what_another_has_said_meanwhile_is_not_overwritten(archive: Archive, page: int) -> None:
    ((mark, _, origin),) = marks(archive)
    proposal = seen(archive, mark)
    judge_mark(archive, proposal, "confirmed", "Ada")
    for attempt in (
        lambda: judge_mark(archive, proposal, "rejected", "Bo"),
        lambda: take_back_mark(archive, proposal, "Bo"),
    ):
        with pytest.raises(
            RequestError, match=f"Ada has since said that mark {mark} is a mark: re"
        ):
            attempt()
    adas = seen(archive, mark)
    judge_mark(archive, adas, "rejected", "Cy")
    with pytest.raises(
        RequestError, match=f"Cy has since said that mark {mark} is not a mark: reload"
    ):
        take_back_mark(archive, adas, "Ada")
    cys = seen(archive, mark)
    take_back_mark(archive, cys, "Cy")
    with pytest.raises(RequestError, match=f"of mark {mark} has since been taken back: reload"):
        judge_mark(archive, cys, "confirmed", "Bo")
    assert marks(archive) == [(mark, "proposed", origin)]
    assert taken_back(archive) == [
        (f"mark {mark}", "it is a mark", "Ada", "Cy"),
        (f"mark {mark}", "it is not a mark", "Cy", "Cy"),
    ]


def test_a_word_of_a_place_where_a_mark_was_called_none_meanwhile_leaves_that(
    archive: Archive, page: int
) -> None:
    ((mark, *_),) = marks(archive)
    judge_mark(archive, seen(archive, mark), "rejected", "Ada")
    assert confirm_place(archive, page, (*PLACES[0], SIDE, SIDE), "Bo") == mark
    assert marks(archive) == [(mark, "rejected", "person:Ada")]


def test_nothing_is_taken_back_without_a_name_or_a_line_of_it(archive: Archive, page: int) -> None:
    ((mark, *_),) = marks(archive)
    judge_mark(archive, seen(archive, mark), "confirmed", "=Ada")
    with pytest.raises(RequestError, match="Enter a name for"):
        take_back_mark(archive, seen(archive, mark), " ")
    (archive.folder / TAKEN_BACK).mkdir()
    with pytest.raises(ArchiveError, match=r"taken-back\.csv cannot be written: Is a directory\."):
        take_back_mark(archive, seen(archive, mark), "+Bo")
    assert marks(archive) == [(mark, "confirmed", "person:=Ada")]
    (archive.folder / TAKEN_BACK).rmdir()
    take_back_mark(archive, seen(archive, mark), "+Bo")
    assert taken_back(archive) == [(f"mark {mark}", "it is a mark", "'=Ada", "'+Bo")]


def test_what_was_confirmed_without_a_name_keeps_its_origin(archive: Archive, page: int) -> None:
    ((mark, _, origin),) = marks(archive)
    with archive.session() as session:
        session.get_one(Mark, mark).status = "confirmed"
    take_back_mark(archive, seen(archive, mark), "C. Reader")
    assert marks(archive) == [(mark, "proposed", origin)]


def test_a_proposal_that_is_taken_back_is_of_who_proposed_it(
    archive: Archive, page: int, tmp_path: Path
) -> None:
    ((mark, _, origin),) = marks(archive)
    judge_mark(archive, seen(archive, mark), "confirmed", "A. Reader")
    cv2.imwrite(str(tmp_path / "scans/0.png"), np.minimum(missed_page(0), 243))
    ingest_pages(archive, [tmp_path / "scans"], Segmenter("later", none_at_all), Manner(workers=0))
    assert marks(archive) == [(mark, "confirmed", "person:A. Reader")]
    take_back_mark(archive, seen(archive, mark), "C. Reader")
    assert marks(archive) == [(mark, "proposed", origin)]


def test_an_imported_mark_with_a_score_is_no_proposal_and_stays(
    archive: Archive, page: int, tmp_path: Path
) -> None:
    table = tmp_path / "theirs.csv"
    x, y = PLACES[2]
    table.write_text(f"source,x,y,width,height,status,score\n0.png,{x},{y},9,9,confirmed,0.9\n")
    import_annotations(archive, [table])
    mark, *said = marks(archive)[-1]
    assert said == ["confirmed", "import:theirs.csv"]
    with pytest.raises(RequestError, match="was not proposed"):
        take_back_mark(archive, seen(archive, mark), "C. Reader")
    judge_mark(archive, seen(archive, mark), "rejected", "A. Reader")
    with pytest.raises(RequestError, match="was not proposed"):
        take_back_mark(archive, seen(archive, mark), "C. Reader")
    assert marks(archive)[-1] == (mark, "rejected", "person:A. Reader")


def test_an_imported_proposal_is_one_again_where_it_was_proposed(
    archive: Archive, page: int, tmp_path: Path
) -> None:
    x, y = PLACES[2]
    table = tmp_path / "theirs.csv"
    table.write_text(f"source,x,y,width,height,status\n0.png,{x},{y},9,9,proposed\n")
    import_annotations(archive, [table])
    mark, *said = marks(archive)[-1]
    assert said == ["proposed", "import:theirs.csv"]
    judge_mark(archive, seen(archive, mark), "rejected", "A. Reader")
    take_back_mark(archive, seen(archive, mark), "C. Reader")
    assert marks(archive)[-1] == (mark, "proposed", "import:theirs.csv")
    table.write_text(f"mark,source,x,y,width,height\n{mark},0.png,{x + 1},{y},9,9\n")
    import_annotations(archive, [table])
    with pytest.raises(RequestError, match="was not proposed"):
        take_back_mark(archive, seen(archive, mark), "C. Reader")


def test_what_cannot_be_said_of_a_mark_is_refused(archive: Archive, page: int) -> None:
    drawn = confirm_place(archive, page, BOX, "A")
    ((proposal, *_), _) = marks(archive)
    with archive.session() as session:
        session.add(Identity(id=1, name="Jan"))
        session.flush()
        session.add(IdentityMark(identity_id=1, mark_id=proposal, certainty="certain", said_by="A"))
    before = marks(archive)
    with pytest.raises(RequestError, match="Enter a name for"):
        judge_mark(archive, seen(archive, drawn), "rejected", " ")
    with pytest.raises(RequestError, match="no longer exists"):
        judge_mark(archive, replace(seen(archive, drawn), mark=99), "rejected", "A")
    with pytest.raises(RequestError, match="identified as 'Jan': take that back first"):
        judge_mark(archive, seen(archive, proposal), "rejected", "A")
    with pytest.raises(RequestError, match="identified as 'Jan': take that back first"):
        take_back_mark(archive, seen(archive, proposal), "C. Reader")
    with pytest.raises(RequestError, match="was not proposed"):
        take_back_mark(archive, seen(archive, drawn), "C. Reader")
    assert marks(archive) == before


@pytest.fixture
def sheet(archive: Archive, page: int) -> list[MarkRow]:
    """Five proposals, as a person is shown them."""
    with archive.session() as session:
        first = session.scalars(select(Mark)).one()
        session.add_all(
            Mark(
                page_id=page, x=at, y=0, width=9, height=9, score=0.5, origin="first-1",
                proposed_by="first-1", crop=first.crop,
            )
            for at in range(4)
        )  # fmt: skip
    return [seen(archive, mark) for mark, *_ in marks(archive)]


def test_a_sheet_is_judged_at_once_and_taken_back(archive: Archive, sheet: list[MarkRow]) -> None:
    before = marks(archive)
    verdicts: list[Verdict] = ["confirmed", "rejected", "rejected", "confirmed"]
    changed = judge_marks(archive, list(zip(sheet, verdicts, strict=False)), " A.  Reader ")
    assert marks(archive) == [
        *((row.mark, verdict, "person:A. Reader") for row, verdict in zip(sheet, verdicts,
                                                                          strict=False)),
        before[4],
    ]  # fmt: skip
    assert changed.left == ()
    assert changed.marks == tuple(seen(archive, row.mark) for row in sheet[:4])
    assert taken_back(archive) == []
    again = take_back_marks(archive, changed.marks, "Bo")
    assert again == Changed(tuple(sheet[:4]), ())
    assert marks(archive) == before
    assert taken_back(archive) == [
        (f"mark {row.mark}", "it is a mark" if verdict == "confirmed" else "it is not a mark",
         "A. Reader", "Bo")
        for row, verdict in zip(sheet, verdicts, strict=False)
    ]  # fmt: skip


def test_of_a_sheet_is_left_what_changed_meanwhile(archive: Archive, sheet: list[MarkRow]) -> None:
    judged, moved, gone, named, kept = (row.mark for row in sheet)
    judge_mark(archive, sheet[0], "confirmed", "Ada")
    with archive.session() as session:
        session.get_one(Mark, moved).x += 1
        session.delete(session.get_one(Mark, gone))
        session.add(Identity(id=1, name="Jan"))
        session.flush()
        session.add(IdentityMark(identity_id=1, mark_id=named, certainty="certain", said_by="A"))
    changed = judge_marks(archive, [(row, "rejected") for row in sheet], "Bo")
    assert changed.left == (judged, moved, gone, named)
    assert [row.mark for row in changed.marks] == [kept]
    assert marks(archive) == [
        (judged, "confirmed", "person:Ada"),
        (moved, "proposed", sheet[1].origin),
        (named, "proposed", sheet[3].origin),
        (kept, "rejected", "person:Bo"),
    ]


def test_of_a_sheet_is_taken_back_what_still_is_as_it_was_said(
    archive: Archive, sheet: list[MarkRow]
) -> None:
    with archive.session() as session:
        session.get_one(Mark, sheet[2].mark).proposed_by = None
    one, two, three, *others = judge_marks(
        archive, [(row, "rejected") for row in sheet], "Ada"
    ).marks
    judge_mark(archive, one, "confirmed", "Bo")
    take_back_mark(archive, two, "Bo")
    changed = take_back_marks(archive, [one, two, three, *others], "Ada")
    assert changed.left == (one.mark, two.mark, three.mark)
    assert changed.marks == tuple(sheet[3:])
    assert [status for _, status, _ in marks(archive)] == [
        "confirmed", "proposed", "rejected", "proposed", "proposed",
    ]  # fmt: skip
    assert [word[0] for word in taken_back(archive)] == [
        f"mark {row.mark}" for row in (one, two, *others)
    ]


def test_another_word_that_a_sheet_contradicts_is_noted(
    archive: Archive, sheet: list[MarkRow]
) -> None:
    (adas,) = judge_marks(archive, [(sheet[0], "confirmed")], "Ada").marks
    judge_marks(archive, [(adas, "rejected"), (sheet[1], "rejected")], "Bo")
    assert [said for _, *said in marks(archive)[:2]] == [["rejected", "person:Bo"]] * 2
    assert taken_back(archive) == [(f"mark {adas.mark}", "it is a mark", "Ada", "Bo")]


def test_a_sheet_is_judged_and_taken_back_whole_or_not_at_all(
    archive: Archive, sheet: list[MarkRow]
) -> None:
    before = marks(archive)
    with pytest.raises(RequestError, match="Enter a name for"):
        judge_marks(archive, [(row, "rejected") for row in sheet], " ")
    assert marks(archive) == before
    judged = judge_marks(archive, [(row, "rejected") for row in sheet], "Ada").marks
    with pytest.raises(RequestError, match="Enter a name for"):
        take_back_marks(archive, judged, " ")
    (archive.folder / TAKEN_BACK).mkdir()
    with pytest.raises(ArchiveError, match=r"taken-back\.csv cannot be written: Is a directory\."):
        take_back_marks(archive, judged, "Ada")
    assert {status for _, status, _ in marks(archive)} == {"rejected"}


def test_a_mark_that_was_moved_meanwhile_is_not_judged(archive: Archive, page: int) -> None:
    ((mark, *_),) = before = marks(archive)
    proposal = seen(archive, mark)
    with archive.session() as session:
        session.get_one(Mark, mark).width += 1
    for attempt in (
        lambda: judge_mark(archive, proposal, "rejected", "Bo"),
        lambda: take_back_mark(archive, proposal, "Bo"),
    ):
        with pytest.raises(RequestError, match=f"The box of mark {mark} has since been changed"):
            attempt()
    assert marks(archive) == before
