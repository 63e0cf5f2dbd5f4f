"""The report on known boxes: one HTML page with the figures, what was missed and what is false."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from retrieval.boxes import Box
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import ArchiveError, SourceError
from retrieval.catalogue.marks import mark_rows
from retrieval.crops import load_crop
from retrieval.evaluation.coverage import FIRST, Missed, highest_false, missed
from retrieval.evaluation.regions import CheckedPage
from ui.evaluation.writing import picture_uri, write_page
from ui.pictures import page_region
from ui.told.regions import (
    HEADINGS,
    Regions,
    pages_name,
    region_sentences,
    sort_name,
)

FILE = "regions.html"
#: So many missed boxes and so many false proposals are shown.
SHOWN = 12
_SIDE = 300  # pixels of a picture's longest side, about twice what the page gives it
#: A missed box is shown with so much of its longer side around it, and a little of a small one's.
_AROUND, _LEAST_AROUND = 0.6, 24
_TRUE, _PROPOSED = (140, 47, 34), (58, 108, 140)


@dataclass(frozen=True)
class PageCut:
    """A part of a page as a data URI, "" where it cannot be had, and what stands under it."""

    image: str
    caption: str
    source: str
    place: str  # x,y,width,height on the page


def write_regions_report(
    archive: Archive, regions: Regions, folder: Path, name: str, max_pixels: int
) -> Path:
    """Write the report on known boxes into `folder` and return the page's path.

    `name` is the regions file's. A missed box whose master cannot be read, has changed, or has
    more than `max_pixels`, is named without its picture, and so is a false proposal whose crop
    cannot be read. Raises ArchiveError when the folder cannot be written.
    """
    pages = regions.checked.pages
    covered = [page.covered for page in pages]
    boxes = missed(covered)
    heads = [(pages[at], proposal) for at, proposal in highest_false(covered, SHOWN)]
    return write_page(
        folder / FILE,
        "regions.html",
        archive=archive.folder.name,
        regions=name,
        complete=regions.complete,
        today=date.today().isoformat(),
        first=FIRST,
        threshold=f"{regions.threshold:g}",
        headings=HEADINGS,
        recall=[(sort_name(one), one) for one in regions.coverage.recall],
        shown=[(pages_name(one), one) for one in regions.coverage.shown],
        sentences=region_sentences(regions),
        number_missed=len(boxes),
        missed=[_missed(archive, pages[one.page], one, max_pixels) for one in boxes[:SHOWN]],
        wrong=_false(archive, heads),
    )


def _missed(archive: Archive, page: CheckedPage, one: Missed, max_pixels: int) -> PageCut:
    left, top, right, bottom = (int(value) for value in page.covered.boxes[one.box])
    around = max(_LEAST_AROUND, round(_AROUND * max(right - left, bottom - top)))
    x, y = max(0, left - around), max(0, top - around)
    size = min(page.width, right + around) - x, min(page.height, bottom + around) - y
    try:
        view = page_region(archive, page.page, (x, y, *size), max_pixels)
    except SourceError:
        image = ""
    else:
        image = picture_uri(_outlined(view, page, one.box, (x, y, *size)), _SIDE)
    found = "no proposal" if one.place is None else f"only proposal {one.place}"
    sort = page.covered.sorts[one.box]
    caption = f"{sort}: {found}" if sort else found
    return PageCut(image, caption, page.source, f"{left},{top},{right - left},{bottom - top}")


def _outlined(view: NDArray[np.uint8], page: CheckedPage, box: int, cut: Box) -> NDArray[np.uint8]:
    """Return a part of a page with the true box and whatever was proposed there drawn in."""
    scale = min(1.0, _SIDE / max(view.shape[:2]))
    size = (max(1, round(cut[2] * scale)), max(1, round(cut[3] * scale)))
    drawn = np.ascontiguousarray(cv2.resize(view, size, interpolation=cv2.INTER_AREA))
    edges = np.array([cut[0], cut[1]] * 2, np.float64)

    def outline(corners: NDArray[np.float64], colour: tuple[int, int, int], thick: int) -> None:
        left, top, right, bottom = ((corners - edges) * scale).round().astype(int).tolist()
        cv2.rectangle(drawn, (left, top), (right - 1, bottom - 1), colour, thick)

    for proposal in page.covered.proposals:
        outline(proposal, _PROPOSED, 1)
    outline(page.covered.boxes[box], _TRUE, 2)
    return np.asarray(drawn, np.uint8)


def _false(archive: Archive, heads: list[tuple[CheckedPage, int]]) -> list[PageCut]:
    with archive.session() as session:
        rows = mark_rows(session, [int(page.marks[at]) for page, at in heads])
    pictures = []
    for page, at in heads:
        mark = rows[int(page.marks[at])]
        called = "score" if mark.realism is None else "realism"
        score = f"{called} {page.covered.scores[at]:.2f}"
        caption = f"mark {mark.mark}, confirmed" if mark.status == "confirmed" else score
        try:
            image = picture_uri(load_crop(archive, mark.crop), _SIDE)
        except ArchiveError:
            image = ""
        pictures.append(PageCut(image, caption, page.source, ",".join(map(str, mark.box))))
    return pictures
