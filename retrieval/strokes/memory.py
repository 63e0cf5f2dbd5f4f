"""A mark drawn from memory: what a person keeps of it who saw it yesterday.

The idea stays, the measures do not: parts come out too large or too small, a line is forgotten or
one is drawn that was never there. `retrieval.strokes.hand` then adds what every hand does.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from retrieval.strokes.hand import Hand
from retrieval.strokes.program import Points, Program, Stroke, arc, line

#: Chances that a line is forgotten, and that one is drawn that was never there.
FORGOTTEN, INVENTED = 0.25, 0.15
#: Nobody forgets a line this long, as a share of all that is drawn, nor one of the longer half.
_UNFORGETTABLE = 0.15


def from_memory(program: Program, rng: np.random.Generator) -> Program:
    """Return `program` as somebody remembers it: another program in about the same square.

    Proportions are off everywhere; a quarter of the time one of the shorter strokes is missing,
    else now and then there is one too many. Marks of one or two strokes lose none.
    """
    strokes = list(program.strokes)
    fate = rng.random()
    if fate < FORGOTTEN:
        strokes = _one_forgotten(strokes, rng)
    elif fate < FORGOTTEN + INVENTED:
        strokes.append(_invented(rng))
    thirds = np.exp(rng.normal(0, 0.25, (2, 3)))
    remembered = []
    for stroke in strokes:
        points = np.stack([_stretched(stroke.points[:, i], thirds[i]) for i in (0, 1)], axis=1)
        centre = points.mean(axis=0)
        size = np.exp(rng.normal(0, 0.10, 2))
        moved = (points - centre) * size + centre + rng.normal(0, 0.02, 2)
        remembered.append(replace(stroke, points=moved.astype(np.float32)))
    return Program(tuple(remembered))


def sketching_hand(rng: np.random.Generator) -> Hand:
    """Return the hand of a person who sketches on a screen or a slip: a clean, thin, even pen."""
    return Hand(
        pen_width=float(rng.uniform(0.012, 0.03)),
        pressure=0.0,
        nib=0.0,
        slant=float(rng.normal(0, 0.08)),
        aspect=float(np.exp(rng.normal(0, 0.15))),
        turn=float(rng.normal(0, 0.06)),
        jitter=0.02,
        drift=0.02,
        swing=0.08,
        wobble=0.008,
        overshoot=0.03,
        omission=0.0,
        ink=1.0,
        starvation=0.0,
    )


def _length(stroke: Stroke) -> float:
    steps = np.diff(stroke.points, axis=0)
    return float(np.hypot(steps[:, 0], steps[:, 1]).sum())


def _one_forgotten(strokes: list[Stroke], rng: np.random.Generator) -> list[Stroke]:
    lengths = np.array([_length(stroke) for stroke in strokes])
    most = min(_UNFORGETTABLE * lengths.sum(), float(np.median(lengths)))
    minor = np.flatnonzero(lengths <= most)
    if len(strokes) < 3 or not len(minor):
        return strokes
    gone = int(rng.choice(minor))
    return strokes[:gone] + strokes[gone + 1 :]


def _invented(rng: np.random.Generator) -> Stroke:
    """Return a short bar or a dot, which marks have many of."""
    x, y = rng.uniform(0.2, 0.8, 2)
    if rng.random() < 0.25:
        return arc((float(x), float(y)), (0.025, 0.025), filled=True)
    angle, half = float(rng.choice([0.0, math.pi / 2])), float(rng.uniform(0.06, 0.14))
    dx, dy = half * math.cos(angle), half * math.sin(angle)
    return line((float(x - dx), float(y - dy)), (float(x + dx), float(y + dy)))


def _stretched(along: Points, widths: NDArray[np.float64]) -> Points:
    """Return places along an axis in the same order, three thirds of it made `widths` wide."""
    places = np.concatenate([[0.0], np.cumsum(widths) / widths.sum()])
    inside = np.interp(along, np.linspace(0, 1, 4), places)
    return np.asarray(inside + np.minimum(along, 0) + np.maximum(along - 1, 0), np.float32)
