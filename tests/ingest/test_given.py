from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select, update

from ingest.batch import resegment_pages
from ingest.manner import Manner
from ingest.report import IngestReport
from ingest.segmentation import Proposal, Segmenter
from retrieval.catalogue.archive import Archive, open_archive
from retrieval.catalogue.errors import ArchiveBusy, SourceError
from retrieval.catalogue.tables import Mark, Page
from tests.ingest.iiif_server import Server
from tests.ingest.scans import boxes, crops_of, dump, pages_of, rows, scan


def wider(image: np.ndarray) -> list[Proposal]:
    """Propose one place on every page."""
    return [Proposal(60, 40, 30, 30, 0.9)]


def again(archive: Archive, **manner: Any) -> IngestReport:
    return resegment_pages(archive, Segmenter("one-2", wider), Manner(**{"workers": 0} | manner))


@pytest.fixture
def pages(archive: Archive, tmp_path: Path) -> Path:
    """Two pages with two marks each, one of which somebody confirmed."""
    scan(tmp_path / "in" / "a.png", (0, 0), (2, 1))
    scan(tmp_path / "in" / "b.png", (1, 1), (3, 3))
    pages_of(archive, tmp_path / "in")
    with archive.writing() as session:
        session.execute(update(Mark).where(Mark.x == 0).values(status="confirmed"))
    return tmp_path / "in"


def test_another_segmenters_proposals_are_replaced_and_a_persons_marks_stay(
    archive: Archive, pages: Path
) -> None:
    report = again(archive)
    assert (report.changed, report.unchanged, report.failed) == (2, 0, 0)
    assert boxes(archive, "a.png") == [(0, 0, "confirmed"), (60, 40, "proposed")]
    assert boxes(archive, "b.png") == [(60, 40, "proposed")]
    assert rows(archive, select(Page.segmenter)) == [("one-2",)] * 2
    after = dump(archive)
    assert again(archive).changed == 0
    assert dump(archive) == after


def test_a_page_whose_master_is_gone_keeps_its_proposals(archive: Archive, pages: Path) -> None:
    (pages / "b.png").unlink()
    report = again(archive)
    assert (report.changed, report.failed) == (1, 0)
    assert boxes(archive, "b.png") == [(20, 20, "proposed"), (60, 60, "proposed")]


def test_a_run_that_stops_half_way_goes_on(archive: Archive, pages: Path) -> None:
    class Stopped(Exception):
        pass

    def stop(_progress: object) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        again(archive, progress=stop)
    again(archive)
    assert rows(archive, select(Page.segmenter)) == [("one-2",)] * 2


def test_crops_are_left_as_they_are(archive: Archive, tmp_path: Path) -> None:
    scan(tmp_path / "crops" / "a.png", (0, 0))
    crops_of(archive, tmp_path / "crops")
    before = dump(archive)
    assert again(archive).changed == 0
    assert dump(archive) == before


def test_ingesting_pages_again_leaves_older_proposals(archive: Archive, pages: Path) -> None:
    before = dump(archive)
    assert pages_of(archive, pages, propose=wider, segmenter="one-2").unchanged == 2
    assert dump(archive) == before


def test_the_pictures_that_an_archive_makes_are_no_scans(archive: Archive, pages: Path) -> None:
    link = pages / "link"
    link.symlink_to(archive.crops_folder)
    for source in (archive.crops_folder, next(archive.crops_folder.iterdir()), link):
        with pytest.raises(SourceError, match="the archive's own folder"):
            pages_of(archive, source)


def test_nothing_is_walked_or_fetched_for_an_archive_that_another_run_holds(
    archive: Archive, server: Server, tmp_path: Path
) -> None:
    with (
        closing(open_archive(archive.folder)) as other,
        other.lock(),
        pytest.raises(ArchiveBusy, match="Another process"),
    ):
        pages_of(archive, tmp_path / "not there", server.url("manifest.json"))
    assert server.asked == []
