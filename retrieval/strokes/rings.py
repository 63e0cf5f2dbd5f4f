"""Devices in rings with lettering round the border: stamps, seals, tokens and their kin."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from retrieval.strokes.emblem import emblem
from retrieval.strokes.glyphs import random_glyph
from retrieval.strokes.letters import INITIALS, SIGNS
from retrieval.strokes.merchant import merchant_mark
from retrieval.strokes.program import (
    Program,
    Stroke,
    arc,
    joined,
    line,
    placed,
    polygon,
    random_program,
)


def _turned(program: Program, angle: float, x: float, y: float, size: float) -> list[Stroke]:
    """Return a sign turned by `angle` and set with its middle at (x, y)."""
    cosine, sine = math.cos(angle), math.sin(angle)
    turn = np.array([[cosine, sine], [-sine, cosine]], np.float32)
    return [
        replace(stroke, points=np.asarray((stroke.points - 0.5) * size @ turn + [x, y], np.float32))
        for stroke in program.strokes
    ]


def _legend(rng: np.random.Generator, radius: float, size: float, squash: float) -> list[Stroke]:
    """Return letters that stand on a ring of `radius`."""
    count = max(4, int(2 * math.pi * radius / (size * 1.25)))
    first, share = float(rng.uniform(0, 2 * math.pi)), float(rng.uniform(0.5, 1.0))
    strokes: list[Stroke] = []
    for i in range(int(count * share)):
        angle = first + 2 * math.pi * i / count
        letter = SIGNS[INITIALS[int(rng.integers(len(INITIALS)))]]
        x, y = 0.5 + radius * math.cos(angle), 0.5 + radius * squash * math.sin(angle)
        strokes += _turned(letter, angle + math.pi / 2, x, y, size)
    return strokes


def _device(rng: np.random.Generator) -> Program:
    kind = rng.random()
    if kind < 0.3:
        return merchant_mark(rng)
    if kind < 0.6:
        return random_glyph(rng)
    if kind < 0.85:
        return random_program(rng)
    return emblem(rng)


def ringed_mark(rng: np.random.Generator) -> Program:
    """Return a device within one to three borders, often with a legend between them."""
    squash = float(rng.choice([1.0, 1.0, rng.uniform(0.6, 0.9)]))
    size = float(rng.uniform(0.08, 0.15))
    frame: list[Stroke] = []
    inner = 0.48
    if rng.random() < 0.8:
        frame.append(arc((0.5, 0.5), (0.5, 0.5 * squash)))
    elif rng.random() < 0.5:
        low, high = 0.5 - 0.5 * squash, 0.5 + 0.5 * squash
        frame.append(polygon((0, low), (1, low), (1, high), (0, high)))
    if rng.random() < 0.7:
        frame += _legend(rng, 0.5 - size * 0.75, size, squash)
        inner = 0.5 - size * 1.4
        if rng.random() < 0.6:
            frame.append(arc((0.5, 0.5), (inner, inner * squash)))
    if rng.random() < 0.15:
        frame.append(line((0.5 - inner, 0.5), (0.5 + inner, 0.5)))
    half = inner * 0.68
    device = placed(_device(rng), 0.5 - half, 0.5 - half * squash, 2 * half, 2 * half * squash)
    return joined(Program(tuple(frame)), device)
