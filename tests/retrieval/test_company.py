from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.calibration import calibrate_pairs
from retrieval.company import (
    NEAREST,
    OWN,
    Neighbours,
    company,
    find_neighbours,
    scores_from_outside,
    scores_within,
)
from retrieval.vectors import unit


def random_unit(seed: int, count: int, size: int = 6) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(size=(count, size)))


def by_hand(vectors: np.ndarray) -> np.ndarray:
    """The definition, one mark after another."""
    joined = []
    for at, own in enumerate(vectors):
        cosines = vectors @ own
        others = sorted(
            (row for row in range(len(vectors)) if row != at), key=lambda r: -cosines[r]
        )
        total = OWN * own
        for place, row in enumerate(others[:NEAREST]):
            total = total + max(cosines[row], 0) ** 3 * (NEAREST - place) / NEAREST * vectors[row]
        joined.append(total)
    return unit(np.stack(joined))


@pytest.mark.parametrize("count", [1, 2, 5, NEAREST + 1, 60])
def test_company_is_the_mark_with_its_nearest(count: int) -> None:
    vectors = random_unit(count, count)
    neighbours = find_neighbours(np.arange(count) * 3 + 7, vectors)
    np.testing.assert_allclose(company(vectors, neighbours), by_hand(vectors), atol=1e-5)


def test_no_marks_no_company() -> None:
    nothing = np.zeros((0, 6), np.float32)
    assert company(nothing, find_neighbours(np.zeros(0, np.int64), nothing)).shape == (0, 6)
    assert company(nothing, Neighbours.none()).shape == (0, 6)


def test_a_mark_is_not_its_own_neighbour_and_copies_of_it_are() -> None:
    vectors = np.repeat(random_unit(0, 1), 30, axis=0)
    marks = np.arange(100, 130)
    neighbours = find_neighbours(marks, vectors)
    assert (neighbours.nearest >= 100).all()
    assert not (neighbours.nearest == marks[:, None]).any()
    np.testing.assert_allclose(company(vectors, neighbours), vectors, atol=1e-6)


def test_a_third_drawing_brings_two_together() -> None:
    middle, one, other = unit(np.array([[1, 0, 0], [1, 0.9, 0], [1, -0.9, 0]]))
    strangers = unit(np.array([[0.1, 0.8, 1], [0.2, 0.7, -1], [-1, 0, 0.3]]))
    vectors = np.stack([middle, one, *strangers])
    together = company(vectors, find_neighbours(np.arange(5), vectors))
    assert together[1] @ other > one @ other + 0.1
    assert (together[2:] @ other).max() < together[1] @ other


def test_it_is_reported_how_many_marks_were_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retrieval.gpu._QUERIES", 4)
    marks, vectors = np.arange(11), random_unit(0, 11)
    told: list[tuple[int, int]] = []
    known = find_neighbours(marks[:9], vectors[:9], report=lambda *one: told.append(one))
    assert told == [(4, 9), (8, 9), (9, 9)]
    told.clear()
    find_neighbours(marks, vectors, known, marks > 8, lambda *one: told.append(one))
    assert told == [(2, 11), (6, 11), (10, 11), (11, 11)]


@settings(max_examples=60, deadline=None)
@given(
    before=st.integers(0, 40),
    gone=st.sets(st.integers(0, 39), max_size=6),
    cut_anew=st.sets(st.integers(0, 39), max_size=4),
    added=st.sets(st.integers(0, 99), max_size=8),
    seed=st.integers(0, 5),
)
def test_following_changes_gives_what_starting_anew_gives(
    before: int, gone: set[int], cut_anew: set[int], added: set[int], seed: int
) -> None:
    vectors = {2 * mark: vector for mark, vector in enumerate(random_unit(seed, before))}
    known = find_neighbours(np.array(sorted(vectors), np.int64), _rows(vectors))
    for mark in gone:
        vectors.pop(2 * mark, None)
    looks = iter(random_unit(seed + 100, 20))
    changed = {2 * mark for mark in cut_anew} & set(vectors) | {2 * mark + 1 for mark in added}
    vectors |= {mark: next(looks) for mark in sorted(changed)}
    marks = np.array(sorted(vectors), np.int64)
    anew = find_neighbours(marks, _rows(vectors))
    followed = find_neighbours(marks, _rows(vectors), known, np.isin(marks, sorted(changed)))
    np.testing.assert_array_equal(followed.marks, anew.marks)
    np.testing.assert_array_equal(followed.nearest, anew.nearest)
    np.testing.assert_allclose(followed.cosines, anew.cosines, atol=1e-6)


def _rows(vectors: dict[int, np.ndarray]) -> np.ndarray:
    return np.array([vectors[mark] for mark in sorted(vectors)], np.float32).reshape(-1, 6)


def pairs(count: int) -> tuple[np.ndarray, np.ndarray]:
    one, other = np.nonzero(~np.eye(count, dtype=bool))
    return one, other


@pytest.mark.parametrize("count", [2, 5, NEAREST + 1])
def test_a_mark_asks_as_from_outside_as_if_it_were_not_in_the_archive(count: int) -> None:
    vectors, marks = random_unit(count, count), np.arange(count) * 3 + 7
    one, other = pairs(count)
    neighbours = find_neighbours(marks, vectors)
    together = company(vectors, neighbours)
    scores = scores_from_outside(vectors, together, neighbours)(one, other)
    for asking in range(count):
        left = np.arange(count) != asking
        without = company(vectors[left], find_neighbours(marks[left], vectors[left]))
        asked = vectors[asking]
        expected = np.maximum(vectors[left] @ asked, without @ asked)
        np.testing.assert_allclose(scores[one == asking], expected, atol=1e-5)


def test_a_mark_within_the_archive_scores_what_a_search_gives_it() -> None:
    vectors = random_unit(3, 40, 32)
    neighbours = find_neighbours(np.arange(40), vectors)
    one, other = pairs(40)
    together = company(vectors, neighbours)
    scores = scores_within(vectors, together)(one, other)
    asked = np.maximum(vectors @ vectors.T, vectors @ together.T)
    np.testing.assert_allclose(scores, asked[one, other], atol=1e-5)
    outside = scores_from_outside(vectors, together, neighbours)(one, other)
    far = ~(neighbours.nearest[other] == one[:, None]).any(axis=1)
    assert (outside[far] == scores[far]).all(), "in whose company it is not, it is one of many"
    assert outside[~far].mean() < scores[~far].mean()


@pytest.mark.parametrize("count", [20, 80])
def test_claims_are_true_of_pictures_from_outside_and_of_marks(count: int) -> None:
    reached: dict[str, list[list[float]]] = {"outside": [], "within": []}
    shares = np.array([0.1, 1 / 30, 0.01])
    for seed in range(30):
        rng = np.random.default_rng([count, seed])
        vectors, asking = (unit(rng.normal(size=(size, 32))) for size in (count, 500))
        every = np.arange(count)
        neighbours = find_neighbours(every, vectors)
        together = company(vectors, neighbours)
        asked = np.maximum(asking @ vectors.T, asking @ together.T).ravel()
        within = scores_within(vectors, together)
        outside = scores_from_outside(vectors, together, neighbours)
        known = calibrate_pairs(outside, every)
        reached["outside"].append([(known.unrelated(asked) <= share).mean() for share in shares])
        known, asked = calibrate_pairs(within, every), within(*pairs(count))
        reached["within"].append([(known.unrelated(asked) <= share).mean() for share in shares])
    for name, found in reached.items():
        true = np.mean(found, axis=0)
        assert (true > shares / 1.5).all() and (true < shares * 1.5).all(), (name, true)
