"""Letters, numerals and signs of many scripts as stroke programs.

The data, `glyphs.npz` beside this module, were traced from freely licensed fonts by
`tools.glyphs.trace`; `tools.glyphs.scripts` says which scripts are left out and why.
`Glyphs.fonts` names the fonts and their licences.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from retrieval.strokes.program import Program, Stroke

# Bits of a stroke's flags in the file.
CLOSED, SMOOTH, FILLED = 1, 2, 4


@dataclass(frozen=True, eq=False)
class Glyphs:
    """Traced glyphs, packed.

    `points` (P, 2) uint8 holds the coordinates of all strokes, 255 = 1.0; stroke s owns
    `points[stroke_offsets[s]:stroke_offsets[s + 1]]`, glyph i owns the strokes from
    `glyph_offsets[i]` to `glyph_offsets[i + 1]`. `code_points` and
    `script_of_glyph` have one entry a glyph, the latter into `scripts`; one of the `fonts` that
    they were traced from is (Debian package, file name, licence).
    """

    points: NDArray[np.uint8]
    stroke_offsets: NDArray[np.int64]
    flags: NDArray[np.uint8]
    glyph_offsets: NDArray[np.int64]
    code_points: NDArray[np.uint32]
    script_of_glyph: NDArray[np.uint8]
    scripts: tuple[str, ...]
    fonts: tuple[tuple[str, str, str], ...]

    def __len__(self) -> int:
        return len(self.code_points)

    def program(self, i: int) -> Program:
        """Return glyph `i`, longer side filling the unit square, or raise IndexError."""
        if not 0 <= i < len(self):
            raise IndexError(f"glyph {i} asked for, there are {len(self)}")
        strokes = []
        for s in range(int(self.glyph_offsets[i]), int(self.glyph_offsets[i + 1])):
            points = self.points[self.stroke_offsets[s] : self.stroke_offsets[s + 1]]
            flags = int(self.flags[s])
            strokes.append(
                Stroke(
                    points.astype(np.float32) / np.float32(255),
                    smooth=bool(flags & SMOOTH),
                    closed=bool(flags & CLOSED),
                    filled=bool(flags & FILLED),
                )
            )
        return Program(tuple(strokes))


def _offsets(counts: NDArray[np.uint8]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])


@cache
def load_glyphs() -> Glyphs:
    """Return all glyphs; the file is read once a process."""
    source = files("retrieval.strokes") / "glyphs.npz"
    with source.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        return Glyphs(
            points=arrays["points"],
            stroke_offsets=_offsets(arrays["points_per_stroke"]),
            flags=arrays["flags"],
            glyph_offsets=_offsets(arrays["strokes_per_glyph"]),
            code_points=arrays["code_points"],
            script_of_glyph=arrays["script_of_glyph"],
            scripts=tuple(str(name) for name in arrays["scripts"]),
            fonts=tuple((str(p), str(f), str(licence)) for p, f, licence in arrays["fonts"]),
        )


def random_glyph(rng: np.random.Generator) -> Program:
    """Return one glyph, all equally likely."""
    glyphs = load_glyphs()
    return glyphs.program(int(rng.integers(len(glyphs))))
