from __future__ import annotations

import numpy as np
import pytest

from retrieval.evaluation.features import Features
from retrieval.evaluation.invariance import (
    ROTATIONS,
    SCALES,
    SHIFTS,
    invariance,
    sample_size,
    transformed,
)


def blot(side: int = 64) -> np.ndarray:
    ink = np.zeros((1, side, side), np.float32)
    ink[0, side // 4 : side // 2, side // 4 : side // 2] = 1
    return ink


def test_the_steps_are_the_papers() -> None:
    assert (ROTATIONS[0], ROTATIONS[1], ROTATIONS[-1], len(ROTATIONS)) == (-20, -19.5, 20, 81)
    assert (SCALES[0], SCALES[1], SCALES[-1], len(SCALES)) == (0.5, 0.55, 1.5, 21)
    assert 0.0 in ROTATIONS and 1.0 in SCALES and 0.0 in SHIFTS


def test_transforms_move_the_ink_as_they_say() -> None:
    ink = blot()
    np.testing.assert_allclose(transformed(ink), ink, atol=1e-5)
    moved = transformed(ink, shift=(3, -2))
    np.testing.assert_allclose(moved[0], np.roll(ink[0], (-2, 3), axis=(0, 1)), atol=1e-5)
    assert transformed(ink, scale=0.5).sum() == pytest.approx(ink.sum() / 4, rel=0.1)
    np.testing.assert_allclose(
        transformed(ink, degrees=90)[0], np.rot90(ink[0]), atol=1e-4
    )  # against the clock
    # A shift is in pixels of a picture of 64, whatever the picture's side.
    large = transformed(blot(128), shift=(3, 0))
    np.testing.assert_allclose(large[0], np.roll(blot(128)[0], 6, axis=1), atol=1e-5)


def test_curves_are_one_where_nothing_moves_and_fall_from_there() -> None:
    pixels = Features(64, lambda ink: ink.reshape(len(ink), -1))
    told: list[tuple[int, int]] = []
    curves = invariance(pixels, np.concatenate([blot()] * 3), lambda *done: told.append(done))
    assert curves.marks == 3
    for places, values in (
        (ROTATIONS, curves.rotation), (SCALES, curves.scale), (SHIFTS, curves.shift),
    ):  # fmt: skip
        assert len(places) == len(values)
        still = places.index(1.0 if places is SCALES else 0.0)
        assert values[still] == pytest.approx(1, abs=1e-5)
        assert max(values[0], values[-1]) < 0.95
    assert curves.shift[SHIFTS.index(4.0)] == pytest.approx(0.75, abs=1e-4), "12 of 16 rows overlap"
    assert told[-1][0] == told[-1][1] == len(told)


def test_large_pictures_are_sampled_less() -> None:
    assert sample_size(64) == 64
    assert sample_size(128) == 16
    assert sample_size(224) == 8
