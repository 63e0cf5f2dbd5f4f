"""Measures of ranked lists, with the names and definitions of pytorch-metric-learning.

Each query ranks the gallery; the query itself is never counted, and a query without another mark
of its label is left out. Among equal scores the wrong marks come first, so that features which
cannot tell marks apart earn nothing by the order in which the marks happen to stand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.progress import Report, nobody

#: What a ranked list is measured by; with R relevant marks and k counted from 1:
#: precision_at_1: is the first mark relevant? r_precision: share of relevant marks in the first R.
#: mean_average_precision: precision at each relevant mark's place, averaged over the R.
#: mean_average_precision_at_r: the same, with places after R counting nothing (Musgrave et al.
#: 2020, arXiv 2003.08505). recall_at_k: is there a relevant mark among the first k?
MEASURES = (
    "precision_at_1",
    "r_precision",
    "mean_average_precision",
    "mean_average_precision_at_r",
    "recall_at_1",
    "recall_at_5",
    "recall_at_10",
    "recall_at_50",
)
#: Places at which the recall curve is drawn.
CURVE = tuple(range(1, 101))
RESAMPLES = 1000
#: Similarities held at once while ranking: 32 MB, whatever the size of the gallery.
_AT_ONCE = 8_000_000

#: Gives the similarities (Q, G) of some queries, named by their mark's row, to the whole gallery.
Similarity = Callable[[NDArray[np.int64]], NDArray[np.float32]]


@dataclass(frozen=True)
class Ranked:
    """At which places of its ranked list each query's relevant marks stand."""

    queries: NDArray[np.int64]  # (Q,) rows of the marks that asked
    labels: NDArray[np.int64]  # (Q,) their labels
    starts: NDArray[np.int64]  # (Q,) where each query's places begin in `places`
    places: NDArray[np.int64]  # from 1, ascending within a query

    @property
    def first(self) -> NDArray[np.int64]:
        """Place of each query's first relevant mark, (Q,)."""
        return self.places[self.starts]


@dataclass(frozen=True)
class Estimate:
    """A mean over queries and the interval that holds 95 % of its bootstrap resamples."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Scores:
    """The measures by name: every query counts alike (micro), or every label does (macro)."""

    queries: int
    labels: int
    micro: dict[str, Estimate]
    macro: dict[str, Estimate]
    recall: tuple[float, ...]  # at each place of CURVE


def answerable(
    labels: NDArray[np.int64], queries: NDArray[np.int64], gallery: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return those of `queries` for which the gallery holds another mark of the same label."""
    count = np.bincount(labels[gallery], minlength=int(labels.max(initial=-1)) + 1)
    itself = np.isin(queries, gallery)
    return queries[count[labels[queries]] - itself > 0]


