"""Query pictures: regions of pages, and what is said of those that come as files."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ingest.cutting import image_of
from ingest.known import KnownPage, pages_where
from retrieval.boxes import Box
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import QueryError, SourceError
from retrieval.catalogue.tables import LARGEST_ID, Page

#: Pixels of a side that no image exceeds: what draws on one counts with 32 bits.
LARGEST_SIDE = 2**31 - 1

ONE_OF_SEVERAL = "The file contains several images; the search uses the first."


def parse_region(text: str) -> Box:
    """Return `x,y,w,h` as four integers; QueryError says what else was given."""
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError:
        raise QueryError(
            f"{text!r} is not a region: write x,y,w,h in pixels, e.g. 120,340,90,110."
        ) from None
    if x < 0 or y < 0 or width < 1 or height < 1:
        raise QueryError(
            f"The region {text!r} has no area, or starts outside the page: give x and y from 0 "
            "and a size of at least 1."
        )
    if max(x + width, y + height) > LARGEST_SIDE:
        raise QueryError(f"The region {text!r} is larger than any page: give pixels of the page.")
    return x, y, width, height


def page_region(archive: Archive, page: int, box: Box, max_pixels: int) -> NDArray[np.uint8]:
    """Return a region of a page, cut from its master, (h, w, 3) uint8 RGB.

    Raises QueryError when the box reaches beyond the page; else errors as `page_image`.
    """
    known = _known_page(archive, page)
    x, y, width, height = box
    if problem := beyond_page("region", box, page, (known.width, known.height)):
        raise QueryError(problem)
    return _image(known, max_pixels)[y : y + height, x : x + width]


def beyond_page(what: str, box: Box, page: int, size: tuple[int, int]) -> str | None:
    """Return the sentence for a box that reaches beyond its page; None for one that does not."""
    x, y, width, height = box
    if x + width <= size[0] and y + height <= size[1]:
        return None
    return (
        f"The {what} {x},{y},{width},{height} reaches beyond page {page}, which is "
        f"{size[0]} x {size[1]} pixels."
    )


def page_image(archive: Archive, page: int, max_pixels: int) -> NDArray[np.uint8]:
    """Return what a page was read from, (H, W, 3) uint8 RGB.

    Raises QueryError when there is no such page, and SourceError when its master cannot be read
    or is not what was ingested.
    """
    return _image(_known_page(archive, page), max_pixels)


def _known_page(archive: Archive, page: int) -> KnownPage:
    known = None
    if abs(page) <= LARGEST_ID:
        with archive.session() as session:
            known = next(iter(pages_where(session, Page.id == page)), None)
    if known is None:
        raise QueryError(f"{archive.folder} has no page {page}.")
    return known


def _image(page: KnownPage, max_pixels: int) -> NDArray[np.uint8]:
    try:
        return image_of(page, max_pixels)
    except SourceError as error:
        said = f"Page {page.id}, {page.source}: {error.reason}"
        raise SourceError(said, error.advice) from error
