"""Handwriting: a scribe's letters set into words and lines, and the pen that inks them.

A page's text is first collected as control points in page pixels (`Writing`) and then inked in one
pass (`ink_writing`), so that a page of 1,500 letters costs a fraction of a second.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.synthetic.letterforms import CAPITALS, FIGURES, SMALL, Letter

Points = NDArray[np.float32]

_SPAN = 4  # points drawn per span of a curve
_BARE = {"ø": "o", "Ø": "O", "æ": "a", "J": "I", "U": "V", "Y": "V", "’": ","}
_SHIFT = 4  # fractional bits of cv2's fixed-point coordinates


@dataclass(frozen=True)
class Scribe:
    """One person's handwriting; lengths in pixels or in x-heights."""

    x_height: float  # pixels
    pen: float  # width of the broadest stroke, pixels
    contrast: float  # 0: a blunt pen; 1: upstrokes are hairlines
    slant: float  # horizontal shear, positive leans to the right
    width: float  # letters' width over their usual width
    looseness: float  # displacement of control points, x-heights
    tracking: float  # gap after a letter, x-heights
    word_gap: float  # x-heights
    lift: float  # chance that the pen leaves the paper between two letters
    flourish: float  # chance that a word ends in a long stroke
    drift: float  # slope of the lines
    wander: float  # restlessness of the baseline, x-heights
    colour: tuple[int, int, int]  # RGB of the driest ink
    strength: float  # darkness of the ink, 0..1
    letters: dict[str, tuple[tuple[Points, ...], float]] = field(repr=False)  # strokes, advance


def _own_form(letter: Letter, rng: np.random.Generator, scale: NDArray[np.float64]) -> list[Points]:
    """Return a scribe's own variant of a letter: the common form, bent a little, once for all."""
    strokes = []
    for stroke in letter:
        points = np.asarray(stroke, np.float64)
        corner = np.all(np.diff(points, axis=0) == 0, axis=1)
        bend = rng.normal(0, 0.045, points.shape)
        bend[1:][corner] = bend[:-1][corner]
        strokes.append(np.asarray((points + bend) * scale, np.float32))
    return strokes


def random_scribe(rng: np.random.Generator, x_height: float) -> Scribe:
    """Return a handwriting unlike the next, with letters `x_height` pixels high."""
    width = float(rng.uniform(0.82, 1.25))
    reach = float(rng.uniform(0.8, 1.2))
    slant = float(np.clip(rng.normal(0.32, 0.2), -0.1, 0.75))
    letters: dict[str, tuple[tuple[Points, ...], float]] = {}
    chosen: dict[str, Letter] = {**CAPITALS, **FIGURES}
    for name, forms in SMALL.items():
        chosen[name] = forms[int(rng.integers(len(forms)))]
    tall = float(rng.uniform(0.85, 1.2))  # capitals
    for name in sorted(chosen):
        if name in CAPITALS:
            scale = np.array([width * tall, tall])
        elif name in FIGURES:
            scale = np.array([width * 0.95, 1.1])
        else:
            scale = np.array([width, 1.0])
        strokes = []
        for points in _own_form(chosen[name], rng, scale):
            if name in SMALL:  # only what rises above or hangs below the body is stretched
                y = points[:, 1]
                points[:, 1] = np.where(y > 1, 1 + (y - 1) * reach, np.where(y < 0, y * reach, y))
            strokes.append(points)
        if name in SMALL:  # as far as the body reaches: an ascender may lean back over it
            advance = float(strokes[0][strokes[0][:, 1] < 1.1, 0].max())
        else:  # small letters creep under the arms of a T or a V
            every = np.concatenate(strokes)
            advance = float(every[every[:, 1] < 1.1, 0].max() if name in CAPITALS else 0)
            reach_right = float(every[:, 0].max())
            advance = max(advance, 0.55 * reach_right) if name in CAPITALS else reach_right + 0.14
        for points in strokes:
            points[:, 0] += slant * points[:, 1]
            points[:, 1] *= -1
        letters[name] = (tuple(p * np.float32(x_height) for p in strokes), advance * x_height)
    red = int(28 + 55 * rng.random() ** 1.5)
    return Scribe(
        x_height=x_height,
        pen=x_height * float(rng.uniform(0.13, 0.25)),
        contrast=float(rng.uniform(0.4, 0.85)),
        slant=slant,
        width=width,
        looseness=float(rng.uniform(0.02, 0.06)),
        tracking=float(rng.uniform(-0.05, 0.14)),
        word_gap=float(rng.uniform(0.65, 1.15)),
        lift=float(rng.uniform(0.03, 0.3)),
        flourish=float(rng.choice([0.0, 0.05, 0.15])),
        drift=float(rng.normal(0, 0.006)),
        wander=float(rng.uniform(0.03, 0.12)),
        colour=(red, int(red * rng.uniform(0.72, 0.88)), int(red * rng.uniform(0.5, 0.75))),
        strength=float(1 - 0.3 * rng.random() ** 2),
        letters=letters,
    )


