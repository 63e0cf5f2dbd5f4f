"""Query normalisation: any picture of a mark becomes ink on paper in a square of fixed size.

A sketch, a crop cut by hand and an ingested mark all go through `normalise`, so that two pictures
of one mark differ only by what the hand, the pen and the paper did.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from retrieval.transparency import on_white

#: A picture or a plane of one in 8 bits; the docstrings say of which shape.
Pixels = NDArray[np.uint8]

#: Kept with every embedding, so that a mark is embedded anew when it would look different. Changes
#: whenever a crop could come out of `normalise` otherwise, or be seen in other views
#: (`retrieval.embedding.VIEWS`).
SEEN = "ink-5"
#: Paper left around the ink on each side, as a share of the square.
MARGIN = 0.03
#: Ink weaker than this share of the strongest is paper: grain, foxing, show-through.
FAINTEST = 0.15
#: The least difference from paper, in grey levels, that can be ink at all.
LEAST_CONTRAST = 24.0
#: The weight of what is darker than the paper's plane against what is lighter, while it is fitted.
_DARKER = 0.05
#: The paper is sought in a copy of so many pixels on its longest side.
_COARSE = 24
#: A stroke that the crop's edge cuts and that ends within this share of the side is a neighbour's
RIM = 0.3
#: ... if at least so much of the ink is left without all such strokes.
LEAST_LEFT = 0.75
#: Share of the ink that may lie outside the box on each side: specks, neighbouring strokes' tips.
STRAY = 0.004


def grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the luminance of `image`, (H, W) or (H, W, 3) RGB or (H, W, 4) RGBA `on_white`."""
    if image.ndim == 2:
        return image
    if image.shape[2] == 4:
        image = on_white(image[..., :3], image[..., 3])
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def ink_density(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return how much ink lies on each pixel, (H, W) float32 in [0, 1], 1 = the darkest ink.

    A picture that is mostly darker than the middle of its range, at its border too, is light on
    dark (chalk, a negative) and is inverted. What is darker than `_paper` is ink.
    """
    values = grey(image)
    height, width = values.shape
    rim = max(1, round(0.04 * min(height, width)))
    edges = (values[:rim], values[-rim:], values[:, :rim], values[:, -rim:])
    border = sum(_percentile(edge, 50) for edge in edges) / len(edges)
    middle = (_percentile(values, 0.5) + _percentile(values, 99.5)) / 2
    # Where a mark is cut at its frame the border alone is dark.
    if border < middle and _percentile(values, 50) < middle:
        values = 255 - values
    level = values.astype(np.float32)
    depth = np.maximum(_paper(level) - level, 0)
    strongest = max(_reached(depth, 0.005), LEAST_CONTRAST)
    ink = np.minimum(depth / strongest, 1)
    ink[ink < FAINTEST] = 0
    return np.asarray(ink, np.float32)


def _percentile(values: NDArray[np.uint8], percent: float) -> int:
    """Return the least value that `percent` of all do not exceed: many times NumPy's speed."""
    counts = np.bincount(values.ravel(), minlength=256).cumsum()
    return int(np.searchsorted(counts, percent / 100 * values.size))


def _reached(values: NDArray[np.float32], share: float) -> float:
    """Return what that share of the values, none below 0, reaches."""
    inked = values[values > 0]  # the many that are 0 would take a while to put apart
    rank = len(inked) - max(1, math.ceil(share * values.size))
    return float(np.partition(inked, rank)[rank]) if rank >= 0 else 0.0


def _paper(level: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the level of the paper under a dark drawing: a plane, (H, W), in grey levels.

    However strong, light that falls from one side is not ink, and a plane cannot sink into a
    filled shape. It is found by asymmetric least squares (Eilers 2004, "Parametric time warping"),
    by which the many lighter pixels hold it up, and then laid through those that are near it.
    """
    height, width = level.shape
    scale = min(1.0, _COARSE / max(height, width))
    shape = (max(4, round(width * scale)), max(4, round(height * scale)))
    coarse = cv2.resize(level, shape, interpolation=cv2.INTER_AREA)
    values, terms = coarse.ravel().astype(np.float64), _terms(*coarse.shape)
    plane = _fitted(terms, values, np.ones(len(values)))
    above = values - terms @ plane
    darker = above < 0
    for _ in range(20):  # it settles after a few
        plane = _fitted(terms, values, np.where(darker, _DARKER, 1 - _DARKER))
        above = values - terms @ plane
        before, darker = darker, above < 0
        if np.array_equal(before, darker):
            break
    lighter = above[~darker]
    grain = 2 * math.sqrt(lighter @ lighter / max(1, len(lighter)))
    near = above > -2 * max(3.0, grain)
    if np.count_nonzero(near) > 4 * terms.shape[1]:
        plane = _fitted(terms, values, near.astype(np.float64))
    corners = np.clip(_terms(2, 2) @ plane, values.min(), values.max()).astype(np.float32)
    (top_left, top_right), (low_left, low_right) = corners.reshape(2, 2)
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    across = np.linspace(0, 1, width, dtype=np.float32)
    left = top_left + down * (low_left - top_left)
    right = top_right + down * (low_right - top_right)
    return np.asarray(left + across * (right - left), np.float32)


@functools.lru_cache(maxsize=256)
def _terms(height: int, width: int) -> NDArray[np.float64]:
    """Return what a plane is made of, 1, x and y from -1 to 1, for each pixel: (H * W, 3)."""
    across, down = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    return np.stack([np.ones_like(across), across, down], axis=-1).reshape(-1, 3)


def _fitted(
    terms: NDArray[np.float64], values: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the coefficients, (K,), of `terms`, (N, K), that come nearest to `values`, (N,)."""
    weighted = (terms * weights[:, None]).T
    # So little more that it changes nothing, but where all the weight lies on one line.
    gram = weighted @ terms + 1e-6 * np.eye(terms.shape[1])
    return np.asarray(np.linalg.solve(gram, weighted @ values))


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
    ink = without_neighbours(ink_density(image))
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
    small = np.asarray(small / max(_reached(small, 0.01), 0.3), np.float32)
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
