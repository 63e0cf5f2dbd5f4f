from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from retrieval.gan.redrawing import REPERTOIRE
from retrieval.strokes.hand import path_of
from retrieval.strokes.letters import SIGNS
from retrieval.strokes.near_miss import DOT, SMALLEST, near_miss
from retrieval.strokes.program import Program, Stroke, curve, joined, line, placed, polygon
from retrieval.strokes.sameness import same_drawing

Kind = Callable[[np.random.Generator], Program]


@pytest.mark.parametrize("kind", [family.identity for family in REPERTOIRE])
def test_a_near_miss_is_another_drawing_of_mostly_the_same_strokes(kind: Kind) -> None:
    rng = np.random.default_rng(4)
    kept = []
    for _ in range(40):
        program = kind(rng)
        other = near_miss(program, rng)
        assert other.strokes
        assert all(np.isfinite(stroke.points).all() for stroke in other.strokes)
        assert not same_drawing(program, other)
        before = {stroke.points.tobytes() for stroke in program.strokes}
        if len(before) > 3:
            after = {stroke.points.tobytes() for stroke in other.strokes}
            kept.append(len(before & after) / len(before))
    assert not kept or np.median(kept) > 0.5


def test_what_differs_is_large_enough_to_be_seen() -> None:
    staff = [line((0.5, 0), (0.5, 1)), line((0.3, 0.2), (0.7, 0.2)), line((0.2, 1), (0.8, 1))]
    program = joined(Program(tuple(staff)), placed(SIGNS["B"], 0.6, 0.5, 0.03, 0.05))
    rng = np.random.default_rng(0)
    for _ in range(60):
        other = near_miss(program, rng)
        outside = [stroke for stroke in other.strokes if not _among(stroke, program)]
        gone = [stroke for stroke in program.strokes if not _among(stroke, other)]
        points = np.concatenate([stroke.points for stroke in outside + gone])
        dot = len(gone) == 0 and len(outside) == 1 and np.ptp(points, axis=0).max() <= DOT[1]
        assert dot or np.ptp(points, axis=0).max() >= 0.99 * SMALLEST


def test_a_dot_more_stands_free_of_the_other_ink() -> None:
    program = Program((line((0, 0), (0, 1)), line((0, 1), (1, 1))))
    ink = np.concatenate([path_of(stroke) for stroke in program.strokes])
    rng = np.random.default_rng(2)
    others = [near_miss(program, rng).strokes for _ in range(200)]
    last = [other[-1] for other in others if len(other) == 3]
    dots = [stroke for stroke in last if np.ptp(stroke.points, axis=0).max() <= DOT[1]]
    assert len(dots) >= 5
    assert any(len(dot.points) == 1 for dot in dots)
    for dot in dots:
        middle = (dot.points.min(axis=0) + dot.points.max(axis=0)) / 2
        assert np.hypot(*(ink - middle).T).min() > 0.11


def test_a_dot_there_is_may_be_what_is_left_out() -> None:
    dot = Stroke(np.asarray([(0.5, 0.4)], np.float32))
    program = Program((line((0, 0), (0, 1)), line((0, 1), (1, 1)), dot))
    rng = np.random.default_rng(3)
    others = [near_miss(program, rng) for _ in range(200)]
    assert any(
        len(other.strokes) == 2 and all(_among(s, program) for s in other.strokes)
        for other in others
        if not _among(dot, other)
    )


def test_a_single_stroke_is_mostly_reshaped() -> None:
    bow = curve((0, 0), (0.5, 0.6), (1, 0), (0.8, 1))
    rng = np.random.default_rng(5)
    others = [near_miss(Program((bow,)), rng) for _ in range(100)]
    reshaped = [
        other
        for other in others
        if len(other.strokes) == 1
        and sum(bool((bow.points == point).all(axis=1).any()) for point in other.strokes[0].points)
        >= 2
    ]
    assert len(reshaped) > 20


def test_a_ring_may_be_opened_and_a_bow_closed() -> None:
    ring, bow = polygon((0, 0), (1, 0), (1, 1), (0, 1)), line((0, 0), (1, 0), (1, 1))
    rng = np.random.default_rng(6)
    for stroke in (ring, bow):
        others = [near_miss(Program((stroke,)), rng).strokes for _ in range(100)]
        assert any(
            len(other) == 1
            and other[0].closed != stroke.closed
            and {tuple(p) for p in other[0].points.tolist()}
            == {tuple(p) for p in stroke.points.tolist()}
            for other in others
        )


def test_initials_in_a_frame_are_what_is_exchanged_most() -> None:
    frame = polygon((0, 0), (1, 0), (1, 1), (0, 1))
    initials = [placed(SIGNS[sign], x, 0.4, 0.15, 0.2) for sign, x in (("K", 0.25), ("L", 0.6))]
    program = joined(Program((frame,)), *initials)
    rng = np.random.default_rng(1)
    others = [near_miss(program, rng) for _ in range(60)]
    assert sum(_among(frame, other) for other in others) > 45
    assert sum(any(_among(s, other) for s in initials[0].strokes) for other in others) > 15


def test_the_same_random_numbers_give_the_same_near_miss() -> None:
    program = Program((line((0, 0), (1, 1)), line((0, 1), (1, 0))))
    one, other = (near_miss(program, np.random.default_rng(8)) for _ in range(2))
    assert [s.points.tolist() for s in one.strokes] == [s.points.tolist() for s in other.strokes]


def _among(stroke: Stroke, program: Program) -> bool:
    return any(np.array_equal(stroke.points, other.points) for other in program.strokes)
