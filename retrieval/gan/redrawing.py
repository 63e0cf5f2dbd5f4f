"""The teacher: pairs of pictures of one identity, drawn by two hands or struck twice by one stamp.

What these pairs differ in is what the features learn to overlook; what they share is the mark.
Identities come in couples, a mark and its near miss, drawn by the same two hands (or cut by one
engraver) on the same two sheets: neither a hand nor the writing around a mark tells the couple
apart, the mark must.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np

from retrieval.ink import Pixels, as_bytes, normalise
from retrieval.processes import serve_parent
from retrieval.strokes.emblem import emblem
from retrieval.strokes.glyphs import random_glyph
from retrieval.strokes.hand import random_hand
from retrieval.strokes.impression import die, struck
from retrieval.strokes.merchant import merchant_mark
from retrieval.strokes.near_miss import near_miss
from retrieval.strokes.pen import draw
from retrieval.strokes.program import Program, random_program
from retrieval.strokes.rings import ringed_mark
from retrieval.strokes.wear import worn


@dataclass(frozen=True)
class Family:
    """A kind of marks: how one is made up, its share of all, and the share that stamps strike."""

    identity: Callable[[np.random.Generator], Program]
    share: float
    struck: float


#: What identities are drawn from.
REPERTOIRE = (
    Family(random_program, 0.33, 0.05),
    Family(merchant_mark, 0.20, 0.10),
    Family(random_glyph, 0.33, 0.05),
    Family(ringed_mark, 0.08, 0.60),
    Family(emblem, 0.06, 0.40),
)

_DRAWN_AT = 4 / 3  # side of the drawing before it is worn and normalised, in sides of the picture
_CHUNK = 250  # identities a worker draws at once


def random_family(rng: np.random.Generator) -> Family:
    """Return a kind of marks, each as often as its share."""
    shares = np.asarray([family.share for family in REPERTOIRE])
    return REPERTOIRE[int(rng.choice(len(REPERTOIRE), p=shares / shares.sum()))]


def _drawn(identity: Program, sheet: int, rng: np.random.Generator, size: int) -> Pixels:
    """Return `identity` as drawn and worn by the hand and on the paper that `sheet` seeds."""
    of_sheet = np.random.default_rng(sheet)
    return _seen(worn(draw(identity, random_hand(of_sheet), rng, _side(size)), of_sheet), size)


def _stamped(identity: Program, workshop: int, sheet: int, size: int) -> Pixels:
    """Return an impression, as `sheet` seeds it, of the stamp that a workshop cut."""
    of_sheet = np.random.default_rng(sheet)
    return _seen(worn(struck(die(identity, workshop, _side(size)), of_sheet), of_sheet), size)


def _side(size: int) -> int:
    return max(96, round(size * _DRAWN_AT))


def _seen(crop: Pixels, size: int) -> Pixels:
    return as_bytes(normalise(crop, size))


def _draw_chunk(seed: int, chunk: int, count: int, size: int) -> Pixels:
    cv2.setNumThreads(1)
    rng = np.random.default_rng([seed, chunk])
    pairs = np.empty((count, 2, size, size), np.uint8)
    for at in range(0, count, 2):
        family = random_family(rng)
        identity = family.identity(rng)
        workshop, *sheets = rng.integers(2**62, size=3).tolist()
        stamped = rng.random() < family.struck
        couple = (identity, near_miss(identity, rng))[: count - at]
        for row, program in enumerate(couple, start=at):
            if stamped:
                pairs[row] = [_stamped(program, workshop, sheet, size) for sheet in sheets]
            else:
                pairs[row] = [_drawn(program, sheet, rng, size) for sheet in sheets]
    return pairs


def redrawn_pairs(seed: int, count: int, size: int, workers: int | None = None) -> Pixels:
    """Return `count` identities drawn by two hands each: (count, 2, size, size) uint8, ink = 255.

    Row 2i + 1 is a near miss of row 2i. The pictures depend on `seed`, `count` and `size` alone,
    not on the number of workers.
    """
    starts = range(0, count, _CHUNK)
    sizes = [min(_CHUNK, count - start) for start in starts]
    workers = workers or os.cpu_count() or 1
    if workers == 1 or len(sizes) == 1:
        chunks = [_draw_chunk(seed, i, n, size) for i, n in enumerate(sizes)]
    else:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, context, serve_parent) as pool:
            chunks = list(
                pool.map(
                    _draw_chunk, [seed] * len(sizes), range(len(sizes)), sizes, [size] * len(sizes)
                )
            )
    return np.concatenate(chunks) if chunks else np.zeros((0, 2, size, size), np.uint8)
