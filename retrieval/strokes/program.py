"""A mark's identity as a program of strokes, and random programs of them.

Two people who draw the same mark draw the same strokes with other proportions, another slant and
another pen. A `Program` is what they share; `retrieval.strokes.hand` is what they do not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from retrieval.orientation import Orientation

Points = NDArray[np.float32]


@dataclass(frozen=True)
class Stroke:
    """One movement of the pen through control points in the unit square, y downwards.

    `points` has shape (K, 2), K >= 1. A `smooth` stroke is a Catmull-Rom curve through them, any
    other a polyline. A `filled` stroke is inked solid; it is closed by definition.
    """

    points: Points
    smooth: bool = False
    closed: bool = False
    filled: bool = False


@dataclass(frozen=True)
class Program:
    """The strokes that make one identity, in drawing order."""

    strokes: tuple[Stroke, ...]


def line(*points: tuple[float, float]) -> Stroke:
    """Return an open polyline through `points`."""
    return Stroke(np.asarray(points, np.float32))


def polygon(*points: tuple[float, float], filled: bool = False) -> Stroke:
    """Return a closed polyline through `points`."""
    return Stroke(np.asarray(points, np.float32), closed=True, filled=filled)


def curve(*points: tuple[float, float], closed: bool = False) -> Stroke:
    """Return a smooth stroke through `points`."""
    return Stroke(np.asarray(points, np.float32), smooth=True, closed=closed)


def arc(
    centre: tuple[float, float],
    radius: tuple[float, float],
    start: float = 0.0,
    extent: float = 2 * math.pi,
    filled: bool = False,
) -> Stroke:
    """Return a part of an ellipse, `extent` radians from `start`; a full turn is closed."""
    whole = abs(extent) >= 2 * math.pi - 1e-6
    count = max(4, round(abs(extent) / (2 * math.pi) * 10))
    angles = start + np.linspace(0, extent, count, endpoint=not whole)
    points = np.stack(
        [centre[0] + radius[0] * np.cos(angles), centre[1] + radius[1] * np.sin(angles)], axis=1
    )
    return Stroke(points.astype(np.float32), smooth=True, closed=whole, filled=filled)


def placed(program: Program, x: float, y: float, width: float, height: float) -> Program:
    """Return `program` moved from the unit square into the box at (x, y)."""
    scale = np.asarray([width, height], np.float32)
    shift = np.asarray([x, y], np.float32)
    return Program(
        tuple(replace(stroke, points=stroke.points * scale + shift) for stroke in program.strokes)
    )


def laid(program: Program, way: Orientation) -> Program:
    """Return `program` mirrored and turned about the middle of the unit square."""
    strokes = []
    for stroke in program.strokes:
        x, y = stroke.points.T
        x = 1 - x if way.mirrored else x
        for _ in range(way.turned // 90):
            x, y = 1 - y, x
        points = np.stack([x, y], axis=1).astype(np.float32)
        strokes.append(replace(stroke, points=points))
    return Program(tuple(strokes))


def joined(*programs: Program) -> Program:
    """Return the strokes of all `programs` as one program."""
    return Program(tuple(stroke for program in programs for stroke in program.strokes))


def _grid_point(rng: np.random.Generator, cells: int) -> tuple[float, float]:
    return (float(rng.integers(cells + 1)) / cells, float(rng.integers(cells + 1)) / cells)


def _random_line(rng: np.random.Generator) -> Stroke:
    cells = int(rng.integers(3, 6))
    start, end = _grid_point(rng, cells), _grid_point(rng, cells)
    while start == end:
        end = _grid_point(rng, cells)
    return line(start, end)


def _random_polyline(rng: np.random.Generator) -> Stroke:
    cells = int(rng.integers(3, 6))
    points = [_grid_point(rng, cells) for _ in range(int(rng.integers(3, 6)))]
    return line(*points)


def _random_curve(rng: np.random.Generator) -> Stroke:
    points = rng.uniform(0.0, 1.0, (int(rng.integers(3, 6)), 2)).astype(np.float32)
    return Stroke(points, smooth=True, closed=bool(rng.random() < 0.15))


def _random_arc(rng: np.random.Generator) -> Stroke:
    radius = float(rng.uniform(0.08, 0.42))
    centre = (float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.2, 0.8)))
    squash = float(rng.uniform(0.6, 1.6)) if rng.random() < 0.5 else 1.0
    extent = 2 * math.pi if rng.random() < 0.45 else float(rng.uniform(1.5, 5.0))
    start = float(rng.uniform(0, 2 * math.pi))
    return arc(centre, (radius, radius * squash), start, extent, bool(rng.random() < 0.06))


def _random_polygon(rng: np.random.Generator) -> Stroke:
    corners = int(rng.integers(3, 7))
    radius = float(rng.uniform(0.12, 0.4))
    centre = rng.uniform(0.25, 0.75, 2)
    turn = float(rng.choice([0.0, math.pi / corners, rng.uniform(0, 2 * math.pi)]))
    angles = turn - math.pi / 2 + 2 * math.pi * np.arange(corners) / corners
    points = centre + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return Stroke(points.astype(np.float32), closed=True, filled=bool(rng.random() < 0.12))


def _random_cross(rng: np.random.Generator) -> Stroke:
    # A bar across the staff, the commonest addition that tells one owner from another.
    height, half = float(rng.uniform(0.1, 0.9)), float(rng.uniform(0.08, 0.3))
    middle = float(rng.choice([0.25, 0.5, 0.75]))
    tilt = float(rng.choice([0.0, 0.0, 0.12, -0.12]))
    return line((middle - half, height + tilt), (middle + half, height - tilt))


def _random_staff(rng: np.random.Generator) -> Stroke:
    middle = float(rng.choice([0.25, 0.5, 0.75]))
    top, bottom = float(rng.uniform(0.0, 0.25)), float(rng.uniform(0.7, 1.0))
    return line((middle, top), (middle, bottom))


def _random_dot(rng: np.random.Generator) -> Stroke:
    centre = (float(rng.uniform(0.1, 0.9)), float(rng.uniform(0.1, 0.9)))
    return arc(centre, (0.025, 0.025), filled=True)


_KINDS: Sequence[tuple[float, Callable[[np.random.Generator], Stroke]]] = (
    (0.20, _random_line),
    (0.13, _random_polyline),
    (0.22, _random_curve),
    (0.15, _random_arc),
    (0.07, _random_polygon),
    (0.10, _random_cross),
    (0.09, _random_staff),
    (0.04, _random_dot),
)


def random_program(rng: np.random.Generator) -> Program:
    """Return 1 to 8 random strokes: signs that nobody owned, for a network to tell apart."""
    weights = np.asarray([weight for weight, _ in _KINDS])
    count = int(
        rng.choice([1, 2, 3, 4, 5, 6, 7, 8], p=[0.06, 0.2, 0.24, 0.2, 0.13, 0.09, 0.05, 0.03])
    )
    kinds = rng.choice(len(_KINDS), size=count, p=weights / weights.sum())
    strokes = tuple(_KINDS[int(kind)][1](rng) for kind in kinds)
    if all(len(stroke.points) < 2 or stroke.filled for stroke in strokes):
        strokes += (_random_line(rng),)
    return Program(strokes)
