"""Pages with drawn marks of which the segmentation found none but the first."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ingest.batch import ingest_pages
from ingest.manner import Manner
from ingest.segmentation import Proposal, Segmenter
from retrieval.catalogue.archive import Archive
from retrieval.catalogued_embeddings import register_model
from retrieval.index import refresh_index
from retrieval.model import Model, read_model
from tests.drawn_marks import drawn_mark
from tests.paper_archive import keep_tiny_model

SIDE = 72
#: Where the marks of each page are: x, y; the first is the one that was found.
PLACES = ((60, 60), (300, 110), (520, 300), (120, 380))


def mark_seed(page: int, place: int) -> int:
    return 10 * page + place


def missed_page(page: int) -> np.ndarray:
    """A page, (500, 680, 3) uint8, with a mark at each of `PLACES`."""
    image = np.full((500, 680, 3), 244, np.uint8)
    for place, (x, y) in enumerate(PLACES):
        image[y : y + SIDE, x : x + SIDE] = np.minimum(
            244, drawn_mark(mark_seed(page, place), SIDE)
        )
    return image


def first_alone(_image: np.ndarray) -> list[Proposal]:
    """Find the first mark and pass the others over."""
    return [Proposal(*PLACES[0], SIDE, SIDE, 0.9)]


def none_at_all(_image: np.ndarray) -> list[Proposal]:
    """Pass all marks over."""
    return []


def write_pages(folder: Path, count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for page in range(count):
        cv2.imwrite(str(folder / f"{page}.png"), missed_page(page))


def make_missed(archive: Archive, scans: Path, count: int = 3, model: Model | None = None) -> Model:
    """Ingest `count` pages from `scans`, written there, and index their first marks.

    Under a tiny model of the archive's own, to which equal pictures are equal, or `model`.
    """
    write_pages(scans, count)
    ingest_pages(archive, [scans], Segmenter("first-1", first_alone), Manner(workers=0))
    model = model or _tiny_model_of(archive)
    refresh_index(archive, model)
    return model


def make_unmarked(archive: Archive, scans: Path) -> Model:
    """Ingest two pages from `scans`, written there, on which no mark was found; index nothing.

    The archive has a tiny model of its own.
    """
    write_pages(scans, 2)
    ingest_pages(archive, [scans], Segmenter("none-1", none_at_all), Manner(workers=0))
    model = _tiny_model_of(archive)
    register_model(archive, model, "trained")
    return model


def _tiny_model_of(archive: Archive) -> Model:
    if not archive.models_folder.exists():
        keep_tiny_model(archive)
    (folder,) = archive.models_folder.iterdir()
    return read_model(folder)
