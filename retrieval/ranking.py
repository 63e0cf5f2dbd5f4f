"""Measures of a ranked list, with the names and definitions of pytorch-metric-learning.

Every query is ranked against all other marks; the query itself is never counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RankingScores:
    """Means over queries that have at least one relevant mark."""

    queries: int
    precision_at_1: float
    mean_average_precision: float
    r_precision: float
    recall_at_10: float  # share of queries with a relevant mark among the first ten


def score_rankings(relevant: Sequence[NDArray[np.bool_]]) -> RankingScores:
    """Return the scores of ranked lists; `relevant[q][k]` says whether place k answers query q.

    Lists without any relevant mark are left out of the means.
    """
    answered = [np.asarray(row, bool) for row in relevant if np.any(row)]
    if not answered:
        return RankingScores(0, 0.0, 0.0, 0.0, 0.0)
    precisions, first, r_precisions, recalls = [], [], [], []
    for row in answered:
        places = np.flatnonzero(row)
        precisions.append(float(np.mean(np.arange(1, len(places) + 1) / (places + 1))))
        first.append(float(row[0]))
        r_precisions.append(float(row[: len(places)].mean()))
        recalls.append(float(row[:10].any()))
    return RankingScores(
        len(answered),
        float(np.mean(first)),
        float(np.mean(precisions)),
        float(np.mean(r_precisions)),
        float(np.mean(recalls)),
    )


def leave_one_out(vectors: NDArray[np.float32], labels: NDArray[np.int64]) -> RankingScores:
    """Return the scores when every one of N marks is a query against all others.

    `vectors` (N, D) L2-normalised, `labels` (N,): marks of one label are relevant to each other.
    """
    relevant = []
    for start in range(0, len(vectors), 512):
        similarity = vectors[start : start + 512] @ vectors.T
        rows = np.arange(len(similarity))
        similarity[rows, start + rows] = -np.inf
        order = np.argsort(-similarity, axis=1, kind="stable")[:, :-1]
        relevant += list(labels[order] == labels[start : start + 512, None])
    return score_rankings(relevant)
