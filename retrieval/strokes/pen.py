"""The pen: from the paths of a hand to ink on a square of paper."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from retrieval.strokes.hand import Hand, Trace, redraw
from retrieval.strokes.program import Program

#: Paper left around the mark on each side, as a share of the square.
MARGIN = 0.06
_SHIFT = 4  # fractional bits of cv2's fixed-point coordinates
_WIDTHS = 5  # pieces of a stroke that may differ in width


def _fit(traces: list[Trace], side: int, pen: float) -> list[NDArray[np.float32]]:
    """Scale all paths together, unstretched, into a square of `side` pixels less the margin."""
    every = np.concatenate([trace.points for trace in traces])
    low, high = every.min(axis=0), every.max(axis=0)
    longest = max(float((high - low).max()), 1e-3)
    inner = max(side * (1 - 2 * MARGIN) - pen, side * 0.2)
    return [
        (trace.points - (low + high) / 2) * (inner / longest) + (side - 1) / 2 for trace in traces
    ]


def _ink_stroke(
    sheet: NDArray[np.uint8], points: NDArray[np.float32], trace: Trace, hand: Hand, pen: float
) -> None:
    fixed = np.round(points * (1 << _SHIFT)).astype(np.int32)
    if trace.filled:
        cv2.fillPoly(sheet, [fixed], 255, cv2.LINE_AA, _SHIFT)
    if len(fixed) == 1:
        radius = round(pen * (1 << _SHIFT) * 0.6)
        cv2.circle(
            sheet, (int(fixed[0, 0]), int(fixed[0, 1])), radius, 255, -1, cv2.LINE_AA, _SHIFT
        )
        return
    if hand.pressure == 0 or len(fixed) < 2 * _WIDTHS:
        cv2.polylines(sheet, [fixed], trace.closed, 255, max(1, round(pen)), cv2.LINE_AA, _SHIFT)
        return
    edges = np.linspace(0, len(fixed) - 1, _WIDTHS + 1).astype(int)
    for start, end in pairwise(edges):
        along = points[end] - points[start]
        against_nib = abs(np.sin(np.arctan2(along[1], along[0]) - hand.nib))
        width = pen * (1 + hand.pressure * (2 * against_nib - 1))
        piece = fixed[start : end + 1]
        cv2.polylines(sheet, [piece], False, 255, max(1, round(width)), cv2.LINE_AA, _SHIFT)


def patches(rng: np.random.Generator, side: int, cells: int) -> NDArray[np.float32]:
    """Return smooth noise, (side, side): where ink pooled and where it failed.

    It is even noise in [0, 1] on `cells` by `cells`; between them it goes a little over and under.
    """
    coarse = rng.random((cells, cells), dtype=np.float32)
    return np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)


def draw(program: Program, hand: Hand, rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Return `program` as `hand` draws it: (size, size) float32 ink in [0, 1], 1 = full ink.

    The mark fills the square less `MARGIN`, unstretched. Drawn at twice the size and averaged down.
    """
    side = 2 * size
    # Nobody takes a broad pen to a crowded mark: its strokes would run together.
    pen = hand.pen_width * side * min(1.0, (3 / len(program.strokes)) ** 0.5)
    traces = redraw(program, hand, rng)
    sheet = np.zeros((side, side), np.uint8)
    for trace, points in zip(traces, _fit(traces, side, pen), strict=True):
        _ink_stroke(sheet, points, trace, hand, pen)
    ink = cv2.resize(sheet, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    flow = hand.ink * (0.8 + 0.4 * patches(rng, size, 6))
    if hand.starvation > 0:
        flow = flow * (patches(rng, size, 16) > hand.starvation * 0.8)
    return np.asarray(np.clip(ink * flow, 0, 1), np.float32)
