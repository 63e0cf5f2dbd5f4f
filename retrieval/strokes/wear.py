"""What happens to a mark on its way into a scan: paper, age, neighbouring writing, the camera.

`worn` puts drawn ink on such a ground. Two redrawings of one identity are worn apart, so that a
network learns to see the mark and not the paper.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from retrieval.strokes.glyphs import load_glyphs
from retrieval.strokes.hand import curve_of
from retrieval.strokes.program import Points, Stroke

Grey = NDArray[np.float32]


def _smooth(rng: np.random.Generator, side: int, cells: int) -> Grey:
    """Return smooth noise of zero mean and about unit size, (side, side)."""
    coarse = rng.normal(0, 1, (cells, cells)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)


def _cursive(rng: np.random.Generator, height: float, length: float) -> list[Points]:
    """Return words of a running hand on the base y = 0, from x = 0: paths (M, 2), y downwards."""
    words, x = [], 0.0
    loops = float(rng.uniform(0.1, 0.35))  # how often a letter rises or falls beyond the others
    while x < length:
        count = 2 * int(rng.integers(2, 9))
        up = np.where(np.arange(count) % 2 == 1, rng.uniform(0.7, 1.1, count), 0.0)
        beyond = rng.random(count) < loops
        up = np.where(beyond & (up > 0), rng.uniform(1.5, 2.3, count), up)
        up = np.where(beyond & (up == 0), rng.uniform(-1.2, -0.5, count), up)
        steps = height * rng.uniform(0.15, 0.45, count)
        # Where a pen turns back at the top of a letter, it makes a loop.
        steps -= np.where(beyond, 1.2 * steps, 0)
        along = x + np.cumsum(steps)
        points = np.stack([along, -height * up], axis=1).astype(np.float32)
        words.append(curve_of(Stroke(points, smooth=True)))
        x = float(along.max()) + height * float(rng.uniform(0.4, 1.0))
    return words


def _lettering(rng: np.random.Generator, height: float, length: float) -> list[Points]:
    """Return letters of one script in a row, as `_cursive` returns words."""
    glyphs = load_glyphs()
    script = glyphs.script_of_glyph[int(rng.integers(len(glyphs)))]
    if rng.random() < 0.6:
        script = np.uint8(glyphs.scripts.index("Latin lowercase"))
    rows = np.flatnonzero(glyphs.script_of_glyph == script)
    paths, x = [], 0.0
    while x < length:
        glyph = glyphs.program(int(rng.choice(rows)))
        every = np.concatenate([stroke.points for stroke in glyph.strokes])
        low, high = every.min(axis=0), every.max(axis=0)
        for stroke in glyph.strokes:
            path = curve_of(stroke)
            paths.append((path - [low[0], high[1]]).astype(np.float32) * height + [x, 0])
        x += height * (float(high[0] - low[0]) + float(rng.uniform(0.05, 0.3)))
        x += height * 0.6 * float(rng.random() < 0.2)
    return paths


def _running_hand(rng: np.random.Generator, side: int, lines: int) -> Grey:
    """Return ink of some lines of writing that cross the sheet, in [0, 1]."""
    sheet = np.zeros((side, side), np.uint8)
    slope, slant = float(rng.normal(0, 0.05)), float(rng.normal(0.25, 0.25))
    height = math.exp(rng.uniform(math.log(0.03), math.log(0.2)))
    width = max(1, round(side * height * float(rng.uniform(0.06, 0.22))))
    letters = _cursive if rng.random() < 0.6 else _lettering
    where = rng.random()
    for _ in range(lines):
        if where < 0.7:  # mostly the line above or below, cut by the edge of the crop
            base = float(rng.choice([rng.uniform(0, 0.14), rng.uniform(0.92, 1 + height)]))
        else:
            base = float(rng.uniform(0, 1))
        start, end = sorted(rng.uniform(-0.1, 1.1, 2).tolist())
        if where > 0.85:  # the mark stands in the margin, the text beside it
            start, end = (-0.1, 0.12) if where < 0.9 else (0.88, 1.1)
        elif rng.random() < 0.5:
            start, end = -0.1, 1.1
        for path in letters(rng, height, end - start):
            path = path[path[:, 0] <= end - start]
            if len(path) < 2:
                continue
            x = start + path[:, 0] - slant * path[:, 1]
            points = np.stack([x, base + path[:, 1] + slope * path[:, 0]], axis=1)
            fixed = np.round(points * side * 16).astype(np.int32)
            cv2.polylines(sheet, [fixed], False, 255, width, cv2.LINE_AA, 4)
    return np.asarray(sheet.astype(np.float32) / 255, np.float32)


def _ruled_line(rng: np.random.Generator, side: int) -> Grey:
    """Return one printed or pencilled rule across the sheet, in [0, 1]."""
    sheet = np.zeros((side, side), np.uint8)
    angle = float(rng.choice([0.0, math.pi / 2])) + float(rng.normal(0, 0.03))
    middle = rng.uniform(0.05, 0.95, 2) * side
    reach = np.array([math.cos(angle), math.sin(angle)]) * side * 1.5
    ends = np.round(np.stack([middle - reach, middle + reach]) * 16).astype(np.int32)
    cv2.line(sheet, ends[0].tolist(), ends[1].tolist(), 255, 1, cv2.LINE_AA, 4)
    return np.asarray(sheet.astype(np.float32) / 255, np.float32)


def _outline_of_object(rng: np.random.Generator) -> Points:
    """Return the outline of what a mark stands on, a sherd or a seal, in sides of the sheet."""
    count = int(rng.integers(8, 20))
    angles = float(rng.uniform(0, 2 * math.pi)) + 2 * math.pi * np.arange(count) / count
    radii = 0.52 * (1 + rng.normal(0, 0.06, count)) * float(rng.uniform(0.9, 1.25))
    middle = 0.5 + rng.normal(0, 0.05, 2)
    points = middle + radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return curve_of(Stroke(points.astype(np.float32), smooth=bool(rng.random() < 0.6), closed=True))


def _edge_of_object(rng: np.random.Generator, side: int) -> Grey:
    """Return a part of an object's outline as a draughtsman draws it, in [0, 1]."""
    sheet = np.zeros((side, side), np.uint8)
    path = _outline_of_object(rng)
    seen = path[: max(2, int(len(path) * float(rng.uniform(0.3, 1.0))))]
    fixed = np.round(seen * side * 16).astype(np.int32)
    width = max(1, round(side * float(rng.uniform(0.006, 0.03))))
    cv2.polylines(sheet, [fixed], False, 255, width, cv2.LINE_AA, 4)
    return np.asarray(sheet.astype(np.float32) / 255, np.float32)


