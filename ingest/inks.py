"""The inks of a page: which pixels are ink, which of them are not the ink of the writing."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ingest.binarise import Floats, optical_density, paper_colour, sauvola_threshold
from retrieval.ink import Pixels

#: Ink takes at least this optical density from the paper (0.1 = 10 % of the light), or it is dirt.
_FAINTEST = 0.10
#: Sine of the angle between an ink's colour and the writing's, from which on it is another ink.
_OTHER_HUE = 0.22
#: Least density across the writing's colour: below it the hue is noise of the JPEG.
_OTHER_FAINTEST = 0.035
#: Strokes of another ink stand out by this factor from what lies around them; stains do not.
_OTHER_RELIEF = 1.3
#: A rule, a frame or an edge is a straight line of at least this many letter heights, and of this
#: share of the page: a mark's staff is shorter.
_RULE_LENGTH, _RULE_SHARE = 7.0, 0.08
#: A letter's height lies between these shares of the distance from line to line.
_LETTER_SHARE = (0.28, 0.55)
#: Strips of the page in which lines are counted, each too narrow for their slope to matter.
_STRIPS = 8
#: Least correlation of a strip's profile with itself one line further down.
_REGULAR = 0.25


@dataclass(frozen=True)
class Inks:
    """One page taken apart, at half its size; planes are (H, W), masks uint8 with 1 = ink."""

    ink: Pixels  # all ink on paper, ruled lines taken away
    bold: Pixels  # the part of it that is about as dark as the writing
    faint: Pixels  # the part far from any bold ink: faint stamps, bleed-through, pencil
    between: Pixels  # the part outside the bodies of the lines of writing
    other: Pixels  # ink whose colour is not the writing's: stamps, coloured pencil
    rules: Pixels  # long straight lines: ruling, frames, the sheet's edges
    density: Floats  # optical density, mean of the channels
    across: Floats  # density across the colour of the writing
    sheet: Pixels  # 1 where there is paper, 0 on the scanner's bed and in deep shadow
    strange: Floats  # how unlike the paper under the writing the ground is, as a density
    firm: Pixels  # strokes broader than most of the writing's: a mark that letters run into
    steps: Floats  # how much the ground changes within a letter or two: edges of sheets, folds
    pieces: Floats  # boxes of the connected pieces of ink, (N, 4), as sharp as the page was
    letter: float  # height of this page's letters, pixels of these planes


def _halved(plane: npt.NDArray[np.uint8]) -> Pixels:
    size = (max(1, plane.shape[1] // 2), max(1, plane.shape[0] // 2))
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8)


def _halved_mask(mask: Pixels) -> Pixels:
    """A mask at half its size; a pixel is ink if more than a quarter of it is."""
    return (_halved(mask * np.uint8(255)) > 70).astype(np.uint8)


def _mean(planes: Floats) -> Floats:
    """Mean of the three channels, (H, W); several times faster than along the last axis."""
    return np.asarray(cv2.transform(planes, np.full((1, 3), 1 / 3, np.float32)), np.float32)


def _sheet(paper: Pixels) -> Pixels:
    """Where there is paper: not the scanner's bed, not the fold's shadow; (H, W) uint8."""
    red, green, blue = cv2.split(paper)
    light = np.asarray(cv2.max(cv2.max(red, green), blue), np.uint8)
    level = np.percentile(light[::4, ::4], 75)
    return np.asarray(light > 0.5 * level, np.uint8)


def _ground(paper: Pixels, bold: Pixels, letter: float) -> tuple[Floats, Floats]:
    """How far the ground is from the paper under the writing, and how much it changes there.

    Both as optical densities, (H, W): a grey mount, a book's fore-edge and the bed are strange,
    the edge of a sheet is a step.
    """
    coarse = np.log(np.maximum(paper[::2, ::2], 8).astype(np.float32))
    written = bold[::2, ::2] > 0
    usual = np.median(coarse[written] if written.any() else coarse.reshape(-1, 3), axis=0)
    away = coarse - np.asarray(usual, np.float32)
    strange = np.sqrt(np.einsum("ijk,ijk->ij", away, away) / 3.0)
    side = max(3, int(0.75 * letter)) | 1
    light = cv2.GaussianBlur(_mean(coarse), (0, 0), 1.0)
    steps = cv2.morphologyEx(light, cv2.MORPH_GRADIENT, np.ones((side, side), np.uint8))
    size = (paper.shape[1], paper.shape[0])
    whole = [cv2.resize(np.minimum(plane, 1.0), size) for plane in (strange, steps)]
    return np.asarray(whole[0], np.float32), np.asarray(whole[1], np.float32)


def _ink_direction(density: Floats, bold: Pixels) -> Floats:
    """Colour of the writing as a unit vector of optical densities, (3,) float32."""
    values = density[bold > 0]
    if len(values) < 50:
        return np.full(3, 3**-0.5, dtype=np.float32)
    lengths = np.maximum(np.linalg.norm(values, axis=1), 1e-6)
    strong = lengths >= np.median(lengths)
    direction = np.median(values[strong] / lengths[strong, None], axis=0)
    return np.asarray(direction / max(float(np.linalg.norm(direction)), 1e-6), dtype=np.float32)


def letter_height(ink: Pixels, bold: Pixels) -> float:
    """Height of the letters in pixels: that of the connected piece in which the median ink lies.

    Pieces are weighted by the root of their ink, so that neither dots nor words that grew together
    rule, and only those count that are `bold` for the greater part: bleed-through is in pieces.
    It comes out between a small letter and one with an ascender.
    """
    labels, stats = connected_pieces(ink)
    areas = stats[:, cv2.CC_STAT_AREA]
    heights, widths = stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_WIDTH]
    dark = np.bincount(labels[bold > 0], minlength=len(stats))
    kept = (heights >= 5) & (areas >= 12) & (2 * dark > areas)
    kept &= np.maximum(heights, widths) < max(ink.shape) / 8
    kept[0] = False
    distance = line_distance(bold)
    if kept.sum() >= 5:
        heights, weights = heights[kept], np.sqrt(areas[kept])
        order = np.argsort(heights)
        running = np.cumsum(weights[order])
        middle = float(heights[order][int(np.searchsorted(running, running[-1] / 2))])
    else:  # too little writing to tell: as on a page of sixty lines
        middle = max(ink.shape) / 80
    if distance is not None:  # words that grew together, or strokes in pieces, mislead
        low, high = _LETTER_SHARE
        middle = min(max(middle, low * distance), high * distance)
    return float(np.clip(middle, 6.0, max(6.0, max(ink.shape) / 20)))


def line_distance(bold: Pixels) -> float | None:
    """Distance from one line of writing to the next in pixels; None where lines are not regular.

    It is the first strong peak in the autocorrelation of the rows' ink, strip by strip.
    """
    height, width = bold.shape
    longest = min(height // 3, max(height, width) // 8)
    if longest < 20 or width < _STRIPS:
        return None
    total = np.zeros(longest)
    for strip in np.array_split(bold, _STRIPS, axis=1):
        rows = strip.sum(axis=1, dtype=np.float64)
        rows = cv2.GaussianBlur(rows[:, None], (1, 9), 0)[:, 0] - rows.mean()
        power = np.abs(np.fft.rfft(rows, 2 * height)) ** 2
        # Strips without writing have no power and no say.
        total += np.fft.irfft(power)[:longest]
    if total[0] <= 0:
        return None
    total /= total[0]
    peaks = 1 + np.flatnonzero((total[1:-1] > total[:-2]) & (total[1:-1] >= total[2:]))
    peaks = peaks[(peaks >= 12) & (total[peaks] > _REGULAR)]
    if not len(peaks):
        return None
    # A line's double may correlate better than the line itself: the first that comes near the best.
    return float(peaks[total[peaks] > 0.7 * total[peaks].max()][0])


def _bold(ink: Pixels, flat: Pixels) -> Pixels:
    """The ink at least 0.4 times as dense as the darkest tenth: the writing, not its shadow."""
    values = flat[ink > 0]
    if not values.size:
        return ink.copy()
    darkest = max(float(np.percentile(values, 10)), 8.0)
    return ink & np.asarray(flat < 255.0 * (darkest / 255.0) ** 0.4, np.uint8)


def _lines_of_writing(ink: Pixels, letter: float) -> Pixels:
    """The bodies of the lines of writing, (H, W) uint8: long, low strips full of ink."""
    length, height = max(5, int(5 * letter)), max(3, int(0.4 * letter)) | 1
    # A line is full of ink to the right of its first letter and to the left of its last.
    ahead, behind = (
        cv2.boxFilter(
            ink, cv2.CV_32F, (length, height), anchor=(at, -1), borderType=cv2.BORDER_CONSTANT
        )
        for at in (0, length - 1)
    )
    share = np.maximum(ahead, behind)
    full = share[share > 0.05]
    if not full.size:
        return np.zeros_like(ink)
    return np.asarray(share > 0.6 * np.percentile(full, 90), np.uint8)


def straight_lines(ink: Pixels, length: int) -> Pixels:
    """Rules, frames and paper edges: runs of ink along or across the page; (H, W) uint8."""
    # Lines a little askew break into steps: thicken them across, never along, or the letters of a
    # word would grow together into a line.
    along = cv2.dilate(ink, np.ones((3, 1), np.uint8))
    along = cv2.morphologyEx(along, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    down = cv2.dilate(ink, np.ones((1, 3), np.uint8))
    down = cv2.morphologyEx(down, cv2.MORPH_OPEN, np.ones((length, 1), np.uint8))
    return np.asarray(cv2.bitwise_or(along, down), dtype=np.uint8)


def firm_strokes(ink: Pixels) -> Pixels:
    """The ink without strokes thinner than the usual one, and without the thin joints of others.

    A pen's width is read from the ridges of the distance transform, where strokes are deepest.
    """
    depth = cv2.distanceTransform(ink, cv2.DIST_L2, 3)
    ridge = (depth > 0) & (depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8)))
    if not ridge.any():
        return np.zeros_like(ink)
    side = max(2, round(2.0 * float(np.median(depth[ridge]))))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.morphologyEx(ink, cv2.MORPH_OPEN, disc), np.uint8)


def connected_pieces(ink: Pixels) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Which piece each pixel of a mask belongs to, (H, W), and OpenCV's table of the pieces.

    Pixels touch at their corners too; piece 0 is the ground. Grana's blocks (2010) number them as
    OpenCV's default does, in little more than half of the time.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
        ink, 8, cv2.CV_32S, cv2.CCL_GRANA
    )
    return np.asarray(labels, np.int32), np.asarray(stats, np.int32)


def piece_boxes(ink: Pixels) -> Floats:
    """Boxes of the connected pieces of a mask, (N, 4)."""
    _, stats = connected_pieces(ink)
    boxes = stats[1:, :4].astype(np.float32)
    boxes[:, 2:] += boxes[:, :2]
    return boxes


def separate_inks(image: Pixels) -> Inks:
    """Take a page, (H, W, 3) uint8 RGB, apart into paper, writing and other inks."""
    # Ink is told from paper at the full size given, where strokes are sharp ...
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    reach = max(24, max(grey.shape) // 22)
    flat = np.asarray(
        cv2.divide(grey, np.maximum(paper_colour(grey, reach), 1), scale=255), np.uint8
    )
    window = max(15, max(grey.shape) // 40) | 1
    ink = (flat <= sauvola_threshold(flat, window, 0.12)).astype(np.uint8)
    ink &= (flat < 255.0 * np.exp(-_FAINTEST)).astype(np.uint8)
    bold = _bold(ink, flat)
    letter = letter_height(ink, bold)
    rule = int(max(_RULE_LENGTH * letter, _RULE_SHARE * max(grey.shape)))
    rules = straight_lines(ink, rule)
    ink &= 1 - rules
    firm = firm_strokes(ink)
    pieces = np.asarray(np.concatenate([piece_boxes(ink), piece_boxes(firm)]) / 2.0, np.float32)

    # ... everything else is coarser than strokes, and a quarter of the work at half of it.
    letter /= 2.0
    small = _halved(image)
    paper = paper_colour(small, max(12, reach // 2))
    density = optical_density(small, paper)
    sheet = _sheet(paper)
    rim = np.asarray(cv2.erode(sheet, np.ones((5, 5), np.uint8), borderValue=0), np.uint8)
    ink, rules = _halved_mask(ink) & rim, _halved_mask(rules)
    bold = ink & _halved_mask(bold)
    firm = _halved_mask(firm) & rim
    faint = ink & np.asarray(1 - cv2.dilate(bold, np.ones((3, 3), np.uint8)), np.uint8)
    between = ink & (1 - _lines_of_writing(bold, letter))

    strange, steps = _ground(paper, bold, letter)
    direction = _ink_direction(density, bold)
    soft = cv2.GaussianBlur(density, (0, 0), 0.6)
    squared = np.einsum("ijk,ijk->ij", soft, soft)
    across = np.sqrt(np.maximum(squared - np.square(soft @ direction), 0.0))
    noise = float(np.median(across[sheet > 0])) if sheet.any() else 0.0
    side = int(3 * letter) | 1
    level = cv2.boxFilter(across, cv2.CV_32F, (side, side))
    other = (across > max(_OTHER_FAINTEST, 6.0 * noise)) & (across > _OTHER_RELIEF * level)
    other &= across > _OTHER_HUE * np.sqrt(squared)
    coloured = other.astype(np.uint8) & rim
    coloured &= 1 - straight_lines(coloured, max(3, rule // 2))
    return Inks(
        ink=ink,
        bold=bold,
        faint=faint,
        between=between,
        other=coloured,
        rules=rules,
        density=_mean(density),
        across=np.asarray(across, np.float32),
        sheet=sheet,
        strange=strange,
        firm=firm,
        steps=steps,
        pieces=pieces,
        letter=letter,
    )
