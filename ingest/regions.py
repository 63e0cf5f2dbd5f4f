"""Where on a page might anything be? The regions that are looked at when no mark was found there.

Most are the segmenter's own candidates, the groups of strokes whose picture it looked at, far more
of them than it proposes; a few are squares slid over the page, for marks that no group of
strokes fits because writing crosses them. Both are chosen by how likely they are a mark
(docs/decisions/0008-everywhere.md says why, and what each is worth).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ingest.inks import Inks
from ingest.segmentation import SEGMENTER, distinct, enlarged, scored_candidates
from ingest.trait_weights import likelihoods, shipped_weights
from ingest.traits import Boxes, describe
from retrieval.ink import SEEN, Pixels, as_bytes, normalise

#: Written with every page's regions; changes whenever the same page could give others, or they
#: could be seen otherwise.
REGIONS = f"candidates and squares-1 of {SEGMENTER}, {SEEN}"
#: Regions of one page at most, and how many of them are squares.
MOST_REGIONS, SQUARES = 200, 50
#: Two candidates whose intersection is more than this share of their union count as one; squares
#: are to be in many places rather than close to one another.
_SAME, _SAME_SQUARE = 0.7, 0.4
#: Of a better region a part is worth embedding for its own sake, however much of it lies within.
_PARTS_COUNT = 1.0
#: Sides of the squares as shares of the page's longer side; they move by a third of theirs.
_SIDES, _STRIDE = (0.028, 0.04, 0.056, 0.08, 0.112), 1 / 3
#: Share of a square that is ink: bare paper and solid black hold no mark.
_LEAST_INK, _MOST_INK = 0.02, 0.6
#: A region is shrunk to this many times the side of a model's picture before its ink is looked at.
_SEEN_AT = 2


@dataclass(frozen=True)
class Regions:
    """Regions of a page: candidates, the likeliest first, then squares, likewise."""

    boxes: npt.NDArray[np.int64]  # (N, 4) x, y, width, height in pixels of the page
    slid: npt.NDArray[np.bool_]  # (N,) whether it is a square slid over the page


def page_regions(image: Pixels, most: int = MOST_REGIONS) -> Regions:
    """Regions of a page, (H, W, 3) uint8 RGB, that may hold a mark: `most` of them at most.

    None on a page without ink.
    """
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"a page is (H, W, 3) RGB, not {image.shape}")
    if min(image.shape[:2]) < 16:
        return Regions(np.zeros((0, 4), np.int64), np.zeros(0, bool))
    inks, boxes, scores = scored_candidates(image)
    squares = _squares(inks)
    likely = likelihoods(describe(inks, squares), shipped_weights())
    some = min(SQUARES, most // 4)
    chosen = [
        boxes[distinct(boxes, scores, most - some, _SAME, _PARTS_COUNT)],
        squares[distinct(squares, likely, some, _SAME_SQUARE, _PARTS_COUNT)],
    ]
    found = enlarged(np.concatenate(chosen), inks, image)
    found[:, 2:] -= found[:, :2]
    kept = (found[:, 2:] > 0).all(axis=1)
    return Regions(found[kept], (np.arange(len(found)) >= len(chosen[0]))[kept])


def region_pictures(image: Pixels, regions: npt.NDArray[np.int64], size: int) -> Pixels:
    """What a model sees of each region: (N, size, size) uint8, 0 = paper, 255 = full ink."""
    pictures = np.empty((len(regions), size, size), np.uint8)
    for picture, (x, y, width, height) in zip(pictures, regions.tolist(), strict=True):
        cut = image[y : y + height, x : x + width]
        scale = _SEEN_AT * size / max(width, height)
        if scale < 1:
            to = (max(1, round(width * scale)), max(1, round(height * scale)))
            cut = np.asarray(cv2.resize(cut, to, interpolation=cv2.INTER_AREA), np.uint8)
        picture[:] = as_bytes(normalise(cut, size))
    return pictures


def _squares(inks: Inks) -> Boxes:
    """Squares over the planes of `inks`, (N, 4), that are neither bare paper nor black."""
    height, width = inks.ink.shape
    sums = cv2.integral(inks.ink)
    found = [np.zeros((0, 4), np.float32)]
    for share in _SIDES:
        side = max(8, round(share * max(height, width)))
        step = max(1, round(side * _STRIDE))
        x, y = np.meshgrid(
            np.arange(0, max(1, width - side + 1), step),
            np.arange(0, max(1, height - side + 1), step),
        )
        left, top = x.ravel(), y.ravel()
        right, bottom = np.minimum(left + side, width), np.minimum(top + side, height)
        ink = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
        inked = ink / ((right - left) * (bottom - top))
        kept = (inked >= _LEAST_INK) & (inked <= _MOST_INK)
        found.append(np.stack([left, top, right, bottom], axis=1)[kept].astype(np.float32))
    return np.concatenate(found)
