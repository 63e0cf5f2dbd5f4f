"""Query pictures: files, and regions of pages, both through the one door for images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.listing import path_of
from ingest.sources import holds_several, read_frame, read_frames
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import QueryError
from retrieval.catalogue.pages import page as catalogued_page

Box = tuple[int, int, int, int]

ONE_OF_SEVERAL = "The file holds several images; the first of them is looked for."


def parse_region(text: str) -> Box:
    """Return `x,y,w,h` as four integers; QueryError says what else was given."""
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError:
        raise QueryError(
            f"{text!r} is no region: write x,y,w,h in pixels, e.g. 120,340,90,110."
        ) from None
    if x < 0 or y < 0 or width < 1 or height < 1:
        raise QueryError(f"The region {text!r} has no area or starts outside the page.")
    return x, y, width, height


def query_picture(path: Path, max_pixels: int) -> tuple[NDArray[np.uint8], bool]:
    """Return the first image of a file, (H, W, 3) uint8 RGB, and whether it holds several.

    Raises SourceError if it cannot be read.
    """
    return next(read_frames(path, max_pixels)).image, holds_several(path, max_pixels)


def page_region(archive: Archive, page: int, box: Box, max_pixels: int) -> NDArray[np.uint8]:
    """Return a region of a page, cut from its master, (h, w, 3) uint8 RGB.

    Raises QueryError when there is no such page or the box lies outside it, and SourceError when
    the master cannot be read.
    """
    with archive.session() as session:
        row = catalogued_page(session, page)
    if row is None:
        raise QueryError(f"{archive.folder} has no page {page}.")
    x, y, width, height = box
    if x + width > row.width or y + height > row.height:
        raise QueryError(
            f"The region {x},{y},{width},{height} reaches beyond page {page}, which is "
            f"{row.width} x {row.height} pixels."
        )
    frame = read_frame(path_of(row.location), row.frame, max_pixels)
    if frame is None:
        raise QueryError(f"{row.location} no longer has an image number {row.frame + 1}.")
    return frame.image[y : y + height, x : x + width]
