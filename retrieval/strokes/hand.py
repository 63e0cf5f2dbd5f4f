"""A hand: what changes when somebody redraws a mark.

Redrawing is the teacher of the features: two renderings of one program by two hands say which
differences are the hand's and which are the mark's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from retrieval.strokes.program import Program, Stroke


@dataclass(frozen=True)
class Hand:
    """One person's way of drawing; lengths are shares of the mark's longest side."""

    pen_width: float
    pressure: float  # how much the width swings along a stroke, 0..1
    nib: float  # angle of the nib in radians: strokes along it are thin
    slant: float  # horizontal shear
    aspect: float  # width over height, 1 = as in the program
    turn: float  # radians
    jitter: float  # displacement of control points
    drift: float  # displacement of whole strokes
    swing: float  # relative change of a stroke's size
    wobble: float  # waviness of a line
    overshoot: float  # how far the ends of open strokes run on or fall short
    omission: float  # chance that a stroke is left out
    ink: float  # darkness, 0..1
    starvation: float  # share of the line where the pen ran dry


@dataclass(frozen=True)
class Trace:
    """The path a pen took: dense points (M, 2) in the program's units, and how it inks."""

    points: NDArray[np.float32]
    closed: bool
    filled: bool


def random_hand(rng: np.random.Generator) -> Hand:
    """Return a hand as different from the next as two merchants' clerks are."""
    care = float(rng.uniform(0.25, 1.0))  # a careless hand is careless in everything
    return Hand(
        pen_width=float(np.exp(rng.uniform(math.log(0.018), math.log(0.11)))),
        pressure=float(rng.uniform(0.0, 0.6)) if rng.random() < 0.6 else 0.0,
        nib=float(rng.uniform(0, math.pi)),
        slant=float(rng.normal(0, 0.13)),
        aspect=float(np.exp(rng.normal(0, 0.18))),
        turn=float(rng.normal(0, 0.10)),
        jitter=0.035 * care,
        drift=0.030 * care,
        swing=0.11 * care,
        wobble=0.012 * care,
        overshoot=0.05 * care,
        omission=0.03 if rng.random() < 0.3 else 0.0,
        ink=float(rng.uniform(0.55, 1.0)),
        starvation=float(rng.uniform(0.0, 0.35)) if rng.random() < 0.3 else 0.0,
    )


#: Where on a span of a curve its points stand.
_SPAN = np.linspace(0, 1, 8, endpoint=False, dtype=np.float32)


def _along(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a polyline's points set at equal short distances, (M, 2)."""
    if len(points) < 2:
        return points
    steps = np.hypot(*np.diff(points, axis=0).T)
    length = np.concatenate([[0.0], np.cumsum(steps)])
    if length[-1] <= 0:
        return points[:1]
    count = int(np.clip(length[-1] * 40, 4, 200))
    at = np.arange(count) * (length[-1] / (count - 1))
    dense = np.stack([np.interp(at, length, points[:, axis]) for axis in (0, 1)], axis=1)
    return np.asarray(dense, np.float32)


def _catmull_rom(points: NDArray[np.float32], closed: bool) -> NDArray[np.float32]:
    """Return a Catmull-Rom curve through `points` as a dense polyline, 8 points a span."""
    if len(points) < 3:
        return points
    if closed:
        knots = np.concatenate([points[-1:], points, points[:2]])
    else:
        knots = np.concatenate(
            [2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]]
        )
    t = _SPAN[None, :, None]
    p0, p1, p2, p3 = (knots[i : len(knots) - 3 + i, None, :] for i in range(4))
    spans = 0.5 * (
        2 * p1
        + (p2 - p0) * t
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
        + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )
    curve = spans.reshape(-1, 2)
    if not closed:
        curve = np.concatenate([curve, points[-1:]])
    return np.asarray(curve, np.float32)


def curve_of(stroke: Stroke) -> NDArray[np.float32]:
    """Return a stroke as it stands in the program, (M, 2): points where it bends; a ring closes."""
    closed = stroke.closed or stroke.filled
    points = _catmull_rom(stroke.points, closed) if stroke.smooth else stroke.points
    return np.concatenate([points, points[:1]]) if closed else points


def path_of(stroke: Stroke) -> NDArray[np.float32]:
    """Return a stroke as it stands in the program, as dense points (M, 2); a ring closes."""
    return _along(curve_of(stroke))


def _redraw_stroke(stroke: Stroke, hand: Hand, rng: np.random.Generator) -> Trace:
    # A small stroke is drawn with smaller errors: a letter inside a heart is still a letter.
    extent = float(np.clip(np.ptp(stroke.points, axis=0).max(), 0.1, 1.0))
    care = 0.25 + 0.75 * extent
    points = stroke.points + rng.normal(0, hand.jitter * care, stroke.points.shape)
    centre = points.mean(axis=0)
    size = 1 + rng.normal(0, hand.swing, 2)
    lean = rng.normal(0, hand.swing * 0.7)
    turn = np.array([[math.cos(lean), -math.sin(lean)], [math.sin(lean), math.cos(lean)]])
    points = (points - centre) * size @ turn + centre + rng.normal(0, hand.drift * care, 2)
    closed = stroke.closed or stroke.filled
    if not closed and len(points) > 1 and hand.overshoot > 0:
        for end, inner in ((0, 1), (-1, -2)):
            reach = points[end] - points[inner]
            length = float(np.hypot(*reach))
            if length > 1e-6:
                points[end] += reach / length * rng.normal(0, hand.overshoot * care)
    dense = path_of(replace(stroke, points=np.asarray(points, np.float32)))
    if len(dense) > 3 and hand.wobble > 0:
        knots = max(3, len(dense) // 8)
        for axis in (0, 1):
            wave = rng.normal(0, hand.wobble, knots)
            dense[:, axis] += np.interp(
                np.linspace(0, knots - 1, len(dense)), np.arange(knots), wave
            )
    if closed and len(dense) > 3 and not stroke.filled and rng.random() < 0.5:
        # A pen closes a ring a little short or a little late.
        dense = dense[: len(dense) - int(rng.integers(0, max(1, len(dense) // 12)))]
        closed = False
    return Trace(dense, closed, stroke.filled)


def redraw(program: Program, hand: Hand, rng: np.random.Generator) -> list[Trace]:
    """Return the paths `hand` takes when it draws `program`, in the program's units."""
    strokes = [stroke for stroke in program.strokes if rng.random() >= hand.omission]
    if not strokes:
        strokes = list(program.strokes[:1])
    shear = np.array([[1.0, 0.0], [hand.slant, 1.0]], np.float32)
    cosine, sine = math.cos(hand.turn), math.sin(hand.turn)
    turn = np.array([[cosine, sine], [-sine, cosine]], np.float32)
    stretch = np.array([math.sqrt(hand.aspect), 1 / math.sqrt(hand.aspect)], np.float32)
    traces = []
    for stroke in strokes:
        trace = _redraw_stroke(stroke, hand, rng)
        points = np.asarray((trace.points * stretch) @ shear @ turn, np.float32)
        traces.append(Trace(points, trace.closed, trace.filled))
    return traces
