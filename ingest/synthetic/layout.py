"""A page while it is written: its frame, its scribe, the strokes so far and the marks' places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from ingest.synthetic.handwriting import Scribe, Writing, random_scribe, write_line, write_word
from ingest.synthetic.paper import Sheet
from ingest.synthetic.records import Document
from ingest.synthetic.wording import TEXTS

Place = Literal["margin", "text"]

#: Height of a letter in x-heights, midway between short and tall ones; marks are measured in it.
LETTER_HEIGHT = 1.6


@dataclass(frozen=True)
class Spot:
    """Where a mark is to stand on the flat page: its square, in pixels."""

    identity: int
    x: float
    y: float
    side: int
    place: Place


@dataclass
class Layout:
    """A page while it is written; lengths and places in pixels of the flat page."""

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
    spots: list[Spot] = field(default_factory=list)

    def mark_side(self, low: float, high: float) -> int:
        """Return a mark's size in pixels, from `low` to `high` letter heights."""
        return round(float(self.rng.uniform(low, high)) * LETTER_HEIGHT * self.scribe.x_height)

    def put(self, word: str, x: float, y: float, size: float = 1.0) -> float:
        """Write one word on the baseline `y`; return the x where it ends."""
        return write_word(self.writing, self.scribe, word, (x, y), self.rng, size)

    def phrase(self, text: str, x: float, y: float, size: float = 1.0) -> float:
        """Write the words of `text` one after another; return the x where the next may begin."""
        for word in text.split():
            x = self.put(word, x, y, size) + size * self.scribe.word_gap * self.scribe.x_height
        return x

    def line(
        self, y: float, indent: float = 0.0, breaks: tuple[tuple[float, float], ...] = ()
    ) -> float:
        """Write a ragged line of running text; return the x where it ends.

        `breaks` are spans (from, to) of x that stay empty.
        """
        start = (self.left + indent, y)
        return write_line(
            self.writing, self.scribe, lambda: next(self.words), start, self.right, self.rng, breaks
        )

    def rule(self, start: tuple[float, float], end: tuple[float, float], pen: float) -> None:
        """Draw a rule by hand."""
        points = np.linspace(start, end, 7) + self.rng.normal(0, 0.6, (7, 2))
        self.writing.add(points.astype(np.float32), pen)


def blank_layout(document: Document, sheet: Sheet, rng: np.random.Generator) -> Layout:
    """Return an empty page: a random scribe and frame, its margin wide where marks are to stand."""
    width, height = sheet.width, sheet.height
    x_height = width * float(rng.uniform(0.0098, 0.0148))
    left, right = max(sheet.left, 0.0), min(sheet.right, float(width))
    top, bottom = max(sheet.top, 0.0), min(sheet.bottom, float(height))
    margin = (
        float(rng.uniform(0.15, 0.22)) if document.identities else float(rng.uniform(0.08, 0.18))
    )
    return Layout(
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


def running_text(document: Document, sheet: Sheet, rng: np.random.Generator) -> Writing:
    """Return a sheet's side full of lines, in another hand, and without marks."""
    layout = blank_layout(replace(document, identities=()), sheet, rng)
    y = layout.top
    while y < layout.bottom:
        layout.line(y)
        y += layout.leading
    return layout.writing


def add_incidents(layout: Layout) -> None:
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


def _words(document: Document, rng: np.random.Generator) -> Iterator[str]:
    """Yield the running text of a document without end."""
    text = TEXTS[document.language].split()
    at = int(rng.integers(len(text)))
    while True:
        yield text[at % len(text)]
        at += 1 if rng.random() < 0.93 else int(rng.integers(1, len(text)))
        if rng.random() < 0.03:
            yield str(int(rng.integers(2, 400)))
