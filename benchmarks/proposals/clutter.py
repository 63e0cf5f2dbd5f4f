"""Lays into pictures of pages what is no mark and is proposed as one: blots, rules, initials."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from retrieval.boxes import Edges
from retrieval.ink import Pixels

Ink = NDArray[np.float32]  # (H, W) in 0..1

Clutter = Literal[
    "blot", "stain", "rules", "initial", "crossed out", "flourish", "target", "border"
]
CLUTTER: tuple[Clutter, ...] = (
    "blot", "stain", "rules", "initial", "crossed out", "flourish", "target", "border",
)  # fmt: skip

_TRIES = 30
_SHIFT = 4  # bits behind the point of the coordinates that are drawn


def lay_clutter_in(
    page: Pixels,
    letter: float,
    ink: NDArray[np.float32],
    rng: np.random.Generator,
    kinds: Sequence[Clutter],
    taken: Sequence[Edges] = (),
) -> tuple[Pixels, tuple[Edges, ...]]:
    """Return `page`, (H, W, 3) uint8 RGB, with one thing of each of the `kinds`, and their boxes.

    `letter` is the height of the page's letters in pixels and `ink` the optical density of its
    ink, (3,). They stay off `taken` and off each other; what finds no room is left out. Borders,
    which lie along an edge, have no box.
    """
    light = page.astype(np.float32)
    rows, columns = page.shape[:2]
    boxes: list[Edges] = []
    for kind in kinds:
        if kind == "border":
            _border(light, rng)
            continue
        low, high = _SIDES[kind]
        side = int(math.exp(rng.uniform(math.log(low), math.log(high))) * letter)
        side = min(max(side, 24), min(rows, columns) // 2)
        for _ in range(_TRIES):
            x, y = (int(rng.integers(0, most - side + 1)) for most in (columns, rows))
            box = (x, y, x + side, y + side)
            if not any(_meet(box, one) for one in (*taken, *boxes)):
                break
        else:
            continue
        under = light[y : y + side, x : x + side]
        if kind == "target":
            under[:] = _target(side, rng)
        else:
            brown = np.array((0.25, 0.5, 0.8), np.float32) * float(rng.uniform(0.3, 1.0))
            colour = brown if kind == "stain" else ink * float(rng.uniform(0.7, 1.4))
            under *= np.exp(-_DRAWN[kind](side, letter, rng)[..., None] * colour)
        boxes.append(box)
    return np.clip(light, 0, 255).astype(np.uint8), tuple(boxes)


def _meet(a: Edges, b: Edges) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _line(sheet: Pixels, points: NDArray[np.float64], pen: float) -> None:
    fixed = np.round(points * (1 << _SHIFT)).astype(np.int32)
    cv2.polylines(sheet, [fixed], False, 255, max(1, round(pen)), cv2.LINE_AA, _SHIFT)


def _outline(radius: float, ragged: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return points of a ragged ring around the origin, (60, 2)."""
    turns = np.linspace(0, 2 * math.pi, 60)
    waves = np.arange(2, 9)
    radii = radius * (1 + ragged * np.cos(turns[:, None] * waves + rng.uniform(0, 6.3, 7)).sum(1))
    return np.stack([radii * np.cos(turns), radii * np.sin(turns)], axis=1)


def _blot(side: int, letter: float, rng: np.random.Generator) -> Ink:
    """Return a drop of ink with splashes around it."""
    sheet = np.zeros((side, side), np.uint8)
    for nth in range(int(rng.integers(1, 7))):
        radius = side * (float(rng.uniform(0.15, 0.33)) if nth == 0 else rng.uniform(0.02, 0.06))
        middle = side / 2 if nth == 0 else rng.uniform(0.1, 0.9, 2) * side
        edge = _outline(radius, float(rng.uniform(0.01, 0.06)), rng) + middle
        cv2.fillPoly(sheet, [np.round(edge * 16).astype(np.int32)], 255, cv2.LINE_AA, _SHIFT)
    return np.asarray(cv2.GaussianBlur(sheet, (0, 0), 0.8) / 255, np.float32)


