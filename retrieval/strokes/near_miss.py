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
from retrieval.strokes.hand import path_of
from retrieval.strokes.letters import INITIALS, SIGNS
from retrieval.strokes.program import Points, Program, Stroke, arc, line, placed, random_program
from retrieval.strokes.sameness import same_drawing

#: An element is at least this share of the mark's side: less is lost in a network's picture.
SMALLEST = 0.14
#: A dot or a tick has this share of it, and stands at least `_APART` from the other ink.
DOT = (0.05, 0.12)
_APART = 0.12
#: Strokes up to this share of the mark's side may be part of a larger element, as in a letter.
_SMALL = 0.45
_TRIES = 6
#: In a mark of so few strokes a stroke is reshaped so many times as often as in others.
_FEW, _WITHIN = 2, 6.0

Extent = NDArray[np.float32]  # low x, low y, high x, high y


def _box(strokes: list[Stroke]) -> Extent:
    points = np.concatenate([stroke.points for stroke in strokes])
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


def _side(box: Extent) -> float:
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


def _fitted(program: Program, box: Extent, whole: float) -> list[Stroke]:
    """Return a sign laid into the place of an element, unstretched, large enough to be seen."""
    strokes = list(program.strokes)
    own = _box(strokes)
    scale = max(_side(box), SMALLEST * whole) / max(_side(own), 1e-3)
    x, y = (box[:2] + box[2:]) / 2 - scale * (own[:2] + own[2:]) / 2
    return list(placed(program, float(x), float(y), scale, scale).strokes)


def _exchanged(strokes: list[Stroke], whole: Extent, rng: np.random.Generator) -> list[Stroke]:
    chosen = _element(strokes, _side(whole), rng)
    rest = [stroke for at, stroke in enumerate(strokes) if at not in chosen]
    box = _box([strokes[at] for at in chosen])
    return rest + _fitted(_another_sign(rng), box, _side(whole))


def _left_out(strokes: list[Stroke], whole: Extent, rng: np.random.Generator) -> list[Stroke]:
    chosen = _element(strokes, _side(whole), rng)
    if _side(_box([strokes[at] for at in chosen])) < SMALLEST * _side(whole):
        return strokes
    return [stroke for at, stroke in enumerate(strokes) if at not in chosen]


def _mirrored(strokes: list[Stroke], whole: Extent, rng: np.random.Generator) -> list[Stroke]:
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


def _moved(strokes: list[Stroke], whole: Extent, rng: np.random.Generator) -> list[Stroke]:
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


def _added(strokes: list[Stroke], whole: Extent, rng: np.random.Generator) -> list[Stroke]:
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


def _lettered(strokes: list[Stroke], whole: Extent, rng: np.random.Generator) -> list[Stroke]:
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


def _dotted(strokes: list[Stroke], whole: Extent, rng: np.random.Generator) -> list[Stroke]:
    """Take a dot or a tick away, or set one where there is room."""
    side = _side(whole)
    paths = [path_of(stroke) for stroke in strokes]
    dots = [at for at in range(len(strokes)) if _is_dot(at, paths, side)]
    if dots and rng.random() < 0.5:
        gone = dots[int(rng.integers(len(dots)))]
        return [*strokes[:gone], *strokes[gone + 1 :]]
    low, room = whole[:2] - 0.08 * side, whole[2:] - whole[:2] + 0.16 * side
    for _ in range(_TRIES):
        at = low + rng.random(2).astype(np.float32) * room
        if _gap(at, paths) >= _APART * side:
            return [*strokes, _dot((float(at[0]), float(at[1])), side, rng)]
    return strokes


def _gap(point: Points, paths: list[Points]) -> float:
    return float(np.hypot(*(np.concatenate(paths) - point).T).min())


def _is_dot(at: int, paths: list[Points], side: float) -> bool:
    """Whether a stroke is as small as a dot, large enough to be seen, and stands by itself."""
    size = float(np.ptp(paths[at], axis=0).max())
    others = [*paths[:at], *paths[at + 1 :]]
    if not others or size > DOT[1] * side or (size < DOT[0] * side and len(paths[at]) > 1):
        return False
    return _gap(paths[at].mean(axis=0), others) >= _APART * side


def _dot(at: tuple[float, float], side: float, rng: np.random.Generator) -> Stroke:
    kind = rng.random()
    if kind < 0.5:
        return Stroke(np.asarray([at], np.float32))
    size = side * float(rng.uniform(*DOT))
    if kind < 0.7:
        return arc(at, (size / 2, size / 2))
    angle = float(rng.uniform(0, np.pi))
    x, y = size / 2 * np.cos(angle), size / 2 * np.sin(angle)
    return line((at[0] - x, at[1] - y), (at[0] + x, at[1] + y))


