"""Pictures as the browser gets them: pages made small, boxes outlined on them, tiles of crops."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from retrieval.boxes import Box
from retrieval.ink import Pixels

#: Sealing wax for the mark in question, slate blue for the others, the mat that crops lie on.
CHOSEN, OTHERS, MAT = (163, 42, 28), (52, 98, 140), (244, 239, 228)
_QUALITY = 88
#: Pixels of a preview under which a dragged box is a slip of the hand.
SMALLEST = 5
#: A small crop is magnified this much at most: beyond, nothing more is to be seen.
MOST_MAGNIFIED = 3.0


@dataclass(frozen=True)
class Preview:
    """A page made small enough for the screen: a JPEG, its size, and the size of the master."""

    jpeg: bytes
    size: tuple[int, int]
    master: tuple[int, int]


def preview(image: Pixels, longest: int) -> Preview:
    """Return `image`, (H, W, 3), with neither side over `longest` pixels."""
    height, width = image.shape[:2]
    scale = min(1.0, longest / max(height, width))
    return _scaled(image, scale)


def preview_as_wide(image: Pixels, width: int) -> Preview:
    """Return `image`, (H, W, 3), `width` pixels wide, or as near as a clear picture comes to it."""
    scale = min(MOST_MAGNIFIED, width / image.shape[1], 6 * width / image.shape[0])
    return _scaled(image, scale)


def _scaled(image: Pixels, scale: float) -> Preview:
    height, width = image.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return Preview(_jpeg(_resized(image, size)), size, (width, height))


def _resized(image: Pixels, size: tuple[int, int]) -> Pixels:
    how = cv2.INTER_AREA if size[0] <= image.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)


def to_master(box: tuple[float, float, float, float], shown: Preview) -> Box | None:
    """Return a box dragged on a preview in pixels of the master, cut to the page.

    None when it is smaller than a hand can mean, or lies outside the page.
    """
    x, y, width, height = box
    if width < SMALLEST or height < SMALLEST:
        return None
    across, down = shown.master[0] / shown.size[0], shown.master[1] / shown.size[1]
    left, top = max(0, round(x * across)), max(0, round(y * down))
    right = min(shown.master[0], round((x + width) * across))
    bottom = min(shown.master[1], round((y + height) * down))
    if right - left < 1 or bottom - top < 1:
        return None
    return left, top, right - left, bottom - top


def to_preview(box: Box, shown: Preview) -> Box:
    """Return a box of the master in pixels of a preview."""
    across, down = shown.size[0] / shown.master[0], shown.size[1] / shown.master[1]
    x, y, width, height = box
    left, top = round(x * across), round(y * down)
    return (
        left,
        top,
        max(1, round((x + width) * across) - left),
        max(1, round((y + height) * down) - top),
    )


def outlined(shown: Preview, chosen: Sequence[Box], others: Sequence[Box] = ()) -> bytes:
    """Return the preview as a JPEG with boxes of the master drawn on it; `chosen` stand out."""
    if not chosen and not others:
        return shown.jpeg
    decoded = cv2.imdecode(np.frombuffer(shown.jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert decoded is not None, "a JPEG made here"
    image: Pixels = np.ascontiguousarray(decoded, np.uint8)
    for box in others:
        _frame(image, to_preview(box, shown), OTHERS, 1, gap=2)
    thick = max(2, round(max(shown.size) / 400))
    for box in chosen:
        _frame(image, to_preview(box, shown), (255, 255, 255), thick + 2, gap=thick + 3)
        _frame(image, to_preview(box, shown), CHOSEN, thick, gap=thick + 3)
    return _jpeg(image)


def _frame(image: Pixels, box: Box, colour: tuple[int, int, int], thick: int, gap: int) -> None:
    x, y, width, height = box
    corners = (x - gap, y - gap), (x + width - 1 + gap, y + height - 1 + gap)
    cv2.rectangle(image, *corners, color=colour, thickness=thick)


def tile(crop: Pixels, side: int) -> bytes:
    """Return a crop, (H, W, 3), whole and centred on a square mat of `side` pixels, as a JPEG."""
    height, width = crop.shape[:2]
    room = side * 0.88
    scale = min(room / max(height, width), MOST_MAGNIFIED)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    square = np.empty((side, side, 3), np.uint8)
    square[:] = MAT
    x, y = (side - size[0]) // 2, (side - size[1]) // 2
    square[y : y + size[1], x : x + size[0]] = _resized(crop, size)
    return _jpeg(square)


def in_page(jpeg: bytes) -> str:
    """Return a JPEG as an address that holds the picture itself.

    Streamlit serves pictures from a store that forgets those of an interrupted run, and a drawing
    interrupts runs all the time: cards would lose theirs.
    """
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")


def _jpeg(image: Pixels) -> bytes:
    done, content = cv2.imencode(
        ".jpg", np.ascontiguousarray(image[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    )
    assert done, "a JPEG of an array in memory"
    return content.tobytes()
