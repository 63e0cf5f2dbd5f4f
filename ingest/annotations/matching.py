"""Which page of the archive a file means, and where on it its marks lie."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from ingest.annotations.annotation import (
    AnnotatedImage,
    Annotation,
    Point,
    RegionError,
    bounding_box,
)
from ingest.known import KnownPage, pages_where
from ingest.reading import Box
from retrieval.catalogue.naming import composed, end_alike, path_parts
from retrieval.catalogue.tables import Page

Polygon = list[list[int]]

#: What Label Studio calls an uploaded file: `cb0618f6-f12r.png`, in folders of its own.
_UPLOADED = re.compile(r"[0-9a-f]{8}-(.+)")


@dataclass(frozen=True)
class Placed:
    """A mark of a file on its page: box and polygon in whole pixels of the master.

    `page_said` tells whether the file names the page by its id in this archive, too.
    """

    annotation: Annotation
    box: Box
    polygon: Polygon | None
    page_said: bool = False


class PageFinder:
    """Finds pages by what a file calls them: never by their place in the file or the archive."""

    def __init__(self, session: Session) -> None:
        self._by_name: dict[str, list[KnownPage]] = defaultdict(list)
        self._by_last_part: dict[str, set[str]] = defaultdict(set)
        self._by_content: dict[str, list[KnownPage]] = defaultdict(list)
        self._canvases: dict[str, tuple[int | None, int | None]] = {}
        fetched: dict[int, str] = {}
        for number, details in session.execute(select(Page.id, Page.details)):
            if details and (canvas := details.get("canvas")):
                fetched[number] = canvas
                self._canvases[canvas] = details.get("width"), details.get("height")
        for page in pages_where(session, true()):
            if page.id in fetched:
                self._by_name[fetched[page.id]].append(page)
            self._by_name[page.source].append(page)
            if page.location != page.source:
                self._by_name[page.location].append(page)
            self._by_last_part[_parts(page.source)[-1]].add(page.source)
            self._by_content[page.sha256].append(page)

    def find(self, image: AnnotatedImage) -> KnownPage:
        """Return the page of an image; RegionError says why there is none, or not one only.

        The content decides where the file states it; copies of it are told apart by name. Else
        the name does: the source or the master's place, or as much of the end as one page has; last
        of all the bare name of a file as it was before it was uploaded.
        """
        named = self._named(image.names)
        if image.sha256 and (alike := self._by_content.get(image.sha256.lower())):
            both = [page for page in alike if page in named]
            return _only(both or alike, image)
        if not named:
            raise RegionError("no such page is in the archive")
        return _only(named, image)

    def sized(self, image: AnnotatedImage) -> AnnotatedImage:
        """Return the image with the size of the canvas that it names, where the file says none."""
        if image.width or image.height or image.source not in self._canvases:
            return image
        width, height = self._canvases[image.source]
        return replace(image, width=width, height=height)

    def _named(self, names: Sequence[str]) -> list[KnownPage]:
        for name in (*names, *map(composed, names)):
            if found := self._by_name.get(name):
                return found
        sources: set[str] = set()
        paths = [_parts(name) for name in names if "://" not in name]
        for parts in paths:
            if parts[-1] and ".." not in parts:
                sources |= {
                    source
                    for source in self._by_last_part.get(parts[-1], ())
                    if end_alike(_parts(source), parts)
                }
        if not sources:
            for parts in paths:
                if uploaded := _UPLOADED.fullmatch(parts[-1]):
                    sources |= self._by_last_part.get(uploaded[1], set())
        return [page for source in sorted(sources) for page in self._by_name[source]]


def scale_to(page: KnownPage, image: AnnotatedImage) -> tuple[float, float]:
    """Return by how much the image's coordinates grow on the page; RegionError if out of shape.

    A smaller copy has been rounded to whole pixels: one pixel more or less is the same shape.
    """
    if not image.width or not image.height or (image.width, image.height) == (
        page.width, page.height
    ):  # fmt: skip
        return 1.0, 1.0
    across, down = page.width / image.width, page.height / image.height
    if (
        abs(image.width * page.height / page.width - image.height) > 1
        and abs(image.height * page.width / page.height - image.width) > 1
    ):
        raise RegionError(
            f"the file takes it for {image.width} x {image.height} pixels, but the page has "
            f"{page.width} x {page.height}, which is another shape"
        )
    return across, down


def place(annotation: Annotation, page: KnownPage, scale: tuple[float, float]) -> Placed:
    """Return the mark in whole pixels of the master, cut off at the page's edges.

    RegionError where nothing of it lies on the page.
    """
    across, down = scale
    if annotation.percent:
        across, down = page.width / 100, page.height / 100
    if annotation.polygon is not None:
        outline = [(_on(x, across), _on(y, down)) for x, y in annotation.polygon]
        cut = _clipped(outline, page.width, page.height)
        if not cut:
            raise _outside(page)
        x, y, width, height = bounding_box(tuple(cut))
        if width and height:
            polygon = [[int(x), int(y)] for x, y in cut]
            return Placed(annotation, (int(x), int(y), int(width), int(height)), polygon)
        left, top, right, bottom = int(x), int(y), int(x + width), int(y + height)
    else:
        x, y, width, height = annotation.box
        left, top = _on(x, across), _on(y, down)
        right, bottom = _on(x + width, across), _on(y + height, down)
    # What is thinner than a pixel still is somewhere.
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    left, top = max(0, left), max(0, top)
    right, bottom = min(page.width, right), min(page.height, bottom)
    if right <= left or bottom <= top:
        raise _outside(page)
    return Placed(annotation, (left, top, right - left, bottom - top), None)


def is_cut_off(annotation: Annotation, placed: Placed, scale: tuple[float, float]) -> bool:
    """Return whether the page's edges took some of the mark away."""
    if annotation.percent:
        x, y, width, height = annotation.box
        return x < 0 or y < 0 or x + width > 100 or y + height > 100
    x, y, width, height = annotation.box
    left, top, right, bottom = (
        _on(x, scale[0]), _on(y, scale[1]), _on(x + width, scale[0]), _on(y + height, scale[1])
    )  # fmt: skip
    px, py, pw, ph = placed.box
    return left < px or top < py or right > px + pw or bottom > py + ph


