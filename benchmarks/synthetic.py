"""Print how well marks that were never seen find their repeats: `python benchmarks/synthetic.py`.

1,000 identities of another seed than any training's, each redrawn by several hands on paper with
bits of writing, as cut out of a page, and drawn once from memory with a clean pen. No two of them
are the same drawing (retrieval.strokes.sameness). Every crop is a query among all other crops, and
every sketch among all crops. Then each mark's mirror image and its turns are put in as other
owners' marks, where they are other drawings: they should stand below the mark's own repeats.
Marks are found as `search` finds them, by the company they keep, too.
`--model DIR` measures a model's folder instead of the weights that ship with the program.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.synthetic.archive import draw_sketch
from ingest.synthetic.handwriting import Writing, ink_writing, random_scribe, write_line
from ingest.synthetic.page import draw_mark, identity_program, stain_with_ink
from ingest.synthetic.paper import draw_paper
from ingest.synthetic.records import SKETCH
from ingest.synthetic.wording import LANGUAGES, TEXTS
from retrieval.embedding import embed
from retrieval.evaluation.features import own_and_company
from retrieval.evaluation.measures import Similarity, rank, score
from retrieval.model import Model, bundled_model, read_model
from retrieval.orientation import UPRIGHT, Orientation
from retrieval.strokes.program import Program, laid
from retrieval.strokes.sameness import distinct_drawings, same_drawing

SEED = 20_261_121
SIDE = 160
#: Beside the streams of randomness that `ingest.synthetic.records` names.
CROP = 4
VARIANTS = {
    "mirror image": Orientation(mirrored=True),
    "quarter turn": Orientation(turned=90),
    "upside down": Orientation(turned=180),
}


@dataclass(frozen=True)
class Drawn:
    """Embeddings (N, D) and what each is of: a crop of an identity, a sketch, or a variant."""

    vectors: NDArray[np.float32]
    labels: NDArray[np.int64]  # (N,) of identities; a variant's is its own
    of: NDArray[np.int64]  # (N,) the identity; a variant's is the one it was made from
    kinds: NDArray[np.str_]  # (N,) "crop", "sketch" or a name in VARIANTS

    def rows(self, *kinds: str) -> NDArray[np.int64]:
        return np.flatnonzero(np.isin(self.kinds, kinds))

    def likeness(self, gallery: NDArray[np.int64]) -> Similarity:
        """Return what gives the scores of some rows against the rows of `gallery`."""
        found_by = own_and_company(self.vectors[gallery])
        return lambda rows: np.max([self.vectors[rows] @ found.T for found in found_by], axis=0)


def identities(count: int) -> list[Program]:
    """Return `count` programs of which no two are the same drawing."""
    programs = [identity_program(SEED, number) for number in range(round(count * 1.2) + 10)]
    return [programs[at] for at in distinct_drawings(programs)[:count]]


def variants(program: Program) -> list[str]:
    """Return which variants of a mark are another drawing than it and than one another."""
    drawn, names = [program], []
    for name, way in VARIANTS.items():
        other = laid(program, way)
        if not any(same_drawing(other, known) for known in drawn):
            drawn.append(other)
            names.append(name)
    return names


def drawn_crop(program: Program, seed: Sequence[int], side: int) -> NDArray[np.uint8]:
    """Return one redrawing of `program` on paper, cut out as a person would cut it.

    (H, W, 3) uint8 RGB, H and W up to `side`; on some, strokes of the neighbouring text come in.
    What is random depends on `seed` alone.
    """
    rng = np.random.default_rng(seed)
    mark_side = round(side / float(rng.uniform(1.08, 1.4)))
    pen = side * float(rng.uniform(0.012, 0.035))
    ink = np.zeros((side, side), np.float32)
    x, y = (int(rng.integers(0, side - mark_side + 1)) for _ in range(2))
    mark = draw_mark(program, rng, mark_side, pen)
    ink[y : y + mark_side, x : x + mark_side] = mark
    scribe = random_scribe(rng, side * float(rng.uniform(0.1, 0.2)))
    if rng.random() < 0.4:
        words = iter(TEXTS[LANGUAGES[int(rng.integers(len(LANGUAGES)))]].split() * 2)
        writing = Writing()
        baseline = side * float(rng.choice([rng.uniform(0.0, 0.1), rng.uniform(0.97, 1.1)]))
        start = (-side * float(rng.uniform(0, 0.6)), baseline)
        write_line(writing, scribe, lambda: next(words), start, side * 1.5, rng)
        neighbours = ink_writing(writing, (side, side)).astype(np.float32) / 255
        ink = np.maximum(ink, neighbours)
    ink *= np.float32(scribe.strength)
    # A crop's paper is a piece of a larger sheet: no edges, folds or gutters of its own.
    whole = draw_paper(rng, (4 * side, 4 * side))
    left, top = (int(rng.integers(side // 2, 5 * side // 2)) for _ in range(2))
    planes = whole[:, top : top + side, left : left + side].copy()
    stain_with_ink(planes, ink, scribe.colour)
    planes += rng.normal(0, float(rng.uniform(0.5, 3)), planes.shape).astype(np.float32)
    image = np.asarray(np.moveaxis(np.clip(planes, 0, 255), 0, 2), np.uint8)
    if rng.random() < 0.5:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.6), np.uint8)
    # Tall and narrow marks are cut tall and narrow.
    rows, columns = np.nonzero(mark > 0.2)
    if len(rows):
        pad = round(side * float(rng.uniform(0.03, 0.12)))
        low, high = max(0, y + int(rows.min()) - pad), y + int(rows.max()) + pad + 1
        begin, end = max(0, x + int(columns.min()) - pad), x + int(columns.max()) + pad + 1
        image = image[low:high, begin:end]
    return np.ascontiguousarray(image)


def draw(count: int, crops: int, model: Model, *, with_variants: bool = True) -> Drawn:
    """Draw and embed the whole set."""
    wanted: list[tuple[int, str, int]] = []  # identity, kind, drawing
    programs = identities(count)
    for at, program in enumerate(programs):
        wanted += [(at, "crop", drawing) for drawing in range(crops)]
        wanted.append((at, "sketch", 0))
        if with_variants:
            wanted += [(at, name, crops) for name in variants(program)]

    def picture(one: tuple[int, str, int]) -> NDArray[np.uint8]:
        at, kind, drawing = one
        if kind == "sketch":
            return draw_sketch(programs[at], [SEED, SKETCH, at])
        way = VARIANTS.get(kind, UPRIGHT)
        seed = [SEED, CROP, at, drawing, way.turned + way.mirrored]
        return drawn_crop(laid(programs[at], way), seed, SIDE)

    vectors = []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for start in range(0, len(wanted), 510):
            vectors.append(embed(model, list(pool.map(picture, wanted[start : start + 510]))))
    of = np.array([at for at, _, _ in wanted])
    kinds = np.array([kind for _, kind, _ in wanted])
    own = [*VARIANTS]
    labels = [at if k not in own else count * (1 + own.index(k)) + at for at, k, _ in wanted]
    return Drawn(np.concatenate(vectors), np.array(labels), of, kinds)


def show_search(drawn: Drawn, name: str, asking: str, among: Sequence[str]) -> None:
    gallery = drawn.rows(*among)
    ranked = rank(drawn.labels, drawn.rows(asking), gallery, drawn.likeness(gallery))
    found = score(ranked).micro
    values = " | ".join(
        f"{found[measure].value:.3f}"
        for measure in ("precision_at_1", "recall_at_10", "mean_average_precision")
    )
    print(f"| {name:38} | {len(ranked.queries):5} | {len(gallery):5} | {values} |", flush=True)


def show_variants(drawn: Drawn, kind: str, asking: str) -> None:
    """Print how often a variant stands above its mark's own repeats."""
    above_best, above_worst = [], []
    crops = drawn.rows("crop")
    gallery = drawn.rows("crop", kind)
    likeness = drawn.likeness(gallery)
    for row in drawn.rows(kind):
        own = crops[drawn.of[crops] == drawn.of[row]]
        asked = own if asking == "crop" else drawn.rows(asking)
        asked = asked[drawn.of[asked] == drawn.of[row]]
        for query, scores in zip(asked, likeness(asked), strict=True):
            repeats = scores[np.isin(gallery, own[own != query])]
            variant = scores[gallery == row]
            above_best.append(variant >= repeats.max())
            above_worst.append(variant >= repeats.min())
    shares = f"{np.mean(above_best):10.3f} | {np.mean(above_worst):11.3f}"
    print(f"| {kind:14} | {asking:6} | {len(above_best):5} | {shares} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--identities", type=int, default=1000)
    parser.add_argument("--crops", type=int, default=4)
    parser.add_argument("--model", type=Path, help="a model's folder; default: the bundled weights")
    options = parser.parse_args()
    model = read_model(options.model) if options.model else bundled_model()
    drawn = draw(options.identities, options.crops, model)
    print(f"model {model.id}: {options.identities} identities, {options.crops} crops each\n")
    print(f"| {'search':38} | asked | among | P@1   | R@10  | mAP   |")
    print("|---|---|---|---|---|---|")
    show_search(drawn, "crop -> crop", "crop", ["crop"])
    show_search(drawn, "crop -> crop, variants among them", "crop", ["crop", *VARIANTS])
    show_search(drawn, "sketch -> crop", "sketch", ["crop"])
    show_search(drawn, "sketch -> crop, variants among them", "sketch", ["crop", *VARIANTS])
    print("\nHow often a variant stands above its mark's best and worst repeat:\n")
    print(f"| {'variant':14} | asked by | pairs | above best | above worst |")
    print("|---|---|---|---|---|")
    for kind in VARIANTS:
        for asking in ("crop", "sketch"):
            show_variants(drawn, kind, asking)


if __name__ == "__main__":
    main()
