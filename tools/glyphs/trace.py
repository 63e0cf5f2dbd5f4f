"""Make `glyphs.npz`: the letters and signs of many scripts traced into strokes.

Run as ``python -m tools.glyphs.trace OUT.npz`` by a developer, on a Debian machine with the
packages of `tools.glyphs.scripts` and scikit-image installed; the product only reads the
result through `retrieval.strokes.glyphs`.

Every glyph of `SOURCES` is rendered and traced (`tools.glyphs.skeleton`). Near twins of a
glyph that is there already are left out, and so are those of too many strokes or of hardly any ink.
"""

from __future__ import annotations

import io
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from retrieval.catalogue.files import write_atomically
from retrieval.strokes.glyphs import CLOSED, FILLED, SMOOTH
from retrieval.strokes.program import Program
from tools.glyphs.scripts import FONTS, PACKAGES, SOURCES, Font, Source
from tools.glyphs.skeleton import SIDE, Mask, trace

MARGIN = 6  # pixels around a rendered glyph
MOST_STROKES = 14
SEED = 1713
ALIKE = 0.955  # glyphs whose blurred drawings correlate more than this count as one

_CATEGORIES = ("L", "N", "S", "Po")


def render(font: ImageFont.FreeTypeFont, character: str) -> Mask | None:
    """Return the ink of `character`, its longer side `SIDE` px, or None where there is none."""
    box = font.getbbox(character)
    extent = max(box[2] - box[0], box[3] - box[1])
    if extent < 0.12 * font.size:
        return None
    sized = font.font_variant(size=font.size * SIDE / extent)
    left, top, right, bottom = (int(edge) for edge in sized.getbbox(character))
    image = Image.new("L", (right - left + 2 * MARGIN, bottom - top + 2 * MARGIN), 0)
    ImageDraw.Draw(image).text((MARGIN - left, MARGIN - top), character, fill=255, font=sized)
    mask = np.asarray(image) > 127
    return mask if mask.any() else None


def _worth_keeping(program: Program) -> bool:
    if not 1 <= len(program.strokes) <= MOST_STROKES:
        return False
    if any(len(stroke.points) > 255 for stroke in program.strokes):
        return False
    lines = [s.points for s in program.strokes if not s.filled]
    inked = sum(float(np.hypot(*np.diff(points, axis=0).T).sum()) for points in lines)
    straight = len(program.strokes) == 1 and len(program.strokes[0].points) == 2
    return inked > 0.9 and not straight


def _look(program: Program) -> NDArray[np.float32]:
    """Return the blurred drawing of a program as a unit vector, to tell near twins by."""
    image = np.zeros((48, 48), np.uint8)
    for stroke in program.strokes:
        points = np.rint(stroke.points * 39 * 16 + 4 * 16).astype(np.int32)
        if stroke.filled:
            cv2.fillPoly(image, [points], 255, shift=4)
        cv2.polylines(image, [points], stroke.closed, 255, 2, cv2.LINE_AA, shift=4)
    vector = cv2.resize(cv2.GaussianBlur(image, (0, 0), 1.5), (24, 24)).astype(np.float32).ravel()
    vector -= vector.mean()
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)


def _characters(source: Source) -> list[str]:
    characters = [chr(code) for low, high in source.ranges for code in range(low, high + 1)]
    return [c for c in characters if unicodedata.category(c).startswith(_CATEGORIES)]


@dataclass(frozen=True)
class Traced:
    """One glyph: its strokes, its code point and where it came from."""

    program: Program
    script: str
    code: int
    font: Font


def trace_source(source: Source, rng: np.random.Generator) -> Iterator[Traced]:
    """Trace the glyphs of one script in a random order."""
    loaded = {}
    for font in source.fonts:
        path = FONTS / font.file
        if not path.is_file():
            raise SystemExit(f"{path} is not there; apt-get install {font.package}")
        face = ImageFont.truetype(path, SIDE, layout_engine=ImageFont.Layout.BASIC)
        loaded[font] = (face, render(face, "\U000f1234"))
    jobs = [(font, character) for font in source.fonts for character in _characters(source)]
    for job in rng.permutation(len(jobs)):
        font, character = jobs[int(job)]
        face, missing = loaded[font]
        mask = render(face, character)
        if mask is None or (missing is not None and np.array_equal(mask, missing)):
            continue
        program = trace(mask)
        if _worth_keeping(program):
            yield Traced(program, source.script, ord(character), font)


def trace_all(sources: Sequence[Source]) -> list[Traced]:
    """Trace all `sources`, each up to its most, leaving out near twins of glyphs already there."""
    kept: list[Traced] = []
    looks = np.zeros((sum(source.most for source in sources), 24 * 24), np.float32)
    for number, source in enumerate(sources):
        before = len(kept)
        for glyph in trace_source(source, np.random.default_rng([SEED, number])):
            if len(kept) - before >= source.most:
                break
            look = _look(glyph.program)
            if len(kept) and float((looks[: len(kept)] @ look).max()) > ALIKE:
                continue
            looks[len(kept)] = look
            kept.append(glyph)
        print(f"{source.script}: {len(kept) - before}", file=sys.stderr)
    return kept


def packed(glyphs: Sequence[Traced]) -> dict[str, NDArray[np.generic]]:
    """Return the arrays that `retrieval.strokes.glyphs` reads."""
    scripts = list(dict.fromkeys(glyph.script for glyph in glyphs))
    fonts = list(dict.fromkeys(glyph.font for glyph in glyphs))
    strokes = [stroke for glyph in glyphs for stroke in glyph.program.strokes]
    points = np.concatenate([stroke.points for stroke in strokes])
    flags = [CLOSED * s.closed | SMOOTH * s.smooth | FILLED * s.filled for s in strokes]
    return {
        "points": np.clip(np.rint(points * 255), 0, 255).astype(np.uint8),
        "points_per_stroke": np.asarray([len(stroke.points) for stroke in strokes], np.uint8),
        "flags": np.asarray(flags, np.uint8),
        "strokes_per_glyph": np.asarray([len(g.program.strokes) for g in glyphs], np.uint8),
        "code_points": np.asarray([glyph.code for glyph in glyphs], np.uint32),
        "script_of_glyph": np.asarray([scripts.index(g.script) for g in glyphs], np.uint8),
        "font_of_glyph": np.asarray([fonts.index(g.font) for g in glyphs], np.uint8),
        "scripts": np.asarray(scripts),
        "fonts": np.asarray(
            [(font.package, Path(font.file).name, PACKAGES[font.package]) for font in fonts]
        ),
    }


def main(arguments: Sequence[str]) -> None:
    """Trace every source and write the arrays to the file named by the one argument."""
    if len(arguments) != 1:
        raise SystemExit("usage: python -m tools.glyphs.trace OUT.npz")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **packed(trace_all(SOURCES)))  # type: ignore[arg-type]
    write_atomically(Path(arguments[0]), buffer.getvalue())


if __name__ == "__main__":
    main(sys.argv[1:])