def _only(pages: Sequence[KnownPage], image: AnnotatedImage) -> KnownPage:
    """Return the page that is left when the file's number of the image has been asked."""
    sources = sorted({page.source for page in pages})
    if len(sources) > 1:
        raise RegionError(
            f"it may be any of {len(sources)} pages, such as {sources[0]!r} and {sources[1]!r}: "
            "write its path as the archive has it"
        )
    if image.frame is not None:
        pages = [page for page in pages if page.frame == image.frame]
        if not pages:
            raise RegionError(f"that file has no image number {image.frame + 1} in the archive")
    elif by_id := [page for page in pages if page.id == image.page]:
        pages = by_id
    if len(pages) > 1:
        raise RegionError(
            f"that file has {len(pages)} images, and nothing says which is meant: a `frame` "
            "counts them from 0"
        )
    return pages[0]


def _on(value: float, scale: float) -> int:
    # Far beyond any page, and not beyond what arithmetic holds.
    return round(max(-1e9, min(1e9, value * scale)))


def _outside(page: KnownPage) -> RegionError:
    return RegionError(f"it lies outside the page, which is {page.width} x {page.height} pixels")


def _clipped(outline: Sequence[Point], width: int, height: int) -> list[Point]:
    """Return the part of a polygon inside the page (Sutherland & Hodgman 1974), in whole pixels."""
    points: list[Point] = list(outline)
    for axis, limit, sign in ((0, 0, 1), (0, width, -1), (1, 0, 1), (1, height, -1)):
        if all(sign * (point[axis] - limit) >= 0 for point in points):
            continue
        kept: list[Point] = []
        for before, point in zip([points[-1], *points[:-1]], points, strict=True):
            was_in = sign * (before[axis] - limit) >= 0
            is_in = sign * (point[axis] - limit) >= 0
            if was_in != is_in:
                share = (limit - before[axis]) / (point[axis] - before[axis])
                other = round(before[1 - axis] + share * (point[1 - axis] - before[1 - axis]))
                kept.append((limit, other) if axis == 0 else (other, limit))
            if is_in:
                kept.append(point)
        points = kept
        if not points:
            break
    return points


def _parts(name: str) -> list[str]:
    return path_parts(name.replace("\\", "/").removeprefix("./")) or [""]
