"""The strokes of one glyph, from its ink: thinned to a skeleton, cut at the junctions, simplified.

The ink is thinned after Zhang and Suen (1984, as in scikit-image) and its skeleton cut at the
junctions; branches that go straight on through a junction become one stroke, and every stroke is
simplified after Douglas and Peucker (1973). Parts without a skeleton worth the name are kept as
dots or outlines.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.morphology import skeletonize

from retrieval.strokes.program import Program, Stroke

#: Pixels of a glyph's longer side; all measures below are meant for ink of this size.
SIDE = 160
TOLERANCE = 0.012 * SIDE  # of the Douglas-Peucker simplification, in pixels

Mask = NDArray[np.bool_]
Path2 = NDArray[np.float64]


@dataclass(eq=False)
class _Branch:
    """A path of the skeleton (K, 2) as x, y and the nodes at its two ends (-1: a free end)."""

    path: Path2
    ends: tuple[int, int]

    def length(self) -> float:
        return float(np.hypot(*np.diff(self.path, axis=0).T).sum()) if len(self.path) > 1 else 0.0


def _neighbours(pixel: tuple[int, int]) -> Iterator[tuple[int, int]]:
    # The four nearest first, so that a path follows stairs in order.
    row, column = pixel
    for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, -1), (-1, 1)):
        yield row + down, column + right


def _ordered(pixels: set[tuple[int, int]]) -> tuple[list[tuple[int, int]], bool]:
    """Return the pixels of a path from end to end, and whether it is a ring."""
    ends = [p for p in pixels if sum(n in pixels for n in _neighbours(p)) <= 1]
    here = min(ends) if ends else min(pixels)
    order, left = [here], pixels - {here}
    while True:
        step = next((n for n in _neighbours(here) if n in left), None)
        if step is None:
            break
        order.append(step)
        left.discard(step)
        here = step
    return order, not ends and len(order) > 8


def _branches(skeleton: Mask) -> tuple[list[_Branch], dict[int, Path2]]:
    """Cut a skeleton at its junctions: the branches, and where each junction is."""
    kernel = np.ones((3, 3), np.float32)
    degree = cv2.filter2D(skeleton.astype(np.float32), -1, kernel, borderType=cv2.BORDER_CONSTANT)
    junction = skeleton & (degree > 3.5)
    count, labels = cv2.connectedComponents(junction.astype(np.uint8), connectivity=8)
    nodes = {
        label: np.argwhere(labels == label).mean(axis=0)[::-1].astype(np.float64)
        for label in range(1, count)
    }
    count, pieces = cv2.connectedComponents((skeleton & ~junction).astype(np.uint8), connectivity=8)
    branches = []
    for piece in range(1, count):
        pixels = {(int(row), int(column)) for row, column in np.argwhere(pieces == piece)}
        order, ring = _ordered(pixels)
        path = np.asarray(order, np.float64)[:, ::-1]
        first = [int(labels[n]) for n in _neighbours(order[0]) if labels[n]]
        last = [int(labels[n]) for n in _neighbours(order[-1]) if labels[n]]
        if ring and not first:
            branches.append(_Branch(np.concatenate([path, path[:1]]), (-2, -2)))
            continue
        start = first[0] if first else -1
        end = next((n for n in last if n != start), start) if last else -1
        if len(order) == 1 and end == start:
            end = -1
        if start > 0:
            path = np.concatenate([nodes[start][None], path])
        if end > 0:
            path = np.concatenate([path, nodes[end][None]])
        branches.append(_Branch(path, (start, end)))
    return branches, nodes


def _prune(branches: list[_Branch], nodes: dict[int, Path2], half: NDArray[np.float32]) -> None:
    """Drop the spurs and shrink the bridges that are no longer than the stroke is wide."""

    def half_width(node: int) -> float:
        x, y = np.rint(nodes[node]).astype(int)
        return float(half[y, x])

    spurs = [
        branch
        for branch in branches
        if sorted(branch.ends)[0] == -1
        and max(branch.ends) > 0
        and branch.length() < 1.25 * half_width(max(branch.ends)) + 2
    ]
    for node in nodes:
        mine = [branch for branch in spurs if node in branch.ends]
        kept = [branch for branch in branches if node in branch.ends and branch not in mine]
        for branch in mine if kept else ():
            branches.remove(branch)
    for branch in [b for b in branches if min(b.ends) > 0 and b.ends[0] != b.ends[1]]:
        start, end = branch.ends
        if start == end or branch.length() > 1.1 * max(half_width(start), half_width(end)) + 1:
            continue
        branches.remove(branch)
        middle = (nodes[start] + nodes[end]) / 2
        nodes[start] = nodes[end] = middle
        for other in branches:
            other.ends = (
                start if other.ends[0] == end else other.ends[0],
                start if other.ends[1] == end else other.ends[1],
            )
            if other.ends[0] == start:
                other.path[0] = middle
            if other.ends[1] == start:
                other.path[-1] = middle


def _heading(path: Path2, reach: float) -> Path2:
    """Return the unit vector from the start of `path` to about `reach` px along it."""
    near, far = path[min(len(path) - 1, 3)], path[min(len(path) - 1, round(reach))]
    vector = far - near if len(path) > 5 else path[-1] - path[0]
    return np.asarray(vector / max(float(np.hypot(*vector)), 1e-9))


def _joined(branches: list[_Branch], nodes: Iterable[int]) -> list[Path2]:
    """Return paths made of the branches that run straight on through the junctions."""
    partner: dict[tuple[int, int], tuple[int, int]] = {}
    for node in nodes:
        ends = [
            (index, side)
            for index, branch in enumerate(branches)
            for side in (0, 1)
            if branch.ends[side] == node
        ]
        headings = {
            (index, side): _heading(
                branches[index].path if side == 0 else branches[index].path[::-1], 14
            )
            for index, side in ends
        }
        pairs = sorted(
            (float(headings[one] @ headings[other]), one, other)
            for place, one in enumerate(ends)
            for other in ends[place + 1 :]
        )
        for cosine, one, other in pairs:
            straight = cosine < -math.cos(math.radians(42))
            if (straight or len(ends) == 2) and one not in partner and other not in partner:
                partner[one], partner[other] = other, one
    paths = []
    left = set(range(len(branches)))
    while left:
        # Begin at an end that goes nowhere; only rings have none.
        begin = min(((i, s) for i in left for s in (0, 1)), key=lambda end: (end in partner, end))
        pieces: list[Path2] = []
        end: tuple[int, int] | None = begin
        while end is not None and end[0] in left:
            index, side = end
            left.discard(index)
            path = branches[index].path if side == 0 else branches[index].path[::-1]
            pieces.append(path if not pieces else path[1:])
            end = partner.get((index, 1 - side))
        paths.append(np.concatenate(pieces))
    return paths


def _smoothed(path: Path2, closed: bool) -> Path2:
    """Take the stairs out of a path of pixels."""
    if len(path) < 7:
        return path
    ring = path[:-1] if closed else path
    padded = np.pad(ring, ((2, 2), (0, 0)), mode="wrap" if closed else "edge")
    result: Path2 = np.stack([padded[i : i + len(ring)] for i in range(5)]).mean(axis=0)
    if closed:
        return np.concatenate([result, result[:1]])
    result[0], result[-1] = path[0], path[-1]
    return result


def _turns(points: Path2, closed: bool) -> Path2:
    """Return the turning angles in degrees at the inner points (all points when closed)."""
    if closed:
        points = np.concatenate([points[-1:], points, points[:1]])
    steps = np.diff(points, axis=0)
    angles = np.degrees(np.arctan2(steps[:, 1], steps[:, 0]))
    return np.asarray(np.abs((np.diff(angles) + 180) % 360 - 180))


def _stroke(path: Path2, closed: bool, filled: bool = False) -> Stroke | None:
    """Simplify a path in pixels into a stroke; None where nothing is left of it."""
    path = _smoothed(path, closed)
    ring = path[:-1] if closed else path
    flat = ring.astype(np.float32).reshape(-1, 1, 2)
    points = cv2.approxPolyDP(flat, TOLERANCE, closed).reshape(-1, 2).astype(np.float64)
    if len(points) < (3 if closed else 2):
        return None
    turns = _turns(points, closed)
    smooth = len(points) >= 4 and float(turns.max()) < 72 and float(np.median(turns)) > 12
    if smooth:
        # A curve through points far apart bulges; give it the path's own points between them.
        points = _filled_in(ring, points, closed)
    return Stroke(points.astype(np.float32), smooth=smooth, closed=closed, filled=filled)


def _filled_in(path: Path2, points: Path2, closed: bool) -> Path2:
    places = [int(np.argmin(np.abs(path - point).sum(axis=1))) for point in points]
    if places != sorted(places):
        order = np.argsort(places)
        places, points = [places[i] for i in order], points[order]
    stops = [*places, places[0] + len(path)] if closed else places
    result = []
    for start, stop in pairwise(stops):
        parts = max(1, round((stop - start) / (0.22 * SIDE)))
        result += [path[(start + (stop - start) * i // parts) % len(path)] for i in range(parts)]
    if not closed:
        result.append(path[places[-1]])
    return np.asarray(result)


def _outlines(component: Mask, filled: bool) -> list[Stroke]:
    mode = cv2.RETR_EXTERNAL if filled else cv2.RETR_CCOMP
    contours, _ = cv2.findContours(component.astype(np.uint8), mode, cv2.CHAIN_APPROX_NONE)
    strokes = []
    for contour in contours:
        path = contour.reshape(-1, 2).astype(np.float64)
        if len(path) >= 8:
            stroke = _stroke(np.concatenate([path, path[:1]]), True, filled)
            strokes += [stroke] if stroke else []
    return strokes


def _component_strokes(component: Mask) -> list[Stroke]:
    half = cv2.distanceTransform(component.astype(np.uint8), cv2.DIST_L2, 5).astype(np.float32)
    extent = max(int(np.ptp(axis)) + 1 for axis in np.nonzero(component))
    thickest = float(half.max())
    if thickest > 0.14 * SIDE or (extent < 0.3 * SIDE and extent < 3.6 * thickest):
        return _outlines(component, filled=extent < 0.3 * SIDE)
    thin = skeletonize(component)  # type: ignore[no-untyped-call, unused-ignore]
    branches, nodes = _branches(np.asarray(thin, np.bool_))
    _prune(branches, nodes, half)
    branches = [branch for branch in branches if branch.length() > 2]
    strokes = []
    for path in _joined(branches, sorted(nodes)):
        closed = len(path) > 8 and float(np.hypot(*(path[0] - path[-1]))) < 1.5
        stroke = _stroke(path, closed)
        strokes += [stroke] if stroke else []
    return strokes


def trace(mask: Mask) -> Program:
    """Return the strokes of a glyph's ink, (H, W) bool, in the unit square and centred.

    The margin around the ink must be at least one pixel. The proportions are kept: the longer
    side of the drawing fills the square.
    """
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    strokes: list[Stroke] = []
    for label in range(1, count):
        component = labels == label
        if int(component.sum()) >= 12:
            strokes += _component_strokes(component)
    if not strokes:
        return Program(())
    points = np.concatenate([stroke.points for stroke in strokes])
    low, high = points.min(axis=0), points.max(axis=0)
    scale = max(float((high - low).max()), 1.0)
    shift = 0.5 - (low + high) / (2 * scale)
    return Program(
        tuple(
            replace(stroke, points=(stroke.points / scale + shift).astype(np.float32))
            for stroke in strokes
        )
    )
