"""How many of an archive's like pairs are strangers, though nobody has said who is whose.

Two witnesses are heard. Decoys: marks in mirror writing are strangers to all others, drawn by the
same hands on the same paper, so as many strangers are as alike as marks are to decoys (target and
decoy, Elias & Gygi 2007). But archives hold shapes that are alike both ways, and letters alike one
way only, and decoys then tell too many or too few. And the tail: how common likeness is in general,
carried on to where it is rare (`calibrate_below_repeats`), which misses how alike an archive's own
grounds make strangers, or takes that for the rule. They err apart from each other, so the geometric
mean of the two is taken.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from retrieval.calibration import calibrate_below_repeats
from retrieval.gpu import nearest_rows
from retrieval.grouping import NEIGHBOURS
from retrieval.vectors import Vectors

#: A mark this alike to its own mirror image is symmetric, and no stranger to its repeats' images.
SYMMETRIC = 0.8
#: However many are symmetric, this share of the marks, the least alike to theirs, stands for all.
FEWEST_DECOYS = 0.25


def cosine_of_repeats(vectors: Vectors, mirrored: Vectors, strangers: float) -> float:
    """Return the least cosine from which at most a share `strangers` of the pairs are unrelated.

    `vectors` are L2-normalised embeddings (N, D), `mirrored` those of the marks' mirror images.
    How many pairs are so alike is counted among those that `group_marks` looks at; how many of
    them are unrelated is estimated. The quotient is the false discovery rate (Benjamini &
    Hochberg 1995; Storey 2002). Where there is no such cosine it is infinite.
    """
    alike = _descending(_others(vectors, vectors))
    few = unrelated_pairs(vectors, mirrored, alike) <= strangers * np.arange(1, len(alike) + 1)
    return float(alike[few].min()) if few.any() else float("inf")


def unrelated_pairs(
    vectors: Vectors, mirrored: Vectors, cosines: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return how many pairs of unrelated marks, each both ways, reach `cosines`, as estimated.

    `vectors` and `mirrored` are as for `cosine_of_repeats`.
    """
    pairs = len(vectors) * (len(vectors) - 1)
    tail = calibrate_below_repeats(vectors).estimated(cosines) * pairs
    itself = np.einsum("nd,nd->n", vectors, mirrored)
    told = itself <= max(SYMMETRIC, np.quantile(itself, FEWEST_DECOYS))
    decoys = _descending(_others(vectors, mirrored, told))
    # One is counted besides: where no decoy was ever so alike, the next one might be.
    reach = 1 + np.searchsorted(-decoys, -cosines, side="right")
    return np.asarray(np.sqrt(tail * reach * len(vectors) / told.sum()), np.float64)


def _others(
    asked: Vectors, answers: Vectors, told: NDArray[np.bool_] | None = None
) -> Iterator[NDArray[np.float32]]:
    """Give the cosines of the NEIGHBOURS nearest answers to each of N marks, but for its own.

    Both are (N, D). Answers that are not `told` (N,) are left out.
    """
    which = np.arange(len(answers)) if told is None else np.flatnonzero(told)
    for part, cosines, rows in nearest_rows(answers[which], asked, min(NEIGHBOURS + 1, len(which))):
        own = np.arange(part.start, part.stop)[:, None]
        yield cosines[(rows >= 0) & (which[rows] != own)]


def _descending(cosines: Iterator[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.sort(np.concatenate([np.zeros(0, np.float32), *cosines]))[::-1]
