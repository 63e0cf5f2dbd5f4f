from __future__ import annotations

import cv2
import numpy as np
import pytest

from retrieval.ink import normalise
from retrieval.strokes.hand import random_hand
from retrieval.strokes.impression import die, struck
from retrieval.strokes.pen import draw
from retrieval.strokes.rings import ringed_mark

SIDE = 128


def test_a_die_is_cut_once() -> None:
    program = ringed_mark(np.random.default_rng(1))
    assert np.array_equal(die(program, 7, SIDE), die(program, 7, SIDE))
    assert not np.array_equal(die(program, 7, SIDE), die(program, 8, SIDE))


@pytest.mark.parametrize("seed", range(40))
def test_an_impression_is_ink_and_never_all_gone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cut = die(ringed_mark(rng), seed, SIDE)
    printed = struck(cut, rng)
    assert printed.shape == cut.shape
    assert printed.dtype == np.float32
    assert 0 <= printed.min() <= printed.max() <= 1
    assert printed.sum() > 0.05 * cut.sum()


def test_impressions_differ_but_keep_what_redrawing_does_not() -> None:
    """Blurred and laid upright, two impressions of a die are more alike than two drawings of it."""
    rng = np.random.default_rng(9)
    printed, drawn = [], []
    for seed in range(30):
        program = ringed_mark(rng)
        cut = die(program, seed, SIDE)
        one, other = struck(cut, rng), struck(cut, rng)
        assert not np.array_equal(one, other)
        printed.append(_alike(one, other))
        drawn.append(_alike(*(draw(program, random_hand(rng), rng, SIDE) for _ in range(2))))
    assert np.median(printed) > np.median(drawn) + 0.05


def _alike(one: np.ndarray, other: np.ndarray) -> float:
    """Return the largest correlation of two pictures over small turns."""
    first = _picture(one, 0)
    return max(
        float(np.corrcoef(first.ravel(), _picture(other, turn).ravel())[0, 1])
        for turn in range(-30, 31, 3)
    )


def _picture(ink: np.ndarray, turn: float) -> np.ndarray:
    middle = (SIDE - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), turn, 0.8)
    turned = cv2.warpAffine(ink, matrix, (SIDE, SIDE))
    grey = np.asarray(255 - 255 * turned, np.uint8)
    return np.asarray(cv2.GaussianBlur(normalise(grey, 48), (0, 0), 2))
