"""Where on a page is a mark? Label-free proposals: groups of strokes unlike the page's own text."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ingest.binarise import Bytes, Floats
from ingest.inks import Inks, separate_inks
from ingest.traits import Boxes, describe
from ingest.weights import likelihoods, shipped_weights

#: Written beside every proposal; changes whenever the same page could give other proposals.
SEGMENTER = "strokes-3"
#: The score from which on a proposal is worth showing unasked.
DEFAULT_THRESHOLD = 0.5

#: Longest side, in pixels, of the copy that is worked on: a letter is then 10 to 50 pixels high.
_WORKING_SIDE = 1600
#: Half the widest gap, in letter heights, that is still bridged inside one mark.
_REACHES = (0.08, 0.2, 0.35, 0.55, 0.8, 1.1)
#: How wide a break in a ring is closed before it is filled, and how wide its inside is at least
#: (letter heights): fine rings and coarse ones.
_RINGS = ((0.15, 0.7), (0.3, 1.2))
#: A mark's longer side, in letter heights.
_SMALLEST, _LARGEST = 1.0, 24.0
#: A mark's shorter side is at least so many letter heights ...
_THINNEST = 0.4
#: ... and its longer side at most so many times the shorter.
_SLENDEREST = 14.0
#: Two boxes are the same find if their intersection over their union is more than this ...
_SAME = 0.4
#: ... and one is a part of the other if more than this share of it lies within.
_PART = 0.5
#: Within this share of a box's longer side a stroke's ink rises from paper to nearly its darkest,
#: by this share of it at least; a stain takes half its width to do so.
_EDGE, _RISE = 0.06, 0.45


@dataclass(frozen=True)
class Proposal:
    """A box that may hold a mark, in pixels of the image it was found in."""

    x: int
    y: int
    width: int
    height: int
    score: float  # 0..1


def _boxes(mask: Bytes) -> Boxes:
    """Boxes of the connected pieces of a mask, (N, 4)."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    boxes = stats[1:, :4].astype(np.float32)
    boxes[:, 2:] += boxes[:, :2]
    return boxes


def _groups(ink: Bytes, letter: float) -> Boxes:
    """Boxes of the strokes that lie within each reach of one another; they touch the ink."""
    if not ink.any():
        return np.zeros((0, 4), np.float32)
    height, width = ink.shape
    gap = cv2.distanceTransform(1 - ink, cv2.DIST_L2, 3)
    found = []
    for reach in _REACHES:
        boxes = _boxes((gap <= reach * letter).astype(np.uint8))
        # The ink lies one reach inside the grown region, save where the page's edge cut it.
        inset = np.floor(reach * letter)
        boxes[:, :2] += np.where(boxes[:, :2] > 0, inset, 0)
        boxes[:, 2:] -= np.where(boxes[:, 2:] < [width, height], inset, 0)
        found.append(boxes)
    return np.concatenate(found)


