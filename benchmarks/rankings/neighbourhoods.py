"""Ranking by more than the query alone: what lies near the query, and near what lies near it.

All functions take L2-normalised embeddings, queries (Q, D) and gallery (G, D), and give
similarities (Q, G), larger is more alike. No search uses them; `reranking.py` beside this folder
says what each is worth.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from retrieval.vectors import Vectors, unit


def _nearest(similarity: Vectors, count: int) -> NDArray[np.intp]:
    """Return the columns of each row's `count` largest, largest first."""
    count = min(count, similarity.shape[1])
    some = np.argpartition(-similarity, count - 1, axis=1)[:, :count]
    order = np.argsort(-np.take_along_axis(similarity, some, axis=1), axis=1, kind="stable")
    return np.asarray(np.take_along_axis(some, order, axis=1))


def expanded(
    queries: Vectors,
    gallery: Vectors,
    neighbours: int,
    alpha: float = 3.0,
    least: float = 0.0,
) -> Vectors:
    """Return the queries joined by their nearest marks, each weighted by its cosine ** alpha.

    Alpha query expansion (Radenovic et al. 2018, arXiv 1711.02512). Marks with a cosine under
    `least` are left out: with the cosine that a calibration calls rare, only marks that are likely
    to be repeats join. With the gallery as its own queries this is database-side augmentation.
    """
    similarity = queries @ gallery.T
    near = _nearest(similarity, neighbours)
    cosines = np.take_along_axis(similarity, near, axis=1)
    weights = np.where(cosines >= least, np.maximum(cosines, 0) ** alpha, 0)
    return unit(queries + np.einsum("qk,qkd->qd", weights, gallery[near]))


def first_kept(plain: Vectors, similarity: Vectors) -> Vectors:
    """Return `similarity` with the mark that is first in `plain` still first in every list."""
    kept = similarity.copy()
    rows = np.arange(len(kept))
    kept[rows, plain.argmax(axis=1)] = kept.max(axis=1) + 1
    return kept


def reciprocal(
    queries: Vectors,
    gallery: Vectors,
    near: int = 20,
    nearer: int = 6,
    share: float = 0.3,
) -> Vectors:
    """Return similarities by shared neighbourhoods (Zhong et al. 2017, arXiv 1701.08398).

    Two marks are alike when each is among the `near` nearest of the other, and their neighbours
    are; `nearer` of them are averaged over, and `share` of the plain distance is kept. Memory and
    time grow with the square of Q + G.
    """
    every = np.concatenate([queries, gallery])
    similarity = every @ every.T
    ranked = _nearest(similarity, near + 1)
    encoded = np.zeros_like(similarity)
    for row in range(len(every)):
        members = _mutual(ranked, row, near)
        grown = [members]
        for other in members:
            theirs = _mutual(ranked, other, max(1, round(near / 2)))
            if len(np.intersect1d(theirs, members)) > 2 / 3 * len(theirs):
                grown.append(theirs)
        members = np.unique(np.concatenate(grown))
        weights = np.exp(similarity[row, members] - 1)
        encoded[row, members] = weights / weights.sum()
    encoded = encoded[ranked[:, :nearer]].mean(axis=1)
    asked, known = encoded[: len(queries)], encoded[len(queries) :]
    jaccard = np.empty((len(queries), len(gallery)), np.float32)
    for likeness, code in zip(jaccard, asked, strict=True):
        columns = np.flatnonzero(code)
        common = np.minimum(code[columns], known[:, columns]).sum(axis=1)
        likeness[:] = common / (2 - common)
    plain = similarity[: len(queries), len(queries) :]
    return np.asarray((1 - share) * jaccard + share * plain, np.float32)


def _mutual(ranked: NDArray[np.intp], row: int, near: int) -> NDArray[np.intp]:
    """Return who is among the `near` nearest of `row` and has it among theirs; itself counts."""
    those = ranked[row, : near + 1]
    return np.asarray(those[(ranked[those, : near + 1] == row).any(axis=1)])
