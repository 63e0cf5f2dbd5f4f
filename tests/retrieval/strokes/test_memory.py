from __future__ import annotations

import numpy as np

from retrieval.strokes.memory import FORGOTTEN, INVENTED, from_memory, sketching_hand
from retrieval.strokes.merchant import merchant_mark
from retrieval.strokes.pen import draw
from retrieval.strokes.program import Program, line


def _programs(count: int) -> list[Program]:
    return [merchant_mark(np.random.default_rng([9, number])) for number in range(count)]


def test_the_same_random_numbers_remember_the_same() -> None:
    for number, program in enumerate(_programs(20)):
        one, other = (from_memory(program, np.random.default_rng(number)) for _ in range(2))
        for a, b in zip(one.strokes, other.strokes, strict=True):
            assert np.array_equal(a.points, b.points)
            assert a.points.dtype == np.float32


def test_proportions_are_off_but_near() -> None:
    moved = []
    for number, program in enumerate(_programs(60)):
        remembered = from_memory(program, np.random.default_rng([1, number]))
        if len(remembered.strokes) != len(program.strokes):
            continue
        for before, after in zip(program.strokes, remembered.strokes, strict=True):
            assert (before.smooth, before.closed, before.filled) == (
                after.smooth, after.closed, after.filled,
            )  # fmt: skip
            moved.append(np.abs(after.points - before.points).max())
    assert 0.02 < np.median(moved) < 0.15
    assert max(moved) < 0.6


def test_now_and_then_a_line_is_missing_or_one_too_many() -> None:
    changes = [
        len(from_memory(program, np.random.default_rng([2, number])).strokes) - len(program.strokes)
        for number, program in enumerate(_programs(300))
    ]
    assert set(changes) == {-1, 0, 1}
    assert changes.count(1) / 300 < 2 * INVENTED
    assert 0.1 < changes.count(-1) / 300 <= 1.3 * FORGOTTEN


def test_nobody_forgets_the_staff_or_a_mark_of_two_lines() -> None:
    staff, bars = line((0.5, 0), (0.5, 1)), [line((0.4, y), (0.6, y)) for y in (0.2, 0.3, 0.4)]
    for number in range(80):
        rng = np.random.default_rng(number)
        remembered = from_memory(Program((staff, *bars)), rng)
        assert max(float(np.ptp(stroke.points[:, 1])) for stroke in remembered.strokes) > 0.6
        assert len(from_memory(Program((staff, bars[0])), rng).strokes) >= 2


def test_a_sketch_is_drawn_clean_and_thin() -> None:
    for number, program in enumerate(_programs(20)):
        rng = np.random.default_rng(number)
        ink = draw(from_memory(program, rng), sketching_hand(rng), rng, 100)
        assert ink.max() > 0.75
        assert 0 < (ink > 0.3).mean() < 0.25
