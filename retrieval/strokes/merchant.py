"""Marks from a grammar of what merchants drew.

A mark is a staff crowned by a figure 4, a cross, a flag or a chevron, standing on a base (an orb,
a heart, a W, a triangle, a splayed foot), crossed by bars, with the owner's initials on the base's
field or beside the staff; or initials alone in a frame. After Elmhirst, "Merchants' Marks" (1959)
and Girling, "English Merchants' Marks" (1964), who sort marks by these same elements.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from retrieval.strokes.letters import INITIALS, SIGNS
from retrieval.strokes.program import (
    Program,
    Stroke,
    arc,
    curve,
    joined,
    line,
    placed,
    polygon,
)

Part = Callable[[np.random.Generator], list[Stroke]]


def _chance(rng: np.random.Generator, share: float) -> bool:
    return bool(rng.random() < share)


def _bar(x: float, y: float, half: float, tilt: float = 0.0) -> Stroke:
    return line((x - half, y + tilt), (x + half, y - tilt))


# Crowns: what the staff carries, drawn in the box x 0..1, y 0..0.4 with the staff at x = 0.5.


def _figure_four(rng: np.random.Generator) -> list[Stroke]:
    side = -1.0 if _chance(rng, 0.85) else 1.0  # a reversed 4 is another owner's
    reach = float(rng.uniform(0.22, 0.36))
    foot = float(rng.uniform(0.24, 0.34))
    beyond = float(rng.choice([0.0, 0.12, 0.2]))
    strokes = [line((0.5, 0.0), (0.5 + side * reach, foot), (0.5 - side * beyond, foot))]
    if beyond > 0 and _chance(rng, 0.6):
        end = 0.5 - side * beyond
        strokes.append(line((end, foot - 0.06), (end, foot + 0.06)))
    return strokes


def _cross(rng: np.random.Generator) -> list[Stroke]:
    strokes = [_bar(0.5, float(rng.uniform(0.1, 0.16)), float(rng.uniform(0.12, 0.24)))]
    if _chance(rng, 0.35):
        strokes.append(_bar(0.5, float(rng.uniform(0.24, 0.32)), float(rng.uniform(0.14, 0.28))))
    return strokes


def _patty_cross(rng: np.random.Generator) -> list[Stroke]:
    half = float(rng.uniform(0.13, 0.2))
    strokes = [_bar(0.5, 0.14, half)]
    strokes += [line((0.5 + s * half, 0.09), (0.5 + s * half, 0.19)) for s in (-1, 1)]
    strokes.append(line((0.45, 0.0), (0.55, 0.0)))
    return strokes


def _flag(rng: np.random.Generator) -> list[Stroke]:
    side = 1.0 if _chance(rng, 0.5) else -1.0
    tip, fall = float(rng.uniform(0.2, 0.38)), float(rng.uniform(0.12, 0.26))
    if _chance(rng, 0.5):
        return [line((0.5, 0.0), (0.5 + side * tip, fall / 2), (0.5, fall))]
    swallow = (0.5 + side * tip * 0.6, fall / 2)
    return [
        line((0.5, 0.0), (0.5 + side * tip, 0.0), swallow, (0.5 + side * tip, fall), (0.5, fall))
    ]


def _chevron(rng: np.random.Generator) -> list[Stroke]:
    count = int(rng.integers(1, 4))
    half, drop = float(rng.uniform(0.14, 0.3)), float(rng.uniform(0.08, 0.16))
    sign = 1.0 if _chance(rng, 0.5) else -1.0
    return [
        line(
            (0.5 - half, 0.05 + sign * drop / 2 + 0.1 * i + 0.05),
            (0.5, 0.05 - sign * drop / 2 + 0.1 * i + 0.05),
            (0.5 + half, 0.05 + sign * drop / 2 + 0.1 * i + 0.05),
        )
        for i in range(count)
    ]


def _star(rng: np.random.Generator) -> list[Stroke]:
    rays, radius = int(rng.choice([4, 5, 6, 8])), float(rng.uniform(0.1, 0.16))
    turn = float(rng.uniform(0, math.pi))
    return [
        line(
            (
                0.5 - radius * math.cos(turn + k * math.pi / rays),
                0.12 - radius * math.sin(turn + k * math.pi / rays),
            ),
            (
                0.5 + radius * math.cos(turn + k * math.pi / rays),
                0.12 + radius * math.sin(turn + k * math.pi / rays),
            ),
        )
        for k in range(rays)
    ]


def _crescent(rng: np.random.Generator) -> list[Stroke]:
    start = float(rng.choice([0.15, 1.15])) * math.pi
    return [arc((0.5, 0.14), (0.16, 0.14), start, 0.75 * math.pi)]


def _anchor_ring(rng: np.random.Generator) -> list[Stroke]:
    radius = float(rng.uniform(0.06, 0.1))
    return [arc((0.5, radius), (radius, radius)), _bar(0.5, 0.3, float(rng.uniform(0.12, 0.22)))]


def _trident(rng: np.random.Generator) -> list[Stroke]:
    half, depth = float(rng.uniform(0.12, 0.22)), float(rng.uniform(0.16, 0.28))
    return [line((0.5 - half, 0.0), (0.5 - half, depth), (0.5 + half, depth), (0.5 + half, 0.0))]


def _nothing(rng: np.random.Generator) -> list[Stroke]:
    return []


# Bases: what the staff stands on, drawn in the box x 0..1, y 0.55..1.


def _orb(rng: np.random.Generator) -> list[Stroke]:
    radius = float(rng.uniform(0.17, 0.24))
    centre = (0.5, 1 - radius)
    strokes = [arc(centre, (radius, radius))]
    kind = rng.random()
    if kind < 0.35:
        strokes.append(line((0.5 - radius, centre[1]), (0.5 + radius, centre[1])))
    elif kind < 0.5:
        strokes.append(line((0.5, centre[1] - radius), (0.5, centre[1] + radius)))
        strokes.append(line((0.5 - radius, centre[1]), (0.5 + radius, centre[1])))
    elif kind < 0.6:
        strokes.append(arc(centre, (radius * 0.3, radius * 0.3), filled=True))
    return strokes


def _heart(rng: np.random.Generator) -> list[Stroke]:
    half, top = float(rng.uniform(0.2, 0.3)), 0.55
    left = curve(
        (0.5, top + 0.08),
        (0.5 - half * 0.55, top),
        (0.5 - half, top + 0.12),
        (0.5 - half * 0.5, top + 0.3),
        (0.5, 1.0),
    )
    right = curve(
        (0.5, top + 0.08),
        (0.5 + half * 0.55, top),
        (0.5 + half, top + 0.12),
        (0.5 + half * 0.5, top + 0.3),
        (0.5, 1.0),
    )
    strokes = [left, right]
    if _chance(rng, 0.2):
        strokes.append(line((0.5, top + 0.08), (0.5, 1.0)))
    return strokes


def _double_v(rng: np.random.Generator) -> list[Stroke]:
    half = float(rng.uniform(0.2, 0.32))
    if _chance(rng, 0.5):
        return [
            line(
                (0.5 - half, 0.65),
                (0.5 - half / 2, 1.0),
                (0.5, 0.7),
                (0.5 + half / 2, 1.0),
                (0.5 + half, 0.65),
            )
        ]
    return [
        line((0.5 - half, 0.65), (0.5 - half / 3, 1.0), (0.5 + half / 3, 0.65)),
        line((0.5 - half / 3, 0.65), (0.5 + half / 3, 1.0), (0.5 + half, 0.65)),
    ]


def _triangle(rng: np.random.Generator) -> list[Stroke]:
    half = float(rng.uniform(0.16, 0.28))
    if _chance(rng, 0.6):
        return [polygon((0.5, 0.62), (0.5 + half, 1.0), (0.5 - half, 1.0))]
    return [polygon((0.5 - half, 0.62), (0.5 + half, 0.62), (0.5, 1.0))]


def _splayed_foot(rng: np.random.Generator) -> list[Stroke]:
    half, rise = float(rng.uniform(0.12, 0.26)), float(rng.uniform(0.12, 0.3))
    strokes = [line((0.5 - half, 1.0), (0.5, 1.0 - rise), (0.5 + half, 1.0))]
    if _chance(rng, 0.3):
        strokes.append(_bar(0.5, 1.0 - rise * 0.3, half * 0.7))
    return strokes


def _diamond(rng: np.random.Generator) -> list[Stroke]:
    half = float(rng.uniform(0.15, 0.24))
    return [polygon((0.5, 0.6), (0.5 + half, 0.8), (0.5, 1.0), (0.5 - half, 0.8))]


def _square(rng: np.random.Generator) -> list[Stroke]:
    half = float(rng.uniform(0.15, 0.24))
    strokes = [
        polygon((0.5 - half, 0.62), (0.5 + half, 0.62), (0.5 + half, 1.0), (0.5 - half, 1.0))
    ]
    if _chance(rng, 0.3):
        strokes += [
            line((0.5 - half, 0.62), (0.5 + half, 1.0)),
            line((0.5 + half, 0.62), (0.5 - half, 1.0)),
        ]
    return strokes


def _shield(rng: np.random.Generator) -> list[Stroke]:
    half = float(rng.uniform(0.2, 0.3))
    return [
        line((0.5 - half, 0.56), (0.5 + half, 0.56)),
        curve((0.5 - half, 0.56), (0.5 - half, 0.76), (0.5 - half * 0.6, 0.92), (0.5, 1.0)),
        curve((0.5 + half, 0.56), (0.5 + half, 0.76), (0.5 + half * 0.6, 0.92), (0.5, 1.0)),
    ]


def _anchor(rng: np.random.Generator) -> list[Stroke]:
    half = float(rng.uniform(0.18, 0.28))
    strokes = [
        curve(
            (0.5 - half, 0.78),
            (0.5 - half * 0.6, 0.95),
            (0.5, 1.0),
            (0.5 + half * 0.6, 0.95),
            (0.5 + half, 0.78),
        )
    ]
    strokes += [line((0.5 + s * half, 0.78), (0.5 + s * half * 0.6, 0.84)) for s in (-1, 1)]
    return strokes


def _hook(rng: np.random.Generator) -> list[Stroke]:
    side = 1.0 if _chance(rng, 0.5) else -1.0
    return [
        curve(
            (0.5, 0.85),
            (0.5 + side * 0.06, 0.98),
            (0.5 + side * 0.2, 0.96),
            (0.5 + side * 0.24, 0.84),
        )
    ]


def _stem_only(rng: np.random.Generator) -> list[Stroke]:
    return [_bar(0.5, 1.0, float(rng.uniform(0.06, 0.2)))] if _chance(rng, 0.5) else []


_CROWNS: tuple[tuple[float, Part], ...] = (
    (0.36, _figure_four),
    (0.17, _cross),
    (0.06, _patty_cross),
    (0.10, _flag),
    (0.07, _chevron),
    (0.05, _star),
    (0.04, _crescent),
    (0.04, _anchor_ring),
    (0.05, _trident),
    (0.06, _nothing),
)
_BASES: tuple[tuple[float, Part], ...] = (
    (0.16, _orb),
    (0.13, _heart),
    (0.12, _double_v),
    (0.09, _triangle),
    (0.14, _splayed_foot),
    (0.07, _diamond),
    (0.06, _square),
    (0.06, _shield),
    (0.05, _anchor),
    (0.04, _hook),
    (0.08, _stem_only),
)


def _one_of(parts: tuple[tuple[float, Part], ...], rng: np.random.Generator) -> Part:
    weights = np.asarray([weight for weight, _ in parts])
    return parts[int(rng.choice(len(parts), p=weights / weights.sum()))][1]


def _initials(rng: np.random.Generator, count: int) -> list[Program]:
    return [SIGNS[INITIALS[int(rng.integers(len(INITIALS)))]] for _ in range(count)]


def _staff_mark(rng: np.random.Generator) -> Program:
    crown, base = _one_of(_CROWNS, rng), _one_of(_BASES, rng)
    strokes = [*crown(rng), *base(rng)]
    reaches_down = base not in (_orb, _heart, _triangle, _diamond, _square, _shield)
    strokes.insert(0, line((0.5, 0.0), (0.5, 1.0 if reaches_down else 0.6)))
    for _ in range(int(rng.choice([0, 1, 2], p=[0.5, 0.37, 0.13]))):
        tilt = float(rng.choice([0.0, 0.0, 0.06, -0.06]))
        strokes.append(
            _bar(0.5, float(rng.uniform(0.42, 0.56)), float(rng.uniform(0.08, 0.2)), tilt)
        )
    if _chance(rng, 0.15):
        x = 0.5 + float(rng.choice([-1, 1])) * float(rng.uniform(0.14, 0.3))
        strokes.append(arc((x, float(rng.uniform(0.42, 0.55))), (0.025, 0.025), filled=True))
    parts = [Program(tuple(strokes))]
    lettering = rng.random()
    if lettering < 0.35 and base in (_orb, _heart, _shield, _square, _diamond):
        count = int(rng.integers(1, 3))
        for i, letter in enumerate(_initials(rng, count)):
            width = 0.22 / count
            parts.append(placed(letter, 0.39 + i * width * 1.2, 0.7, width * 0.95, 0.18))
    elif lettering < 0.6:
        size = float(rng.uniform(0.14, 0.22))
        y = float(rng.uniform(0.42, 0.75))
        left, right = _initials(rng, 2)
        parts.append(placed(left, 0.5 - 0.16 - size, y, size * 0.8, size))
        parts.append(placed(right, 0.5 + 0.18, y, size * 0.8, size))
    return joined(*parts)


def _monogram(rng: np.random.Generator) -> Program:
    letters = _initials(rng, int(rng.integers(2, 4)))
    if _chance(rng, 0.5):  # ligatured: drawn over one another, sharing strokes
        shift = float(rng.uniform(0.1, 0.45))
        parts = [placed(letter, 0.1 + i * shift, 0.2, 0.5, 0.6) for i, letter in enumerate(letters)]
    else:
        width = 0.8 / len(letters)
        parts = [
            placed(letter, 0.1 + i * width, 0.3, width * 0.75, 0.4)
            for i, letter in enumerate(letters)
        ]
    if _chance(rng, 0.25):
        parts.append(Program((line((0.5, 0.0), (0.5, 0.3)), _bar(0.5, 0.1, 0.12))))
    return joined(*parts)


def _framed(rng: np.random.Generator) -> Program:
    kind = rng.random()
    if kind < 0.35:
        frame = [arc((0.5, 0.5), (0.5, 0.5))]
        if _chance(rng, 0.3):
            frame.append(arc((0.5, 0.5), (0.42, 0.42)))
    elif kind < 0.6:
        frame = [polygon((0, 0.1), (1, 0.1), (1, 0.9), (0, 0.9))]
    elif kind < 0.8:
        frame = [polygon((0.5, 0), (1, 0.5), (0.5, 1), (0, 0.5))]
    else:
        frame = [
            curve((0.5, 0.2), (0.25, 0.02), (0.02, 0.25), (0.2, 0.65), (0.5, 1.0)),
            curve((0.5, 0.2), (0.75, 0.02), (0.98, 0.25), (0.8, 0.65), (0.5, 1.0)),
        ]
    inside = rng.random()
    if inside < 0.5:
        content = placed(_monogram(rng), 0.22, 0.25, 0.56, 0.5)
    elif inside < 0.85:
        content = placed(_staff_mark(rng), 0.2, 0.2, 0.6, 0.6)
    else:
        content = Program((line((0, 0.5), (1, 0.5)), line((0.5, 0.1), (0.5, 0.9))))
    return joined(Program(tuple(frame)), content)


def merchant_mark(rng: np.random.Generator) -> Program:
    """Return a new identity: the strokes of one merchant's mark in the unit square."""
    kind = rng.random()
    if kind < 0.72:
        return _staff_mark(rng)
    if kind < 0.86:
        return _framed(rng)
    return _monogram(rng)