def _stain(side: int, letter: float, rng: np.random.Generator) -> Ink:
    """Return what a drop or a cup left: a pale round with a darker, soft edge."""
    sheet = np.zeros((side, side), np.float32)
    edge = _outline(side * float(rng.uniform(0.25, 0.38)), 0.03, rng) + side / 2
    fixed = [np.round(edge * 16).astype(np.int32)]
    cv2.fillPoly(sheet, fixed, float(rng.uniform(0.1, 0.7)), cv2.LINE_AA, _SHIFT)
    if rng.random() < 0.5:
        cv2.polylines(sheet, fixed, True, 1.0, max(2, side // 25), cv2.LINE_AA, _SHIFT)
    return np.asarray(cv2.GaussianBlur(sheet, (0, 0), max(2.0, side / 28)), np.float32)


def _rules(side: int, letter: float, rng: np.random.Generator) -> Ink:
    """Return ruled lines along, across or both: a table's corner, a frame, a bracket."""
    sheet = np.zeros((side, side), np.uint8)
    pen = float(rng.uniform(0.04, 0.12)) * letter
    for axis in rng.permutation(2)[: int(rng.integers(1, 3))]:
        for at in np.sort(rng.uniform(0.05, 0.95, int(rng.integers(1, 5)))):
            along = np.linspace(0.02, 0.98, 9)
            across = at + rng.normal(0, 0.0015, 9) + rng.normal(0, 0.01) * along
            line = np.stack([along, across] if axis == 0 else [across, along], axis=1)
            _line(sheet, line * side, pen)
    return np.asarray(sheet / 255, np.float32)


def _initial(side: int, letter: float, rng: np.random.Generator) -> Ink:
    """Return a great letter among scrolls, framed or not."""
    sheet = np.zeros((side, side), np.uint8)
    text = chr(int(rng.integers(ord("A"), ord("Z") + 1)))
    font = (cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX)[
        int(rng.integers(3))
    ]
    size = side / 22 * float(rng.uniform(0.5, 0.7))
    (wide, high), _ = cv2.getTextSize(text, font, size, 1)
    where = (int((side - wide) / 2), int((side + high) / 2))
    cv2.putText(sheet, text, where, font, size, 255, max(2, round(side / 14)), cv2.LINE_AA)
    for _ in range(int(rng.integers(2, 7))):
        turns = np.linspace(0, float(rng.uniform(4, 14)), 50)
        radii = np.linspace(0.02, float(rng.uniform(0.08, 0.2)), 50)[:, None]
        spiral = radii * np.stack([np.cos(turns), np.sin(turns)], axis=1)
        _line(sheet, (spiral + rng.uniform(0.15, 0.85, 2)) * side, side / 70)
    if rng.random() < 0.6:
        inset = max(1, side // 20)
        for _ in range(int(rng.integers(1, 3))):
            corner = (side - 1 - inset, side - 1 - inset)
            cv2.rectangle(sheet, (inset, inset), corner, 255, max(1, side // 60), cv2.LINE_AA)
            inset += max(2, side // 25)
    return np.asarray(sheet / 255, np.float32)


def _crossed_out(side: int, letter: float, rng: np.random.Generator) -> Ink:
    """Return strokes to and fro over a stretch of line, as words are cancelled."""
    sheet = np.zeros((side, side), np.uint8)
    turns = int(rng.integers(3, 14))
    x = np.linspace(0.05, 0.95, turns) * side
    swing = letter * float(rng.uniform(0.2, 0.8))
    y = side / 2 + swing * np.where(np.arange(turns) % 2, 1, -1) + rng.normal(0, 0.2 * swing, turns)
    _line(sheet, np.stack([x, y], axis=1), letter / 9)
    return np.asarray(sheet / 255, np.float32)


def _flourish(side: int, letter: float, rng: np.random.Generator) -> Ink:
    """Return the loops under a name or after a line's end."""
    sheet = np.zeros((side, side), np.uint8)
    t = np.linspace(0, 1, 160)
    loops = float(rng.uniform(1.5, 6))
    x = 0.12 + 0.7 * t + 0.1 * np.sin(2 * math.pi * loops * t + rng.uniform(0, 6.3))
    high = float(rng.uniform(0.08, 0.35)) * (1 - 0.7 * t * float(rng.random()))
    y = 0.5 + high * np.cos(2 * math.pi * loops * t) + rng.normal(0, 0.1) * t
    _line(sheet, np.stack([x, y], axis=1) * side, letter / float(rng.uniform(7, 14)))
    return np.asarray(sheet / 255, np.float32)


def _target(side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return a scanner's colour target, (side, side, 3) RGB: patches, now and then a scale."""
    patches = rng.uniform(15, 245, (int(rng.integers(1, 4)), int(rng.integers(3, 8)), 3))
    if rng.random() < 0.4:
        patches = np.repeat(np.linspace(250, 10, patches.shape[1])[None, :, None], 3, axis=2)
    size = (side, side)
    target = cv2.resize(patches.astype(np.float32), size, interpolation=cv2.INTER_NEAREST)
    edge = max(1, side // 30)
    target[:edge], target[-edge:], target[:, :edge], target[:, -edge:] = 235, 235, 235, 235
    if rng.random() < 0.5:
        for at in np.linspace(edge, side - edge, 21).astype(int):
            target[-4 * edge : -edge, at : at + max(1, edge // 3)] = 10
    return np.asarray(target, np.float32)


def _border(light: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Darken the picture beyond some of its edges, as a microfilm's frame or a book's bed."""
    rows, columns = light.shape[:2]
    inner = np.ones((rows, columns), np.float32)
    level = float(rng.uniform(5, 60))
    for side in rng.permutation(4)[: int(rng.integers(1, 5))]:
        reach = int(rng.uniform(0.005, 0.03) * max(rows, columns))
        part = (inner[:reach], inner[-reach:], inner[:, :reach], inner[:, -reach:])[int(side)]
        part[:] = 0
    soft = cv2.GaussianBlur(inner, (0, 0), float(rng.uniform(0.6, 4)))[..., None]
    light *= soft
    light += level * (1 - soft)


#: Longer side in letter heights, smallest and largest.
_SIDES: dict[Clutter, tuple[float, float]] = {
    "blot": (1.0, 5.0),
    "stain": (2.0, 10.0),
    "rules": (4.0, 20.0),
    "initial": (2.5, 7.0),
    "crossed out": (3.0, 9.0),
    "flourish": (2.5, 9.0),
    "target": (3.0, 12.0),
}

#: What is drawn with ink, or stains as ink does.
_DRAWN: dict[Clutter, Callable[[int, float, np.random.Generator], Ink]] = {
    "blot": _blot,
    "stain": _stain,
    "rules": _rules,
    "initial": _initial,
    "crossed out": _crossed_out,
    "flourish": _flourish,
}
