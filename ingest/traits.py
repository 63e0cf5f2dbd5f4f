"""What a group of strokes looks like against its page: the traits a proposal is scored by."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ingest.binarise import Floats
from ingest.inks import Inks, connected_pieces
from retrieval.ink import Pixels

Boxes = npt.NDArray[np.float32]  # (N, 4): left, top, right, bottom
_Sums = npt.NDArray[np.float64]

#: Share of ink in a line of writing: the unit of the traits that tell of neighbouring ink.
_WRITING = 0.12
#: Directions in which the outline of a ring is looked for.
_ANGLES = np.linspace(0.0, 2.0 * np.pi, 40, endpoint=False, dtype=np.float32)


def _sums(plane: npt.NDArray[np.generic]) -> _Sums:
    return np.asarray(cv2.integral(np.asarray(plane, np.float32), sdepth=cv2.CV_64F))


def _within(sums: _Sums, boxes: Boxes) -> Floats:
    """Sum of a plane inside each box, (N,)."""
    height, width = sums.shape[0] - 1, sums.shape[1] - 1
    x0, x1 = (np.clip(np.round(boxes[:, i]), 0, width).astype(np.intp) for i in (0, 2))
    y0, y1 = (np.clip(np.round(boxes[:, i]), 0, height).astype(np.intp) for i in (1, 3))
    x1, y1 = np.maximum(x1, np.minimum(x0 + 1, width)), np.maximum(y1, np.minimum(y0 + 1, height))
    total = sums[y1, x1] - sums[y0, x1] - sums[y1, x0] + sums[y0, x0]
    return np.asarray(total, np.float32)


def _widened(boxes: Boxes, by: float) -> Boxes:
    return boxes + np.array([-by, -by, by, by], np.float32)


def _beside(boxes: Boxes, reach: float) -> tuple[Boxes, Boxes, Boxes, Boxes]:
    """Strips of width `reach` left, right, above and below each box."""
    x0, y0, x1, y1 = boxes.T
    left = np.stack([x0 - reach, y0, x0, y1], axis=1)
    right = np.stack([x1, y0, x1 + reach, y1], axis=1)
    above = np.stack([x0, y0 - reach, x1, y0], axis=1)
    below = np.stack([x0, y1, x1, y1 + reach], axis=1)
    return left, right, above, below


def _piece_sizes(ink: Pixels, letter: float) -> Floats:
    """For each ink pixel the longer side of its connected piece in letter heights, at most 8."""
    labels, stats = connected_pieces(ink)
    longer = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    sizes = np.minimum(longer / letter, 8.0).astype(np.float32)
    sizes[0] = 0.0
    return np.asarray(sizes[labels], np.float32)


def _holes(ink: Pixels, letter: float) -> Pixels:
    """Paper that ink encloses, in holes larger than those of letters; (H, W) uint8."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(1 - ink, connectivity=4)
    area = stats[:, cv2.CC_STAT_AREA]
    kept = (area > 0.4 * letter**2) & (area < ink.size / 20)
    kept[0] = False
    return np.asarray(kept.astype(np.uint8)[labels], np.uint8)


def _on_outline(ink: Pixels, boxes: Boxes, frame: bool) -> Floats:
    """Share of directions in which the inscribed ellipse, or the box's rim, runs along ink."""
    thick = cv2.dilate(ink, np.ones((3, 3), np.uint8)).ravel() > 0
    rows, columns = ink.shape
    cosine, sine = np.cos(_ANGLES), np.sin(_ANGLES)
    if frame:
        rim = 1.0 / np.maximum(np.abs(cosine), np.abs(sine))
        cosine, sine = cosine * rim, sine * rim
    middle_x, middle_y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    across = (boxes[:, 2] - boxes[:, 0])[:, None] / 2 * cosine
    down = (boxes[:, 3] - boxes[:, 1])[:, None] / 2 * sine
    hit = np.zeros(across.shape, np.bool_)
    for radius in (0.86, 0.91, 0.96):
        column = (middle_x[:, None] + np.float32(radius) * across).astype(np.int32)
        row = (middle_y[:, None] + np.float32(radius) * down).astype(np.int32)
        np.clip(column, 0, columns - 1, out=column)
        np.clip(row, 0, rows - 1, out=row)
        row *= columns
        row += column
        hit |= thick[row]
    return np.asarray(hit.mean(axis=1), np.float32)


