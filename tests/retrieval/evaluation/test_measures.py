from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.evaluation import measures
from retrieval.evaluation.measures import CURVE, MEASURES, per_query, rank, score


def naive(labels: list[int], queries: list[int], gallery: list[int], table: np.ndarray) -> dict:
    """The definitions read aloud, one query at a time: its value of each measure, by query."""
    values = {}
    for query in queries:
        others = [mark for mark in gallery if mark != query]
        relevant = [mark for mark in others if labels[mark] == labels[query]]
        if not relevant:
            continue
        others.sort(key=lambda mark: (-table[query, mark], labels[mark] == labels[query]))
        right = [labels[mark] == labels[query] for mark in others]
        many = len(relevant)
        precision = [sum(right[: k + 1]) / (k + 1) for k in range(len(right))]
        average = [p for p, good in zip(precision, right, strict=True) if good]
        within = [p for p, good in zip(precision[:many], right[:many], strict=True) if good]
        values[query] = [
            float(right[0]),
            sum(right[:many]) / many,
            sum(average) / many,
            sum(within) / many,
            *(float(any(right[:k])) for k in (1, 5, 10, 50)),
        ]
    return values


@st.composite
def collections(draw: st.DrawFn) -> tuple[np.ndarray, list[int], list[int], np.ndarray]:
    count = draw(st.integers(1, 14))
    labels = draw(st.lists(st.integers(0, 4), min_size=count, max_size=count))
    marks = st.lists(st.integers(0, count - 1), unique=True, max_size=count)
    # Few values, so that there are ties.
    scores = st.lists(st.integers(0, 6), min_size=count * count, max_size=count * count)
    table = np.array(draw(scores), np.float32).reshape(count, count)
    return np.array(labels), draw(marks), draw(marks), table


@given(collections())
def test_measures_are_what_their_definitions_say(
    given_marks: tuple[np.ndarray, list[int], list[int], np.ndarray],
) -> None:
    labels, queries, gallery, table = given_marks
    among = np.array(gallery, np.int64)
    ranked = rank(labels, np.array(queries, np.int64), among, lambda rows: table[rows][:, among])
    expected = naive(labels.tolist(), queries, gallery, table)
    assert ranked.queries.tolist() == list(expected)
    np.testing.assert_allclose(
        per_query(ranked), np.array(list(expected.values())).reshape(-1, len(MEASURES))
    )


@given(collections())
def test_means_lie_in_their_intervals_and_macro_is_over_labels(
    given_marks: tuple[np.ndarray, list[int], list[int], np.ndarray],
) -> None:
    labels, queries, gallery, table = given_marks
    among = np.array(gallery, np.int64)
    ranked = rank(labels, np.array(queries, np.int64), among, lambda rows: table[rows][:, among])
    values = per_query(ranked)
    found = score(ranked)
    assert found.queries == len(values)
    for at, name in enumerate(MEASURES):
        micro, macro = found.micro[name], found.macro[name]
        if not len(values):
            assert micro.value == macro.value == 0
            continue
        assert micro.value == pytest.approx(values[:, at].mean())
        by_label = [values[ranked.labels == one, at].mean() for one in np.unique(ranked.labels)]
        assert macro.value == pytest.approx(np.mean(by_label))
        assert values[:, at].min() - 1e-9 <= micro.low <= micro.high <= values[:, at].max() + 1e-9
        assert micro.low <= micro.value + 1e-9 and micro.value - 1e-9 <= micro.high


def test_the_query_itself_is_never_found() -> None:
    labels = np.array([0, 0, 1, 1])
    everything = np.arange(4)
    ranked = rank(labels, everything, everything, lambda rows: np.eye(4, dtype=np.float32)[rows])
    assert score(ranked).micro["precision_at_1"].value == 0, "it is the only one alike"


def test_features_that_cannot_tell_marks_apart_earn_nothing() -> None:
    labels = np.repeat(np.arange(3), 4)
    everything = np.arange(12)
    ranked = rank(
        labels, everything, everything, lambda rows: np.zeros((len(rows), 12), np.float32)
    )
    assert score(ranked).micro["precision_at_1"].value == 0
    assert ranked.first.tolist() == [9] * 12


def test_memory_is_bounded_by_asking_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.arange(40) % 7
    table = np.random.default_rng(0).normal(size=(40, 40)).astype(np.float32)
    everything = np.arange(40)
    whole = rank(labels, everything, everything, lambda rows: table[rows])
    monkeypatch.setattr(measures, "_AT_ONCE", 130)
    asked: list[int] = []

    def similarity(rows: np.ndarray) -> np.ndarray:
        asked.append(len(rows))
        return table[rows]

    told: list[tuple[int, int]] = []
    parts = rank(labels, everything, everything, similarity, lambda *done: told.append(done))
    assert max(asked) == 3
    assert told[-1] == (40, 40)
    np.testing.assert_array_equal(parts.places, whole.places)
    assert score(parts).micro.keys() == score(whole).micro.keys()


def test_the_interval_is_as_wide_as_theory_says_and_seeded() -> None:
    rng = np.random.default_rng(3)
    count = 400
    labels = np.arange(count) // 2
    table = rng.normal(size=(count, count)).astype(np.float32)
    table[np.arange(count), np.arange(count) ^ 1] += 3.0
    everything = np.arange(count)
    ranked = rank(labels, everything, everything, lambda rows: table[rows])
    one, again, other = score(ranked), score(ranked), score(ranked, seed=1)
    estimate = one.micro["precision_at_1"]
    spread = 1.96 * np.sqrt(estimate.value * (1 - estimate.value) / count)
    assert estimate.value - estimate.low == pytest.approx(spread, rel=0.25)
    assert estimate.high - estimate.value == pytest.approx(spread, rel=0.25)
    assert one == again
    assert one.micro["precision_at_1"].low != other.micro["precision_at_1"].low or (
        one.macro != other.macro
    )


def test_the_recall_curve_rises_through_the_measures() -> None:
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 20, 120)
    table = rng.normal(size=(120, 120)).astype(np.float32)
    everything = np.arange(120)
    found = score(rank(labels, everything, everything, lambda rows: table[rows]))
    assert len(found.recall) == len(CURVE)
    assert all(low <= high for low, high in pairwise(found.recall))
    for k in (1, 5, 10, 50):
        assert found.recall[k - 1] == pytest.approx(found.micro[f"recall_at_{k}"].value)
