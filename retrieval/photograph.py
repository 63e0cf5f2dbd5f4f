"""Photographs of a mark: what lies on the paper is told from the table, the ruler and the light.

A crop out of a scan shows a mark and a little paper. What people photograph or upload shows the
sheet on a table or a screen, light that falls from somewhere, the lines of ruled paper, and the
mark small in a corner. `as_drawn` leaves ink on white paper, `mark_box` says where the mark lies.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from retrieval.boxes import Box
from retrieval.crops import within
from retrieval.paper import LEAST_CONTRAST, Pixels, darkness, grey, quantile, quantiles

#: The sheet and the mark are sought in a copy of so many pixels on its longest side.
_COARSE = 640
#: A sheet fills its own outline, and that fills four corners, at least to these shares ...
_WHOLE, _FOUR_CORNERS = 0.93, 0.88
#: ... and takes at least, and at most, these shares of the picture: one that takes more has no
#: surroundings worth cutting off.
_LEAST_SHEET, _MOST_SHEET = 0.1, 0.93
#: What surrounds a sheet is somewhere as wide as this share of the picture: a mark's frame is not.
_SURROUNDINGS = 0.08
#: Its ink is at least this share as dark as what is dark around it, else the sheet is but light.
_OWN_INK = 0.1
#: The rim of a sheet, as a share of the picture, that its edge and its shadow may take.
_RIM = 0.012

#: A colour is looked at instead of the luminance where ink stands out so many times as clearly,
_CLEARER = 1.7
#: ... in a copy of so many pixels on its longest side.
_COLOURS = 96

#: Ruled lines go on for this share of a row, each in a piece of that share of the picture at least,
_RULED, _PIECE = 0.8, 0.25
#: ... are at least so many, are so faint against the ink, or fainter, and end where what lies on
#: them is so many times as dark.
_FEWEST_LINES, _FAINT_LINE, _OVER_LINE = 3, 0.04, 1.7

#: A mark is what is at least this share as dark as the darkest ink,
_STRONG = 0.4
#: ... without pieces that have less than this share of the ink of the largest: specks, numbers.
_SPECK = 0.03
#: Paper left around a mark, as a share of its longest side.
_AROUND = 0.12
#: A box that takes more of the picture than this is the picture.
_NEARLY_ALL = 0.95
#: Of a picture whose longest side is shorter, nothing is cut off: it was cut out already.
_CUT_OUT = 200


def as_drawn(image: Pixels) -> Pixels:
    """Return what is drawn on a picture as dark ink on white paper, (H, W) uint8.

    Paper is 255, and ink is as many grey levels less as it is darker. The surroundings of a sheet,
    uneven light, stains and the lines of ruled paper become paper. Ink that stands out in one
    colour more than in the luminance is taken from that. `image` is uint8, (H, W), (H, W, 3) RGB
    or (H, W, 4) RGBA.
    """
    luminance = grey(image)
    cut_out = max(luminance.shape) < _CUT_OUT
    sheet = None if cut_out else _sheet(luminance)
    depth = darkness(_on_sheet(_clearest(image, luminance, sheet), sheet))
    if sheet is not None:
        depth *= sheet
    if not cut_out:
        depth = np.minimum(_without_lines(depth), _without_lines(depth.T).T)
    return np.asarray(255 - depth, np.uint8)


def mark_box(drawn: Pixels) -> Box:
    """Return where the mark lies on what `as_drawn` gives: x, y, width, height in its pixels.

    All pieces of ink belong to it but the specks, with a little paper around them. It is the whole
    picture where that is small, or nearly full of ink, or bare.
    """
    height, width = drawn.shape
    whole = 0, 0, width, height
    if max(height, width) < _CUT_OUT:
        return whole
    small, scale = within(255 - drawn, _COARSE), min(1.0, _COARSE / max(height, width))
    ink = np.asarray(cv2.GaussianBlur(small, (0, 0), 1.5), np.uint8)
    strong = (ink > max(_STRONG * _darkest(ink), 1)).astype(np.uint8)
    count, pieces, boxes, _ = cv2.connectedComponentsWithStats(strong, connectivity=8)
    if count == 1:
        return whole
    mass = np.bincount(pieces.ravel(), weights=ink.ravel(), minlength=count)[1:]
    kept = boxes[1:][mass >= _SPECK * mass.max()]
    left, top = kept[:, 0].min(), kept[:, 1].min()
    right, bottom = (kept[:, 0] + kept[:, 2]).max(), (kept[:, 1] + kept[:, 3]).max()
    around = _AROUND * max(right - left, bottom - top) + 2
    x, y = (max(0, math.floor((low - around) / scale)) for low in (left, top))
    end, low = (math.ceil((high + around) / scale) for high in (right, bottom))
    box = x, y, min(width, end) - x, min(height, low) - y
    return whole if box[2] * box[3] > _NEARLY_ALL * width * height else box


def _darkest(depth: Pixels) -> int:
    """Return how dark the darkest ink is, also of a mark that is small in the picture."""
    few = min(depth.size, max(20, round(0.0002 * depth.size)))
    return quantile(depth, 1 - few / depth.size)


def _sheet(values: Pixels) -> NDArray[np.bool_] | None:
    """Return where the sheet lies that a mark is drawn on, (H, W), without its rim; None: all over.

    It is the largest light piece, if that has four corners, what surrounds it is wide, and what is
    drawn lies on it: the lit part of a sheet that is half in shadow is none.
    """
    small = np.asarray(cv2.medianBlur(within(values, _COARSE), 5), np.uint8)
    _, light = cv2.threshold(small, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    outlines, _ = cv2.findContours(light, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not outlines:
        return None
    outline = max(outlines, key=cv2.contourArea)
    hull = cv2.convexHull(outline)
    _, sides, _ = cv2.minAreaRect(outline)
    area, filled, corners = cv2.contourArea(outline), cv2.contourArea(hull), sides[0] * sides[1]
    if area < max(_WHOLE * filled, _LEAST_SHEET * small.size) or filled < _FOUR_CORNERS * corners:
        return None
    if corners > _MOST_SHEET * small.size:
        return None
    sheet = np.zeros(small.shape, np.uint8)
    cv2.drawContours(sheet, [hull], -1, 1, -1)
    around = cv2.distanceTransform(1 - sheet, cv2.DIST_L2, 3)
    if around.max() < _SURROUNDINGS * max(small.shape):
        return None
    rim = np.ones((2 * max(2, round(_RIM * max(small.shape))) + 1,) * 2, np.uint8)
    inner, outer = cv2.erode(sheet, rim) > 0, cv2.dilate(sheet, rim) == 0
    if not inner.any() or not _drawn_within(darkness(small), inner, outer):
        return None
    size = (values.shape[1], values.shape[0])
    return np.asarray(cv2.resize(inner.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0)


def _drawn_within(depth: Pixels, inner: NDArray[np.bool_], outer: NDArray[np.bool_]) -> bool:
    """Return whether ink, (H, W) in grey levels, lies on the inner part and goes nowhere beyond."""
    darkest = _darkest(depth[inner])
    strong = _STRONG * darkest
    if darkest < max(LEAST_CONTRAST / 2, _OWN_INK * _darkest(depth[outer])):
        return False
    count, pieces = cv2.connectedComponents((depth > strong).astype(np.uint8), connectivity=8)
    inside, beyond = (
        np.bincount(pieces[part], weights=depth[part], minlength=count)[1:]
        for part in (inner, outer)
    )
    least = _SPECK * inside.sum()
    return not ((inside > least) & (beyond > least)).any()


def _on_sheet(image: Pixels, sheet: NDArray[np.bool_] | None) -> Pixels:
    """Return a plane, (H, W), with the sheet's middle level all around the sheet."""
    return image if sheet is None else np.where(sheet, image, np.uint8(quantile(image[sheet], 0.5)))


