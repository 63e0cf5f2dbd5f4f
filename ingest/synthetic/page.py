"""Composes one page: a document's text, its merchants' marks, its paper, and how it was scanned."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.synthetic.handwriting import (
    Scribe,
    Writing,
    ink_writing,
    random_scribe,
    text_width,
    write_line,
    write_paraph,
    write_word,
)
from ingest.synthetic.paper import Sheet, draw_paper, lay_on_table, random_sheet
from ingest.synthetic.records import IDENTITY, PAGE, Document
from ingest.synthetic.wording import GOODS, SALUTATIONS, TEXTS
from retrieval.strokes.hand import random_hand
from retrieval.strokes.merchant import merchant_mark
from retrieval.strokes.pen import draw
from retrieval.strokes.program import Program

Place = Literal["margin", "text"]

#: Height of a letter in x-heights, midway between short and tall ones; marks are measured in it.
LETTER_HEIGHT = 1.6

#: Ink fainter than this share of full ink does not count into a mark's box.
_VISIBLE = 0.2


@dataclass(frozen=True)
class PlacedMark:
    """A mark on a page: its identity, its tight box in page pixels, and where it stands."""

    identity: int
    x: int
    y: int
    width: int
    height: int
    place: Place


@dataclass(frozen=True)
class DrawnPage:
    """A page as a picture, (H, W, 3) uint8 RGB, and the marks on it."""

    image: NDArray[np.uint8]
    marks: tuple[PlacedMark, ...]


def identity_program(seed: int, identity: int) -> Program:
    """Return what identity number `identity` of the archive `seed` draws."""
    return merchant_mark(np.random.default_rng([seed, IDENTITY, identity]))


def draw_mark(
    program: Program, rng: np.random.Generator, side: int, pen: float, turn: float = 0.0
) -> NDArray[np.float32]:
    """Return `program` redrawn by a new hand with a pen about `pen` pixels wide.

    (side, side) float32 ink in [0, 1]; `turn` is the page's own skew in radians. A ship's clerk
    draws a mark upright and in the ink of his text, so the hand's turn, slant and pallor are
    damped.
    """
    hand = random_hand(rng)
    width = float(np.clip(pen * rng.uniform(0.9, 1.7) / side, 0.012, 0.1))
    hand = replace(
        hand,
        pen_width=width,
        turn=0.5 * hand.turn + turn,
        slant=0.6 * hand.slant,
        ink=0.8 + 0.2 * hand.ink,
        starvation=0.5 * hand.starvation,
    )
    return draw(program, hand, rng, side)


@dataclass(frozen=True)
class _Spot:
    """Where a mark is to stand on the flat page: its square, in pixels."""

    identity: int
    x: float
    y: float
    side: int
    place: Place


@dataclass
class _Layout:
    """A page while it is written: the frame for text, the scribe, the strokes, the marks' spots."""

    document: Document
    scribe: Scribe
    leading: float  # from baseline to baseline, pixels
    edge: float  # where the paper begins on the left
    left: float
    right: float
    top: float
    bottom: float
    words: Iterator[str]
    rng: np.random.Generator
    writing: Writing = field(default_factory=Writing)
    spots: list[_Spot] = field(default_factory=list)

    def mark_side(self, low: float, high: float) -> int:
        """Return a mark's size in pixels, from `low` to `high` letter heights."""
        return round(float(self.rng.uniform(low, high)) * LETTER_HEIGHT * self.scribe.x_height)

    def put(self, word: str, x: float, y: float, size: float = 1.0) -> float:
        """Write one word."""
        return write_word(self.writing, self.scribe, word, x, y, self.rng, size)

    def phrase(self, text: str, x: float, y: float, size: float = 1.0) -> float:
        """Write the words of `text` one after another."""
        for word in text.split():
            x = self.put(word, x, y, size) + size * self.scribe.word_gap * self.scribe.x_height
        return x

    def line(
        self, y: float, indent: float = 0.0, breaks: tuple[tuple[float, float], ...] = ()
    ) -> float:
        """Write one ragged line of running text."""
        start = (self.left + indent, y)
        return write_line(
            self.writing, self.scribe, lambda: next(self.words), start, self.right, self.rng, breaks
        )

    def rule(self, start: tuple[float, float], end: tuple[float, float], pen: float) -> None:
        """Draw a rule by hand."""
        points = np.linspace(start, end, 7) + self.rng.normal(0, 0.6, (7, 2))
        self.writing.add(points.astype(np.float32), pen)