def rank(
    labels: NDArray[np.int64],
    queries: NDArray[np.int64],
    gallery: NDArray[np.int64],
    similarity: Similarity,
    report: Report = nobody,
) -> Ranked:
    """Return where the relevant marks stand in each query's ranked list.

    `labels` (N,) are numbers from 0, one a mark; `queries` and `gallery` are rows of it. Memory is
    bounded: a few hundred queries are ranked at a time. `report` is called with (done, total).
    """
    asked = answerable(labels, queries, gallery)
    step = max(1, _AT_ONCE // max(1, len(gallery)))
    places: list[NDArray[np.int64]] = []
    for start in range(0, len(asked), step):
        rows = asked[start : start + step]
        scores = similarity(rows)
        same = labels[rows][:, None] == labels[gallery][None]
        relevant = same & (rows[:, None] != gallery[None])
        wrong = np.where(same, -np.inf, scores)
        wrong.sort(axis=1)
        for good, row, among in zip(relevant, scores, wrong, strict=True):
            found = np.sort(row[good])[::-1]
            above = len(among) - np.searchsorted(among, found, side="left")
            places.append(above + np.arange(1, len(found) + 1))
        report(min(start + step, len(asked)), len(asked))
    lengths = np.array([len(found) for found in places], np.int64)
    starts = np.cumsum(lengths) - lengths
    flat = np.concatenate(places) if places else np.zeros(0, np.int64)
    return Ranked(asked, labels[asked], starts, flat.astype(np.int64))


def per_query(ranked: Ranked) -> NDArray[np.float64]:
    """Return each query's own value of each of `MEASURES`, (Q, M)."""
    if not len(ranked.queries):
        return np.zeros((0, len(MEASURES)))
    relevant = np.diff(np.append(ranked.starts, len(ranked.places)))
    found = np.arange(len(ranked.places)) - np.repeat(ranked.starts, relevant) + 1
    precision = found / ranked.places
    within = ranked.places <= np.repeat(relevant, relevant)
    columns = [
        ranked.first == 1,
        np.add.reduceat(within.astype(np.float64), ranked.starts) / relevant,
        np.add.reduceat(precision, ranked.starts) / relevant,
        np.add.reduceat(precision * within, ranked.starts) / relevant,
        *(ranked.first <= k for k in (1, 5, 10, 50)),
    ]
    return np.stack([np.asarray(column, np.float64) for column in columns], axis=1)


def score(ranked: Ranked, seed: int = 0) -> Scores:
    """Return the means over queries and over labels, with bootstrap intervals (Efron 1979)."""
    values = per_query(ranked)
    if not len(values):
        nothing = {name: Estimate(0.0, 0.0, 0.0) for name in MEASURES}
        return Scores(0, 0, nothing, nothing, (0.0,) * len(CURVE))
    order = np.argsort(ranked.labels, kind="stable")
    values = values[order]
    groups = np.flatnonzero(np.diff(ranked.labels[order], prepend=-1))
    sizes = np.diff(np.append(groups, len(values)))
    micro, macro = _resampled(values, groups, seed)
    by_label = np.add.reduceat(values, groups, axis=0) / sizes[:, None]
    histogram = np.bincount(ranked.first.clip(max=CURVE[-1] + 1), minlength=CURVE[-1] + 2)
    recall = np.cumsum(histogram)[1 : CURVE[-1] + 1] / len(values)
    return Scores(
        len(values),
        len(groups),
        _estimates(values.mean(axis=0), micro),
        _estimates(by_label.mean(axis=0), macro),
        tuple(recall.tolist()),
    )


def _estimates(means: NDArray[np.float64], samples: NDArray[np.float64]) -> dict[str, Estimate]:
    low, high = np.percentile(samples, [2.5, 97.5], axis=0)
    return {
        name: Estimate(float(means[at]), float(low[at]), float(high[at]))
        for at, name in enumerate(MEASURES)
    }


def _resampled(
    values: NDArray[np.float64], groups: NDArray[np.int64], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the micro and macro means of `RESAMPLES` draws of the queries, (RESAMPLES, M) each.

    `values` (Q, M) stand label by label, label l beginning at `groups[l]`. A label of which no
    query was drawn does not count in that draw.
    """
    rng = np.random.default_rng(seed)
    count = len(values)
    micro, macro = np.empty((2, RESAMPLES, values.shape[1]))
    step = max(1, _AT_ONCE // (8 * count))
    for start in range(0, RESAMPLES, step):
        rows = min(step, RESAMPLES - start)
        drawn = rng.integers(0, count, (rows, count)) + np.arange(rows)[:, None] * count
        times = np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)
        micro[start : start + rows] = times @ values / count
        of_label = np.add.reduceat(times, groups, axis=1)
        present = of_label > 0
        for column in range(values.shape[1]):
            sums = np.add.reduceat(times * values[:, column], groups, axis=1)
            means = sums / np.maximum(of_label, 1)
            macro[start : start + rows, column] = means.sum(axis=1) / present.sum(axis=1)
    return micro, macro