def _object_itself(rng: np.random.Generator, side: int) -> Grey:
    """Return how much darker an object is than the table it was photographed on, in grey levels."""
    sheet = np.zeros((side, side), np.uint8)
    fixed = np.round(_outline_of_object(rng) * side * 16).astype(np.int32)
    cv2.fillPoly(sheet, [fixed], 255, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(sheet.astype(np.float32) / 255, (0, 0), float(rng.uniform(0.4, 3)))
    return np.asarray(soft * float(rng.choice([-1, 1])) * float(rng.uniform(20, 110)), np.float32)


def _ground(rng: np.random.Generator, side: int) -> Grey:
    """Return bare paper (or stone) in grey levels."""
    paper = np.full((side, side), float(rng.uniform(140, 250)), np.float32)
    if rng.random() < 0.8:
        paper += float(rng.uniform(0, 14)) * _smooth(rng, side, int(rng.integers(3, 6)))
    if rng.random() < 0.5:
        paper += float(rng.uniform(0, 10)) * _smooth(rng, side, int(rng.integers(8, 30)))
    if rng.random() < 0.3:
        slope = rng.normal(0, 25, 2)
        ramp = np.linspace(-0.5, 0.5, side, dtype=np.float32)
        paper += slope[0] * ramp[None] + slope[1] * ramp[:, None]
    if rng.random() < 0.15:
        centre, radius = rng.uniform(0, side, 2), float(rng.uniform(0.1, 0.4)) * side
        stain = np.zeros((side, side), np.float32)
        cv2.circle(stain, (int(centre[0]), int(centre[1])), int(radius), 1.0, -1, cv2.LINE_AA)
        paper -= float(rng.uniform(8, 45)) * cv2.GaussianBlur(stain, (0, 0), radius * 0.15 + 0.5)
    return paper


def _relief(ink: Grey, rng: np.random.Generator) -> Grey:
    """Return shading of the strokes as if cut into stone or pressed into wax, in [-1, 1]."""
    angle = float(rng.uniform(0, 2 * math.pi))
    soft = cv2.GaussianBlur(ink, (0, 0), float(rng.uniform(0.8, 1.8)))
    dx, dy = cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    slope = math.cos(angle) * dx + math.sin(angle) * dy
    return np.asarray(slope / max(float(np.abs(slope).max()), 1e-3), np.float32)


def worn(ink: Grey, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return `ink`, (S, S) in [0, 1], on aged paper: a grey crop, (T, T) uint8 with T >= S.

    About a third come back as clean as a sketch on a screen.
    """
    size = ink.shape[0]
    pad = int(rng.uniform(0.02, 0.16) * size)
    side = size + 2 * pad
    sheet = np.zeros((side, side), np.float32)
    x, y = rng.integers(0, 2 * pad + 1, 2)
    sheet[y : y + size, x : x + size] = ink
    if rng.random() < 0.33:
        return np.asarray(255 - 255 * sheet, np.uint8)
    if rng.random() < 0.5:
        stray = _running_hand(rng, side, int(rng.integers(1, 4)))
        sheet = np.maximum(sheet, stray * float(rng.uniform(0.5, 1.0)))
    if rng.random() < 0.08:
        sheet = np.maximum(sheet, _ruled_line(rng, side) * float(rng.uniform(0.3, 0.9)))
    if rng.random() < 0.06:
        sheet = np.maximum(sheet, _edge_of_object(rng, side) * float(rng.uniform(0.4, 1.0)))
    paper = _ground(rng, side)
    if rng.random() < 0.2:
        behind = cv2.GaussianBlur(_running_hand(rng, side, 5), (0, 0), 1.2)
        paper -= behind * float(rng.uniform(5, 30))
    if rng.random() < 0.05:
        paper = np.clip(paper - _object_itself(rng, side), 30, 250)
    depth = float(rng.uniform(0.45, 0.95)) * float(np.median(paper))
    if rng.random() < 0.12:
        grey = paper + _relief(sheet, rng) * depth * 0.5
    else:
        grey = paper - sheet * depth
    if rng.random() < 0.3:
        grey = cv2.GaussianBlur(grey, (0, 0), float(rng.uniform(0.4, 1.1)))
    grey += np.asarray(rng.normal(0, float(rng.uniform(0, 7)), grey.shape), np.float32)
    if rng.random() < 0.05:
        grey = 255 - grey
    return np.asarray(np.clip(grey, 0, 255), np.uint8)