def _words(document: Document, rng: np.random.Generator) -> Iterator[str]:
    """Yield the running text of a document without end."""
    text = TEXTS[document.language].split()
    at = int(rng.integers(len(text)))
    while True:
        yield text[at % len(text)]
        at += 1 if rng.random() < 0.93 else int(rng.integers(1, len(text)))
        if rng.random() < 0.03:
            yield str(int(rng.integers(2, 400)))


def _numbers(layout: _Layout, spot: _Spot) -> None:
    """Write the numbers of the bales under their mark, "N° 1 a 20"."""
    if layout.rng.random() < 0.45:
        low = int(layout.rng.integers(1, 60))
        high = low + int(layout.rng.integers(1, 40))
        size = float(layout.rng.uniform(0.7, 0.95))
        y = spot.y + spot.side + 1.5 * size * layout.scribe.x_height
        text = f"N° {low} - {high}"
        most = layout.left - text_width(layout.scribe, text, size) - 1.2 * layout.scribe.x_height
        layout.phrase(text, max(min(spot.x, most), layout.edge + 8), y, size)


def _margin_mark(layout: _Layout, identity: int, y: float, most: float = 5.0) -> _Spot:
    """Set a mark in the margin with its top at `y`; now and then it runs into the text."""
    room = layout.left - layout.edge
    side = min(layout.mark_side(1.8, most), int(room * 0.8))
    if layout.rng.random() < 0.25:
        x = layout.left - side * float(layout.rng.uniform(0.75, 0.95))
    else:
        low, high = layout.edge + 0.12 * room, layout.left - side * 1.1
        x = float(layout.rng.uniform(min(low, high), high))
    spot = _Spot(identity, x, y, side, "margin")
    layout.spots.append(spot)
    return spot


def _sign(layout: _Layout, y: float) -> None:
    """Sign off under the text."""
    scribe, rng = layout.scribe, layout.rng
    x = layout.left + (layout.right - layout.left) * float(rng.uniform(0.4, 0.62))
    size = float(rng.uniform(1.15, 1.7))
    name = layout.document.captain
    x = max(layout.left, min(x, layout.right - text_width(scribe, name, size)))
    end = layout.phrase(name, x, y, size)
    if rng.random() < 0.7:
        write_paraph(
            layout.writing,
            scribe,
            min(end, layout.right) - 6 * scribe.x_height,
            y + size * scribe.x_height,
            rng,
        )


def _heading(layout: _Layout, text: str) -> float:
    """Write a heading; return the baseline of the first line under it."""
    rng = layout.rng
    size = float(rng.uniform(1.2, 1.8))
    y = layout.top + size * 2 * layout.scribe.x_height
    x = layout.left + (layout.right - layout.left) * float(rng.uniform(0, 0.3))
    size = min(size, (layout.right - layout.left) * 0.9 / text_width(layout.scribe, text))
    x = max(layout.left, min(x, layout.right - text_width(layout.scribe, text, size)))
    end = layout.phrase(text, x, y, size)
    if rng.random() < 0.3:
        below = y + 0.9 * size * layout.scribe.x_height
        layout.rule((x, below), (min(end, layout.right), below), layout.scribe.pen * 0.8)
    return y + layout.leading * float(rng.uniform(1.4, 2.4))


