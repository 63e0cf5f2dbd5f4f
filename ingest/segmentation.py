"""Where on a page is a mark? Label-free proposals: groups of strokes unlike the page's own text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ingest.appearance import ink_planes, looks, pictures, shipped_appearances
from ingest.binarise import Floats
from ingest.inks import Inks, piece_boxes, separate_inks
from ingest.trait_weights import likelihoods, measured, shipped_weights
from ingest.traits import Boxes, describe
from retrieval.ink import Pixels

#: Written beside every proposal; changes whenever the same page could give other proposals.
SEGMENTER = "strokes-6"
#: The score from which on a proposal is worth showing unasked.
DEFAULT_THRESHOLD = 0.5

#: Longest side, in pixels, of the copy that is worked on: a letter is then 10 to 50 pixels high.
_WORKING_SIDE = 1600
#: Half the widest gap, in letter heights, that is still bridged inside one mark: for all ink, for
#: that of another colour, the faint, what lies between the lines, the broad strokes.
_REACHES = (0.08, 0.35, 0.8, 1.1)
_REACHES_OTHER, _REACHES_FAINT = (0.35, 1.1), (0.35, 0.55)
_REACHES_BETWEEN, _REACHES_FIRM = (0.08, 0.2), (0.2, 0.8)
#: Of all ink, the groups of the first so many reaches are cut in parts.
_NEAR_REACHES = 2
#: How wide a break in a ring is closed before it is filled, and how wide its inside is at least
#: (letter heights): fine rings and coarse ones.
_RINGS = ((0.15, 0.7), (0.3, 1.2))
#: A mark's longer side, in letter heights.
_SMALLEST, _LARGEST = 1.0, 24.0
#: A mark's shorter side is at least so many letter heights ...
_THINNEST = 0.4
#: ... and its longer side at most so many times the shorter.
_SLENDEREST = 14.0
#: Of boxes whose sides lie within so many letter heights of each other one is kept.
_ALIKE = 0.18
#: A piece of ink of this height, in letters, may be a mark's staff ...
_TALL = 1.2
#: ... with the pieces at most so far from it, across and down: its initials, its bars, its orb.
_COMPANY = ((0.15, 0.15), (0.5, 0.3), (0.3, 0.8), (0.9, 0.3))
#: ... or with any one piece so near.
_PAIR = 0.5
#: Boxes from this height (letters) to this longer side are cut, the largest so many of a page ...
_CUTTABLE, _CUT_WHOLE, _MOST_CUT = 1.6, 14.0, 400
#: ... at so many places each way.
_CUTS = 2
#: Two boxes are the same find if their intersection over their union is more than this ...
_SAME = 0.4
#: ... and one is a part of the other if more than this share of it lies within.
_PART = 0.5
#: Boxes of a page, by their traits, among which distinct ones are sought; of these so many are
#: looked at, doubles (intersection over union) left out.
_RANKED, _LOOKED_AT, _DOUBLE = 1500, 240, 0.65
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


#: Gives the proposals on a page, (H, W, 3) uint8 RGB.
Propose = Callable[[Pixels], Sequence[Proposal]]


@dataclass(frozen=True)
class Segmenter:
    """What proposes marks, and its name, which is written beside every proposal."""

    name: str
    propose: Propose


def _groups(ink: Pixels, letter: float, reaches: Sequence[float]) -> list[Boxes]:
    """Boxes of the strokes that lie within each reach of one another; they touch the ink."""
    if not ink.any():
        return [np.zeros((0, 4), np.float32) for _ in reaches]
    height, width = ink.shape
    gap = cv2.distanceTransform(1 - ink, cv2.DIST_L2, 3)
    found = []
    for reach in reaches:
        boxes = piece_boxes((gap <= reach * letter).astype(np.uint8))
        # The ink lies one reach inside the grown region, save where the page's edge cut it.
        inset = np.floor(reach * letter)
        boxes[:, :2] += np.where(boxes[:, :2] > 0, inset, 0)
        boxes[:, 2:] -= np.where(boxes[:, 2:] < [width, height], inset, 0)
        found.append(boxes)
    return found


def _disc(radius: float) -> Pixels:
    side = max(3, int(2 * radius)) | 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _closed_shapes(ink: Pixels, letter: float) -> Boxes:
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
        found.append(piece_boxes(np.asarray(opened, np.uint8)))
    return np.concatenate(found)


def _companies(pieces: Boxes, letter: float) -> Boxes:
    """Boxes of tall pieces of ink with what stands close by: a staff with its initials, (N, 4)."""
    sides = pieces[:, 2:] - pieces[:, :2]
    pieces = pieces[(sides.max(axis=1) >= 0.3 * letter) & (sides.max(axis=1) <= 8 * letter)]
    tall = pieces[pieces[:, 3] - pieces[:, 1] >= _TALL * letter]
    if not len(tall):
        return tall
    # A page of noise has more pieces than one of writing: the largest of each are enough.
    pieces, tall = (
        some[np.argsort(-np.prod(some[:, 2:] - some[:, :2], axis=1), kind="stable")[:most]]
        for some, most in ((pieces, 3000), (tall, 600))
    )
    across, down = (
        np.maximum(tall[:, None, at], pieces[:, at])
        - np.minimum(tall[:, None, at + 2], pieces[:, at + 2])
        for at in (0, 1)
    )
    farthest = np.max(_COMPANY, axis=0) * letter
    owner, other = np.nonzero((across <= farthest[0]) & (down <= farthest[1]))
    across, down = across[owner, other], down[owner, other]
    found = []
    for reach in _COMPANY:
        near = (across <= reach[0] * letter) & (down <= reach[1] * letter)
        joined = tall.copy()
        np.minimum.at(joined[:, :2], owner[near], pieces[other[near], :2])
        np.maximum.at(joined[:, 2:], owner[near], pieces[other[near], 2:])
        found.append(joined)
    near = (across <= _PAIR * letter) & (down <= _PAIR * letter)
    first, second = tall[owner[near]], pieces[other[near]]
    low, high = np.minimum(first[:, :2], second[:, :2]), np.maximum(first[:, 2:], second[:, 2:])
    return np.concatenate([*found, np.concatenate([low, high], axis=1)])


def _valleys(profile: Floats, letter: float) -> list[int]:
    """Where a profile of ink is lowest, away from both ends: at most `_CUTS` places."""
    size = (1, max(1, int(0.2 * letter)) | 1)
    soft = cv2.blur(profile.reshape(-1, 1), size)[:, 0]
    apart = max(1, int(0.5 * letter))
    soft[:apart] = soft[-apart:] = np.inf
    found: list[int] = []
    while len(found) < _CUTS:
        at = int(soft.argmin())
        if not np.isfinite(soft[at]):
            break
        found.append(at)
        soft[max(0, at - apart) : at + apart + 1] = np.inf
    return found


def _parts(ink: Pixels, boxes: Boxes, letter: float) -> Boxes:
    """Boxes cut in two where least ink crosses, each part drawn in to its ink, (N, 4)."""
    found: list[tuple[int, int, int, int]] = []
    rows, columns = ink.shape
    for left, top, right, bottom in np.round(boxes).astype(int).tolist():
        left, top = max(left, 0), max(top, 0)
        right, bottom = min(right, columns), min(bottom, rows)
        if right <= left or bottom <= top:
            continue
        here = ink[top:bottom, left:right]
        for axis in (0, 1):
            if here.shape[axis] < _CUTTABLE * letter:
                continue
            profile = cv2.reduce(here, 1 - axis, cv2.REDUCE_SUM, dtype=cv2.CV_32F)
            for at in _valleys(np.asarray(profile, np.float32), letter):
                for low, high in ((0, at), (at, here.shape[axis])):
                    part = here[low:high] if axis == 0 else here[:, low:high]
                    x, y, width, height = cv2.boundingRect(part)
                    x, y = x + left + low * axis, y + top + low * (1 - axis)
                    found.append((x, y, x + width, y + height))
    return np.array(found, np.float32).reshape(-1, 4)


def _fit(boxes: Boxes, letter: float) -> Boxes:
    """Those of the boxes that have the size and the shape of a mark, one of those much alike."""
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    longer, shorter = np.maximum(width, height), np.minimum(width, height)
    kept = (longer >= _SMALLEST * letter) & (longer <= _LARGEST * letter)
    kept &= (shorter >= _THINNEST * letter) & (shorter * _SLENDEREST >= longer)
    boxes = np.unique(boxes[kept], axis=0)
    _, first = np.unique(np.round(boxes / (_ALIKE * letter)), axis=0, return_index=True)
    return np.asarray(boxes[first], np.float32)


def _worth_cutting(boxes: Boxes, letter: float) -> Boxes:
    """Boxes higher than a line of writing and no wider than a word or two, the largest first."""
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    kept = (height >= _CUTTABLE * letter) & (np.maximum(width, height) <= _CUT_WHOLE * letter)
    order = np.argsort(-np.prod(boxes[kept, 2:] - boxes[kept, :2], axis=1), kind="stable")
    return np.asarray(boxes[kept][order[:_MOST_CUT]], np.float32)


def candidates(inks: Inks) -> Boxes:
    """Every group of strokes that might be a mark, (N, 4), in pixels of the planes of `inks`."""
    letter = inks.letter
    groups = _groups(inks.ink, letter, _REACHES)
    near = np.concatenate(groups[:_NEAR_REACHES])
    found = [
        *groups,
        *_groups(inks.other, letter, _REACHES_OTHER),
        *_groups(inks.faint, letter, _REACHES_FAINT),
        *_groups(inks.between, letter, _REACHES_BETWEEN),
        *_groups(inks.firm, letter, _REACHES_FIRM),
        _closed_shapes(inks.ink, letter),
    ]
    whole = _fit(np.concatenate([inks.pieces, *found]), letter)
    cut = _parts(inks.ink, _worth_cutting(_fit(near, letter), letter), letter)
    # A mark over a number and beside a line is cut from both.
    again = _parts(inks.ink, _worth_cutting(_fit(cut, letter), letter), letter)
    return _fit(np.concatenate([whole, cut, again, _companies(inks.pieces, letter)]), letter)


def enlarged(boxes: Boxes, inks: Inks, image: Pixels) -> npt.NDArray[np.int64]:
    """Boxes of the planes of `inks` in whole pixels of `image`, (N, 4), none beyond its edges."""
    height, width = image.shape[:2]
    size = np.array([width, height, width, height])
    back = boxes * (size / np.array(inks.ink.shape[::-1] * 2))
    whole = np.concatenate([np.floor(back[:, :2]), np.ceil(back[:, 2:])], axis=1)
    return np.asarray(np.clip(whole, 0, size), np.int64)


def distinct(
    boxes: Boxes, scores: Floats, most: int, same: float = _SAME, part: float = _PART
) -> list[int]:
    """Indices of the best boxes, best first, none the same find as a better one.

    `same` is the share of their union, `part` that of the lesser box, above which they are; where
    `part` is 1, a part of a better box is a find of its own.
    """
    left = np.argsort(-scores, kind="stable")[:_RANKED]
    boxes = boxes[left]
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    kept: list[int] = []
    while len(left) and len(kept) < most:
        kept.append(int(left[0]))
        low = np.maximum(boxes[0, :2], boxes[:, :2])
        high = np.minimum(boxes[0, 2:], boxes[:, 2:])
        sides = np.maximum(high - low, 0.0)
        common = sides[:, 0] * sides[:, 1]
        # A part of something better is dropped; the whole of which a part is better is not.
        other = (common <= same * (areas[0] + areas - common)) & (common <= part * areas)
        other[0] = False
        left, boxes, areas = left[other], boxes[other], areas[other]
    return kept


def worth_a_look(boxes: Boxes, scores: Floats) -> list[int]:
    """Indices of the boxes whose picture is looked at, best first: near doubles are left out."""
    return distinct(boxes, scores, _LOOKED_AT, _DOUBLE, 1.0)


def scored_candidates(image: Pixels) -> tuple[Inks, Boxes, Floats]:
    """A page, (H, W, 3) uint8 RGB, taken apart; the candidates that were looked at, (N, 4); how
    likely each is a mark.

    Boxes are in pixels of the planes, `enlarged` brings them to the image's.
    """
    inks = separate_inks(working_copy(image))
    boxes = candidates(inks)
    if not len(boxes):
        return inks, boxes, np.zeros(0, np.float32)
    traits, weights = describe(inks, boxes), shipped_weights()
    chosen = worth_a_look(boxes, likelihoods(traits, weights))
    boxes, traits = boxes[chosen], {name: values[chosen] for name, values in traits.items()}
    shown = pictures(ink_planes(inks), boxes, inks.letter)
    return inks, boxes, looks(shown, measured(traits, weights), shipped_appearances())


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


def working_copy(image: Pixels) -> Pixels:
    """The page, (H, W, 3), no larger than marks are sought on."""
    height, width = image.shape[:2]
    scale = _WORKING_SIDE / max(height, width)
    if scale >= 1.0:
        return image
    size = (max(16, round(width * scale)), max(16, round(height * scale)))
    # Whole pixels are averaged several times faster than shares of them.
    whole = int(1 / scale)
    if whole == 1:
        return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    near = (max(16, width // whole), max(16, height // whole))
    image = np.asarray(
        cv2.resize(image[: near[1] * whole, : near[0] * whole], near, interpolation=cv2.INTER_AREA),
        np.uint8,
    )
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def propose_marks(image: Pixels, *, most: int = 40) -> list[Proposal]:
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


#: The segmenter that comes with the program.
STROKES = Segmenter(SEGMENTER, propose_marks)