@dataclass
class Writing:
    """Strokes on a page before they are inked: control points in page pixels and their pens."""

    strokes: list[Points] = field(default_factory=list)
    pens: list[float] = field(default_factory=list)
    contrasts: list[float] = field(default_factory=list)

    def add(self, points: Points, pen: float, contrast: float = 0.0) -> None:
        """Add one smooth stroke through `points` (K, 2)."""
        self.strokes.append(points)
        self.pens.append(pen)
        self.contrasts.append(contrast)


def _shape_of(scribe: Scribe, word: str, at: int) -> tuple[tuple[Points, ...], float] | None:
    # Accents fall away: a quill's speck over a letter is lost in these hands anyway.
    character = _BARE.get(word[at]) or unicodedata.normalize("NFD", word[at])[0]
    if character == "s" and at < len(word) - 1:
        character = "ſ"
    return scribe.letters.get(character) or scribe.letters.get(character.lower())


def write_word(
    writing: Writing,
    scribe: Scribe,
    word: str,
    start: tuple[float, float],
    rng: np.random.Generator,
    size: float = 1.0,
) -> float:
    """Write `word` from `start` (x, baseline; pixels); return the x where the pen ends.

    `size` is the size of the letters over the scribe's usual one, as in headings and signatures.
    """
    x, y = start
    joined: list[Points] = []
    pen = scribe.pen * float(rng.uniform(0.9, 1.1))
    scale = np.float32(size * rng.normal(1, 0.035))
    looseness = scribe.looseness * scribe.x_height
    gap = scribe.tracking * scribe.x_height

    def put_down() -> None:
        if joined:
            stroke = np.concatenate(joined)
            stroke += rng.normal(0, looseness, stroke.shape).astype(np.float32)
            writing.add(stroke, pen, scribe.contrast)
            joined.clear()

    for at in range(len(word)):
        shape = _shape_of(scribe, word, at)
        if shape is None:
            put_down()
            continue
        strokes, advance = shape
        origin = np.array([x, y], np.float32)
        small = word[at].islower() or word[at] == "ſ"
        if not small or rng.random() < scribe.lift:
            put_down()  # what came before, and begin anew
        joined.append(strokes[0] * scale + origin)
        if not small or y - joined[-1][-1, 1] > 1.4 * scribe.x_height:  # ends high: no join
            put_down()
        for extra in strokes[1:]:
            stray = rng.normal(0, 1.6 * looseness, 2).astype(np.float32)
            writing.add(extra * scale + origin + stray, pen, scribe.contrast)
        x += advance * float(scale) + gap * size * (1 if small else 1.5)
    if joined and rng.random() < scribe.flourish:
        end = joined[-1][-1]
        length = scribe.x_height * float(rng.uniform(0.8, 2.5))
        tail = [[end[0] + 0.4 * length, end[1] + 0.1 * length], [end[0] + length, end[1]]]
        joined.append(np.asarray(tail, np.float32))
    put_down()
    return x


def write_line(
    writing: Writing,
    scribe: Scribe,
    next_word: Callable[[], str],
    start: tuple[float, float],
    end: float,
    rng: np.random.Generator,
    breaks: tuple[tuple[float, float], ...] = (),
) -> float:
    """Write words from `start` (x, baseline) until `end`; return where the last one stops.

    `breaks` are spans (from, to) of x that stay empty: a mark stands there.
    """
    x, y = start
    left = x
    level = y
    while True:
        word = next_word()
        # Without setting the word the scribe knows about how long it will be.
        length = 0.8 * scribe.width * scribe.x_height * len(word)
        for low, high in breaks:
            if x < high and x + length > low:
                x = high + scribe.x_height * float(rng.uniform(0.2, 0.5))
        if x + length > end + scribe.x_height * float(rng.uniform(0, 1.5)):
            return x
        level += scribe.wander * scribe.x_height * float(rng.normal(0, 0.4)) - 0.15 * (level - y)
        x = write_word(writing, scribe, word, (x, level + scribe.drift * (x - left)), rng)
        x += scribe.word_gap * scribe.x_height * float(rng.uniform(0.75, 1.35))


