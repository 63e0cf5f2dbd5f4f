"""Boxes on pages, and how much of their union two share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: x, y, width and height in pixels.
Box = tuple[int, int, int, int]
#: Left, top, right and bottom in pixels.
Edges = tuple[int, int, int, int]
#: Rows of left, top, right and bottom in pixels, (N, 4).
Corners = NDArray[np.floating[Any]]

#: Two boxes mean the same where both cover this share of their union, or more (Everingham et al.
#: 2010, the PASCAL VOC challenge).
LEAST_OVERLAP = 0.5
#: A box that covers a mark this well (intersection over union) is that mark.
SAME_REGION = 0.9


def overlap(one: Box, other: Box) -> float:
    """Return the intersection of two boxes over their union, in [0, 1]."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    common = max(width, 0) * max(height, 0)
    return common / (one[2] * one[3] + other[2] * other[3] - common)


def overlaps(some: Corners, others: Corners) -> NDArray[np.floating[Any]]:
    """Return the intersection over union of each of `some` with each of `others`, (M, N)."""
    low = np.maximum(some[:, None, :2], others[:, :2])
    high = np.minimum(some[:, None, 2:], others[:, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=2)
    own, theirs = (np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (some, others))
    return np.asarray(common / (own[:, None] + theirs - common))