def _clearest(image: Pixels, luminance: Pixels, sheet: NDArray[np.bool_] | None) -> Pixels:
    """Return the plane in which ink stands out: the luminance, or one of three colours, (H, W)."""
    if image.ndim == 2 or image.shape[2] != 3:
        return luminance
    copy = within(image, _COLOURS)
    if np.array_equal(copy[..., 0], copy[..., 1]) and np.array_equal(copy[..., 1], copy[..., 2]):
        return luminance  # a grey picture, as most scans of ink are kept
    if sheet is not None:
        sheet = cv2.resize(sheet.astype(np.uint8), copy.shape[1::-1]) > 0
    small = _on_sheet(grey(copy), sheet)
    best, clarity = luminance, 0.0
    for colour in range(3):
        seen = _on_sheet(np.ascontiguousarray(copy[..., colour]), sheet)
        apart = np.asarray(cv2.addWeighted(seen, 0.5, small, -0.5, 127.5), np.uint8)
        low, middle, high = quantiles(apart, 0.0025, 0.5, 0.9975)
        if max(middle - low, high - middle) < LEAST_CONTRAST / 2:
            continue  # nothing has a colour of its own: the planes differ by their paper alone
        clarity = clarity or _CLEARER * _clarity(darkness(small))
        if (this := _clarity(darkness(seen))) > clarity:
            best, clarity = np.ascontiguousarray(image[..., colour]), this
    return best


def _clarity(depth: Pixels) -> float:
    """Return how many times darker the darkest ink is than the paper's grain."""
    grain, darkest = quantiles(depth, 0.75, 0.995)
    return darkest / (grain + 2) if darkest > LEAST_CONTRAST else 0.0


def _without_lines(depth: Pixels) -> Pixels:
    """Return depths, (H, W), without the lines across of ruled paper, whatever lies on them."""
    width = depth.shape[1]
    thicker = np.ones((3, 1), np.uint8)  # a line may lie a pixel aslant
    thick, least = cv2.dilate(depth, thicker), _FAINT_LINE * _darkest(depth)
    if np.count_nonzero((thick > least).mean(axis=1) > _RULED) < _FEWEST_LINES:
        return depth  # what follows takes longer
    piece = np.ones((1, max(15, round(_PIECE * width))), np.uint8)
    lines = cv2.morphologyEx(thick, cv2.MORPH_OPEN, piece)
    faint = lines > least
    ruled = (faint.mean(axis=1) > _RULED).astype(np.uint8)[:, None]
    if cv2.connectedComponents(ruled)[0] - 1 < _FEWEST_LINES:
        return depth
    rows = np.flatnonzero(cv2.dilate(ruled, np.ones((5, 1), np.uint8)))
    level = float(np.median(cv2.dilate(lines, thicker)[rows][faint[rows]]))
    kept = depth.copy()
    kept[rows] = np.where(depth[rows] < _OVER_LINE * level, 0, depth[rows])
    return kept
