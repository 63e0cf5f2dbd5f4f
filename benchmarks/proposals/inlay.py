"""Lays drawn marks into pictures of real pages, so that it is known where on them marks are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.binarise import optical_density, paper_colour
from ingest.inks import Inks
from retrieval.boxes import Edges
from retrieval.ink import Pixels
from retrieval.strokes.hand import random_hand
from retrieval.strokes.merchant import merchant_mark
from retrieval.strokes.pen import draw
from retrieval.strokes.program import random_program
from retrieval.strokes.rings import ringed_mark

Ink = NDArray[np.float32]  # (H, W) in 0..1

#: What is laid in: a merchant's mark in the page's own ink, in the margin, across the writing, in
#: the margin over the numbers of its bales, or in a gap that the clerk left in a line; and in
#: stamping ink anywhere a ringed stamp, one of some lines of print, of one line, a full seal.
Sort = Literal["margin", "across", "numbered", "gap", "ring", "lines", "line", "seal"]
#: A mark or a stamp wherever one might be ...
ANYWHERE: tuple[Sort, ...] = ("margin", "across", "ring", "lines", "line", "seal")
#: ... and marks where a ship's clerk sets them.
AMONG_WRITING: tuple[Sort, ...] = ("numbered", "gap")
#: ... or anyone who writes with the page's own ink.
BY_CLERKS: tuple[Sort, ...] = ("gap", "numbered", "gap", "margin", "gap", "across")

#: Longer side in letter heights, smallest and largest.
_SIZES: dict[Sort, tuple[float, float]] = {
    "margin": (1.5, 6.0),
    "across": (1.5, 6.0),
    "numbered": (1.5, 5.0),
    "gap": (1.5, 4.0),
    "ring": (1.6, 14.0),
    "lines": (2.5, 16.0),
    "line": (3.0, 16.0),
    "seal": (1.5, 5.0),
}
#: Light that stamping inks take in red, green and blue: red, violet, blue, green, brown, black.
_STAMPING = (
    (0.1, 0.9, 0.8),
    (0.6, 0.9, 0.4),
    (0.9, 0.6, 0.2),
    (0.8, 0.3, 0.7),
    (0.3, 0.7, 0.9),
    (1.0, 1.0, 1.0),
)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
)
#: Ink fainter than this share of full ink does not count into a mark's box.
_VISIBLE = 0.2
_TRIES = 300


@dataclass(frozen=True)
class InlaidPage:
    """A picture, (H, W, 3) uint8 RGB, and the boxes of the marks that were laid into it."""

    image: Pixels
    boxes: tuple[Edges, ...]
    sorts: tuple[Sort, ...]


def lay_marks_in(
    page: Pixels,
    inks: Inks,
    rng: np.random.Generator,
    count: int,
    taken: Sequence[Edges] = (),
    sorts: Sequence[Sort] = ANYWHERE,
) -> InlaidPage:
    """Lay up to `count` marks into `page`, whose inks are `inks`, the `sorts` in turn.

    They stay off `taken` and off each other, on paper, and are saved as JPEG once more. A page on
    which there is no writing to take the ink from comes back as it is.
    """
    own_ink = writing_ink(page, inks)
    if own_ink is None:
        return InlaidPage(page, (), ())
    page_is_grey = float(np.ptp(page[::4, ::4].astype(np.int16), axis=2).mean()) < 3
    light = page.astype(np.float32)
    paper = paper_colour(page, 36)
    boxes: list[Edges] = []
    laid: list[Sort] = []
    places = _Places(inks, page.shape[1] / inks.ink.shape[1])
    for kind in rng.permutation(np.arange(count) % len(sorts)):
        sort = sorts[int(kind)]
        low, high = _SIZES[sort]
        side = int(math.exp(rng.uniform(math.log(low), math.log(high))) * places.letter)
        if not 20 <= side <= max(page.shape) // 3:
            continue
        ink = _trimmed(_drawn(sort, side, rng))
        if ink is None:
            continue
        height, width = ink.shape
        whole = _numbered(ink, places.letter, rng) if sort == "numbered" else ink
        if not (corner := places.find(sort, whole.shape, rng, [*taken, *boxes])):
            continue
        x, y = corner
        if sort in ("ring", "lines", "line", "seal"):
            whole, colour = _stamped(whole, page_is_grey, rng)
        else:
            colour = own_ink * rng.uniform(0.6, 1.3)
        if sort == "gap":
            _clear(light, paper, (x, y, x + width, y + height), places.letter, rng)
        light[y : y + len(whole), x : x + whole.shape[1]] *= np.exp(-whole[..., None] * colour)
        boxes.append((x, y, x + width, y + height))
        laid.append(sort)
    image = np.clip(light, 0, 255).astype(np.uint8)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(70, 95))]
    _, file = cv2.imencode(".jpg", np.ascontiguousarray(image[..., ::-1]), quality)
    decoded = np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR), np.uint8)
    return InlaidPage(np.ascontiguousarray(decoded[..., ::-1]), tuple(boxes), tuple(laid))


def writing_ink(page: Pixels, inks: Inks) -> NDArray[np.float32] | None:
    """Return the optical density of the page's darker ink, (3,); None where there is little."""
    size = (inks.ink.shape[1], inks.ink.shape[0])
    small = np.asarray(cv2.resize(page, size, interpolation=cv2.INTER_AREA), np.uint8)
    density = optical_density(small, paper_colour(small, 36))[inks.bold > 0]
    if len(density) < 100:
        return None
    mean = density.mean(axis=1)
    return np.asarray(np.median(density[mean >= np.median(mean)], axis=0), np.float32)