def _bill_of_lading(layout: _Layout) -> None:
    """Text in long lines with the mark let into it, or beside it "as in the margin"."""
    rng, document = layout.rng, layout.document
    y = _heading(layout, f"{document.place} {document.date}")
    count = int(rng.integers(12, 27))
    lines = [y + i * layout.leading for i in range(count)]
    lines = [line for line in lines if line < layout.bottom - 4 * layout.leading]
    breaks: dict[int, list[tuple[float, float]]] = {}
    wide = layout.right - layout.left
    in_margin = rng.random() < 0.3
    stacked = max(1, (len(lines) - 3) // max(1, len(document.identities)))
    for nth, identity in enumerate(document.identities):
        first = min(2 + nth * stacked + int(rng.integers(0, 2)), max(1, len(lines) - 3))
        cap = lines[first] - 1.9 * layout.scribe.x_height
        if in_margin:
            most = min(
                5.0, stacked * layout.leading / (LETTER_HEIGHT * layout.scribe.x_height) - 1.5
            )
            _numbers(layout, _margin_mark(layout, identity, cap, max(2.0, most)))
            continue
        most = min(5.0, stacked * layout.leading / (LETTER_HEIGHT * layout.scribe.x_height) - 0.6)
        side = layout.mark_side(1.8, max(2.2, most))
        x = layout.left + float(rng.uniform(0.05, 0.7)) * wide
        layout.spots.append(_Spot(identity, x, cap, side, "text"))
        # Some clerks left too little room, and the text runs into the mark.
        tight = side * (0.14 if rng.random() < 0.25 else -0.08)
        for at, line in enumerate(lines):
            body = (line - 1.2 * layout.scribe.x_height, line)
            if body[0] < cap + side and body[1] > cap:
                breaks.setdefault(at, []).append((x + tight, x + side - tight))
    for at, line in enumerate(lines):
        layout.line(line, 0, tuple(sorted(breaks.get(at, []))))
    end = lines[-1] + layout.leading
    if rng.random() < 0.8:
        layout.line(end + layout.leading, wide * 0.3)
    _sign(layout, min(end + 3 * layout.leading, layout.bottom))


def _letter(layout: _Layout) -> None:
    """Paragraphs with marks in the margin beside them."""
    rng, document = layout.rng, layout.document
    openings = (*SALUTATIONS[document.language], f"{document.place} {document.date}")
    y = _heading(layout, openings[int(rng.integers(len(openings)))])
    marked = list(document.identities)
    while y < layout.bottom - 3 * layout.leading:
        length = int(rng.integers(4, 10))
        if marked:
            room = length * layout.leading / (LETTER_HEIGHT * layout.scribe.x_height)
            top = y - 1.5 * layout.scribe.x_height
            _numbers(layout, _margin_mark(layout, marked.pop(0), top, min(5.5, max(2.5, room - 2))))
            length = max(length, 5)
        indent = layout.scribe.x_height * float(rng.uniform(0, 5))
        for _ in range(length):
            if y > layout.bottom - 2.5 * layout.leading:
                break
            layout.line(y, indent)
            indent = 0
            y += layout.leading * float(rng.uniform(0.97, 1.03))
        y += layout.leading * float(rng.uniform(0, 0.6))
        if not marked and rng.random() < 0.12:
            break
    _sign(layout, min(y + layout.leading, layout.bottom))


def _figures(layout: _Layout, columns: list[float], y: float) -> None:
    """Write an amount, right-aligned in its columns of guilders, stivers and pence."""
    tops = (4000, 20, 16)
    for column, top in zip(columns, tops, strict=False):
        text = str(int(layout.rng.integers(1, top)))
        advance = sum(layout.scribe.letters[c][1] for c in text) * 1.25
        layout.phrase(text, column - advance, y)


def _listing(layout: _Layout, lines_each: int) -> None:
    """Rows of goods and figures; the marks stand before their entries, in the margin."""
    rng, document = layout.rng, layout.document
    y = _heading(layout, f"{document.ship} {document.year}")
    first = y
    pitch = layout.scribe.x_height * 4.2
    columns = [layout.right - pitch * 1.7, layout.right - pitch * 0.8, layout.right]
    goods = GOODS[document.language]
    marked = list(document.identities)
    right, layout.right = layout.right, columns[0] - pitch * 1.5
    rows = max(4, int((layout.bottom - y) / (layout.leading * (lines_each + 0.3))) - 2)
    # Marks are spread over the first entries, at least two leadings apart.
    every = max(1, round(2.6 / lines_each)) if lines_each < 3 else 1
    every = max(every, min(4, rows // (len(marked) + 1)))
    for row in range(rows):
        if y > layout.bottom - 3 * layout.leading:
            break
        if marked and row % every == 0:
            room = every * lines_each * layout.leading / (LETTER_HEIGHT * layout.scribe.x_height)
            top = y - 1.6 * layout.scribe.x_height
            spot = _margin_mark(layout, marked.pop(0), top, min(5.0, max(2.0, room - 1.6)))
            if room > 4:
                _numbers(layout, spot)
        for nth in range(lines_each):
            if nth == 0:
                count = int(rng.integers(1, 90))
                item = goods[int(rng.integers(len(goods)))]
                end = layout.phrase(f"{count} {item}", layout.left, y)
                if end < layout.right - 2 * pitch and rng.random() < 0.6:
                    write_line(
                        layout.writing,
                        layout.scribe,
                        lambda: next(layout.words),
                        (end, y),
                        layout.right,
                        rng,
                    )
            else:
                layout.line(y, layout.scribe.x_height * 2)
            if nth == lines_each - 1:
                _figures(layout, columns, y)
            y += layout.leading
        y += 0.3 * layout.leading
    layout.right = right
    layout.rule(
        (columns[0] - pitch, y - layout.leading * 0.4),
        (right, y - layout.leading * 0.4),
        layout.scribe.pen * 0.7,
    )
    _figures(layout, columns, y + layout.leading * 0.5)
    if rng.random() < 0.6:
        for x in (columns[0] - pitch * 1.05, *(column + pitch * 0.1 for column in columns[:2])):
            layout.rule(
                (x, first - layout.leading), (x, y + layout.leading), layout.scribe.pen * 0.5
            )
    if rng.random() < 0.5:
        _sign(layout, min(y + 2.5 * layout.leading, layout.bottom))


def _journal(layout: _Layout) -> None:
    """A ship's journal: days in the margin, lines of text, no marks."""
    y = _heading(layout, f"{layout.document.ship} {layout.document.year}")
    day = int(layout.rng.integers(1, 20))
    while y < layout.bottom - layout.leading:
        layout.phrase(str(day), layout.left - 4 * layout.scribe.x_height, y)
        for _ in range(int(layout.rng.integers(2, 5))):
            if y < layout.bottom:
                layout.line(y)
            y += layout.leading
        day = day % 30 + 1


_KINDS: dict[str, Callable[[_Layout], None]] = {
    "bill of lading": _bill_of_lading,
    "letter": _letter,
    "account": lambda layout: _listing(layout, 1),
    "manifest": lambda layout: _listing(layout, 2),
    "journal": _journal,
}


def _layout(document: Document, sheet: Sheet, rng: np.random.Generator) -> _Layout:
    width, height = sheet.width, sheet.height
    x_height = width * float(rng.uniform(0.0098, 0.0148))
    left, right = max(sheet.left, 0.0), min(sheet.right, float(width))
    top, bottom = max(sheet.top, 0.0), min(sheet.bottom, float(height))
    margin = (
        float(rng.uniform(0.15, 0.22)) if document.identities else float(rng.uniform(0.08, 0.18))
    )
    return _Layout(
        document=document,
        scribe=random_scribe(rng, x_height),
        leading=x_height * float(rng.uniform(2.5, 3.5)),
        edge=left,
        left=left + margin * width,
        right=right - float(rng.uniform(0.03, 0.08)) * width,
        top=top + float(rng.uniform(0.03, 0.09)) * height,
        bottom=bottom - float(rng.uniform(0.05, 0.1)) * height,
        words=_words(document, rng),
        rng=rng,
    )


def _incidents(layout: _Layout) -> None:
    """Strike words out, underline some, drop blots: what a page collects without being a mark."""
    rng, scribe = layout.rng, layout.scribe
    wide, high = layout.right - layout.left, layout.bottom - layout.top
    for _ in range(int(rng.poisson(1.2))):
        x = layout.left + wide * float(rng.uniform(0, 0.85))
        y = layout.top + high * float(rng.uniform(0.15, 0.8))
        length = scribe.x_height * float(rng.uniform(2, 7))
        turns = int(rng.choice([2, 2, 6]))
        points = np.stack(
            [
                x + length * np.linspace(0, 1, turns) + rng.normal(0, 2, turns),
                y + scribe.x_height * rng.normal(0, 0.2, turns),
            ],
            axis=1,
        )
        layout.writing.add(points.astype(np.float32), scribe.pen, 0.3)
    for _ in range(int(rng.poisson(0.5))):
        at = np.array([layout.left + wide * rng.random(), layout.top + high * rng.random()])
        points = at + rng.normal(0, 0.12 * scribe.x_height, (3, 2))
        layout.writing.add(
            points.astype(np.float32), scribe.x_height * float(rng.uniform(0.2, 0.7))
        )


def _foliation(sheet: Sheet, scribe: Scribe, rng: np.random.Generator) -> Writing:
    """Return the archive's pencilled folio number."""
    writing = Writing()
    x = min(sheet.right, sheet.width) - sheet.width * float(rng.uniform(0.07, 0.11))
    y = max(sheet.top, 0) + sheet.height * float(rng.uniform(0.025, 0.04))
    for digit in str(int(rng.integers(1, 400))):
        x = write_word(writing, scribe, digit, x, y, rng, 1.1)
    return writing


def _stamp(size: tuple[int, int], sheet: Sheet, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the ink of a repository's oval stamp somewhere on the lower page."""
    ink = np.zeros((size[1], size[0]), np.uint8)
    centre = (
        int(rng.uniform(0.35, 0.85) * sheet.width),
        int(rng.uniform(0.6, 0.92) * sheet.height),
    )
    wide = rng.uniform(0.03, 0.045) * sheet.width
    axes = (wide, wide * rng.uniform(0.65, 1.0))
    turn = float(rng.normal(0, 12))
    for share in (1.0, 0.93, 0.62):
        ring = (round(axes[0] * share), round(axes[1] * share))
        cv2.ellipse(ink, centre, ring, turn, 0, 360, 190, max(1, round(wide / 28)), cv2.LINE_AA)
    letters = list("SYNTHETIC PRIZEMARKS")
    for at, letter in enumerate(letters):
        angle = 2 * math.pi * at / len(letters)
        where = (
            centre[0] + 0.77 * axes[0] * math.sin(angle) - wide * 0.07,
            centre[1] - 0.77 * axes[1] * math.cos(angle) + wide * 0.07,
        )
        cv2.putText(
            ink,
            letter,
            (int(where[0]), int(where[1])),
            cv2.FONT_HERSHEY_SIMPLEX,
            float(wide / 140),
            190,
            max(1, round(wide / 40)),
            cv2.LINE_AA,
        )
    worn = rng.random((8, 8), dtype=np.float32) * 0.7 + 0.4
    y, x, r = centre[1], centre[0], round(wide * 1.15)
    part = ink[max(0, y - r) : y + r, max(0, x - r) : x + r]
    if part.size:
        faded = part * np.clip(cv2.resize(worn, (part.shape[1], part.shape[0])), 0, 1)
        part[:] = faded.astype(np.uint8)
    return ink


def _verso(document: Document, sheet: Sheet, rng: np.random.Generator) -> NDArray[np.uint8] | None:
    """Return the ink of the other side as it shows through, mirrored, at half the size."""
    if rng.random() < 0.5:
        return None
    other = _layout(replace(document, identities=()), sheet, rng)
    y = other.top
    while y < other.bottom:
        other.line(y)
        y += other.leading
    size = (sheet.width, sheet.height)
    ink = ink_writing(other.writing, size, sheet.bend, scale=0.5)
    soft = cv2.GaussianBlur(ink, (0, 0), float(rng.uniform(1.0, 2.2)) * sheet.width / 1400)
    return np.ascontiguousarray(soft[:, ::-1], np.uint8)


def _flow(rng: np.random.Generator, size: tuple[int, int], leading: float) -> NDArray[np.float32]:
    """Return how dark the ink runs, (H, W) in 0.6..1.1: dark after a dip, then paler."""
    lines, across = max(4, round(size[1] / leading)), 40
    dips = np.cumsum(rng.uniform(0.3, 1.7, lines * across)) / float(rng.uniform(15, 45))
    depth = float(rng.uniform(0.05, 0.35))
    coarse = (1 - depth * (dips % 1.0)).reshape(lines, across).astype(np.float32)
    coarse *= 1 + 0.05 * rng.standard_normal((lines, across), dtype=np.float32)
    return np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _soak(rng: np.random.Generator, ink: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return ink, (H, W) in 0..1, as rough paper takes it: edges feathered, strokes uneven."""
    height, width = ink.shape
    soft = cv2.GaussianBlur(ink, (0, 0), 0.55 * width / 1400).astype(np.float32)
    grain = rng.standard_normal((height // 2 + 1, width // 2 + 1), dtype=np.float32)
    rough = np.asarray(
        cv2.resize(grain, (width, height), interpolation=cv2.INTER_LINEAR), np.float32
    )
    rough *= np.float32(rng.uniform(0.1, 0.28))
    rough += 1.15
    rough *= soft
    rough *= np.float32(1 / 255)
    return np.asarray(np.clip(rough, 0, 1, out=rough), np.float32)


def stain_with_ink(
    planes: NDArray[np.float32], ink: NDArray[np.float32], colour: tuple[int, int, int]
) -> None:
    """Darken `planes` (3, H, W) in place where there is `ink`, (H, W) in 0..1, of an RGB colour."""
    for plane, value in zip(planes, colour, strict=True):
        kept = ink * np.float32(value / 255 - 1)
        kept += 1
        plane *= kept


def _stain_in_part(
    planes: NDArray[np.float32], ink: NDArray[np.uint8], full: float, colour: tuple[int, int, int]
) -> None:
    """Stain with ink that covers a small part of the page; `full` is its darkness, 0..1."""
    x, y, width, height = cv2.boundingRect(ink)
    part = (slice(y, y + height), slice(x, x + width))
    stain_with_ink(planes[:, *part], ink[part] * np.float32(full / 255), colour)


def _place_marks(
    layout: _Layout,
    sheet: Sheet,
    ink: NDArray[np.uint8],
    programs: Callable[[int], Program],
) -> tuple[PlacedMark, ...]:
    """Ink the marks into `ink` (H, W) in place; return them with their boxes as inked."""
    placed = []
    height, width = ink.shape
    for spot in layout.spots:
        drawn = draw_mark(
            programs(spot.identity), layout.rng, spot.side, layout.scribe.pen, sheet.turn
        )
        patch = np.asarray(np.round(drawn * 255), np.uint8)
        middle = np.array([[spot.x + spot.side / 2, spot.y + spot.side / 2]], np.float32)
        centre = sheet.bend(middle)[0]
        x = int(np.clip(round(float(centre[0]) - spot.side / 2), 0, width - spot.side))
        y = int(np.clip(round(float(centre[1]) - spot.side / 2), 0, height - spot.side))
        under = ink[y : y + spot.side, x : x + spot.side]
        np.maximum(under, patch, out=under)
        rows = np.flatnonzero((drawn > _VISIBLE).any(axis=1))
        columns = np.flatnonzero((drawn > _VISIBLE).any(axis=0))
        if len(rows) and len(columns):
            placed.append(
                PlacedMark(
                    identity=spot.identity,
                    x=x + int(columns[0]),
                    y=y + int(rows[0]),
                    width=int(columns[-1] - columns[0]) + 1,
                    height=int(rows[-1] - rows[0]) + 1,
                    place=spot.place,
                )
            )
    return tuple(placed)


def _photograph(rng: np.random.Generator, planes: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the page as a scanner gives it: exposure, a touch of blur, old losses."""
    exposure = float(rng.uniform(0.9, 1.05))
    channels = [cv2.convertScaleAbs(np.maximum(plane, 0), alpha=exposure) for plane in planes]
    image = np.asarray(cv2.merge(channels), np.uint8)
    if rng.random() < 0.7:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.45, 0.8))), np.uint8)
    if rng.random() < 0.08:  # a microfilm
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        image = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)
    if rng.random() < 0.2:  # saved as a JPEG once before
        quality = int(rng.integers(45, 75))
        _, coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return image


