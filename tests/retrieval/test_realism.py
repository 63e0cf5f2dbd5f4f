from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from retrieval.realism import fit_realism, logits, realism
from retrieval.vectors import unit

LIKELY = 0.5


def two_kinds(number: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of as many marks as of other things, which lie somewhat apart."""
    rng = np.random.default_rng(seed)
    centres = np.repeat(np.eye(2, 8), number, axis=0)
    is_mark = np.repeat([True, False], number)
    return unit(centres + 0.35 * rng.normal(size=centres.shape)), is_mark


def test_what_looks_like_confirmed_marks_comes_before_what_scores_the_same() -> None:
    vectors, is_mark = two_kinds(40)
    scores = np.full(80, 0.4)
    verdicts = np.zeros(80, np.int8)
    verdicts[:6] = 1
    likely = realism(scores, vectors @ fit_realism(vectors, scores, verdicts), LIKELY)
    left = verdicts == 0
    assert likely[left & is_mark].min() > np.median(likely[left & ~is_mark])
    order = np.argsort(-likely[left])[:34]
    assert is_mark[left][order].mean() > 0.9


def test_what_was_rejected_says_more_than_what_nobody_judged() -> None:
    vectors, _ = two_kinds(40)
    scores = np.full(80, 0.4)
    confirmed = np.zeros(80, np.int8)
    confirmed[:6] = 1
    rejected = confirmed.copy()
    rejected[40:50] = -1
    gaps = []
    for verdicts in (confirmed, rejected):
        likeness = vectors @ fit_realism(vectors, scores, verdicts)
        gaps.append(likeness[6:40].mean() - likeness[50:].mean())
    assert gaps[1] > gaps[0] > 0


def test_the_score_counts_where_embeddings_say_nothing() -> None:
    vectors = unit(np.ones((30, 4)))
    scores = np.linspace(0.01, 0.99, 30)
    verdicts = np.zeros(30, np.int8)
    verdicts[[2, 9, 14, 20, 27]] = 1
    likely = realism(scores, vectors @ fit_realism(vectors, scores, verdicts), LIKELY)
    np.testing.assert_array_equal(np.argsort(likely), np.argsort(scores))


@pytest.mark.parametrize("verdict", [0, 1, -1])
def test_nothing_is_learned_of_marks_of_one_verdict(verdict: int) -> None:
    vectors, _ = two_kinds(5)
    weights = fit_realism(vectors, np.full(10, 0.5), np.full(10, verdict, np.int8))
    np.testing.assert_array_equal(weights, np.zeros(8))


def test_a_mark_without_a_score_is_learned_from_as_one_that_might_be_either() -> None:
    vectors, _ = two_kinds(20)
    verdicts = np.zeros(40, np.int8)
    verdicts[:6] = 1
    scores = np.full(40, 0.5)
    without = np.where(verdicts == 1, np.nan, scores)
    np.testing.assert_allclose(
        fit_realism(vectors, without, verdicts), fit_realism(vectors, scores, verdicts)
    )


_scores = arrays(np.float64, st.integers(0, 40), elements=st.floats(0, 1))


@given(_scores, st.integers(0, 2**32), st.sampled_from([0.3, 0.5, 0.8]))
def test_as_many_are_likely_as_were_before(scores: np.ndarray, seed: int, likely: float) -> None:
    likeness = np.random.default_rng(seed).normal(size=len(scores)) * 3
    found = realism(scores, likeness, likely)
    assert ((found >= 0) & (found <= 1)).all()
    assert np.sum(found >= likely) == np.sum(logits(scores) >= logits(np.array(likely)))


@given(_scores)
def test_scores_stay_where_nothing_was_learned(scores: np.ndarray) -> None:
    np.testing.assert_array_equal(realism(scores, np.zeros(len(scores)), 0.5) >= 0.5, scores >= 0.5)


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_weights_are_finite_whatever_was_said(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = unit(rng.normal(size=(25, 6)))
    verdicts = rng.integers(-1, 2, 25).astype(np.int8)
    weights = fit_realism(vectors, rng.choice([0.0, 0.5, 1.0, np.nan], 25), verdicts)
    assert np.isfinite(weights).all()
