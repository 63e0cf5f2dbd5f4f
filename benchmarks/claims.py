"""Print how true the claims are: `python benchmarks/claims.py --drawn DIR`.

Draws archives of marks of different owners, and asks each for what is none of its owners': by
pictures from outside and by its own marks. Where a score is said to be as rare as 1 in 100, how
often does such a query reach it? The mean over the archives is printed, as 1 in so many. Crops and
sketches are those of benchmarks/synthetic.py, drawings those in DIR (labels.csv: source, label).
With `--repeats 5` each owner has five marks in the archive, which nobody told it of. At last, how
many pairs of two owners' drawings reach the cosine of a share (`prizemarks group --share`).
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from synthetic import draw

from retrieval.calibration import calibrate, calibrate_pairs
from retrieval.company import company, find_neighbours, scores_from_outside, scores_within
from retrieval.embedding import embed
from retrieval.evaluation.labels import read_labels
from retrieval.model import Model, bundled_model
from retrieval.vectors import Vectors

CLAIMS = (10, 30, 100, 300)
SHARES = (1e-3, 1e-4, 1e-5)
SIZES = (12, 20, 40, 80, 200, 1000)
#: Archives of a size, so that small ones, which differ most, are not judged by a few.
DRAWN_MARKS, FEWEST_DRAWN = 2000, 3
#: Pictures that ask an archive, of each kind.
ASKING = 1500


def claimed(
    vectors: Vectors,
    owners: NDArray[np.int64],
    kinds: NDArray[np.str_],
    size: int,
    repeats: int,
    rng: np.random.Generator,
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Give for one archive by what it is asked, and what is claimed of each unrelated score.

    Its `size` marks are no sketches; `vectors` (N, D), `owners` and `kinds` (N,) say what there is.
    """
    shuffled = rng.permutation(np.unique(owners))
    within, outside = shuffled[: size // repeats], shuffled[size // repeats :]
    marks = kinds != "sketch"
    rows = np.concatenate(
        [rng.choice(np.flatnonzero(marks & (owners == one)), repeats, False) for one in within]
    )
    archive, every = vectors[rows], np.arange(len(rows))
    neighbours = find_neighbours(every, archive)
    together = company(archive, neighbours)
    among_itself = scores_within(archive, together)
    known = calibrate_pairs(among_itself, every)
    one, other = np.nonzero(owners[rows][:, None] != owners[rows][None])
    yield "mark", known.unrelated(among_itself(one, other))
    unknown = calibrate_pairs(scores_from_outside(archive, together, neighbours), every)
    for kind in np.unique(kinds):
        asking = np.flatnonzero(np.isin(owners, outside) & (kinds == kind))
        asked = vectors[rng.permutation(asking)[:ASKING]]
        scores = np.maximum(asked @ archive.T, asked @ together.T)
        yield str(kind), unknown.unrelated(scores)


def reached(claims: NDArray[np.float64]) -> list[float]:
    """Return the share of scores that are said to be as rare as each of `CLAIMS`, or rarer."""
    return [float((claims <= 1 / claim + 1e-9).mean()) for claim in CLAIMS]


def show(
    vectors: Vectors, owners: NDArray[np.int64], kinds: NDArray[np.str_], repeats: int
) -> None:
    known = len(np.unique(owners))
    for size in SIZES:
        if size // repeats >= known:
            break
        shares: dict[str, list[list[float]]] = defaultdict(list)
        for at in range(max(FEWEST_DRAWN, DRAWN_MARKS // size)):
            rng = np.random.default_rng([size, at])
            for kind, claims in claimed(vectors, owners, kinds, size, repeats, rng):
                shares[kind].append(reached(claims))
        for kind, found in shares.items():
            true = np.mean(found, axis=0)
            said = (f"{1 / share:7.0f}" if share else "   none" for share in true)
            print(f"| {size:5} | {len(found):8} | {kind:8} | {' | '.join(said)} |", flush=True)


def show_pairs(vectors: Vectors, owners: NDArray[np.int64]) -> None:
    known = calibrate(vectors)
    cosines = (vectors @ vectors.T)[owners[:, None] != owners[None]]
    print("\n| share | cosine | pairs of two owners |\n|---|---|---|")
    for share in SHARES:
        least = known.cosine(share)
        print(f"| {share:5.0e} | {least:6.3f} | {(cosines >= least).mean():19.1e} |", flush=True)


def drawings(folder: Path, model: Model) -> tuple[Vectors, NDArray[np.int64]]:
    """Return the embeddings of all drawings, (N, D), and whose each is, (N,)."""
    rows = read_labels(folder / "labels.csv")
    images = [np.asarray(cv2.imread(str(folder / row.source)), np.uint8) for row in rows]
    _, owners = np.unique([row.label for row in rows], return_inverse=True)
    return embed(model, images), owners


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drawn", type=Path)
    parser.add_argument("--identities", type=int, default=1300)
    parser.add_argument("--repeats", type=int, default=1, help="marks of each owner in an archive")
    options = parser.parse_args()
    model = bundled_model()
    print(f"| marks | archives | asked by | {' | '.join(f'1 in {n:>3}' for n in CLAIMS)} |")
    print("|---|---|---|" + "---|" * len(CLAIMS))
    made = draw(options.identities, options.repeats, model, with_variants=False)
    show(made.vectors, made.labels, made.kinds, options.repeats)
    if options.drawn:
        vectors, owners = drawings(options.drawn, model)
        show(vectors, owners, np.full(len(owners), "drawing"), options.repeats)
        show_pairs(vectors, owners)


if __name__ == "__main__":
    main()
