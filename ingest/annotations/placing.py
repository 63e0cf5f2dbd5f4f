"""Where on its page a mark of a file lies, in pixels of the master."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.annotations.annotation import (
    AnnotatedImage,
    Annotation,
    Point,
    RegionError,
    bounding_box,
)
from ingest.known import KnownPage
from retrieval.boxes import Box

Polygon = list[list[int]]


@dataclass(frozen=True)
class Placed:
    """A mark of a file on its page: box and polygon in whole pixels of the master.

    `page_said` tells whether the file names the page by its id in this archive, too.
    """

    annotation: Annotation
    box: Box
    polygon: Polygon | None
    page_said: bool = False


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
            f"the file gives its size as {image.width} x {image.height} pixels, but the page "
            f"has {page.width} x {page.height}, a different shape"
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
