"""Draws one page: its paper, a document's text and its merchants' marks, and how it was scanned."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.synthetic.handwriting import Scribe, Writing, ink_writing, write_word
from ingest.synthetic.kinds import lay_out
from ingest.synthetic.layout import Layout, Place, running_text
from ingest.synthetic.paper import Sheet, draw_paper, lay_on_table, random_sheet
from ingest.synthetic.records import IDENTITY, PAGE, Document
from retrieval.strokes.hand import random_hand
from retrieval.strokes.merchant import merchant_mark
from retrieval.strokes.pen import draw
from retrieval.strokes.program import Program

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


def _foliation(sheet: Sheet, scribe: Scribe, rng: np.random.Generator) -> Writing:
    """Return the archive's pencilled folio number."""
    writing = Writing()
    x = min(sheet.right, sheet.width) - sheet.width * float(rng.uniform(0.07, 0.11))
    y = max(sheet.top, 0) + sheet.height * float(rng.uniform(0.025, 0.04))
    for digit in str(int(rng.integers(1, 400))):
        x = write_word(writing, scribe, digit, (x, y), rng, 1.1)
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
    writing = running_text(document, sheet, rng)
    ink = ink_writing(writing, (sheet.width, sheet.height), sheet.bend, scale=0.5)
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
    layout: Layout,
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
    layout = lay_out(document, sheet, rng)
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
