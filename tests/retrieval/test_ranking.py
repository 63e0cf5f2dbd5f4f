from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.ranking import leave_one_out, score_rankings


def test_scores_by_hand() -> None:
    scores = score_rankings([np.array([1, 0, 1, 0], bool), np.array([0, 1, 0, 0], bool)])
    assert scores.precision_at_1 == 0.5
    assert scores.mean_average_precision == pytest.approx(((1 + 2 / 3) / 2 + 0.5) / 2)
    assert scores.r_precision == pytest.approx((0.5 + 0.0) / 2)
    assert scores.recall_at_10 == 1.0


def test_queries_without_a_relevant_mark_do_not_count() -> None:
    scores = score_rankings([np.zeros(3, bool), np.array([1, 0, 0], bool)])
    assert scores.queries == 1
    assert scores.precision_at_1 == 1.0


def test_no_query_at_all() -> None:
    assert score_rankings([]).queries == 0


def test_the_query_itself_is_never_found() -> None:
    vectors = np.eye(4, dtype=np.float32)
    scores = leave_one_out(vectors, np.array([0, 0, 1, 1]))
    assert scores.queries == 4
    assert scores.precision_at_1 < 1.0, "orthogonal marks are not found by looking at oneself"


def test_perfect_features_score_one() -> None:
    labels = np.repeat(np.arange(5), 3)
    scores = leave_one_out(np.eye(5, dtype=np.float32)[labels], labels)
    assert scores.precision_at_1 == scores.mean_average_precision == scores.r_precision == 1.0


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=12), max_size=6))
def test_scores_are_shares(rankings: list[list[bool]]) -> None:
    scores = score_rankings([np.array(row) for row in rankings])
    for value in (scores.precision_at_1, scores.mean_average_precision, scores.recall_at_10):
        assert 0 <= value <= 1