@dataclass(frozen=True)
class _Measured:
    """What several traits are made of: planes of the page, and sums within its boxes, each (N,)."""

    inks: Inks
    boxes: Boxes
    width: Floats
    height: Floats
    area: Floats
    ink: Floats  # the planes of `inks` as numbers, (H, W), and where either has ink
    other: Floats
    either: Floats
    ink_sums: _Sums
    ink_inside: Floats
    inside: Floats  # the same, where there is none taken for half a pixel
    marked: Floats  # ink and other ink, likewise


def describe(inks: Inks, boxes: Boxes) -> dict[str, Floats]:
    """Traits of each box (pixels of the planes of `inks`), by name, each (N,) float32."""
    of = _measured(inks, boxes)
    aspect = np.log2(of.width / of.height)
    found = {
        "size": np.log2(np.maximum(of.width, of.height) / inks.letter),
        "height": np.log2(of.height / inks.letter),
        "aspect": aspect,
        "squareness": np.abs(aspect),
        "density": np.log2(of.marked / of.area),
        **_surroundings(of),
        **_colours(of),
        **_strokes(of),
        **_directions(of),
        **_ground(of),
        "page": np.full(len(boxes), np.log2(float(of.ink.mean()) + 0.002)),
        "page_colour": np.full(len(boxes), np.log2(float(of.other.mean()) + 0.0005)),
    }
    return {name: np.asarray(value, np.float32) for name, value in found.items()}


def _measured(inks: Inks, boxes: Boxes) -> _Measured:
    ink, other = np.asarray(inks.ink, np.float32), np.asarray(inks.other, np.float32)
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    either, ink_sums = np.maximum(ink, other), _sums(ink)
    ink_inside = _within(ink_sums, boxes)
    return _Measured(
        inks,
        boxes,
        width,
        height,
        area=np.maximum(width * height, 1.0),
        ink=ink,
        other=other,
        either=either,
        ink_sums=ink_sums,
        ink_inside=ink_inside,
        inside=np.maximum(ink_inside, 0.5),
        marked=np.maximum(_within(_sums(either), boxes), 0.5),
    )


def _surroundings(of: _Measured) -> dict[str, Floats]:
    """How much ink is around a box, and runs into it."""
    letter, width, height = of.inks.letter, of.width, of.height
    strips = _beside(of.boxes, letter)
    left, right, above, below = (
        np.minimum(_within(of.ink_sums, strip) / (letter * side) / _WRITING, 3.0)
        for strip, side in zip(strips, (height, height, width, width), strict=True)
    )
    wide = _within(of.ink_sums, _widened(of.boxes, 3 * letter)) - of.inside
    wide /= (width + 6 * letter) * (height + 6 * letter) - width * height
    corner = _within(of.ink_sums, _widened(of.boxes, 0.3 * letter)) - of.inside
    corner /= np.maximum((width + 0.6 * letter) * (height + 0.6 * letter) - width * height, 1.0)
    # Strokes that run on beyond the box: it holds a part of something.
    cut = (_within(of.ink_sums, _widened(of.boxes, 2.0)) - of.inside) / (2.0 * letter)
    return {
        "left": np.minimum(left, right),
        "right": np.maximum(left, right),
        "above": np.minimum(above, below),
        "below": np.maximum(above, below),
        "rim": np.minimum(corner / _WRITING, 3.0),
        "cut": np.log2(1.0 + np.maximum(cut, 0.0) * 4.0),
        "wide": np.minimum(wide / _WRITING, 3.0),
    }


