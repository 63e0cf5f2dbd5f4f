"""What the page keeps in memory between two clicks, and when it is read anew."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
from sqlalchemy import event

from ingest.batch import ingest_pages
from ingest.manner import Manner
from ingest.segmentation import Segmenter
from retrieval.catalogue.archive import Archive, create_archive
from retrieval.catalogue.documents import Filters
from retrieval.catalogue.errors import DiskRefused
from retrieval.catalogue.figures import Size
from retrieval.catalogue.tables import Mark
from tests.full_disk import no_file_larger_than
from tests.missed_marks import PLACES, SIDE, first_alone, write_pages
from tests.paper_archive import Papers, index_papers
from tests.ui.web.visiting import Visit, cards_of
from ui.web import standing
from ui.web.loading import (
    LONGEST_REGION,
    archive_at,
    holdings,
    may_be_found_again,
    not_indexed,
    place_tile,
    proposals_to_judge,
    region_of,
    searcher_of,
    sheet_after,
)
from ui.web.view import SHOWN

BOX = (*PLACES[2], SIDE, SIDE)


def _take_in(archive: Archive, scans: Path) -> None:
    ingest_pages(archive, [scans], Segmenter("first-1", first_alone), Manner(workers=0))


def test_a_page_that_was_scanned_again_is_shown_as_it_is_now(
    archive: Archive, tmp_path: Path
) -> None:
    write_pages(tmp_path / "scans", 1)
    _take_in(archive, tmp_path / "scans")
    region_of(archive, 1, BOX)
    tile = place_tile(archive, (1, BOX))
    grey = np.full((500, 680, 3), 90, np.uint8)
    cv2.imwrite(str(tmp_path / "scans/0.png"), grey)
    _take_in(archive, tmp_path / "scans")
    assert np.array_equal(region_of(archive, 1, BOX), grey[:SIDE, :SIDE])
    assert place_tile(archive, (1, BOX)) not in (tile, None)


def test_of_a_large_box_no_more_is_kept_than_a_search_looks_at(
    archive: Archive, tmp_path: Path
) -> None:
    (tmp_path / "scans").mkdir()
    page = np.full((1500, 2400, 3), 246, np.uint8)
    page[:, 1200:] = 90
    cv2.imwrite(str(tmp_path / "scans/0.png"), page)
    _take_in(archive, tmp_path / "scans")
    whole = region_of(archive, 1, (0, 0, 2400, 1500))
    assert whole.shape == (round(LONGEST_REGION * 1500 / 2400), LONGEST_REGION, 3)
    assert (whole[0, 0].tolist(), whole[-1, -1].tolist()) == ([246] * 3, [90] * 3)
    small = (1100, 40, LONGEST_REGION, 20)
    assert np.array_equal(region_of(archive, 1, small), page[40:60, 1100 : 1100 + LONGEST_REGION])


def test_what_an_archive_holds_is_counted_once_until_somebody_commits(
    archive: Archive, tmp_path: Path
) -> None:
    before = holdings(archive)
    assert (before.size.pages, proposals_to_judge(archive, Filters())) == (0, 0)
    write_pages(tmp_path / "scans", 1)
    _take_in(archive, tmp_path / "scans")
    assert holdings(archive).size == Size(documents=0, pages=1, marks=1)
    assert proposals_to_judge(archive, Filters()) == 1
    assert sheet_after(archive, Filters(), 0).marks == (1,)
    statements: list[str] = []
    event.listen(
        archive.engine, "before_cursor_execute", lambda *given: statements.append(given[2])
    )
    for _ in range(2):
        holdings(archive)
        proposals_to_judge(archive, Filters())
        sheet_after(archive, Filters(), 0)
    assert statements == []


def test_what_is_slow_to_count_stands_while_the_archive_changes_and_no_sheet_is_lost(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "QUICK", -1.0)
    monkeypatch.setattr(standing, "_STANDS", 1e6)
    write_pages(tmp_path / "scans", 1)
    _take_in(archive, tmp_path / "scans")
    assert proposals_to_judge(archive, Filters()) == holdings(archive).size.pages == 1
    with archive.session() as session:
        first = session.get_one(Mark, 1)
        session.add_all(
            Mark(page_id=1, x=at, y=0, width=1, height=1, origin="strokes-1", crop=first.crop)
            for at in range(2 * SHOWN)
        )
    assert proposals_to_judge(archive, Filters()) == holdings(archive).size.marks == 1
    sheet = sheet_after(archive, Filters(), 0)
    assert (len(sheet.marks), sheet.after) == (SHOWN, 1)
    sheet = sheet_after(archive, Filters(), sheet.marks[-1])
    assert (sheet.before, len(sheet.marks), sheet.after) == (SHOWN, SHOWN, 1)
    sheet = sheet_after(archive, Filters(), sheet.marks[-1])
    assert (sheet.before, len(sheet.marks), sheet.after) == (2 * SHOWN, 1, 0)


def test_when_there_is_a_new_index_what_it_lacks_is_counted_anew(
    papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "QUICK", -1.0)
    monkeypatch.setattr(standing, "_STANDS", 1e6)
    archive, model = papers.archive, searcher_of(papers.archive, None).model.id
    assert not_indexed(archive, model) == 0
    with archive.session() as session:
        session.get_one(Mark, papers.marks[0][0]).crop = "0" * 64
    assert not_indexed(archive, model) == 0
    index_papers(archive)
    assert not_indexed(archive, model) == 1


def test_what_one_archive_holds_is_not_said_of_another(archive: Archive, tmp_path: Path) -> None:
    write_pages(tmp_path / "scans", 1)
    _take_in(archive, tmp_path / "scans")
    with closing(create_archive(tmp_path / "another")) as another:
        assert (holdings(archive).size.pages, holdings(another).size.pages) == (1, 0)


def test_an_archive_on_a_full_disk_is_read_and_written_again_when_there_is_room(
    archive: Archive, tmp_path: Path
) -> None:
    write_pages(tmp_path / "scans", 1)
    _take_in(archive, tmp_path / "scans")
    archive.close()
    with no_file_larger_than(0):
        read = archive_at(archive.folder)
        assert archive_at(archive.folder) is read and read.read_only
        assert holdings(read).size.pages == 1
        with pytest.raises(DiskRefused, match="has free space"):
            _take_in(read, tmp_path / "scans")
    with closing(archive_at(archive.folder)) as written:
        assert not written.read_only
        write_pages(tmp_path / "more", 2)
        _take_in(written, tmp_path / "more")
        assert holdings(written).size.pages == 3


@pytest.mark.parametrize("verdict", ["confirm", "take back"])
def test_a_mark_that_is_not_rejected_any_more_is_found_again(
    papers: Papers, visit: Visit, verdict: str
) -> None:
    archive, (one, two) = papers.archive, (str(page[0]) for page in papers.marks[:2])
    page = visit(archive.folder, mark=one, open=two)
    page.text_input(key="person").set_value("Ada")
    page.button(key="reject").click().run()
    index_papers(archive)
    page.button(key="back").click().run()
    assert int(two) not in cards_of(page)
    page = visit(archive.folder, mark=one, open=two)
    page.text_input(key="person").set_value("Ada")
    with archive.lock():  # the long job's index is searched meanwhile
        page.button(key=verdict).click().run()
    assert not page.exception
    page.button(key="back").click().run()
    assert int(two) in cards_of(page)


def test_a_sheet_that_is_not_rejected_any_more_is_found_again(papers: Papers, visit: Visit) -> None:
    archive, (one, two) = papers.archive, (page[0] for page in papers.marks[:2])
    page = visit(archive.folder, proposals="0")
    page.checkbox(key=f"mark-{one}").check()
    page.text_input(key="person").set_value("Ada")
    page.button(key="judge all").click().run()
    index_papers(archive)
    assert two not in cards_of(visit(archive.folder, mark=str(one)))
    page.button(key="take back").click().run()
    assert two in cards_of(visit(archive.folder, mark=str(one)))


def test_an_index_that_lacks_no_mark_is_not_read_again(papers: Papers) -> None:
    archive, mark = papers.archive, papers.marks[0][0]
    searcher = searcher_of(archive, None)
    may_be_found_again(archive, [mark, 10**6])
    assert searcher_of(archive, None) is searcher
