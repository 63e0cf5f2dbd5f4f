from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from sqlalchemy import select

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import QueryError, SourceError
from retrieval.catalogue.tables import Page
from tests.missed_marks import PLACES, SIDE, make_missed, missed_page
from ui.pictures import page_region

BOX = (*PLACES[2], SIDE, SIDE)
LIMIT = 10**6


@pytest.fixture
def master(archive: Archive, tmp_path: Path) -> Path:
    """The master of page 1, the only one of the archive."""
    make_missed(archive, tmp_path / "scans", 1)
    with archive.session() as session:
        assert session.scalars(select(Page.id)).all() == [1]
    return tmp_path / "scans/0.png"


def test_a_region_is_cut_from_the_master(archive: Archive, master: Path) -> None:
    x, y = PLACES[2]
    wanted = missed_page(0)[y : y + SIDE, x : x + SIDE]
    np.testing.assert_array_equal(page_region(archive, 1, BOX, LIMIT), wanted)
    master.touch()
    np.testing.assert_array_equal(page_region(archive, 1, BOX, LIMIT), wanted)


@pytest.mark.parametrize("size", [(500, 680), (90, 90)])
def test_a_replaced_master_gives_no_region(
    archive: Archive, master: Path, size: tuple[int, int]
) -> None:
    cv2.imwrite(str(master), np.full((*size, 3), 90, np.uint8))
    with pytest.raises(SourceError) as raised:
        page_region(archive, 1, BOX, LIMIT)
    assert str(raised.value) == (
        "Page 1, 0.png: its master has changed since it was ingested. Ingest it again first."
    )


def test_a_region_that_is_on_no_page_is_refused(archive: Archive, master: Path) -> None:
    for page in (2, 10**20):
        with pytest.raises(QueryError, match=f"has no page {page}"):
            page_region(archive, page, BOX, LIMIT)
    with pytest.raises(QueryError, match="reaches beyond page 1, which is 680 x 500 pixels"):
        page_region(archive, 1, (600, 10, 81, 9), LIMIT)
