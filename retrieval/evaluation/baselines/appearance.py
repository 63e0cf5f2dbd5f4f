"""Appearance: the ink's own pixels, its gradients, and a signature of its shades."""

from __future__ import annotations

from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from retrieval.vectors import Vectors, unit

_CELL, _BINS, _BLOCK = 8, 9, 2
_GRID = 9


def blurred_pixels(ink: Vectors) -> Vectors:
    """Return the pixels under a Gaussian blur of 3 pixels: what anybody would try first."""
    return unit(np.stack([cv2.GaussianBlur(one, (0, 0), 3).ravel() for one in ink]))


def oriented_gradients(ink: Vectors) -> Vectors:
    """Return histograms of oriented gradients (Dalal & Triggs 2005).

    Nine unsigned orientations in cells of 8 pixels, blocks of 2 x 2 cells, L2-Hys.
    """
    count, side, _ = ink.shape
    down, right = np.zeros_like(ink), np.zeros_like(ink)
    down[:, 1:-1] = ink[:, 2:] - ink[:, :-2]
    right[:, :, 1:-1] = ink[:, :, 2:] - ink[:, :, :-2]
    strength = np.hypot(down, right)
    bins = (np.degrees(np.arctan2(down, right)) % 180 / (180 / _BINS)).astype(np.int64) % _BINS
    cells = side // _CELL
    of_cell = np.arange(side) // _CELL
    cell = of_cell[:, None] * cells + of_cell[None]
    at = (np.arange(count)[:, None, None] * cells * cells + cell) * _BINS + bins
    sums = np.bincount(at.ravel(), strength.ravel(), count * cells * cells * _BINS)
    histogram = sums.reshape(count, cells, cells, _BINS) / _CELL**2
    places = cells - _BLOCK + 1
    corners = product(range(_BLOCK), repeat=2)
    blocks = np.concatenate(
        [histogram[:, y : y + places, x : x + places] for y, x in corners], axis=3
    )
    clipped = np.minimum(_l2(blocks), 0.2)
    return unit(_l2(clipped).reshape(count, -1))


def _l2(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.sqrt(np.square(blocks).sum(axis=3, keepdims=True) + 1e-10)
    return np.asarray(blocks / lengths, np.float64)


def shade_signature(ink: Vectors) -> Vectors:
    """Return the signature that image-match stores, (N, 648) whole numbers from -2 to 2.

    Mean shades of a 9 x 9 grid laid over the ink; each is much darker, darker, equal, lighter or
    much lighter than its eight neighbours. After Wong, Bern & Goldberg (2002), "An image signature
    for any kind of image"; equal to the package's own but for the order and sign of some numbers.
    """
    levels = np.stack([_grid_shades(1 - one) for one in ink])
    framed = np.pad(levels, ((0, 0), (1, 1), (1, 1)), constant_values=np.nan)
    differences = np.stack(
        [
            levels - framed[:, 1 + y : 1 + y + _GRID, 1 + x : 1 + x + _GRID]
            for y, x in product((-1, 0, 1), repeat=2)
            if (y, x) != (0, 0)
        ],
        axis=3,
    )
    differences = np.nan_to_num(differences).reshape(len(ink), -1)
    differences[np.abs(differences) < 2 / 255] = 0
    signature = np.zeros_like(differences)
    for row, found in zip(differences, signature, strict=True):
        if (some := np.abs(row[row > 0])).size:
            found[:] = np.sign(row) * (1 + (np.abs(row) > np.median(some)))
    return signature.astype(np.float32)


def _grid_shades(shades: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the mean shades around the points of a grid over the middle 90 % of the change."""
    side = len(shades)
    patch = max(2, int(0.5 + side / 20))
    total = cv2.integral(shades, sdepth=cv2.CV_64F)
    bounds = []
    for axis in (1, 0):
        change = np.cumsum(np.abs(np.diff(shades, axis=axis)).sum(axis=axis))
        first = int(np.searchsorted(change, np.percentile(change, 5), side="right"))
        last = int(np.searchsorted(change, np.percentile(change, 95), side="left"))
        if first > last:
            first, last = int(0.05 * side), int(0.95 * side)
        centres = np.linspace(first, last, _GRID + 2, dtype=int)[1:-1]
        low = np.maximum(centres - patch / 2, 0).astype(int)
        bounds.append((low, np.minimum(low + patch, side)))
    (top, bottom), (left, right) = bounds
    sums = total[np.ix_(bottom, right)] - total[np.ix_(top, right)]
    sums -= total[np.ix_(bottom, left)] - total[np.ix_(top, left)]
    return np.asarray(sums / ((bottom - top)[:, None] * (right - left)[None]), np.float64)
