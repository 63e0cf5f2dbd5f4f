"""What the page keeps in memory between two clicks, and when it is read anew."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ingest.batch import ingest_pages
from retrieval.catalogue.archive import Archive
from tests.missed_marks import PLACES, SIDE, first_alone, write_pages
from ui.web.loading import place_tile, region_of

BOX = (*PLACES[2], SIDE, SIDE)


def test_a_page_that_was_scanned_again_is_shown_as_it_is_now(
    archive: Archive, tmp_path: Path
) -> None:
    def taken_in() -> None:
        ingest_pages(
            archive, [tmp_path / "scans"], propose=first_alone, segmenter="first-1", workers=0
        )

    write_pages(tmp_path / "scans", 1)
    taken_in()
    region_of(archive, 1, BOX)
    tile = place_tile(archive, (1, BOX))
    grey = np.full((500, 680, 3), 90, np.uint8)
    cv2.imwrite(str(tmp_path / "scans/0.png"), grey)
    taken_in()
    assert np.array_equal(region_of(archive, 1, BOX), grey[:SIDE, :SIDE])
    assert place_tile(archive, (1, BOX)) not in (tile, None)
