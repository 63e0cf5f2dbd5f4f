"""Near misses: another owner's mark that differs from a given one in a single element.

Merchants of one port shared staff, crown and frame; what told a son from his father or an AB from
an AG was a bar, a dot's place or one letter in a heart. A random other mark is told apart by its
outline; a near miss only by looking at that element.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from retrieval.strokes.glyphs import random_glyph
from retrieval.strokes.letters import INITIALS, SIGNS
from retrieval.strokes.program import Program, Stroke, line, placed, random_program
from retrieval.strokes.sameness import same_drawing

#: An element is at least this share of the mark's side: less is lost in a network's picture.
SMALLEST = 0.14
#: Strokes up to this share of the mark's side may be part of a larger element, as in a letter.
_SMALL = 0.45
_TRIES = 6

Box = NDArray[np.float32]  # low x, low y, high x, high y


def _box(strokes: list[Stroke]) -> Box:
    points = np.concatenate([stroke.points for stroke in strokes])
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


def _side(box: Box) -> float:
    return float((box[2:] - box[:2]).max())


def _element(strokes: list[Stroke], whole: float, rng: np.random.Generator) -> list[int]:
    """Return the numbers of strokes that stand together: one, and small ones in its place."""
    boxes = [_box([stroke]) for stroke in strokes]
    first = int(rng.integers(len(strokes)))
    box = boxes[first]
    if _side(box) > _SMALL * whole:
        return [first]
    low, high = box[:2] - 0.03 * whole, box[2:] + 0.03 * whole
    return [
        at
        for at, other in enumerate(boxes)
        if _side(other) <= _SMALL * whole
        and bool(np.all((other[:2] + other[2:]) / 2 >= low))
        and bool(np.all((other[:2] + other[2:]) / 2 <= high))
    ]


def _another_sign(rng: np.random.Generator) -> Program:
    kind = rng.random()
    if kind < 0.55:
        return SIGNS[INITIALS[int(rng.integers(len(INITIALS)))]]
    if kind < 0.75:
        return random_glyph(rng)
    return Program(random_program(rng).strokes[:2])


def _fitted(program: Program, box: Box, whole: float) -> list[Stroke]:
    """Return a sign laid into the place of an element, unstretched, large enough to be seen."""
    strokes = list(program.strokes)
    own = _box(strokes)
    scale = max(_side(box), SMALLEST * whole) / max(_side(own), 1e-3)
    x, y = (box[:2] + box[2:]) / 2 - scale * (own[:2] + own[2:]) / 2
    return list(placed(program, float(x), float(y), scale, scale).strokes)


def _exchanged(strokes: list[Stroke], whole: Box, rng: np.random.Generator) -> list[Stroke]:
    chosen = _element(strokes, _side(whole), rng)
    rest = [stroke for at, stroke in enumerate(strokes) if at not in chosen]
    box = _box([strokes[at] for at in chosen])
    return rest + _fitted(_another_sign(rng), box, _side(whole))


def _left_out(strokes: list[Stroke], whole: Box, rng: np.random.Generator) -> list[Stroke]:
    chosen = _element(strokes, _side(whole), rng)
    if _side(_box([strokes[at] for at in chosen])) < SMALLEST * _side(whole):
        return strokes
    return [stroke for at, stroke in enumerate(strokes) if at not in chosen]


def _mirrored(strokes: list[Stroke], whole: Box, rng: np.random.Generator) -> list[Stroke]:
    chosen = _element(strokes, _side(whole), rng)
    box = _box([strokes[at] for at in chosen])
    if _side(box) < SMALLEST * _side(whole):
        return strokes
    axis = int(rng.integers(2))
    changed = list(strokes)
    for at in chosen:
        points = strokes[at].points.copy()
        points[:, axis] = box[axis] + box[axis + 2] - points[:, axis]
        changed[at] = replace(strokes[at], points=points)
    return changed


def _moved(strokes: list[Stroke], whole: Box, rng: np.random.Generator) -> list[Stroke]:
    chosen = _element(strokes, _side(whole), rng)
    box = _box([strokes[at] for at in chosen])
    room = np.maximum((whole[2:] - whole[:2]) - (box[2:] - box[:2]), 0)
    to = whole[:2] + rng.random(2).astype(np.float32) * room - box[:2]
    if float(np.abs(to).max()) < SMALLEST * _side(whole):
        return strokes
    changed = list(strokes)
    for at in chosen:
        changed[at] = replace(strokes[at], points=strokes[at].points + to)
    return changed


def _added(strokes: list[Stroke], whole: Box, rng: np.random.Generator) -> list[Stroke]:
    side = _side(whole)
    size = side * float(rng.uniform(SMALLEST, 0.3))
    low = whole[:2] - 0.1 * side
    room = np.maximum(whole[2:] - whole[:2] + 0.2 * side - size, 0)
    x, y = (float(value) for value in low + rng.random(2) * room)
    if rng.random() < 0.5:
        across = rng.random() < 0.7
        end = (x + size, y) if across else (x, y + size)
        return [*strokes, line((x, y), end)]
    sign = placed(_another_sign(rng), x, y, size, size)
    return [*strokes, *sign.strokes]


def _lettered(strokes: list[Stroke], whole: Box, rng: np.random.Generator) -> list[Stroke]:
    """Exchange all that is small, as initials in a frame are."""
    side = _side(whole)
    small = [stroke for stroke in strokes if _side(_box([stroke])) <= 0.35 * side]
    if len(small) in (0, len(strokes)):
        return strokes
    box = _box(small)
    count = int(rng.integers(1, 4))
    width = float(box[2] - box[0]) / count
    changed = [stroke for stroke in strokes if _side(_box([stroke])) > 0.35 * side]
    for at in range(count):
        left = float(box[0]) + at * width
        cell = np.asarray([left, box[1], left + 0.85 * width, box[3]], np.float32)
        changed += _fitted(_another_sign(rng), cell, side)
    return changed


_CHANGES: tuple[
    tuple[float, Callable[[list[Stroke], Box, np.random.Generator], list[Stroke]]], ...
] = (
    (0.34, _exchanged),
    (0.12, _left_out),
    (0.12, _mirrored),
    (0.10, _moved),
    (0.17, _added),
    (0.15, _lettered),
)


def near_miss(program: Program, rng: np.random.Generator) -> Program:
    """Return a mark that is `program` but for one element, which is no longer the same drawing."""
    weights = np.asarray([weight for weight, _ in _CHANGES])
    strokes, whole = list(program.strokes), _box(list(program.strokes))
    for _ in range(_TRIES):
        change = _CHANGES[int(rng.choice(len(_CHANGES), p=weights / weights.sum()))][1]
        changed = change(strokes, whole, rng)
        if changed and not same_drawing(program, other := Program(tuple(changed))):
            return other
    return Program(tuple(_added(strokes, whole, rng)))
