"""Print what confirmed marks do for proposals: `python benchmarks/realism.py [--pages FOLDER]`.

FOLDER holds scans and `regions.csv`, the true boxes; pages of a synthetic archive are drawn besides
(`--synthetic N`, 60; 0: none). Some of the proposals that overlap a true box by half, drawn by
chance, count as confirmed; in a second row the eight best others of these pages count as rejected
besides. What is measured are all that are left, by the segmenter's score and by realism: average
precision, the share of the marks that are first and among the first three of what is left of their
page, and the share that is shown unasked, where equally many proposals are shown. Means over
`--draws` draws.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from segmentation import TrueBox, corners, scanned_pages, synthetic_pages

from ingest.segmentation import propose_marks
from ingest.sources import read_frames
from retrieval.boxes import LEAST_OVERLAP, overlaps
from retrieval.catalogue.marks import LIKELY
from retrieval.ink import normalise_all
from retrieval.model import bundled_model
from retrieval.realism import fit_realism, realism
from retrieval.search import embed_pictures
from retrieval.vectors import Vectors

CONFIRMED = (5, 10, 20)
_REJECTED = 8  # of a page with a confirmed mark
MEASURES = ("average precision", "first", "among 3", "shown")
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Proposals:
    """All proposals of some pages: the number of the page, scores, embeddings, what is a mark."""

    pages: NDArray[np.int64]  # (N,)
    scores: NDArray[np.float64]  # (N,)
    vectors: Vectors  # (N, D)
    true: Bools  # (N,)


def proposals_of(pages: Iterable[tuple[Path, list[TrueBox]]]) -> Proposals:
    model = bundled_model()
    numbers, scores, vectors, true = [], [], [], []
    for number, (path, boxes) in enumerate(pages):
        image = next(iter(read_frames(path))).image
        found = propose_marks(image)
        if not found:
            continue
        crops = [image[p.y : p.y + p.height, p.x : p.x + p.width] for p in found]
        vectors.append(embed_pictures(model, normalise_all(crops, model.shape.size)))
        known = np.array([(b.left, b.top, b.right, b.bottom) for b in boxes], np.float64)
        best = overlaps(corners(found), known.reshape(-1, 4)).max(axis=1, initial=0.0)
        true.append(best >= LEAST_OVERLAP)
        scores.append([p.score for p in found])
        numbers.append(np.full(len(found), number))
    return Proposals(
        np.concatenate(numbers), np.concatenate(scores), np.concatenate(vectors),
        np.concatenate(true),
    )  # fmt: skip


def places(pages: NDArray[np.int64], likely: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return each proposal's place on its page, the likeliest 0."""
    order = np.lexsort((-likely, pages))
    _, first, counts = np.unique(pages[order], return_index=True, return_counts=True)
    found = np.empty(len(pages), np.int64)
    found[order] = np.arange(len(pages)) - np.repeat(first, counts)
    return found


def measured(found: Proposals, likely: NDArray[np.float64], left: Bools) -> tuple[float, ...]:
    """Return `MEASURES` of the proposals that are left."""
    pages, likely, true = found.pages[left], likely[left], found.true[left]
    falling = true[np.argsort(-likely, kind="stable")]
    precision = np.cumsum(falling) / np.arange(1, len(falling) + 1)
    place = places(pages, likely)[true]
    return (
        float(precision[falling].mean()),
        float(np.mean(place == 0)),
        float(np.mean(place < 3)),
        float(np.mean(likely[true] >= LIKELY)),
    )


def draws(found: Proposals, confirmed: int, number: int) -> Iterator[tuple[Bools, Bools]]:
    """Give what is confirmed, and the best others of the same pages."""
    for draw in range(number):
        chosen = np.random.default_rng(draw).permutation(np.flatnonzero(found.true))[:confirmed]
        said = np.isin(np.arange(len(found.true)), chosen)
        here = np.isin(found.pages, found.pages[said]) & ~found.true
        best = places(found.pages, np.where(here, found.scores, -1.0)) < _REJECTED
        yield said, here & best


def gains(found: Proposals, confirmed: Bools, rejected: Bools) -> NDArray[np.float64]:
    """Return `MEASURES` of what nobody judged, by score and then by realism: (2, M)."""
    left = ~(confirmed | rejected)
    verdicts = confirmed.astype(np.int8) - rejected.astype(np.int8)
    weights = fit_realism(found.vectors, found.scores, verdicts)
    likely = np.zeros(len(left))
    likely[left] = realism(found.scores[left], found.vectors[left] @ weights, LIKELY)
    return np.array([measured(found, found.scores, left), measured(found, likely, left)])


def print_gains(found: Proposals, number: int) -> None:
    print(f"{len(found.true)} proposals, {int(found.true.sum())} of them marks")
    print(f"{'confirmed':>10s}{'rejected':>9s}" + "".join(f"{name:>20s}" for name in MEASURES))
    for count in CONFIRMED:
        drawn = list(draws(found, count, number))
        nobody = np.zeros(len(found.true), bool)
        for others in ([nobody] * number, [rejected for _, rejected in drawn]):
            of_each = [
                gains(found, said, other) for (said, _), other in zip(drawn, others, strict=True)
            ]
            mean = np.mean(of_each, axis=0)
            words = "".join(f"{f'{before:.3f} -> {after:.3f}':>20s}" for before, after in mean.T)
            print(f"{count:10d}{np.mean(np.sum(others, axis=1)):9.0f}{words}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pages", type=Path, help="scans with regions.csv")
    parser.add_argument("--synthetic", type=int, default=60, help="synthetic pages to draw")
    parser.add_argument("--seed", type=int, default=1713, help="the synthetic pages' seed")
    parser.add_argument("--draws", type=int, default=20, help="draws that are averaged")
    asked = parser.parse_args()
    if asked.pages is not None:
        print(f"{asked.pages}: scans")
        print_gains(proposals_of(scanned_pages(asked.pages)), asked.draws)
    if asked.synthetic:
        print(f"synthetic pages, seed {asked.seed}")
        with tempfile.TemporaryDirectory() as folder:
            pages = synthetic_pages(Path(folder), asked.synthetic, asked.seed)
            print_gains(proposals_of(pages), asked.draws)


if __name__ == "__main__":
    main()
