"""A copy whose original's file is gone: the original takes its place, and loses nothing by it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ingest.manner import Manner
from ingest.rehearsal import rehearse
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.tables import Identity, IdentityMark, Mark, Page
from tests.ingest.scans import boxes, crops_of, dump, pages_of, refuse, rows, scan

TABLE = "reference,source\nHCA 32/1/1,1.png\nHCA 32/1/1,2.png\n"


@pytest.fixture
def discs(archive: Archive, tmp_path: Path) -> Path:
    """The folder of an old disc, all of which is in, and of a new one, whose copies are in, too."""
    for number in (1, 2):
        scan(tmp_path / "old" / "scans" / f"{number}.png", (number, 1), (number, 3))
    (tmp_path / "documents.csv").write_text(TABLE)
    pages_of(archive, tmp_path / "old" / "scans", documents=[tmp_path / "documents.csv"])
    shutil.copytree(tmp_path / "old", tmp_path / "new")
    report = pages_of(archive, tmp_path / "new" / "scans")
    assert (report.added, report.duplicates) == (2, 2)
    return tmp_path


def pages(archive: Archive) -> list[tuple[int, str, str, int | None]]:
    return [
        (page["id"], page["source"], page["location"], page["duplicate_of"])
        for page in dump(archive)["pages"]
    ]


def say(archive: Archive, source: str, x: int, **said: Any) -> int:
    """Have a person say something of the mark of a page that lies at `x`; return its id."""
    with archive.writing() as session:
        mark = session.scalars(
            select(Mark).join(Page).where(Page.source == source, Mark.x == x).order_by(Mark.y)
        ).first()
        assert mark is not None
        for name, value in said.items():
            setattr(mark, name, value)
        return mark.id


def test_originals_follow_to_their_copies_where_their_disc_was_retired(
    archive: Archive, discs: Path
) -> None:
    say(archive, "1.png", 20, status="confirmed")
    before = dump(archive)
    shutil.rmtree(discs / "old")
    said = rehearse(
        archive, [discs / "new" / "scans"], manner=Manner(documents=[discs / "documents.csv"])
    )
    assert (said.moved, said.unchanged, said.copies_replaced) == (2, 0, 2)
    assert (said.would_bind, said.problems) == (1, ())
    assert dump(archive) == before
    report = pages_of(archive, discs / "new" / "scans", documents=[discs / "documents.csv"])
    assert (report.moved, report.unchanged, report.added) == (2, 0, 0)
    assert (report.copies_replaced, report.marks_of_copies, report.problems) == (2, 0, ())
    new = discs / "new" / "scans"
    assert pages(archive) == [
        (1, "1.png", str(new / "1.png"), None),
        (2, "2.png", str(new / "2.png"), None),
    ]
    after = dump(archive)
    assert [page["document_id"] for page in after["pages"]] == [1, 1]
    assert after["marks"] == [mark for mark in before["marks"] if mark["page_id"] in (1, 2)]
    report = pages_of(archive, new, documents=[discs / "documents.csv"])
    assert (report.unchanged, report.moved, report.copies_replaced) == (2, 0, 0)


def test_copies_stay_where_the_disc_of_their_originals_is_only_away(
    archive: Archive, discs: Path
) -> None:
    before = pages(archive)
    (discs / "old").rename(discs / "elsewhere")
    (discs / "old").mkdir()  # where it is mounted
    report = pages_of(archive, discs / "new" / "scans")
    assert (report.unchanged, report.away) == (2, (str(discs / "old"),))
    assert pages(archive) == before
    (discs / "old").rmdir()
    (discs / "elsewhere").rename(discs / "old")
    assert pages_of(archive, discs / "new", discs / "old").unchanged == 4
    assert pages(archive) == before


def test_copies_stay_where_the_folder_of_their_originals_may_not_be_looked_into(
    archive: Archive, discs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, discs / "old")
    assert pages_of(archive, discs / "new" / "scans").unchanged == 2


def test_a_copy_that_is_not_given_stays_a_copy(archive: Archive, discs: Path) -> None:
    before = pages(archive)
    (discs / "old" / "scans" / "1.png").unlink()
    assert pages_of(archive, discs / "old").unchanged == 1
    assert pages(archive) == before
    assert pages_of(archive, discs / "new" / "scans" / "1.png").copies_replaced == 1
    assert [page for page, *_ in pages(archive)] == [1, 2, 4]


def test_of_several_copies_the_others_stay_copies(archive: Archive, discs: Path) -> None:
    shutil.copytree(discs / "new", discs / "newer")
    pages_of(archive, discs / "newer")
    shutil.rmtree(discs / "old")
    assert pages_of(archive, discs / "new" / "scans", discs / "newer").copies_replaced == 2
    assert [(page, copied) for page, _, _, copied in pages(archive)] == [
        (1, None), (2, None), (5, 1), (6, 2),
    ]  # fmt: skip


def test_what_people_said_of_marks_on_copies_comes_to_the_originals(
    archive: Archive, discs: Path
) -> None:
    known = say(archive, "1.png", 20, status="confirmed")
    say(archive, "scans/1.png", 20, status="confirmed")  # the same once more
    say(archive, "2.png", 40, status="confirmed")
    against = say(archive, "scans/2.png", 40, status="rejected")
    with archive.writing() as session:
        theirs = session.scalars(
            select(Mark).join(Page).where(Page.source == "scans/1.png").order_by(Mark.y.desc())
        ).first()
        assert theirs is not None
        named = theirs.id
        session.add(Identity(id=1, name="Jan"))
        session.flush()
        session.add(IdentityMark(identity_id=1, mark_id=named, certainty="certain", said_by="Ada"))
    shutil.rmtree(discs / "old")
    report = pages_of(archive, discs / "new" / "scans")
    assert (report.copies_replaced, report.marks_of_copies) == (2, 2)
    marks = select(Mark.page_id, Mark.id, Mark.y, Mark.status)
    assert rows(archive, marks.order_by(Mark.page_id, Mark.y, Mark.id)) == [
        (1, known, 20, "confirmed"),
        (1, named, 60, "proposed"),
        (2, known + 2, 20, "confirmed"),
        (2, against, 20, "rejected"),
        (2, known + 3, 60, "proposed"),
    ]
    assert rows(archive, select(IdentityMark.mark_id, IdentityMark.said_by)) == [(named, "Ada")]


def test_an_original_without_a_document_gets_that_of_its_copy(
    archive: Archive, tmp_path: Path
) -> None:
    path = scan(tmp_path / "old" / "1.png", (1, 1))
    pages_of(archive, tmp_path / "old")
    shutil.copytree(path.parent, tmp_path / "new")
    (tmp_path / "d.csv").write_text("reference,source\nHCA 1/1,new/1.png\n")
    pages_of(archive, tmp_path / "new", documents=[tmp_path / "d.csv"])
    assert [page["document_id"] for page in dump(archive)["pages"]] == [None, 1]
    shutil.rmtree(tmp_path / "old")
    pages_of(archive, tmp_path / "new")
    assert [
        (page["id"], page["document_id"], page["ordinal"]) for page in dump(archive)["pages"]
    ] == [(1, 1, 1)]


def test_a_copy_that_is_a_page_of_another_document_stays(archive: Archive, discs: Path) -> None:
    (discs / "other.csv").write_text("reference,source\nHCA 32/9/9,new/scans/1.png\n")
    pages_of(archive, discs / "new", documents=[discs / "other.csv"])
    shutil.rmtree(discs / "old")
    assert pages_of(archive, discs / "new" / "scans").copies_replaced == 1
    assert [page for page, *_ in pages(archive)] == [1, 2, 3]


def test_crops_follow_to_their_copies_too(archive: Archive, tmp_path: Path) -> None:
    path = scan(tmp_path / "old" / "1.png", (0, 0), size=(30, 20))
    crops_of(archive, path.parent)
    shutil.copytree(path.parent, tmp_path / "new")
    crops_of(archive, tmp_path / "new")
    shutil.rmtree(tmp_path / "old")
    assert pages_of(archive, tmp_path).copies_replaced == 1
    assert pages(archive) == [(1, "new/1.png", str(tmp_path / "new" / "1.png"), None)]
    assert boxes(archive, "new/1.png") == [(0, 0, "confirmed")]