def _reshaped(strokes: list[Stroke], whole: Extent, rng: np.random.Generator) -> list[Stroke]:
    """Bend, cut, hook, open or close one stroke, as n differs from h and a round r from an n."""
    side = _side(whole)
    large = [at for at, stroke in enumerate(strokes) if _side(_box([stroke])) > 0.2 * side]
    if not large:
        return strokes
    at = large[int(rng.integers(len(large)))]
    stroke = strokes[at]
    ways = (_bent, _opened) if stroke.closed or stroke.filled else (_bent, _cut, _hooked, _closed)
    other = ways[int(rng.integers(len(ways)))](stroke, side, rng)
    return [*strokes[:at], other, *strokes[at + 1 :]]


def _bent(stroke: Stroke, side: float, rng: np.random.Generator) -> Stroke:
    """Pull a point of the stroke aside, and those near it a little."""
    points = stroke.points
    if len(points) == 2:
        points = np.asarray([points[0], points.mean(axis=0), points[1]], np.float32)
    count = len(points)
    away = np.abs(np.arange(count) - int(rng.integers(count))).astype(np.float32)
    if stroke.closed:
        away = np.minimum(away, count - away)
    pulled = np.exp(-np.square(away / max(0.6, count / 8)))[:, None]
    by = rng.normal(0, 1, 2).astype(np.float32)
    by *= side * float(rng.uniform(SMALLEST, 0.3)) / max(float(np.hypot(*by)), 1e-6)
    return replace(stroke, points=np.asarray(points + pulled * by, np.float32))


def _cut(stroke: Stroke, side: float, rng: np.random.Generator) -> Stroke:
    """Leave out a part of the stroke at one of its ends."""
    points = stroke.points if rng.random() < 0.5 else stroke.points[::-1]
    steps = np.hypot(*np.diff(points, axis=0).T)
    kept = float(steps.sum()) * float(rng.uniform(0.45, 0.75))
    along = np.concatenate([[0.0], np.cumsum(steps)])
    last = [np.interp(kept, along, points[:, axis]) for axis in (0, 1)]
    return replace(stroke, points=np.asarray([*points[along < kept], last], np.float32))


def _hooked(stroke: Stroke, side: float, rng: np.random.Generator) -> Stroke:
    """Let the pen turn at an end of the stroke and go on a little."""
    points = stroke.points if rng.random() < 0.5 else stroke.points[::-1]
    along = points[-1] - points[-2] if len(points) > 1 else np.asarray([1, 0], np.float32)
    turn = float(rng.uniform(1.2, 2.6)) * (1 if rng.random() < 0.5 else -1)
    angle = float(np.arctan2(along[1], along[0])) + turn
    reach = side * float(rng.uniform(SMALLEST, 0.28))
    end = points[-1] + reach * np.asarray([np.cos(angle), np.sin(angle)])
    return replace(stroke, points=np.asarray([*points, end], np.float32))


def _opened(stroke: Stroke, side: float, rng: np.random.Generator) -> Stroke:
    """Leave a gap in a ring: a side of a polygon, a quarter of a curve."""
    gap = round(len(stroke.points) / 4) if stroke.smooth else 0
    points = np.roll(stroke.points, int(rng.integers(len(stroke.points))), axis=0)
    return replace(stroke, points=points[gap:], closed=False, filled=False)


def _closed(stroke: Stroke, side: float, rng: np.random.Generator) -> Stroke:
    """Let the pen come back to where it began."""
    return replace(stroke, closed=len(stroke.points) > 2)


_CHANGES: tuple[
    tuple[float, Callable[[list[Stroke], Extent, np.random.Generator], list[Stroke]]], ...
] = (
    (0.28, _exchanged),
    (0.10, _left_out),
    (0.10, _mirrored),
    (0.08, _moved),
    (0.14, _added),
    (0.12, _lettered),
    (0.12, _reshaped),
    (0.06, _dotted),
)


def near_miss(program: Program, rng: np.random.Generator) -> Program:
    """Return a mark that is `program` but for one element, which is no longer the same drawing."""
    strokes, whole = list(program.strokes), _box(list(program.strokes))
    # Of a mark of one or two strokes another stroke makes another mark: its shape must tell.
    within = _WITHIN if len(strokes) <= _FEW else 1.0
    weights = np.asarray(
        [weight * (within if change is _reshaped else 1) for weight, change in _CHANGES]
    )
    for _ in range(_TRIES):
        change = _CHANGES[int(rng.choice(len(_CHANGES), p=weights / weights.sum()))][1]
        changed = change(strokes, whole, rng)
        if changed and not same_drawing(program, other := Program(tuple(changed))):
            return other
    return Program(tuple(_added(strokes, whole, rng)))