def _colours(of: _Measured) -> dict[str, Floats]:
    """How much of what a box holds is of another ink than the writing's, or fainter."""
    other_sums, faint_sums = _sums(of.other), _sums(of.inks.faint)
    near = _widened(of.boxes, 0.7 * of.inks.letter)
    coloured = _within(other_sums, of.boxes)
    across = _within(_sums(of.inks.across * of.either), of.boxes) / of.marked
    pale = _within(faint_sums, of.boxes)
    return {
        "coloured": np.minimum(coloured / of.marked, 1.0),
        "coloured_alone": coloured / np.maximum(_within(other_sums, near), 0.5),
        "coloured_share": np.log2(coloured / of.area + 0.003),
        "across": np.log2(across + 0.01),
        "pale": pale / of.marked,
        "pale_alone": pale / np.maximum(_within(faint_sums, near), 0.5),
    }


def _strokes(of: _Measured) -> dict[str, Floats]:
    """How dark, broad and long a box's strokes are, and what they enclose."""
    inks, boxes, mask, letter = of.inks, of.boxes, of.inks.ink, of.inks.letter
    dark = _within(_sums(inks.density * of.ink), boxes) / of.inside
    usual_dark = float(inks.density[inks.bold > 0].mean()) if inks.bold.any() else 1.0
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    stroke = _within(_sums(depth), boxes) / np.maximum(of.ink_inside, 1.0)
    usual_stroke = float(depth[mask > 0].mean()) if mask.any() else 1.0
    ruled = _within(_sums(inks.rules), _widened(boxes, 0.5 * letter)) / letter
    return {
        "dark": np.log2(dark / max(usual_dark, 0.01) + 0.05),
        "depth": np.log2(dark + 0.05),
        "stroke": np.log2(np.maximum(stroke, 0.2) / usual_stroke),
        "pieces": _within(_sums(_piece_sizes(mask, letter) * of.ink), boxes) / of.inside,
        "firm": _within(_sums(inks.firm), boxes) / of.inside,
        "hole": _within(_sums(_holes(mask, letter)), boxes) / of.area,
        "ring": _on_outline(mask, boxes, False),
        "frame": _on_outline(mask, boxes, True),
        "other_ring": _on_outline(inks.other, boxes, False),
        "ruled": np.log2(1.0 + np.maximum(ruled, 0.0)),
    }


def _directions(of: _Measured) -> dict[str, Floats]:
    """How unlike the page's are a box's directions, as doubled angles.

    Writing slants one way, a drawing's strokes go every way.
    """
    soft = cv2.GaussianBlur(of.inks.density, (0, 0), 0.8)
    dx, dy = cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    near = (of.either > 0).astype(np.float32)
    energy, cosine, sine = (
        (dx * dx + dy * dy) * near,
        (dx * dx - dy * dy) * near,
        dx * dy * near * 2,
    )
    total = max(float(energy.sum()), 1e-6)
    here = np.maximum(_within(_sums(energy), of.boxes), 1e-6)
    cosine_here = _within(_sums(cosine), of.boxes) / here
    sine_here = _within(_sums(sine), of.boxes) / here
    slant = np.hypot(cosine_here - cosine.sum() / total, sine_here - sine.sum() / total)
    return {"slant": np.asarray(slant, np.float32)}


def _ground(of: _Measured) -> dict[str, Floats]:
    """What a box lies on: how near the edge, how much off the sheet, on what paper."""
    inks, boxes, letter = of.inks, of.boxes, of.inks.letter
    rows, columns = of.ink.shape
    to_edge = np.minimum.reduce(
        [boxes[:, 0], boxes[:, 1], columns - boxes[:, 2], rows - boxes[:, 3]]
    )
    on_sheet = _within(_sums(inks.sheet), _widened(boxes, 1.5 * letter))
    on_sheet /= (of.width + 3 * letter) * (of.height + 3 * letter)
    ground = _widened(boxes, 0.5 * letter)
    ground_area = (of.width + letter) * (of.height + letter)
    strange = _within(_sums(inks.strange), ground) / ground_area
    steps = _within(_sums(inks.steps), ground) / ground_area
    return {
        "to_edge": np.minimum(np.maximum(to_edge, 0.0) / letter, 2.0),
        "off_sheet": 1.0 - on_sheet,
        "strange": np.log2(strange + 0.03),
        "steps": np.log2(steps + 0.02),
    }
