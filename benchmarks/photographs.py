"""Print how well photographs of marks are understood: `python benchmarks/photographs.py --drawn D`.

One test drawing of each character in D (labels.csv: source, label, split) is photographed: on a
table, on a screen, beside a ruler, on ruled paper, small in a corner, in crayon, in pencil. It
looks for the other drawings of its character among all, which are left as they are. Then every
fourth drawing is put on stained paper, or carved into stone, and looks for the others that are; and
so does the clean drawing. All with the bundled weights, and marks found as `search` does.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from retrieval.embedding import embed
from retrieval.evaluation.features import own_and_company
from retrieval.evaluation.labels import read_labels
from retrieval.evaluation.measures import rank, score
from retrieval.ink import Pixels
from retrieval.model import bundled_model

Colour = tuple[int, int, int]
Planes = NDArray[np.float32]
Photograph = Callable[[Pixels, np.random.Generator], Pixels]

PAPER: Colour = (228, 222, 208)
SQUARED: Colour = (238, 238, 236)
INK: Colour = (45, 38, 35)
EVERY = 4


def strokes(drawing: Pixels, side: int) -> Planes:
    """Return how much ink lies where, (side, side) in [0, 1], of a drawing in black on white."""
    large = cv2.resize(drawing, (side, side), interpolation=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(large, (0, 0), 0.8 * side / drawing.shape[0]).astype(np.float32)
    return np.asarray(np.clip((200 - soft) / 160, 0, 1), np.float32)


def clouds(rng: np.random.Generator, height: int, width: int, coarse: int) -> Planes:
    """Return smooth noise, (height, width), whose blots are about `coarse` pixels wide."""
    shape = max(2, height // coarse), max(2, width // coarse)
    small = rng.normal(0, 1, shape).astype(np.float32)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def surface(
    rng: np.random.Generator, height: int, width: int, colour: Colour = PAPER, grain: float = 2.5
) -> Planes:
    """Return paper, or a table, under light from one side: (height, width, 3)."""
    angle = float(rng.uniform(0, 2 * np.pi))
    down, across = np.mgrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j]
    light = 30 * (across * np.cos(angle) + down * np.sin(angle))
    rough = clouds(rng, height, width, 8) + 0.7 * rng.normal(0, 1, (height, width))
    plane = (light + grain * rough)[..., None] + np.array(colour)
    return np.asarray(plane, np.float32)


def lay(
    ground: Planes, ink: Planes, rng: np.random.Generator, colour: Colour = INK, keep: int = 0
) -> Planes:
    """Lay ink somewhere on a ground, in place, `keep` pixels from its edges; return the ground."""
    (height, width), (down, across) = ground.shape[:2], ink.shape
    y, x = (
        int(rng.integers(keep, height - down - keep)),
        int(rng.integers(keep, width - across - keep)),
    )
    part = ground[y : y + down, x : x + across]
    part += ink[..., None] * (np.array(colour, np.float32) - part)
    return ground


def taken(planes: Planes, rng: np.random.Generator) -> Pixels:
    """Return what a camera makes of it: a little blur, a little noise."""
    soft = cv2.GaussianBlur(planes, (0, 0), 0.8) + rng.normal(0, 1.5, planes.shape)
    return np.asarray(np.clip(soft, 0, 255), np.uint8)


def close_by(drawing: Pixels, rng: np.random.Generator) -> Pixels:
    return taken(lay(surface(rng, 900, 900), strokes(drawing, 630), rng), rng)


def in_a_corner(drawing: Pixels, rng: np.random.Generator) -> Pixels:
    return taken(lay(surface(rng, 1200, 1600), strokes(drawing, 240), rng), rng)


def on_a_table(drawing: Pixels, rng: np.random.Generator) -> Pixels:
    tables: list[Colour] = [(92, 60, 38), (60, 60, 64), (150, 120, 90), (35, 40, 70)]
    ground = surface(rng, 1200, 1500, tables[int(rng.integers(4))], 8)
    height, width = int(rng.uniform(660, 960)), int(rng.uniform(750, 1125))
    sheet = lay(surface(rng, height, width), strokes(drawing, 300), rng, keep=12)
    aslant = cv2.getRotationMatrix2D((width / 2, height / 2), float(rng.uniform(-6, 6)), 1)
    aslant[:, 2] += rng.uniform(0.2, 0.8, 2) * (1500 - width, 1200 - height)
    there = cv2.warpAffine(np.ones((height, width), np.float32), aslant, (1500, 1200))[..., None]
    laid = cv2.warpAffine(sheet, aslant, (1500, 1200))
    return taken(np.asarray(ground * (1 - there) + laid * there, np.float32), rng)


def on_a_screen(drawing: Pixels, rng: np.random.Generator) -> Pixels:
    screen = np.full((1900, 1080, 3), 18, np.uint8)
    cv2.putText(screen, "11:52", (60, 70), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (230, 230, 230), 3)
    whole = screen.astype(np.float32)
    white = surface(rng, 950, 1080, (245, 245, 245), 1)
    whole[480:1430] = lay(white, strokes(drawing, 570), rng)
    return taken(whole, rng)


def beside_a_ruler(drawing: Pixels, rng: np.random.Generator) -> Pixels:
    ruler = np.full((100, 1200, 3), (205, 185, 120), np.uint8)
    for x in range(0, 1200, 12):
        cv2.line(ruler, (x, 0), (x, 25 if x % 120 else 50), (20, 20, 20), 2)
    page = lay(surface(rng, 1000, 1200), strokes(drawing, 500), rng)
    return taken(np.concatenate([page, ruler.astype(np.float32)]), rng)


def _ruled(drawing: Pixels, rng: np.random.Generator, *, squared: bool) -> Pixels:
    page = surface(rng, 900, 900, SQUARED, 2)
    apart = int(rng.integers(28, 46)) if squared else int(rng.integers(50, 90))
    for at in range(int(rng.integers(apart)), 900, apart):
        page[at : at + 2] -= 70, 45, 20
        if squared:
            page[:, at : at + 2] -= 70, 45, 20
    return taken(lay(page, strokes(drawing, 540), rng, (40, 40, 60)), rng)


def on_ruled_paper(drawing: Pixels, rng: np.random.Generator) -> Pixels:
    return _ruled(drawing, rng, squared=False)


def on_squared_paper(drawing: Pixels, rng: np.random.Generator) -> Pixels:
    return _ruled(drawing, rng, squared=True)


def in_red_crayon(drawing: Pixels, rng: np.random.Generator) -> Pixels:
    card = surface(rng, 900, 900, (150, 150, 152), 4)
    return taken(lay(card, strokes(drawing, 540), rng, (200, 70, 60)), rng)


def in_pencil(drawing: Pixels, rng: np.random.Generator) -> Pixels:
    page = surface(rng, 900, 900, grain=4)
    return taken(lay(page, 0.45 * strokes(drawing, 450), rng, (110, 110, 115)), rng)


def on_stained_paper(drawing: Pixels, rng: np.random.Generator) -> Pixels:
    side = 220
    rough = sum(deep * clouds(rng, side, side, wide) for wide, deep in ((4, 4), (25, 8), (70, 16)))
    page = np.array((205, 185, 150)) + np.asarray(rough)[..., None] * np.array((1, 1.05, 1.2))
    for _ in range(int(rng.integers(0, 6))):
        stain = np.zeros((side, side), np.float32)
        x, y, wide, high = (int(rng.integers(*span)) for span in ((0, side),) * 2 + ((8, 60),) * 2)
        cv2.ellipse(stain, (x, y), (wide, high), 0, 0, 360, (1,), -1)
        stain = np.asarray(cv2.GaussianBlur(stain, (0, 0), float(rng.uniform(2, 12))), np.float32)
        page -= float(rng.uniform(15, 55)) * stain[..., None] * np.array((0.7, 1, 1.2))
    wide = round(side * float(rng.uniform(0.65, 0.85)))
    ink = strokes(drawing, wide) * (rng.uniform(0.4, 0.95) + 0.12 * clouds(rng, wide, wide, 12))
    planes = np.asarray(page, np.float32)
    return taken(lay(planes, np.clip(ink, 0, 1), rng, (70, 50, 35), keep=2), rng)


def carved_in_stone(drawing: Pixels, rng: np.random.Generator) -> Pixels:
    side, angle = 300, float(rng.uniform(0, 2 * np.pi))
    wide = round(side * float(rng.uniform(0.65, 0.85)))
    grooves = np.zeros((side, side), np.float32)
    x, y = (int(rng.integers(5, side - wide - 5)) for _ in range(2))
    grooves[y : y + wide, x : x + wide] = strokes(drawing, wide)
    grooves = np.asarray(cv2.GaussianBlur(grooves, (0, 0), 2.5), np.float32)
    slopes = [cv2.Sobel(grooves, cv2.CV_32F, *way) / 8 for way in ((1, 0), (0, 1))]
    depths = ((3, 6), (10, 7), (40, 9), (120, 14))
    stone = rng.uniform(110, 180) + sum(d * clouds(rng, side, side, w) for w, d in depths)
    stone = stone - rng.uniform(15, 45) * grooves
    stone = stone - rng.uniform(150, 300) * (slopes[0] * np.cos(angle) + slopes[1] * np.sin(angle))
    return np.asarray(np.clip(stone, 0, 255), np.uint8)


PHOTOGRAPHS: tuple[Photograph, ...] = (
    close_by,
    in_a_corner,
    on_a_table,
    on_a_screen,
    beside_a_ruler,
    on_ruled_paper,
    on_squared_paper,
    in_red_crayon,
    in_pencil,
)
GROUNDS: tuple[Photograph, ...] = (on_stained_paper, carved_in_stone)


def show(
    name: str,
    labels: NDArray[np.int64],
    asked: NDArray[np.int64],
    asking: NDArray[np.float32],
    found_by: Sequence[NDArray[np.float32]],
) -> None:
    """Print P@1 and mAP of pictures that ask for marks, which are `found_by` vectors, (N, D) each.

    `asked` are those among the rows of `asking`, (N, D), that ask; none finds the mark of its row.
    """
    rows = np.arange(len(labels))

    def likeness(some: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.asarray(np.max([asking[some] @ found.T for found in found_by], axis=0))

    found = score(rank(labels, asked, rows, likeness)).micro
    values = [found[one].value for one in ("precision_at_1", "mean_average_precision")]
    print(f"| {name:36} | {len(asked):5} | " + " | ".join(f"{one:.3f}" for one in values) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drawn", type=Path, required=True)
    options = parser.parse_args()
    of_split = read_labels(options.drawn / "labels.csv", "test")
    drawings = [
        np.asarray(cv2.imread(str(options.drawn / one.source), cv2.IMREAD_GRAYSCALE), np.uint8)
        for one in of_split
    ]
    _, first, labels = np.unique(
        [one.label for one in of_split], return_index=True, return_inverse=True
    )
    model = bundled_model()

    def embedded(photograph: Photograph, some: NDArray[np.int64]) -> NDArray[np.float32]:
        return embed(model, [photograph(drawings[at], np.random.default_rng(at)) for at in some])

    clean = embed(model, drawings)
    found_by = own_and_company(clean)
    print(f"| {'photograph':36} | asked | P@1   | mAP   |\n|---|---|---|---|")
    for photograph in PHOTOGRAPHS:
        asking = clean.copy()
        asking[first] = embedded(photograph, first)
        show(photograph.__name__.replace("_", " "), labels, first, asking, found_by)
    some = np.arange(0, len(labels), EVERY)
    for photograph in GROUNDS:
        marks, called = embedded(photograph, some), photograph.__name__.replace("_", " ")
        found_by, asked = own_and_company(marks), np.arange(len(some))
        show(f"{called}, asked by others", labels[some], asked, marks, found_by)
        show(f"{called}, asked by drawings", labels[some], asked, clean[some], found_by)


if __name__ == "__main__":
    main()
