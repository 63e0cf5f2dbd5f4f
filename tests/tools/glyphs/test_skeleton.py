from __future__ import annotations

import math
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("skimage", reason="scikit-image is needed only to remake glyphs.npz")

from retrieval.strokes.program import Program
from tools.glyphs.skeleton import trace


def drawn(*lines: tuple[tuple[int, int], tuple[int, int]], width: int = 12) -> Program:
    image = np.zeros((180, 180), np.uint8)
    for start, end in lines:
        cv2.line(image, start, end, 255, width)
    return trace(image > 0)


def test_a_line_is_one_stroke_of_two_points() -> None:
    program = drawn(((90, 20), (90, 160)))
    assert [len(stroke.points) for stroke in program.strokes] == [2]
    assert np.ptp(program.strokes[0].points[:, 1]) == pytest.approx(1.0, abs=0.01)


def test_a_cross_is_two_strokes_that_run_through() -> None:
    program = drawn(((90, 20), (90, 160)), ((20, 90), (160, 90)))
    assert len(program.strokes) == 2
    spans = sorted(tuple(np.ptp(stroke.points, axis=0).round(1)) for stroke in program.strokes)
    assert spans == [(0.0, 1.0), (1.0, 0.0)]


def test_a_saltire_is_two_strokes_though_its_skeleton_has_a_bridge() -> None:
    program = drawn(((20, 20), (160, 160)), ((20, 160), (160, 20)))
    assert len(program.strokes) == 2
    assert all(np.ptp(stroke.points, axis=0).min() > 0.95 for stroke in program.strokes)


def test_a_ring_is_one_closed_smooth_stroke() -> None:
    image = np.zeros((180, 180), np.uint8)
    cv2.circle(image, (90, 90), 70, 255, 10)
    (stroke,) = trace(image > 0).strokes
    assert stroke.closed
    assert stroke.smooth
    assert not stroke.filled
    radii = np.hypot(*(stroke.points - 0.5).T)
    assert radii == pytest.approx(np.full(len(radii), 0.5), abs=0.03)


def test_a_square_frame_keeps_its_corners() -> None:
    image = np.zeros((180, 180), np.uint8)
    image[20:160, 20:160] = 255
    image[30:150, 30:150] = 0
    (stroke,) = trace(image > 0).strokes
    assert stroke.closed
    assert not stroke.smooth
    for corner in ((0, 0), (0, 1), (1, 0), (1, 1)):
        assert np.hypot(*(stroke.points - corner).T).min() < 0.04
    assert len(stroke.points) <= 8


def test_a_dot_is_filled_and_a_disc_is_an_outline() -> None:
    image = np.zeros((180, 180), np.uint8)
    cv2.line(image, (60, 20), (60, 160), 255, 12)
    cv2.circle(image, (120, 90), 12, 255, -1)
    assert [stroke.filled for stroke in trace(image > 0).strokes] in (
        [False, True],
        [True, False],
    )
    image = np.zeros((180, 180), np.uint8)
    cv2.circle(image, (90, 90), 70, 255, -1)
    (disc,) = trace(image > 0).strokes
    assert disc.closed
    assert not disc.filled


def test_proportions_are_kept_and_the_drawing_is_centred() -> None:
    program = drawn(((60, 20), (60, 160)), ((60, 160), (130, 160)))
    points = np.concatenate([stroke.points for stroke in program.strokes])
    assert np.ptp(points, axis=0) == pytest.approx([0.5, 1.0], abs=0.05)
    assert (points.min(axis=0) + points.max(axis=0)) / 2 == pytest.approx([0.5, 0.5], abs=0.01)


def test_blank_paper_has_no_strokes() -> None:
    assert trace(np.zeros((180, 180), np.bool_)).strokes == ()


@settings(max_examples=40, deadline=None)
@given(
    ends=st.lists(
        st.tuples(st.integers(12, 167), st.integers(12, 167)), min_size=2, max_size=8, unique=True
    ),
    width=st.integers(1, 22),
)
def test_any_scribble_can_be_traced(ends: list[tuple[int, int]], width: int) -> None:
    program = drawn(*pairwise(ends), width=width)
    # A dot or a blot has no line in it.
    assert program.strokes or all(math.dist(*side) < 30 + width for side in pairwise(ends))
    for stroke in program.strokes:
        assert np.isfinite(stroke.points).all()
        assert stroke.points.min() >= -1e-5
        assert stroke.points.max() <= 1 + 1e-5
        assert len(stroke.points) >= 2