class _Places:
    """Where on a page a mark may be laid."""

    def __init__(self, inks: Inks, scale: float) -> None:
        self.letter = inks.letter * scale
        self._scale = scale
        self._shape = inks.ink.shape
        unfit = (inks.sheet == 0) | (inks.strange > 0.4) | (inks.steps > 0.35)
        self._unfit = _sums(unfit.astype(np.uint8))
        self._ink = _sums(inks.ink)

    def find(
        self, sort: Sort, shape: tuple[int, ...], rng: np.random.Generator, taken: Sequence[Edges]
    ) -> tuple[int, int] | None:
        """Return the left upper corner of a place for (height, width) pixels; None: there is none.

        Marks in the margin stand clear, but not far from writing; those across it and in gaps
        have ink beneath them; stamps stand where there is room, or across writing, half and half.
        """
        height, width = (round(side / self._scale) for side in shape[:2])
        rows, columns = self._shape
        near = 6 * self.letter / self._scale
        on_writing, off_writing = ("across", "gap"), ("margin", "numbered")
        across = sort in on_writing or (sort not in off_writing and rng.random() < 0.5)
        gap = self.letter
        if width + 10 >= columns or height + 10 >= rows:
            return None
        for _ in range(_TRIES):
            x, y = (
                int(rng.integers(5, columns - width - 4)),
                int(rng.integers(5, rows - height - 4)),
            )
            share = _share(self._ink, x, y, x + width, y + height)
            if (0.025 < share < 0.12) if across else share < 0.012:
                around = _share(self._ink, x - near, y - near, x + width + near, y + height + near)
                if around < 0.008 or _share(self._unfit, x, y, x + width, y + height) > 0.02:
                    continue
                left, top = round(x * self._scale), round(y * self._scale)
                right, bottom = left + shape[1] + gap, top + shape[0] + gap
                if all(
                    right < one[0] or one[2] + gap < left or bottom < one[1] or one[3] + gap < top
                    for one in taken
                ):
                    return left, top
        return None


def _sums(plane: Pixels) -> NDArray[np.int32]:
    return np.asarray(cv2.integral(plane), np.int32)


def _share(sums: NDArray[np.int32], x0: float, y0: float, x1: float, y1: float) -> float:
    """Return the mean of the plane with these sums inside a box, cut to the plane."""
    rows, columns = sums.shape
    left, right = (min(max(int(x), 0), columns - 1) for x in (x0, x1))
    top, bottom = (min(max(int(y), 0), rows - 1) for y in (y0, y1))
    total = int(sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left])
    area: int = (right - left) * (bottom - top)
    return total / max(area, 1)


def _drawn(sort: Sort, side: int, rng: np.random.Generator) -> Ink:
    """Return a mark's ink in a square of `side` pixels."""
    if sort in ("margin", "across", "numbered", "gap"):
        program = merchant_mark(rng) if rng.random() < 0.8 else random_program(rng)
        ink = draw(program, random_hand(rng), rng, max(side, 32))
    elif sort == "ring":
        ink = draw(ringed_mark(rng), random_hand(rng), rng, max(side, 96))
    elif sort == "seal":
        ink = _seal(max(side, 64), rng)
    else:
        ink = _print(max(side, 128), 1 if sort == "line" else int(rng.integers(2, 6)), rng)
    return np.asarray(cv2.resize(ink, (side, side), interpolation=cv2.INTER_AREA), np.float32)


def _numbered(ink: Ink, letter: float, rng: np.random.Generator) -> Ink:
    """Return a mark's ink with a line such as "N 7 - 29" below it, as wide as needed."""
    first = int(rng.integers(1, 90))
    text = f"N {first} - {first + int(rng.integers(1, 60))}"
    size = letter * float(rng.uniform(0.6, 1.0)) / 22  # the font's capitals are 22 pixels high
    pen = max(1, round(letter / 9))
    (wide, high), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, size, pen)
    height, width = ink.shape
    baseline = height + int(letter * rng.uniform(0.15, 0.8)) + high + pen
    sheet = np.zeros((baseline + below + pen, max(width, wide + 2 * pen)), np.uint8)
    where = (pen, baseline)
    cv2.putText(sheet, text, where, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, size, 255, pen, cv2.LINE_AA)
    whole: Ink = np.asarray(sheet / 255, np.float32)
    whole[:height, :width] = ink
    return whole


