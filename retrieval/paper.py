"""Paper: what a picture of a mark is drawn on, however the light falls on it."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

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
#: So little that it changes nothing, but where all the weight lies on one line.
_RIDGE = 1e-6 * np.eye(3)
#: Light and stains are sought in a copy of so many pixels on its longest side.
_FINE = 160
#: The level of the paper is the median over so much of the picture's longest side, ...
_AROUND = 1 / 4
#: ... blurred by this much of it.
_SOFT = 0.03
#: What is this share as dark as the darkest may be ink, ...
_INKED = 0.55
#: ... and is, where most of its edge falls by this share of its depth within five pixels; a stain's
#: or a shadow's falls more slowly.
_SHARP = 0.8
#: Strokes are light where they stand out by more than this share of what is darker around them.
_LIGHTER = 0.8


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
    dark (chalk, a negative) and is inverted; but not where darker strokes stand out from their
    surroundings more than lighter ones, as in stone under a low light.
    """
    darkest, most, lightest = quantiles(values, 0.005, 0.5, 0.995)
    middle = (darkest + lightest) / 2
    if most >= middle or not _lighter_strokes(values):  # though its border may be dark
        return values
    rim = max(1, round(0.04 * min(values.shape)))
    edges = (values[:rim], values[-rim:], values[:, :rim], values[:, -rim:])
    border = sum(quantile(edge, 0.5) for edge in edges) / len(edges)
    return np.asarray(255 - values, np.uint8) if border < middle else values


def _lighter_strokes(values: Pixels) -> bool:
    """Whether what stands out from its surroundings is lighter rather than darker than these."""
    small = within(values, _FINE)
    level = _level_around(small)
    darker = np.asarray(cv2.subtract(level, small), np.uint8)
    lighter = np.asarray(cv2.subtract(small, level), np.uint8)
    return quantile(lighter, 0.99) > _LIGHTER * quantile(darker, 0.99)


def _level_around(small: Pixels) -> Pixels:
    """Return the middle level around each pixel, (H, W)."""
    return np.asarray(
        cv2.medianBlur(small, max(3, round(_AROUND * max(small.shape))) | 1), np.uint8
    )


def darkness(values: Pixels) -> Pixels:
    """Return how much darker than the paper under it each pixel is, (H, W), in grey levels."""
    drawn = dark_on_light(values)
    return _above(paper_under(drawn), drawn)


def paper_under(values: Pixels) -> NDArray[np.float32]:
    """Return the level of the paper under a dark drawing, (H, W), in grey levels.

    Most of the pixels around any one are paper, stained or in shadow as it may be: their median is
    its level (Gatos et al. 2006, "Adaptive degraded document image binarization", seek it around
    rough ink, too). Where ink with sharp edges lies, `paper_plane` stands for the paper, so that a
    filled shape is no paper of its own.
    """
    # In bytes the same median of a picture under 70 pixels takes OpenCV 5 twenty times as long.
    deep = within(values, _FINE).astype(np.uint16)
    small = np.asarray(cv2.medianBlur(deep, 3), np.uint8)
    plane = paper_plane(small.astype(np.float32))
    drawn = _sharply_drawn(small, _above(plane, small))
    bare = np.where(drawn, np.rint(plane), small).astype(np.uint8)
    around = _level_around(bare).astype(np.float32)
    level = cv2.GaussianBlur(around, (0, 0), _SOFT * max(small.shape))
    size = (values.shape[1], values.shape[0])
    return np.asarray(cv2.resize(level, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _sharply_drawn(values: Pixels, depth: Pixels) -> NDArray[np.bool_]:
    """Return where ink with sharp edges lies, and its rim, (H, W), by the `depth` of `values`.

    What lies along one edge of the picture is cut off there, and its edge is not sharp; what runs
    along all four is the mark's own frame.
    """
    least = _INKED * max(quantile(depth, 0.995), LEAST_CONTRAST)
    inked = (depth > least).astype(np.uint8)
    square = np.ones((5, 5), np.uint8)
    fall = cv2.morphologyEx(values, cv2.MORPH_GRADIENT, square)
    edge = inked > cv2.erode(inked, square[:3, :3], borderValue=0)
    count, pieces = cv2.connectedComponents(inked)
    sides = pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]
    frames = np.logical_and.reduce([np.bincount(side, minlength=count) > 0 for side in sides])
    inner = np.zeros_like(edge)
    inner[1:-1, 1:-1] = True
    edge &= inner | ~frames[pieces]
    sharp = edge & inner & (fall > _SHARP * depth)
    edges = np.bincount(pieces[edge], minlength=count)
    drawn = 2 * np.bincount(pieces[sharp], minlength=count) > edges
    return np.asarray(cv2.dilate(drawn[pieces].astype(np.uint8), square), np.bool_)


def _above(level: NDArray[np.float32], values: Pixels) -> Pixels:
    """Return by how much a level of paper is above grey levels, 0 where it is not, (H, W)."""
    return np.asarray(np.rint(np.maximum(level - values, 0)), np.uint8)


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
    values, plane = coarse.ravel().astype(np.float64), _plane(*coarse.shape)
    fitted = plane.fitted(values, np.ones(len(values)))
    above = values - plane.terms @ fitted
    darker = above < 0
    for _ in range(20):  # it settles after a few
        fitted = plane.fitted(values, np.where(darker, _DARKER, 1 - _DARKER))
        above = values - plane.terms @ fitted
        before, darker = darker, above < 0
        if np.array_equal(before, darker):
            break
    lighter = above[~darker]
    grain = 2 * math.sqrt(lighter @ lighter / max(1, len(lighter)))
    near = above > -2 * max(3.0, grain)
    if np.count_nonzero(near) > 4 * len(fitted):
        fitted = plane.fitted(values, near.astype(np.float64))
    down = np.linspace(-1, 1, height)[:, None]
    across = np.linspace(-1, 1, width)
    found = fitted[0] + fitted[1] * across + fitted[2] * down
    return np.asarray(np.clip(found, values.min(), values.max()), np.float32)


@dataclass(frozen=True)
class _Plane:
    """What a plane over N pixels is made of: `terms`, (N, 3), and their products, (N, 9)."""

    terms: NDArray[np.float64]
    products: NDArray[np.float64]

    def fitted(
        self, values: NDArray[np.float64], weights: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the coefficients, (3,), that come nearest to `values`, (N,)."""
        gram = (weights @ self.products).reshape(3, 3) + _RIDGE
        return np.asarray(np.linalg.solve(gram, (weights * values) @ self.terms))


@functools.lru_cache(maxsize=256)
def _plane(height: int, width: int) -> _Plane:
    """Return a plane in 1, x and y, both from -1 to 1."""
    across, down = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    terms = np.stack([np.ones_like(across), across, down], axis=-1).reshape(-1, 3)
    return _Plane(terms, (terms[:, :, None] * terms[:, None]).reshape(-1, 9))


def quantiles(values: Pixels, *shares: float) -> list[int]:
    """Return the least levels that such shares of bytes of any shape do not exceed.

    Bytes are counted, which takes a fraction of the time that putting them in order does.
    """
    counts = cv2.calcHist([values], [0], None, [256], [0, 256]).ravel().cumsum(dtype=np.float64)
    found: list[int] = np.searchsorted(counts, np.multiply(shares, values.size)).tolist()
    return found


def quantile(values: Pixels, share: float) -> int:
    """Return the least level that a share of bytes of any shape do not exceed."""
    return quantiles(values, share)[0]