def _disc(radius: float) -> Bytes:
    side = max(3, int(2 * radius)) | 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _closed_shapes(ink: Bytes, letter: float) -> Boxes:
    """Boxes of rings and frames, whatever text crosses them.

    Closed shapes are filled, then what is thinner than a ring's inside is taken away: of a line of
    writing nothing is left, of a stamp its whole area.
    """
    found = []
    for bridge, least in _RINGS:
        closed = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, _disc(bridge * letter))
        framed = cv2.copyMakeBorder(closed, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        cv2.floodFill(framed, None, (0, 0), 2)
        filled = (framed[1:-1, 1:-1] != 2).astype(np.uint8)
        opened = cv2.morphologyEx(filled, cv2.MORPH_OPEN, _disc(least * letter))
        found.append(_boxes(np.asarray(opened, np.uint8)))
    return np.concatenate(found)


def candidates(inks: Inks) -> Boxes:
    """Every group of strokes that might be a mark, (N, 4), in pixels of the planes of `inks`."""
    letter = inks.letter
    layers = (inks.ink, inks.other, inks.faint, inks.between)
    found = [_groups(layer, letter) for layer in layers]
    found += [_closed_shapes(layer, letter) for layer in (inks.ink, inks.other)]
    boxes = np.concatenate([inks.pieces, *found])
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    longer, shorter = np.maximum(width, height), np.minimum(width, height)
    kept = (longer >= _SMALLEST * letter) & (longer <= _LARGEST * letter)
    kept &= (shorter >= _THINNEST * letter) & (shorter * _SLENDEREST >= longer)
    return np.unique(boxes[kept], axis=0)


def scored_candidates(image: Bytes) -> tuple[Inks, Boxes, Floats]:
    """A page, (H, W, 3) uint8 RGB, taken apart; its candidates, (N, 4); how likely each is a mark.

    Boxes are in pixels of the planes, `enlarged` brings them to the image's.
    """
    inks = separate_inks(working_copy(image))
    boxes = candidates(inks)
    if not len(boxes):
        return inks, boxes, np.zeros(0, np.float32)
    return inks, boxes, likelihoods(describe(inks, boxes), shipped_weights())


def enlarged(boxes: Boxes, inks: Inks, image: Bytes) -> npt.NDArray[np.int64]:
    """Boxes of the planes of `inks` in whole pixels of `image`, (N, 4), none beyond its edges."""
    height, width = image.shape[:2]
    size = np.array([width, height, width, height])
    back = boxes * (size / np.array(inks.ink.shape[::-1] * 2))
    whole = np.concatenate([np.floor(back[:, :2]), np.ceil(back[:, 2:])], axis=1)
    return np.asarray(np.clip(whole, 0, size), np.int64)


def distinct(boxes: Boxes, scores: Floats, most: int) -> list[int]:
    """Indices of the best boxes, best first, none the same find as a better one."""
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: list[int] = []
    for index in np.argsort(-scores, kind="stable"):
        if len(kept) == most:
            break
        better = boxes[kept]
        low = np.maximum(better[:, :2], boxes[index, :2])
        high = np.minimum(better[:, 2:], boxes[index, 2:])
        common = np.prod(np.maximum(high - low, 0.0), axis=1)
        alike = common > _SAME * (area[kept] + area[index] - common)
        # A part of something better is dropped; the whole of which a part is better is not.
        if not (alike | (common > _PART * area[index])).any():
            kept.append(int(index))
    return kept


def has_edges(density: Floats) -> bool:
    """Whether what darkens a box, (H, W) optical density, has an edge anywhere: a stain has none.

    True boxes on 38 real pages reach 0.66 and more of `_RISE`, of what else is proposed one in
    forty less than 0.45.
    """
    longer = max(density.shape)
    soft = cv2.GaussianBlur(density, (0, 0), max(0.5, 0.008 * longer))
    around = np.ones((max(3, 2 * round(_EDGE / 2 * longer) + 1),) * 2, np.uint8)
    rise = cv2.dilate(soft, around) - cv2.erode(soft, around)
    darkest = max(float(np.percentile(density, 99.5)), 1e-3)
    return float(np.percentile(rise, 98)) >= _RISE * darkest


def working_copy(image: Bytes) -> Bytes:
    """The page, (H, W, 3), no larger than marks are sought on."""
    height, width = image.shape[:2]
    scale = _WORKING_SIDE / max(height, width)
    if scale >= 1.0:
        return image
    size = (max(16, round(width * scale)), max(16, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def propose_marks(image: Bytes, *, most: int = 40) -> list[Proposal]:
    """Boxes that may hold a mark, best first, in pixels of `image`, (H, W, 3) uint8 RGB.

    At most `most` are returned, and none on a page without ink. `DEFAULT_THRESHOLD` is the score
    that keeps false ones few; those below it are for a patient reader.
    """
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"a page is (H, W, 3) RGB, not {image.shape}")
    if min(image.shape[:2]) < 16:
        return []
    inks, boxes, scores = scored_candidates(image)
    if not len(boxes):
        return []
    whole = enlarged(boxes, inks, image)
    proposals: list[Proposal] = []
    for index in distinct(boxes, scores, 2 * most):
        if len(proposals) == most:
            break
        left, top, right, bottom = np.maximum(boxes[index], 0).round().astype(int).tolist()
        if not has_edges(inks.density[top : max(bottom, top + 1), left : max(right, left + 1)]):
            continue
        x, y, x1, y1 = whole[index].tolist()
        if x1 > x and y1 > y:
            proposals.append(Proposal(x, y, x1 - x, y1 - y, float(scores[index])))
    return proposals
