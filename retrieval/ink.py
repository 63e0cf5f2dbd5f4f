"""Query normalisation: any picture of a mark becomes ink on paper in a square of fixed size.

A sketch, a crop cut by hand and an ingested mark all go through `normalise`, so that two pictures
of one mark differ only by what the hand, the pen and the paper did.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from retrieval.paper import LEAST_CONTRAST, quantile
from retrieval.paper import Pixels as Pixels
from retrieval.photograph import as_drawn, mark_box

#: Kept with every embedding, so that a mark is embedded anew when it would look different. Changes
#: whenever a crop could come out of `normalise` otherwise, or be seen in other views
#: (`retrieval.embedding.VIEWS`).
SEEN = "ink-8"
#: Paper left around the ink on each side, as a share of the square.
MARGIN = 0.03
#: Ink weaker than this share of the strongest is paper: grain, foxing, show-through.
FAINTEST = 0.15
#: A stroke that the crop's edge cuts and that ends within this share of the side is a neighbour's
RIM = 0.3
#: ... if at least so much of the ink is left without all such strokes.
LEAST_LEFT = 0.75
#: Share of the ink that may lie outside the box on each side: specks, neighbouring strokes' tips.
STRAY = 0.004


def ink_density(drawn: Pixels) -> NDArray[np.float32]:
    """Return how much ink lies on each pixel, (H, W) float32 in [0, 1], 1 = the darkest ink.

    `drawn` is ink on white paper, (H, W), as `as_drawn` gives it.
    """
    depth = np.asarray(255 - drawn, np.uint8)
    strongest = np.float32(max(quantile(depth, 0.995), LEAST_CONTRAST))
    ink = np.minimum(depth / strongest, 1)
    ink[ink < FAINTEST] = 0
    return np.asarray(ink, np.float32)


def without_neighbours(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `ink`, (H, W), without the strokes of its neighbours that run into the crop.

    A connected piece that touches an edge and stays in the rim beside it belongs to what was cut
    away; one that reaches the middle is the mark's own. Where that would take most of the ink, the
    crop is cut close to the mark, and all of it stays.
    """
    height, width = ink.shape
    inked = (ink > 0).astype(np.uint8)
    _, pieces, boxes, _ = cv2.connectedComponentsWithStats(inked, connectivity=8)
    left, top = boxes[:, 0], boxes[:, 1]
    right, bottom = left + boxes[:, 2], top + boxes[:, 3]
    neighbour = (left == 0) & (right <= RIM * width)
    neighbour |= (right == width) & (left >= (1 - RIM) * width)
    neighbour |= (top == 0) & (bottom <= RIM * height)
    neighbour |= (bottom == height) & (top >= (1 - RIM) * height)
    neighbour[0] = False  # the paper
    if not neighbour.any():
        return ink
    kept = np.where(neighbour[pieces], np.float32(0), ink)
    return kept if kept.sum() >= LEAST_LEFT * ink.sum() else ink


def _extent(profile: NDArray[np.float32]) -> tuple[int, int]:
    """Return the first and one past the last position that hold all but the stray ink."""
    mass = np.cumsum(profile, dtype=np.float64)
    if mass[-1] <= 0:
        return 0, len(profile)
    first = int(np.searchsorted(mass, STRAY * mass[-1], side="right"))
    last = int(np.searchsorted(mass, (1 - STRAY) * mass[-1], side="left"))
    return first, max(last, first) + 1


def normalise(image: NDArray[np.uint8], size: int) -> NDArray[np.float32]:
    """Return `image` as the networks see it: (size, size) float32 in [-1, 1], ink = +1.

    Neighbours' strokes at the crop's edges are taken away. The box of the ink is centred in the
    square with `MARGIN` around it, never stretched, and area-averaged down (or interpolated up). A
    picture without ink comes back as bare paper. `image` is uint8, (H, W), (H, W, 3) RGB or
    (H, W, 4) RGBA.
    """
    drawn = as_drawn(image)
    x, y, width, height = mark_box(drawn)
    ink = without_neighbours(ink_density(drawn[y : y + height, x : x + width]))
    top, bottom = _extent(ink.sum(axis=1))
    left, right = _extent(ink.sum(axis=0))
    ink = ink[top:bottom, left:right]
    longest = max(ink.shape)
    inner = size * (1 - 2 * MARGIN)
    scale = inner / longest
    shape = (max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(ink, shape, interpolation=method), np.float32)
    # Averaging thins a fine pen's line to grey; bring the strongest ink back to black.
    strongest = quantile(np.asarray(np.rint(255 * small), np.uint8), 0.99) / 255
    small = np.asarray(small / max(strongest, 0.3), np.float32)
    square = np.zeros((size, size), np.float32)
    x, y = (size - shape[0]) // 2, (size - shape[1]) // 2
    square[y : y + shape[1], x : x + shape[0]] = np.minimum(small, 1)
    return square * 2 - 1


def as_bytes(seen: NDArray[np.float32]) -> Pixels:
    """Return normalised pictures of any shape, in [-1, 1], as bytes: 0 = paper, 255 = full ink."""
    return np.asarray(np.round((seen + 1) * 127.5), np.uint8)


def from_bytes(ink: Pixels) -> NDArray[np.float32]:
    """Return what `as_bytes` made of normalised pictures as float32 in [-1, 1] again."""
    return np.asarray(ink / np.float32(127.5) - 1, np.float32)


def without_ink(seen: NDArray[np.float32]) -> list[int]:
    """Return which of N normalised pictures, (N, 1, S, S), have no ink."""
    return np.flatnonzero(seen.max(axis=(1, 2, 3), initial=-1) <= -1).tolist()


def normalise_all(images: Sequence[NDArray[np.uint8]], size: int) -> NDArray[np.float32]:
    """Return a batch of normalised pictures, (N, 1, size, size) float32 in [-1, 1], ink = +1."""
    if not images:
        return np.zeros((0, 1, size, size), np.float32)
    return np.stack([normalise(image, size) for image in images])[:, None]
