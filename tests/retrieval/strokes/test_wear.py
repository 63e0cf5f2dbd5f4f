from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from retrieval.ink import ink_density
from retrieval.photograph import as_drawn
from retrieval.strokes.wear import worn

SIDE = 120


def _cross() -> NDArray[np.float32]:
    ink = np.zeros((SIDE, SIDE), np.float32)
    ink[20:100, 55:65] = ink[55:65, 20:100] = 1
    return ink


def test_a_third_come_back_as_clean_as_a_sketch() -> None:
    rng = np.random.default_rng(0)
    clean = sum(set(np.unique(worn(_cross(), rng))) == {0, 255} for _ in range(300))
    assert 70 < clean < 130


@pytest.mark.parametrize("seed", range(30))
def test_paper_is_added_around_the_mark_and_nothing_is_cut_off(seed: int) -> None:
    bare = np.zeros((SIDE, SIDE), np.float32)
    frame = bare.copy()
    frame[[0, -1]] = frame[:, [0, -1]] = 1
    crop = worn(frame, np.random.default_rng(seed))
    assert crop.dtype == np.uint8
    assert crop.shape[0] == crop.shape[1] >= SIDE + 2 * int(0.02 * SIDE)
    without = worn(bare, np.random.default_rng(seed))
    drawn = np.abs(crop.astype(int) - without) > 8
    for axis in (0, 1):
        first, *_, last = np.flatnonzero(drawn.sum(axis=axis) > SIDE / 2)
        assert SIDE <= last - first + 1 <= SIDE + 8, "both edges, a little blurred at most"


def test_most_worn_marks_can_still_be_read() -> None:
    rng = np.random.default_rng(1)
    read = []
    for _ in range(200):
        ink = ink_density(as_drawn(worn(_cross(), rng)))
        grown = np.zeros_like(ink)
        pad = (len(ink) - SIDE) // 2
        grown[pad : pad + SIDE, pad : pad + SIDE] = _cross()
        read.append(float((ink * grown).sum() > 0.1 * grown.sum()))
    assert np.mean(read) > 0.8


def test_the_same_random_numbers_wear_alike() -> None:
    one, other = (worn(_cross(), np.random.default_rng(6)) for _ in range(2))
    assert np.array_equal(one, other)
