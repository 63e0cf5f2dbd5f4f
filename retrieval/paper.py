"""Paper: what a picture of a mark is drawn on, however the light falls on it."""

from __future__ import annotations

import functools
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from retrieval.crops import within
from retrieval.transparency import on_white

#: A picture or a plane of one in 8 bits; the docstrings say of which shape.
Pixels = NDArray[np.uint8]

#: The least difference from paper, in grey levels, that can be ink at all.
LEAST_CONTRAST = 24.0
#: The weight of what is darker than the paper's plane against what is lighter, while it is fitted.
_DARKER = 0.05
#: The paper is sought in a copy of so many pixels on its longest side.
_COARSE = 24
#: Light and stains are sought in a copy of so many pixels on its longest side.
_FINE = 160
#: No stroke is wider than this share of the picture's longest side; what is darker over a wider
#: stretch is shadow or a stain,
_WIDEST = 1 / 8
#: ... if it is less than this share as dark as the ink: else it is a filled shape.
_SHADOW = 0.55


def grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the luminance of `image`, (H, W) or (H, W, 3) RGB or (H, W, 4) RGBA `on_white`."""
    if image.ndim == 2:
        return image
    if image.shape[2] == 4:
        image = on_white(image[..., :3], image[..., 3])
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def dark_on_light(values: Pixels) -> Pixels:
    """Return grey levels, (H, W), with what is drawn darker than what it is drawn on.

    A picture that is mostly darker than the middle of its range, at its border too, is light on
    dark (chalk, a negative) and is inverted.
    """
    height, width = values.shape
    rim = max(1, round(0.04 * min(height, width)))
    edges = (values[:rim], values[-rim:], values[:, :rim], values[:, -rim:])
    border = sum(_percentile(edge, 50) for edge in edges) / len(edges)
    middle = (_percentile(values, 0.5) + _percentile(values, 99.5)) / 2
    # Where a mark is cut at its frame the border alone is dark.
    if border < middle and _percentile(values, 50) < middle:
        return np.asarray(255 - values, np.uint8)
    return values


def darkness(values: Pixels) -> NDArray[np.float32]:
    """Return how much darker than the paper under it each pixel is, (H, W), in grey levels."""
    level = dark_on_light(values)
    return np.asarray(np.maximum(paper_under(level) - level, 0), np.float32)


def paper_under(values: Pixels) -> NDArray[np.float32]:
    """Return the level of the paper under a dark drawing, (H, W), in grey levels.

    What is darker over a wider stretch than any stroke is in shadow, or stained (a morphological
    closing), but for what is as dark as ink: there a filled shape lies on `paper_plane`.
    """
    small = np.asarray(cv2.medianBlur(within(values, _FINE), 3), np.uint8)
    side = max(3, round(_WIDEST * max(small.shape))) | 1
    stroke = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    framed = cv2.copyMakeBorder(small, side, side, side, side, cv2.BORDER_REPLICATE)
    closed = cv2.morphologyEx(framed, cv2.MORPH_CLOSE, stroke)[side:-side, side:-side]
    local = np.asarray(cv2.GaussianBlur(closed.astype(np.float32), (0, 0), side / 6), np.float32)
    # A closing takes the lightest of the grain for the paper; most pixels are paper.
    local -= np.float32(max(0.0, float(np.median(local - small))))
    plane = paper_plane(small.astype(np.float32))
    deepest = max(reached(np.maximum(at - small, 0), 0.005) for at in (local, plane))
    filled = (plane - local > _SHADOW * max(deepest, LEAST_CONTRAST)).astype(np.uint8)
    # Beside a filled shape the blurred level is darkened by it.
    beside = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side // 2 | 1, side // 2 | 1))
    filled = np.asarray(cv2.dilate(filled, beside), np.uint8)
    level = cv2.GaussianBlur(np.where(filled > 0, plane, local).astype(np.float32), (0, 0), 1.5)
    size = (values.shape[1], values.shape[0])
    return np.asarray(cv2.resize(level, size, interpolation=cv2.INTER_LINEAR), np.float32)


def paper_plane(level: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the level of the paper under a dark drawing: a plane, (H, W), in grey levels.

    However strong, light that falls from one side is not ink, and a plane cannot sink into a
    filled shape. It is found by asymmetric least squares (Eilers 2004, "Parametric time warping"),
    by which the many lighter pixels hold it up, and then laid through those that are near it.
    """
    height, width = level.shape
    scale = min(1.0, _COARSE / max(height, width))
    shape = (max(4, round(width * scale)), max(4, round(height * scale)))
    coarse = cv2.resize(level, shape, interpolation=cv2.INTER_AREA)
    values, terms = coarse.ravel().astype(np.float64), _terms(*coarse.shape)
    plane = _fitted(terms, values, np.ones(len(values)))
    above = values - terms @ plane
    darker = above < 0
    for _ in range(20):  # it settles after a few
        plane = _fitted(terms, values, np.where(darker, _DARKER, 1 - _DARKER))
        above = values - terms @ plane
        before, darker = darker, above < 0
        if np.array_equal(before, darker):
            break
    lighter = above[~darker]
    grain = 2 * math.sqrt(lighter @ lighter / max(1, len(lighter)))
    near = above > -2 * max(3.0, grain)
    if np.count_nonzero(near) > 4 * terms.shape[1]:
        plane = _fitted(terms, values, near.astype(np.float64))
    corners = np.clip(_terms(2, 2) @ plane, values.min(), values.max()).astype(np.float32)
    (top_left, top_right), (low_left, low_right) = corners.reshape(2, 2)
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    across = np.linspace(0, 1, width, dtype=np.float32)
    left = top_left + down * (low_left - top_left)
    right = top_right + down * (low_right - top_right)
    return np.asarray(left + across * (right - left), np.float32)


@functools.lru_cache(maxsize=256)
def _terms(height: int, width: int) -> NDArray[np.float64]:
    """Return what a plane is made of, 1, x and y from -1 to 1, for each pixel: (H * W, 3)."""
    across, down = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    return np.stack([np.ones_like(across), across, down], axis=-1).reshape(-1, 3)


def _fitted(
    terms: NDArray[np.float64], values: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the coefficients, (K,), of `terms`, (N, K), that come nearest to `values`, (N,)."""
    weighted = (terms * weights[:, None]).T
    # So little more that it changes nothing, but where all the weight lies on one line.
    gram = weighted @ terms + 1e-6 * np.eye(terms.shape[1])
    return np.asarray(np.linalg.solve(gram, weighted @ values))


def _percentile(values: NDArray[np.uint8], percent: float) -> int:
    """Return the least value that `percent` of all do not exceed: many times NumPy's speed."""
    counts = np.bincount(values.ravel(), minlength=256).cumsum()
    return int(np.searchsorted(counts, percent / 100 * values.size))


def reached(values: NDArray[np.float32], share: float) -> float:
    """Return what that share of values of any shape, none below 0, reaches."""
    inked = values[values > 0]  # the many that are 0 would take a while to put apart
    rank = len(inked) - max(1, math.ceil(share * values.size))
    return float(np.partition(inked, rank)[rank]) if rank >= 0 else 0.0
