from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.calibration import calibrate_below_repeats
from retrieval.gan import strangers as module
from retrieval.gan.strangers import cosine_of_repeats, unrelated_pairs
from retrieval.vectors import Vectors, unit
from tests.retrieval.gan.embedded import mirrored, on_two_papers, spread


def _alike(vectors: Vectors, cosine: float, each: int) -> tuple[int, int]:
    """Return how many pairs of strangers, and of one owner's marks, reach a cosine."""
    owners = np.arange(len(vectors)) // each
    pairs = (vectors @ vectors.T >= cosine) & ~np.eye(len(vectors), dtype=bool)
    same = owners[:, None] == owners
    return int((pairs & ~same).sum()), int((pairs & same).sum())


def test_strangers_are_so_many_of_the_pairs_as_was_said() -> None:
    vectors = spread(300, 5, 0.6)
    wrong, right = _alike(vectors, cosine_of_repeats(vectors, mirrored(vectors), 0.2), 5)
    assert 0.005 < wrong / (wrong + right) < 0.2
    rates = [cosine_of_repeats(vectors, mirrored(vectors), rate) for rate in (0.05, 0.2)]
    assert rates[0] > rates[1]


@pytest.mark.parametrize("cosine", [0.6, 0.7, 0.8])
def test_strangers_on_like_paper_are_told_by_decoys_where_the_tail_misleads(cosine: float) -> None:
    vectors = on_two_papers(100, 5)
    strangers, _ = _alike(vectors, cosine, 5)
    cosines = np.array([cosine], np.float32)
    (told,) = unrelated_pairs(vectors, mirrored(vectors), cosines)
    (tail,) = calibrate_below_repeats(vectors).estimated(cosines) * 500 * 499
    assert strangers < told < 0.8 * tail


def test_where_nothing_repeats_hardly_any_likeness_is_enough() -> None:
    vectors = spread(500, 1, 0.0)
    wrong, _ = _alike(vectors, cosine_of_repeats(vectors, mirrored(vectors), 0.02), 1)
    assert wrong <= 2  # both ways: the most alike of 124,750 pairs


def test_symmetric_marks_are_no_decoys_to_their_repeats() -> None:
    vectors = spread(200, 4, 0.3)
    vectors[:200, 1::2] *= 0.1  # a quarter looks in the mirror much as before
    vectors = unit(vectors)
    told = unrelated_pairs(vectors, mirrored(vectors), np.array([0.85], np.float32))
    strangers, right = _alike(vectors, 0.85, 4)
    assert strangers <= told < 0.1 * right


def test_where_all_marks_are_symmetric_the_least_of_them_are_decoys() -> None:
    vectors = spread(200, 1, 0.0)
    vectors[:, 1::2] *= np.linspace(0.02, 0.1, 200, dtype=np.float32)[:, None]
    vectors = unit(vectors)
    images = mirrored(vectors)
    assert np.einsum("nd,nd->n", vectors, images).min() > module.SYMMETRIC
    (told,) = unrelated_pairs(vectors, images, np.array([0.5], np.float32))
    strangers, _ = _alike(vectors, 0.5, 1)
    assert 0.5 * strangers < told < 2 * strangers


@given(st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_the_more_alike_the_fewer_strangers(count: int, seed: int) -> None:
    vectors = unit(np.random.default_rng(seed).normal(size=(count, 8)).astype(np.float32))
    told = unrelated_pairs(vectors, mirrored(vectors), np.linspace(-1, 1, 41).astype(np.float32))
    assert (np.diff(told) <= 1e-9).all()
    assert (told >= 0).all()
