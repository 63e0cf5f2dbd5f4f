"""Groups: marks so alike that a person should look whether they are one merchant's mark.

    vectors -> nearest neighbours above a likeness (FAISS, block by block)
            -> average linkage over these pairs -> groups, proposed in the catalogue

Average linkage (Sokal & Michener 1958) joins two groups when their marks are alike on average, so
one mark that happens to look like two others does not chain them together. The order of joining is
Murtagh's (1983): whoever are each other's nearest are joined, many at once, which gives the same
groups as joining the nearest two of all, one after another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.calibration import RAREST
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import RequestError
from retrieval.catalogue.groups import ProposedGroup, marks_of_no_group, replace_proposed_groups
from retrieval.catalogue.marks import LIKELY
from retrieval.gpu import nearest_rows
from retrieval.index import load_index, stored_vectors
from retrieval.inkless import marks_without_ink
from retrieval.model import Model
from retrieval.progress import Report, nobody

#: The nearest marks that are looked at, one by one. A stamp may be on every page of an archive.
NEIGHBOURS = 64
#: A group is proposed for a likeness that this share of unrelated pairs reaches, at most.
COMMONEST = 0.01
_PAIRS = 100_000  # pairs of groups that are compared at once


@dataclass(frozen=True)
class Grouping:
    """What a run found, and what of it was left for a person to judge."""

    model: str
    share: float
    cosine: float
    few: bool  # there are too few marks to know how rare a likeness is
    marks: int  # that were looked at
    without_ink: int  # marks left out, as there is nothing on them that could be alike
    groups: tuple[ProposedGroup, ...]  # the largest first
    settled: int  # groups a person had judged, which are not proposed again


def propose_groups(
    archive: Archive,
    model: Model,
    share: float | None = None,
    report: Report = nobody,
) -> Grouping:
    """Group the archive's marks and put the groups in the place of all that nobody judged.

    `share` says how alike: as only that share of unrelated pairs of this archive would be; None is
    `usual_share`. Rejected marks, those on copies of a page, proposals that are unlikely to be
    marks (less than `LIKELY`), and marks without ink are left out. Raises RequestError when
    `share` is out of range, ModelError when nothing is indexed.
    """
    if share is not None and not RAREST <= share <= COMMONEST:
        raise RequestError(
            f"A share of {share:g} is out of range: give one from {RAREST:g} (hardly any "
            f"unrelated pair is so alike) to {COMMONEST:g} (1 in 100 is)."
        )
    index = load_index(archive, model)
    with archive.session() as session:
        left_out = marks_of_no_group(session, LIKELY)
    marks = np.setdiff1d(index.marks, np.array(left_out, np.int64), assume_unique=True)
    vectors = stored_vectors(index, marks.tolist())
    bare = marks_without_ink(archive, model, marks, vectors)
    inked = np.isin(marks, bare, invert=True)
    marks, vectors = marks[inked], vectors[inked]
    share = usual_share(len(marks)) if share is None else share
    cosine = index.cosines.cosine(share)
    groups = group_marks(marks, vectors, cosine, report=report)
    with archive.writing() as session:
        settled = replace_proposed_groups(session, model.id, share, cosine, groups)
    return Grouping(
        model=model.id,
        share=share,
        cosine=cosine,
        few=index.cosines.says_nothing,
        marks=len(marks),
        without_ink=len(bare),
        groups=tuple(groups),
        settled=settled,
    )


def usual_share(marks: int) -> float:
    """Return the share at which a mark has one unrelated look-alike among so many, on average."""
    return min(max(1 / max(marks, 1), RAREST), 1e-3)


def group_marks(
    marks: NDArray[np.int64],
    vectors: NDArray[np.float32],
    cosine: float,
    *,
    neighbours: int = NEIGHBOURS,
    report: Report = nobody,
) -> list[ProposedGroup]:
    """Return groups of two marks and more, the largest first; a mark is in one of them or in none.

    `vectors` (N, D) are L2-normalised, row by row those of `marks` (N,). The mean cosine of all
    pairs of a group is at least `cosine`, and two groups could not be joined without losing that,
    as far as each mark's `neighbours` nearest can tell. The order of the rows does not matter.
    """
    order = np.argsort(marks, kind="stable")
    marks, vectors = marks[order], np.ascontiguousarray(vectors[order], np.float32)
    pairs = _alike(vectors, cosine, neighbours, report)
    group_of = _average_linkage(vectors, *pairs, cosine)
    _, number, sizes = np.unique(group_of, return_inverse=True, return_counts=True)
    together = np.flatnonzero(sizes[number] > 1)  # most marks are like no other
    together = together[np.argsort(group_of[together], kind="stable")]
    ends = np.cumsum(sizes[sizes > 1])
    groups = [
        put_together(marks[rows], vectors[rows]) for rows in np.split(together, ends)[: len(ends)]
    ]
    return sorted(groups, key=lambda group: (-len(group.marks), -group.cohesion, group.marks))


def put_together(marks: NDArray[np.int64], vectors: NDArray[np.float32]) -> ProposedGroup:
    """Return marks, two at least, as a group, by their vectors, (N, D) L2-normalised."""
    likeness = (vectors @ vectors.sum(axis=0, dtype=np.float64) - 1) / (len(marks) - 1)
    first = np.lexsort((marks, -likeness))
    return ProposedGroup(tuple(marks[first].tolist()), tuple(likeness[first].tolist()))


_Rows = NDArray[np.int64]
_Scores = NDArray[np.float32]


def _alike(
    vectors: NDArray[np.float32], cosine: float, neighbours: int, report: Report
) -> tuple[_Rows, _Rows, _Scores]:
    """Return the pairs of rows (a < b) among each other's nearest that reach `cosine`."""
    count = len(vectors)
    found = []
    for part, scores, rows in nearest_rows(vectors, vectors, min(neighbours + 1, count)):
        own = np.arange(part.start, part.stop)[:, None]
        kept = (scores >= cosine) & (rows != own) & (rows >= 0)
        at = np.nonzero(kept)[0] + part.start
        ends = np.sort(np.stack([at, rows[kept]]), axis=0)
        found.append((ends[0] * count + ends[1], scores[kept]))
        report(part.stop, count)
    keys = np.concatenate([key for key, _ in found] or [np.zeros(0, np.int64)])
    scores = np.concatenate([score for _, score in found] or [np.zeros(0, np.float32)])
    keys, first = np.unique(keys, return_index=True)
    return keys // max(count, 1), keys % max(count, 1), scores[first]


