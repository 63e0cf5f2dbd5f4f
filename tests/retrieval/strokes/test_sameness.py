from __future__ import annotations

import numpy as np
import pytest

from retrieval.orientation import UPRIGHT, Orientation, orientations
from retrieval.strokes.merchant import merchant_mark
from retrieval.strokes.program import Program, arc, joined, laid, line, placed, polygon
from retrieval.strokes.sameness import distinct_drawings, same_drawing

STAFF = line((0.5, 0), (0.5, 1))
CROSS = Program((STAFF, line((0.3, 0.2), (0.7, 0.2)), arc((0.5, 0.8), (0.2, 0.2))))
FOUR = Program((STAFF, line((0.5, 0), (0.2, 0.3), (0.7, 0.3))))


def test_a_program_draws_the_same_larger_smaller_and_in_another_order() -> None:
    assert same_drawing(CROSS, placed(CROSS, 0.3, 0.1, 0.2, 0.4))
    assert same_drawing(CROSS, Program(CROSS.strokes[::-1]))
    backwards = Program((line((0.5, 1), (0.5, 0)), *CROSS.strokes[1:]))
    assert same_drawing(CROSS, backwards)


@pytest.mark.parametrize(
    "other",
    [
        Program(CROSS.strokes[:2]),
        joined(CROSS, Program((line((0.4, 0.4), (0.6, 0.4)),))),
        Program((*CROSS.strokes[:2], polygon((0.3, 0.6), (0.7, 0.6), (0.5, 1)))),
        Program((STAFF, line((0.3, 0.45), (0.7, 0.45)), CROSS.strokes[2])),
        laid(CROSS, Orientation(turned=180)),
    ],
)
def test_another_drawing_is_not_the_same(other: Program) -> None:
    assert not same_drawing(CROSS, other)
    assert not same_drawing(other, CROSS)


def test_a_symmetric_mark_has_no_mirror_image_of_its_own() -> None:
    mirror = Orientation(mirrored=True)
    assert same_drawing(CROSS, laid(CROSS, mirror))
    assert not same_drawing(FOUR, laid(FOUR, mirror))
    square = Program((polygon((0, 0), (1, 0), (1, 1), (0, 1)),))
    for way in orientations(turned=True, mirrored=True):
        assert same_drawing(square, laid(square, way))


def test_laying_a_program_turns_its_drawing_clockwise() -> None:
    points = laid(Program((line((0.5, 0), (0.5, 0.5)),)), Orientation(turned=90)).strokes[0].points
    assert points == pytest.approx(np.array([[1, 0.5], [0.5, 0.5]]), abs=1e-6)
    for seed in range(20):
        program = merchant_mark(np.random.default_rng(seed))
        assert same_drawing(program, laid(program, UPRIGHT))
        back = laid(laid(program, Orientation(turned=90)), Orientation(turned=270))
        assert same_drawing(program, back)


def test_of_equal_programs_the_first_is_kept() -> None:
    assert distinct_drawings([FOUR, CROSS, FOUR, placed(CROSS, 0, 0, 0.5, 0.5)]) == [0, 1]
    marks = [merchant_mark(np.random.default_rng([4, seed])) for seed in range(100)]
    assert len(distinct_drawings(marks)) > 95