def _clear(light: Ink, paper: Pixels, box: Edges, letter: float, rng: np.random.Generator) -> None:
    """Leave paper in and around a box: less above and below it than on its sides."""
    left, top, right, bottom = box
    beside, above = (int(letter * rng.uniform(*reach)) for reach in ((0.2, 1.0), (0.0, 0.4)))
    rows = slice(max(0, top - above), bottom + above)
    columns = slice(max(0, left - beside), right + beside)
    light[rows, columns] = paper[rows, columns]


def _seal(side: int, rng: np.random.Generator) -> Ink:
    """Return a full disc with a ragged edge, in which a device is left open."""
    turns = np.linspace(0, 2 * math.pi, 64, endpoint=False)
    radii = 0.46 + 0.015 * np.cos(turns[:, None] * np.arange(2, 7) + rng.uniform(0, 6, 5)).sum(1)
    squash = float(rng.uniform(0.75, 1.0))
    edge = np.stack([radii * np.cos(turns), radii * np.sin(turns) * squash], axis=1)
    disc = np.zeros((side, side), np.uint8)
    outline = np.round((edge + 0.5) * side).clip(0, side - 1).astype(np.int32)
    cv2.fillPoly(disc, [outline], 255, cv2.LINE_AA)
    inner = max(32, int(0.6 * side))
    device = np.zeros((side, side), np.float32)
    at = (side - inner) // 2
    device[at : at + inner, at : at + inner] = draw(
        merchant_mark(rng), random_hand(rng), rng, inner
    )
    return np.asarray(disc / 255 * (1 - rng.uniform(0.5, 1.0) * device), np.float32)


def _print(side: int, lines: int, rng: np.random.Generator) -> Ink:
    """Return so many lines of printed letters, sometimes framed, a little askew."""
    sheet = np.zeros((side, side), np.uint8)
    height = side * float(rng.uniform(0.05, 0.09) if lines == 1 else rng.uniform(0.08, 0.15))
    font = _FONTS[int(rng.integers(len(_FONTS)))]
    words = (1, 5) if lines == 1 else (1, 4)
    y = side / 2 - height * 1.6 * (lines - 1) / 2
    for _ in range(lines):
        text = " ".join(
            "".join(_LETTERS[int(at)] for at in rng.integers(0, 52, int(rng.integers(2, 10))))
            for _ in range(int(rng.integers(*words)))
        )
        (wide, _), _ = cv2.getTextSize(text, font, 1.0, 1)
        size = min(height / 22, 0.92 * side / wide)
        width = size * wide
        where = (int(side / 2 - width / 2), int(y + size * 11))
        cv2.putText(sheet, text, where, font, size, 255, max(1, round(size * 1.8)), cv2.LINE_AA)
        y += height * 1.6
    rows, columns = np.nonzero(sheet)
    if rng.random() < 0.3 and len(rows):
        away = int(height * rng.uniform(0.4, 0.8))
        low = (max(1, columns.min() - away), max(1, rows.min() - away))
        high = (min(side - 2, columns.max() + away), min(side - 2, rows.max() + away))
        cv2.rectangle(sheet, low, high, 255, max(1, side // 90), cv2.LINE_AA)
    askew = cv2.getRotationMatrix2D((side / 2, side / 2), float(rng.normal(0, 4)), 0.97)
    return np.asarray(cv2.warpAffine(sheet, askew, (side, side)) / 255, np.float32)


def _stamped(
    ink: Ink, page_is_grey: bool, rng: np.random.Generator
) -> tuple[Ink, NDArray[np.float32]]:
    """Return the ink as a stamp leaves it, blurred and worn, and its optical density, (3,).

    From hardly visible to as dark as writing; one in four is missing on one side.
    """
    height, width = ink.shape
    ink = np.asarray(cv2.GaussianBlur(ink, (0, 0), float(rng.uniform(0.4, 1.2))), np.float32)
    if rng.random() < 0.6:
        coarse = rng.normal(size=(6, 6)).astype(np.float32)
        patches = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        ink = np.asarray(ink * np.clip(1 + 0.5 * patches, 0, 1.3), np.float32)
    if rng.random() < 0.25:
        angle = float(rng.uniform(0, 2 * math.pi))
        x, y = np.linspace(-1, 1, width), np.linspace(-1, 1, height)[:, None]
        along = x * math.cos(angle) + y * math.sin(angle) + float(rng.uniform(0.2, 0.8))
        ink = np.asarray(ink * np.clip(2 * along + 0.5, 0.1, 1), np.float32)
    hue = _STAMPING[-1 if page_is_grey else int(rng.integers(len(_STAMPING)))]
    strength = math.exp(rng.uniform(math.log(0.12), math.log(0.8)))
    colour = np.array(hue, np.float32) * strength * rng.uniform(0.8, 1.2, 3)
    if page_is_grey:
        colour[:] = colour.mean()
    return ink, np.asarray(colour, np.float32)


def _trimmed(ink: Ink) -> Ink | None:
    """Return the ink without the blank around it; None where there is next to nothing."""
    rows, columns = np.nonzero(ink > _VISIBLE)
    if len(rows) < 20:
        return None
    return ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
