"""Which programs draw the same mark: two random identities may, and a symmetric mark turned does.

Programs are compared stroke by stroke, without any hand, stretched into the same square: they are
the same drawing when their strokes pair off so that none strays further from its fellow than a
careful hand does (`retrieval.strokes.hand`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.strokes.hand import path_of
from retrieval.strokes.program import Program

#: How far a hand strays in a stroke as long as the mark, as a share of the mark's side.
STRAY = 0.07
_POINTS = 24


@dataclass(frozen=True)
class _Outline:
    """A program's strokes, each in every direction and from every start it may have."""

    paths: NDArray[np.float32]  # (K, 24, 2), stroke by stroke
    starts: NDArray[np.int64]  # (S,) where each stroke's begin
    allowed: NDArray[np.float32]  # (S,) how far each may stray


def _outline(program: Program) -> _Outline:
    traces = [path_of(stroke) for stroke in program.strokes]
    every = np.concatenate(traces)
    low, size = every.min(axis=0), np.ptp(every, axis=0)
    # A single upright stroke has no width to stretch.
    scale = 1 / np.maximum(np.where(size < 0.05 * size.max(), size.max(), size), 1e-6)
    paths: list[NDArray[np.float32]] = []
    starts: list[int] = []
    allowed: list[float] = []
    for stroke, trace in zip(program.strokes, traces, strict=True):
        closed = stroke.closed or stroke.filled
        path = _even((trace - low) * scale, closed)
        shifts = range(_POINTS) if closed else (0,)
        starts.append(len(paths))
        paths += [np.roll(way, shift, axis=0) for way in (path, path[::-1]) for shift in shifts]
        allowed.append(STRAY * (0.25 + 0.75 * min(1.0, float(np.ptp(path, axis=0).max()))))
    return _Outline(np.stack(paths), np.array(starts), np.array(allowed, np.float32))


def _even(path: NDArray[np.float32], closed: bool) -> NDArray[np.float32]:
    """Return points at equal distances along a path, (24, 2); a closed one's end is its start."""
    steps = np.hypot(*np.diff(path, axis=0).T) if len(path) > 1 else np.zeros(0)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.linspace(0, along[-1], _POINTS, endpoint=not closed)
    return np.stack([np.interp(at, along, path[:, axis]) for axis in (0, 1)], 1).astype(np.float32)


def _pair_off(one: _Outline, other: _Outline) -> bool:
    if len(one.starts) != len(other.starts):
        return False
    fellows: list[list[int]] = []
    for start, allowed in zip(one.starts, one.allowed, strict=True):
        apart = np.square(one.paths[start] - other.paths).sum(axis=2).max(axis=1)
        nearest = np.minimum.reduceat(apart, other.starts)
        fellows.append(np.flatnonzero(nearest <= allowed**2).tolist())
        if not fellows[-1]:
            return False
    taken: dict[int, int] = {}

    def find(stroke: int, tried: set[int]) -> bool:
        # Kuhn's augmenting paths: make room by sending a stroke's fellow to another.
        for fellow in fellows[stroke]:
            if fellow not in tried:
                tried.add(fellow)
                if fellow not in taken or find(taken[fellow], tried):
                    taken[fellow] = stroke
                    return True
        return False

    return all(find(stroke, set()) for stroke in range(len(fellows)))


def same_drawing(program: Program, other: Program) -> bool:
    """Return whether two programs draw the same mark, aspect and size apart."""
    return _pair_off(_outline(program), _outline(other))


def distinct_drawings(programs: Sequence[Program]) -> list[int]:
    """Return the numbers of the programs that draw nothing that one before them draws."""
    kept: list[int] = []
    outlines: dict[int, list[_Outline]] = {}
    for at, program in enumerate(programs):
        outline = _outline(program)
        before = outlines.setdefault(len(program.strokes), [])
        if not any(_pair_off(outline, known) for known in before):
            before.append(outline)
            kept.append(at)
    return kept
