from __future__ import annotations

import numpy as np
import pytest

from benchmarks.claims import CLAIMS, claimed, reached
from retrieval.vectors import unit


def _of_owners(owners: int, repeats: int, rng: np.random.Generator) -> np.ndarray:
    """Return the same vector for all marks of an owner, none like another's: (N, 48)."""
    return np.repeat(unit(rng.normal(size=(owners, 48)).astype(np.float32)), repeats, axis=0)


def test_strangers_are_said_to_be_as_common_as_they_are() -> None:
    vectors, owners = _of_owners(360, 1, np.random.default_rng(0)), np.arange(360)
    kinds = np.full(len(owners), "crop")
    shares = [
        reached(claims)[:2]
        for seed in range(4)
        for _, claims in claimed(vectors, owners, kinds, 120, 1, np.random.default_rng(seed))
    ]
    assert np.mean(shares, axis=0) == pytest.approx([1 / 10, 1 / 30], rel=0.5)


def test_a_marks_own_repeats_are_no_strangers() -> None:
    """They are all alike to the last digit: one of them would be said to be the rarest."""
    vectors, owners = _of_owners(60, 4, np.random.default_rng(1)), np.repeat(np.arange(60), 4)
    kinds = np.full(len(owners), "crop")
    of_marks = dict(claimed(vectors, owners, kinds, 80, 4, np.random.default_rng(2)))["mark"]
    assert len(of_marks) == 80 * 76
    assert of_marks.min() > 1 / (80 * 79 + 1)


def test_what_is_claimed_is_counted_at_each_rarity() -> None:
    claims = np.array([1.0, 0.1, 0.05, 1 / 30, 0.01, 1 / 300])
    assert CLAIMS == (10, 30, 100, 300)
    assert reached(claims) == pytest.approx([5 / 6, 3 / 6, 2 / 6, 1 / 6])
