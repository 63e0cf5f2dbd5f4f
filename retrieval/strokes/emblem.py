"""Emblems: figures told by their outline, such as a leaf, a lily, a bird, a crown or a star.

Seals, stamps and watermarks carry them. None is drawn after a real one: a random outline with
lobes and points, most often the same on both sides, filled, bare, hatched or parted.
"""

from __future__ import annotations

import math

import numpy as np

from retrieval.strokes.program import Points, Program, Stroke, arc, line

_CORNERS = 28


def _outline(rng: np.random.Generator) -> Points:
    """Return a closed outline about the origin, (28, 2), its farthest point one away."""
    angles = 2 * math.pi * np.arange(_CORNERS) / _CORNERS
    symmetric = rng.random() < 0.7
    radii = np.ones(_CORNERS)
    for order in range(1, 7):
        size = float(rng.normal(0, 0.5 / order**0.6))
        phase = 0.0 if symmetric else float(rng.uniform(0, 2 * math.pi))
        radii += size * np.cos(order * angles + phase)
    radii = np.maximum(radii, 0.15 * float(radii.max()))
    # Measured from the axis that stands upright, so that what is alike are left and right.
    points = radii[:, None] * np.stack([np.sin(angles), -np.cos(angles)], axis=1)
    points[:, 0] *= float(rng.uniform(0.5, 1.0))
    return np.asarray(points / np.abs(points).max(), np.float32)


def _crossings(outline: Points, height: float) -> list[float]:
    """Return where a level line meets the outline, from left to right."""
    ends = np.roll(outline, -1, axis=0)
    above = (outline[:, 1] < height) != (ends[:, 1] < height)
    start, end = outline[above], ends[above]
    share = (height - start[:, 1]) / (end[:, 1] - start[:, 1])
    return sorted((start[:, 0] + share * (end[:, 0] - start[:, 0])).tolist())


def _hatching(outline: Points, rng: np.random.Generator) -> list[Stroke]:
    low, high = float(outline[:, 1].min()), float(outline[:, 1].max())
    strokes = []
    for height in np.linspace(low, high, int(rng.integers(4, 8)) + 2)[1:-1].tolist():
        ends = _crossings(outline, height)
        strokes += [
            line((x, height), (to, height)) for x, to in zip(ends[::2], ends[1::2], strict=True)
        ]
    return strokes


def emblem(rng: np.random.Generator) -> Program:
    """Return a figure, sometimes with a smaller one or dots beside it, in the unit square."""
    outline, smooth = _outline(rng), bool(rng.random() < 0.7)
    kind = rng.random()
    strokes = [Stroke(outline, smooth=smooth, closed=True, filled=kind < 0.45)]
    if 0.45 <= kind < 0.65:
        strokes += _hatching(outline, rng)
    elif 0.65 <= kind < 0.8:
        strokes.append(Stroke(outline * np.float32(rng.uniform(0.4, 0.75)), smooth, closed=True))
    beside = int(rng.choice([0, 0, 1, 2, 4]))
    first = float(rng.uniform(0, 2 * math.pi))
    small = _outline(rng) * np.float32(rng.uniform(0.2, 0.35))
    dots = bool(rng.random() < 0.5)
    for number in range(beside):
        angle = first + 2 * math.pi * number / beside
        x, y = 1.2 * math.cos(angle), 1.2 * math.sin(angle)
        if dots:
            strokes.append(arc((x, y), (0.09, 0.09), filled=True))
        else:
            strokes.append(
                Stroke(small + np.array([x, y], np.float32), smooth, closed=True, filled=True)
            )
    every = np.concatenate([stroke.points for stroke in strokes])
    low, high = every.min(axis=0), every.max(axis=0)
    scale = 1 / float((high - low).max())
    middle = (low + high) / 2
    return Program(
        tuple(
            Stroke(
                np.asarray((stroke.points - middle) * scale + 0.5, np.float32),
                stroke.smooth,
                stroke.closed,
                stroke.filled,
            )
            for stroke in strokes
        )
    )
