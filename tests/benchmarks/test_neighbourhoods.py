from __future__ import annotations

import numpy as np
import pytest

from benchmarks.rankings.neighbourhoods import expanded, first_kept, reciprocal


@pytest.fixture(scope="module")
def groups() -> tuple[np.ndarray, np.ndarray]:
    """Vectors of 12 groups of 8 in 16 dimensions, noisy: (N, D), and each one's group."""
    rng = np.random.default_rng(3)
    middles = rng.normal(0, 1, (12, 16))
    vectors = np.repeat(middles, 8, axis=0) + rng.normal(0, 1.0, (96, 16))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit.astype(np.float32), np.repeat(np.arange(12), 8)


def _mean_average_precision(similarity: np.ndarray, asked: np.ndarray, known: np.ndarray) -> float:
    values = []
    for row, label in zip(similarity, asked, strict=True):
        right = known[np.argsort(-row, kind="stable")] == label
        places = np.flatnonzero(right) + 1
        values.append((np.arange(1, len(places) + 1) / places).mean())
    return float(np.mean(values))


def test_each_finds_more_of_a_group_than_the_plain_cosine(groups) -> None:
    vectors, labels = groups
    queries, gallery = vectors[::2], vectors[1::2]
    asked, known = labels[::2], labels[1::2]
    plain = _mean_average_precision(queries @ gallery.T, asked, known)
    more = expanded(queries, gallery, 3) @ gallery.T
    augmented = queries @ expanded(gallery, gallery, 4).T
    shared = reciprocal(queries, gallery, near=6, nearer=3)
    for similarity in (more, augmented, shared):
        assert similarity.shape == (len(queries), len(gallery))
        assert _mean_average_precision(similarity, asked, known) > plain + 0.005


def test_expansion_is_of_length_one_and_needs_likeness(groups) -> None:
    vectors, _ = groups
    more = expanded(vectors[:5], vectors[5:], 4)
    assert np.linalg.norm(more, axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    assert not np.allclose(more, vectors[:5], atol=1e-3)
    assert expanded(vectors[:5], vectors[5:], 4, least=1.1) == pytest.approx(vectors[:5], abs=1e-6)
    assert expanded(vectors[:5], vectors[5:], 500).shape == (5, 16)


def test_the_first_of_the_plain_list_stays_first() -> None:
    plain = np.array([[0.9, 0.5, 0.4], [0.1, 0.2, 0.3]], np.float32)
    other = np.array([[0.1, 0.8, 0.9], [0.3, 0.2, 0.1]], np.float32)
    kept = first_kept(plain, other)
    assert np.argsort(-kept, axis=1).tolist() == [[0, 2, 1], [2, 0, 1]]
    assert other[0].tolist() == pytest.approx([0.1, 0.8, 0.9]), "the caller's own stays as it was"


def test_mutual_neighbours_beat_a_mark_that_is_near_everything() -> None:
    rng = np.random.default_rng(0)
    group = np.array([1, 0.1, 0]) + rng.normal(0, 0.02, (6, 3))
    others = np.array([0.2, 1, 0]) + rng.normal(0, 0.02, (12, 3))
    between = np.array([[0.72, 0.72, 0]])  # nearer to the others than to the group
    every = np.concatenate([group, between, others])
    every /= np.linalg.norm(every, axis=1, keepdims=True)
    scores = reciprocal(every[:1].astype(np.float32), every[1:].astype(np.float32), 5, 2)
    assert set(np.argsort(-scores[0])[:5]) == {0, 1, 2, 3, 4}