def _average_linkage(
    vectors: NDArray[np.float32], one: _Rows, other: _Rows, scores: _Scores, cosine: float
) -> _Rows:
    """Return the group of each row, named by its first row.

    Only pairs that reach `cosine` need be known: where the mean over two groups does, that of a
    part of them does, so every pair of groups that may be joined descends from a pair that might.
    The mean cosine between two groups is the product of their mean vectors.
    """
    count = len(vectors)
    totals, sizes = vectors.copy(), np.ones(count, np.float32)
    group_of = np.arange(count)
    while len(one):
        nearest = np.full(count, len(one))
        # Equal pairs in an order as good as random: in order of rows, a thousand copies of one
        # mark would be joined one by one.
        order = np.lexsort((_scattered(one, other), -scores))
        places = np.arange(len(one))
        np.minimum.at(nearest, one[order], places)
        np.minimum.at(nearest, other[order], places)
        mutual = (nearest[one[order]] == places) & (nearest[other[order]] == places)
        into, gone = one[order][mutual], other[order][mutual]
        totals[into] += totals[gone]
        sizes[into] += sizes[gone]
        joined = np.arange(count)
        joined[gone] = into
        group_of = joined[group_of]
        changed = np.zeros(count, bool)
        changed[into] = True

        ends = np.sort(np.stack([joined[one], joined[other]]), axis=0)
        apart = ends[0] != ends[1]
        keys, first = np.unique(ends[0][apart] * count + ends[1][apart], return_index=True)
        scores = scores[apart][first]
        one, other = keys // count, keys % count
        anew = np.flatnonzero(changed[one] | changed[other])
        for start in range(0, len(anew), _PAIRS):
            part = anew[start : start + _PAIRS]
            a, b = one[part], other[part]
            sums = np.einsum("nd,nd->n", totals[a], totals[b])
            scores[part] = sums / (sizes[a] * sizes[b])
        kept = scores >= cosine
        one, other, scores = one[kept], other[kept], scores[kept]
    return group_of


def _scattered(one: _Rows, other: _Rows) -> NDArray[np.uint64]:
    """Return a number for each pair, spread evenly (the last steps of SplitMix64)."""
    mixed = one.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) ^ other.astype(np.uint64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    return mixed ^ (mixed >> np.uint64(27))


def group_numbers(groups: Sequence[ProposedGroup], marks: Sequence[int]) -> NDArray[np.int64]:
    """Return the number of each mark's group; marks in none have numbers of their own."""
    number = {mark: at for at, group in enumerate(groups) for mark in group.marks}
    alone = len(groups)
    return np.array([number.get(mark, alone + at) for at, mark in enumerate(marks)], np.int64)