def write_paraph(
    writing: Writing, scribe: Scribe, x: float, y: float, rng: np.random.Generator
) -> None:
    """Write the looped flourish that ends a signature, about ten x-heights wide."""
    loops = int(rng.integers(2, 5))
    t = np.linspace(0, loops * 2 * math.pi, loops * 7)
    along = t / t[-1]
    wide, high = rng.uniform(5, 9) * scribe.x_height, rng.uniform(0.6, 1.4) * scribe.x_height
    px = x + wide * (along if rng.random() < 0.5 else 1 - along) + 1.6 * high * np.cos(t)
    py = y + high * np.sin(t + rng.uniform(0, 1)) * (1 - 0.5 * along)
    points = np.stack([px, py], axis=1) + rng.normal(0, 0.1 * scribe.x_height, (len(t), 2))
    writing.add(points.astype(np.float32), scribe.pen, scribe.contrast)


def _curves(strokes: list[Points]) -> tuple[Points, NDArray[np.intp]]:
    """Return Catmull-Rom curves through all strokes at once: points (N, 2), their stroke (N,)."""
    counts = np.array([len(stroke) for stroke in strokes])
    padded = np.concatenate([part for s in strokes for part in (s[:1], s, s[-1:])])
    owner = np.repeat(np.arange(len(strokes)), counts + 2)
    inside = owner[:-3] == owner[3:]
    p0, p1, p2, p3 = (padded[i : len(padded) - 3 + i][inside][:, None, :] for i in range(4))
    t = np.linspace(0, 1, _SPAN + 1, dtype=np.float32)[None, :, None]
    spans = 0.5 * (
        2 * p1
        + (p2 - p0) * t
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
        + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )
    return np.asarray(spans, np.float32), owner[:-3][inside]


def ink_writing(
    writing: Writing,
    size: tuple[int, int],
    bend: Callable[[Points], Points] | None = None,
    scale: float = 1.0,
) -> NDArray[np.uint8]:
    """Return the ink of `writing` on a sheet of `size` (width, height): (H, W) uint8, 255 = ink.

    `bend` moves points (N, 2) on the page, as a turned or curled sheet does. `scale` shrinks the
    drawing, for ink that is seen blurred anyway. Downstrokes are broad and upstrokes thin, as a
    quill writes; drawn at twice the size where letters are small, and averaged down.
    """
    width, height = round(size[0] * scale), round(size[1] * scale)
    if not writing.strokes:
        return np.zeros((height, width), np.uint8)
    pens = np.asarray(writing.pens, np.float32)
    finer = 2 if float(np.median(pens)) * scale < 5 else 1
    spans, owner = _curves(writing.strokes)
    if bend is not None:
        spans = bend(spans.reshape(-1, 2)).reshape(spans.shape)
    along = spans[:, -1] - spans[:, 0]
    length = np.hypot(along[:, 0], along[:, 1]) + 1e-3
    down = np.clip(along[:, 1] / length, -1, 1) * 0.5 + 0.5  # 1 straight down, 0 straight up
    contrast = np.asarray(writing.contrasts, np.float32)[owner]
    widths = pens[owner] * (1 - contrast * (1 - down**0.8)) * scale * finer
    thickness = np.clip(np.round(widths), 1, 60).astype(int)
    fixed = np.round(spans * (scale * finer * (1 << _SHIFT))).astype(np.int32)
    sheet = np.zeros((height * finer, width * finer), np.uint8)
    broadest = float(np.percentile(thickness, 75))
    for value in np.unique(thickness):
        lines = list(fixed[thickness == value])
        # A hairline carries less ink than a broad stroke; broad strokes go over it.
        full = min(255, round(150 + 105 * int(value) / broadest))
        cv2.polylines(sheet, lines, False, full, int(value), cv2.LINE_8, _SHIFT)
    if finer > 1:
        return np.asarray(
            cv2.resize(sheet, (width, height), interpolation=cv2.INTER_AREA), np.uint8
        )
    return sheet


def text_width(scribe: Scribe, text: str, size: float = 1.0) -> float:
    """Return about how long `text` will be when written, in pixels."""
    words = text.split()
    letters = sum(
        shape[1]
        for word in words
        for at in range(len(word))
        if (shape := _shape_of(scribe, word, at)) is not None
    )
    gaps = scribe.word_gap * (len(words) - 1) + scribe.tracking * sum(map(len, words))
    return size * (letters + gaps * scribe.x_height)