def draw_page(
    document: Document, *, seed: int, index: int, size: tuple[int, int] = (1400, 2000)
) -> DrawnPage:
    """Return page number `index` of the archive `seed`, drawn as `document` demands.

    `size` is (width, height) in pixels. What is random depends on (seed, index) alone, so that
    pages can be drawn in any order. Boxes are tight around the marks' ink, after the page's skew.
    """
    rng = np.random.default_rng([seed, PAGE, index])
    sheet = random_sheet(rng, size)
    layout = _layout(document, sheet, rng)
    _KINDS[document.kind](layout)
    _incidents(layout)
    ink = ink_writing(layout.writing, size, sheet.bend)
    marks = _place_marks(layout, sheet, ink, lambda identity: identity_program(seed, identity))
    planes = draw_paper(rng, size, _verso(document, sheet, rng))
    dark = _soak(rng, ink)
    dark *= _flow(rng, size, layout.leading)
    dark *= np.float32(layout.scribe.strength)
    stain_with_ink(planes, dark, layout.scribe.colour)
    if rng.random() < 0.8:
        pencil = ink_writing(_foliation(sheet, layout.scribe, rng), size, sheet.bend)
        _stain_in_part(planes, pencil, 0.6, (90, 90, 95))
    if rng.random() < 0.15:
        colours = ((150, 50, 45), (60, 70, 120), (50, 48, 46))
        colour = colours[int(rng.integers(3))]
        _stain_in_part(planes, _stamp(size, sheet, rng), 0.85, colour)
    lay_on_table(rng, sheet, planes)
    return DrawnPage(_photograph(rng, planes), marks)
