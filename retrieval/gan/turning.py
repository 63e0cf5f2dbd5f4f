"""A mark turned by a quarter or mirrored is another owner's, so it is a new identity for nothing.

The same turn on both pictures of a pair makes another pair; beside the upright pair in one batch it
is the hardest stranger there is, which keeps mirror images and quarter turns apart.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from retrieval.orientation import QUARTERS, Orientation, turned

Pairs = tuple[NDArray[np.uint8], NDArray[np.uint8]]

#: Share of the redrawn identities that are shown turned or mirrored.
TURNED = 0.5
#: A mark this like its own turned image (cosine of coarse ink) has no sibling: it is symmetric.
SYMMETRIC = 0.5
_COARSE = 12  # cells a side
#: The eight ways by the numbers that are drawn; another order would give another run.
_WAYS = (
    *(Orientation(mirrored=False, turned=degrees) for degrees in (0, 270, 180, 90)),
    *(Orientation(mirrored=True, turned=degrees) for degrees in QUARTERS),
)


def turn(pictures: NDArray[np.uint8], way: int) -> NDArray[np.uint8]:
    """Return pictures (N, S, S) in one of the eight ways a square can lie; 0 is as they are."""
    return turned(pictures, _WAYS[way])


def _each_turned(pictures: NDArray[np.uint8], ways: NDArray[np.int64]) -> NDArray[np.uint8]:
    laid = np.empty_like(pictures)
    for way in range(8):
        rows = ways == way
        laid[rows] = turn(pictures[rows], way)
    return laid


def turned_identities(pairs: Pairs, rng: np.random.Generator) -> Pairs:
    """Return pairs (N, S, S) each, some of them turned or mirrored, both pictures alike."""
    first, second = pairs
    ways = np.where(rng.random(len(first)) < TURNED, rng.integers(1, 8, len(first)), 0)
    return _each_turned(first, ways), _each_turned(second, ways)


def _coarse(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return unit vectors (N, cells) of the ink in coarse cells, which blurs the hand away."""
    side = pictures.shape[1] // _COARSE * _COARSE
    start = (pictures.shape[1] - side) // 2
    inner = pictures[:, start : start + side, start : start + side]
    step = side // _COARSE
    blocks = inner.reshape(len(inner), _COARSE, step, _COARSE, step)
    cells = blocks.mean(axis=(2, 4), dtype=np.float32).reshape(len(inner), _COARSE**2)
    cells += 1e-3  # so that bare paper is like bare paper
    return np.asarray(cells / np.linalg.norm(cells, axis=1, keepdims=True), np.float32)


def siblings(pairs: Pairs, most: int, rng: np.random.Generator) -> Pairs:
    """Return up to `most` turned or mirrored siblings of the pairs, symmetric marks left out."""
    first, second = pairs
    rows = rng.permutation(len(first))[: 2 * most]
    ways = rng.integers(1, 8, len(rows))
    other_first, other_second = (_each_turned(side[rows], ways) for side in (first, second))
    likeness = (_coarse(first[rows]) * _coarse(other_first)).sum(axis=1)
    kept = np.flatnonzero(likeness < SYMMETRIC)[:most]
    return other_first[kept], other_second[kept]
