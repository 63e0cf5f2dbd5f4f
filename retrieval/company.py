"""The company a mark keeps: what lies nearest to it in the archive says what it looks like, too.

Two drawings of one mark may differ in just what a query has in common with a third. So a mark is
found by its own embedding, or by that of its company: itself averaged with its nearest neighbours,
each weighted by its cosine ** 3 (Radenovic et al. 2018, arXiv 1711.02512) and less with every
place down the list (database-side augmentation, Gordo et al. 2017, arXiv 1610.07940). The better
of the two cosines counts, so that a mark's own picture still finds it with a cosine of 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.calibration import Alike, by_cosine
from retrieval.gpu import nearest_rows
from retrieval.progress import Report, nobody
from retrieval.vectors import Vectors, unit

#: How many neighbours are averaged with a mark, and how much the mark itself weighs.
NEAREST, OWN = 8, 1.5
_ALPHA = 3


@dataclass(frozen=True)
class Neighbours:
    """The nearest marks of N marks by cosine, nearest first, equal ones in order of their ids."""

    marks: NDArray[np.int64]  # (N,) ascending
    nearest: NDArray[np.int64]  # (N, NEAREST) mark ids; -1 where the archive holds no more
    cosines: Vectors  # (N, NEAREST); 0 where there is none

    @classmethod
    def none(cls) -> Neighbours:
        """Return the neighbours of no marks."""
        nothing = np.zeros((0, NEAREST))
        return cls(np.zeros(0, np.int64), nothing.astype(np.int64), nothing.astype(np.float32))


def company(vectors: Vectors, neighbours: Neighbours) -> Vectors:
    """Return the company of marks, (N, D) L2-normalised, from their embeddings (N, D).

    `vectors` are L2-normalised, row by row those of `neighbours.marks`.
    """
    return _averaged(vectors, neighbours, vectors, neighbours.marks)


def _averaged(
    own: Vectors, neighbours: Neighbours, vectors: Vectors, marks: NDArray[np.int64]
) -> Vectors:
    """Return P marks averaged with their `neighbours`, (P, D), by their `own` vectors (P, D).

    `vectors` (N, D) are those of all `marks` (N,), ascending.
    """
    by_place = (NEAREST - np.arange(NEAREST, dtype=np.float32)) / NEAREST
    weights = np.maximum(neighbours.cosines, 0) ** _ALPHA * by_place
    weights[neighbours.nearest < 0] = 0
    rows = np.searchsorted(marks, np.maximum(neighbours.nearest, 0))
    rows = np.minimum(rows, max(len(vectors) - 1, 0))
    joined = own * np.float32(OWN)
    for place in range(NEAREST):
        joined += weights[:, place, None] * vectors[rows[:, place]]
    return unit(joined)


def scores_within(vectors: Vectors, together: Vectors) -> Alike:
    """Return what gives the score of one mark of the archive against another: `--mark` asks so.

    It is in the company of those that it is near to, and the more alike to them for that.
    `vectors` and their company, `together`, are (N, D) and L2-normalised.
    """
    own = by_cosine(vectors)
    return lambda one, other: np.maximum(
        own(one, other), np.einsum("nd,nd->n", vectors[one], together[other])
    )


def scores_from_outside(vectors: Vectors, together: Vectors, neighbours: Neighbours) -> Alike:
    """Return what gives the score of one mark against another if it were not in the archive.

    So a picture asks that is in nobody's company. `vectors` and `together` are as for
    `scores_within`, row by row those of `neighbours.marks`.
    """
    own, within = by_cosine(vectors), scores_within(vectors, together)

    def alike(one: NDArray[np.int64], other: NDArray[np.int64]) -> Vectors:
        scores = within(one, other)
        near = (neighbours.nearest[other] == neighbours.marks[one, None]).any(axis=1)
        one, other = one[near], other[near]
        without = _company_without(vectors, neighbours, other, one)
        scores[near] = np.maximum(own(one, other), np.einsum("nd,nd->n", vectors[one], without))
        return scores

    return alike


def _company_without(
    vectors: Vectors, neighbours: Neighbours, rows: NDArray[np.int64], gone: NDArray[np.int64]
) -> Vectors:
    """Return the company of some `rows` (P,), each without a neighbour, whose row is in `gone`.

    Those behind it move up. Who would come in last is not known, and would hardly weigh.
    """
    nearest, cosines = neighbours.nearest[rows], neighbours.cosines[rows]
    nearest = np.where(nearest == neighbours.marks[gone, None], -1, nearest)
    order = np.argsort(nearest < 0, axis=1, kind="stable")
    left = Neighbours(
        neighbours.marks[rows],
        np.take_along_axis(nearest, order, axis=1),
        np.take_along_axis(cosines, order, axis=1),
    )
    return _averaged(vectors[rows], left, vectors, neighbours.marks)


def find_neighbours(
    marks: NDArray[np.int64],
    vectors: Vectors,
    known: Neighbours | None = None,
    changed: NDArray[np.bool_] | None = None,
    report: Report = nobody,
) -> Neighbours:
    """Return the neighbours of `marks` (N,), ascending, with L2-normalised `vectors` (N, D).

    With the neighbours `known` before, and which marks are new or look different since (`changed`,
    (N,)), only these and the marks they concern are looked at. `report` is called with (done,
    total) of these, block by block.
    """
    every = np.arange(len(marks))
    if known is None or changed is None or not len(known.marks):
        return _found(marks, vectors, every, lambda done: report(done, len(marks)))
    before = np.minimum(np.searchsorted(known.marks, marks), len(known.marks) - 1)
    nearest, cosines = known.nearest[before], known.cosines[before]
    # A neighbour that is gone or looks different leaves a place that any mark may take.
    kept = (known.marks[before] == marks) & ~changed
    anew = ~kept | ~np.isin(nearest, marks[~changed]).all(axis=1)
    if 2 * anew.sum() > len(marks):
        return _found(marks, vectors, every, lambda done: report(done, len(marks)))
    rows = np.flatnonzero(anew)
    fresh = _found(marks, vectors, rows, lambda done: report(done, len(marks)))
    nearest[rows], cosines[rows] = fresh.nearest, fresh.cosines
    others, added = np.flatnonzero(~anew), np.flatnonzero(changed)
    if len(others) and len(added):
        near, alike = _search(
            vectors[added],
            vectors[others],
            NEAREST,
            lambda done: report(len(rows) + done, len(marks)),
        )
        near = np.where(near >= 0, marks[added][near], -1)
        both = np.hstack([nearest[others], near]), np.hstack([cosines[others], alike])
        nearest[others], cosines[others] = _first(*both)
    return Neighbours(marks, nearest, cosines)


def _found(
    marks: NDArray[np.int64],
    vectors: Vectors,
    rows: NDArray[np.int64],
    report: Callable[[int], None],
) -> Neighbours:
    """Return the neighbours of some rows among all."""
    near, cosines = _search(vectors, vectors[rows], NEAREST + 1, report)
    itself = near == rows[:, None]
    near, cosines = np.where(itself, -1, near), np.where(itself, 0, cosines)
    near = np.where(near >= 0, marks[near], -1)
    return Neighbours(marks[rows], *_first(near, cosines))


def _search(
    among: Vectors, vectors: Vectors, count: int, report: Callable[[int], None]
) -> tuple[NDArray[np.int64], Vectors]:
    """Return the rows of the `count` nearest and their cosines, (N, count); row -1 for no more."""
    near = np.full((len(vectors), count), -1, np.int64)
    cosines = np.zeros((len(vectors), count), np.float32)
    most = min(count, len(among))
    for part, scores, rows in nearest_rows(among, vectors, most):
        near[part, :most], cosines[part, :most] = rows, scores
        report(part.stop)
    return near, cosines


def _first(near: NDArray[np.int64], cosines: Vectors) -> tuple[NDArray[np.int64], Vectors]:
    """Return the NEAREST best of each row, those that are none last."""
    order = np.lexsort((near, -cosines, near < 0), axis=1)[:, :NEAREST]
    return np.take_along_axis(near, order, axis=1), np.take_along_axis(cosines, order, axis=1)
