"""Print what re-ranking is worth: `python benchmarks/reranking.py --drawn DIR`.

Embeds the test drawings of DIR (labels.csv: source, label, split) with the bundled weights, and
the synthetic marks of benchmarks/synthetic.py. Half of each label's drawings are queries and the
other half are the gallery, so that no query helps to average the marks it looks for; with
"itself in the archive" every drawing is a query among all others, as for "more like this".
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rankings.neighbourhoods import expanded, first_kept, reciprocal
from synthetic import draw

from retrieval.calibration import calibrate
from retrieval.embedding import embed
from retrieval.evaluation.features import own_and_company
from retrieval.evaluation.labels import read_labels
from retrieval.evaluation.measures import rank, score
from retrieval.model import Model, bundled_model
from retrieval.vectors import Vectors

#: A mark joins a query only if fewer unrelated marks than this look as alike.
RARE = 0.001


def rare_cosine(gallery: Vectors, share: float) -> float:
    """Return the cosine that `share` of unrelated marks reaches."""
    cosines = np.linspace(0, 1, 2001, dtype=np.float32)
    return float(cosines[calibrate(gallery).unrelated(cosines) <= share][0])


def augmented(gallery: Vectors, count: int, alpha: float, least: float = 0.0) -> Vectors:
    return expanded(gallery, gallery, count + 1, alpha, least)  # the nearest is the mark itself


def methods(least: float) -> dict[str, Callable[[Vectors, Vectors], Vectors]]:
    def query_expansion(count: int, gate: float = 0.0) -> Callable[[Vectors, Vectors], Vectors]:
        return lambda q, g: expanded(q, g, count, 3.0, gate) @ g.T

    def augmentation(count: int, gate: float = 0.0) -> Callable[[Vectors, Vectors], Vectors]:
        return lambda q, g: q @ augmented(g, count, 3.0, gate).T

    def both(count: int, gate: float = 0.0) -> Callable[[Vectors, Vectors], Vectors]:
        def similarity(q: Vectors, g: Vectors) -> Vectors:
            meant = augmented(g, count, 3.0, gate)
            return expanded(q, meant, count, 3.0, gate) @ meant.T

        return similarity

    chosen = {
        "company, as search does": lambda q, g: np.max(
            [q @ f.T for f in own_and_company(g)], axis=0
        ),
        "query expansion, 3": query_expansion(3),
        "query expansion, 5": query_expansion(5),
        "query expansion, 10": query_expansion(10),
        "query expansion, 10 that are 1 in 1,000": query_expansion(10, least),
        "augmentation, 3": augmentation(3),
        "augmentation, 5": augmentation(5),
        "augmentation, 10 that are 1 in 1,000": augmentation(10, least),
        "expansion and augmentation, 5": both(5),
        "both, 10 that are 1 in 1,000": both(10, least),
        "k-reciprocal, 20 and 6": reciprocal,
    }
    return {"plain": lambda q, g: q @ g.T, **chosen}


def show(
    title: str,
    vectors: Vectors,
    labels: NDArray[np.int64],
    queries: NDArray[np.int64],
    gallery: NDArray[np.int64],
) -> None:
    print(f"\n{title}: {len(queries)} queries among {len(gallery)}\n")
    print(f"| {'ranking':48} | P@1   | mAP   | R@10  |\n|---|---|---|---|")
    asked, among = vectors[queries], vectors[gallery]
    itself = queries[:, None] == gallery[None]
    plain = np.where(itself, -1, asked @ among.T)
    place = {int(row): at for at, row in enumerate(queries)}
    for name, method in methods(rare_cosine(among, RARE)).items():
        if method is reciprocal and itself.any():
            continue  # it would meet every query twice
        scores = method(asked, among)
        lists = {name: scores}
        if name != "plain":
            lists[f"{name}; first kept"] = first_kept(plain, scores)
        for title, similarity in lists.items():
            ranked = rank(
                labels, queries, gallery,
                lambda rows, similarity=similarity: similarity[[place[int(r)] for r in rows]],
            )  # fmt: skip
            found = score(ranked).micro
            values = " | ".join(
                f"{found[measure].value:.3f}"
                for measure in ("precision_at_1", "mean_average_precision", "recall_at_10")
            )
            print(f"| {title:48} | {values} |", flush=True)


def drawings(folder: Path, model: Model) -> tuple[Vectors, NDArray[np.int64]]:
    rows = read_labels(folder / "labels.csv", "test")
    images = [np.asarray(cv2.imread(str(folder / row.source)), np.uint8) for row in rows]
    _, labels = np.unique([row.label for row in rows], return_inverse=True)
    return embed(model, images), labels


def halves(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return every second of each label."""
    nth = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        nth[labels == label] = np.arange((labels == label).sum())
    return nth % 2 == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drawn", type=Path)
    parser.add_argument("--identities", type=int, default=300)
    options = parser.parse_args()
    model = bundled_model()
    if options.drawn:
        vectors, labels = drawings(options.drawn, model)
        odd = halves(labels)
        show("drawings", vectors, labels, np.flatnonzero(odd), np.flatnonzero(~odd))
        everything = np.arange(len(labels))
        show("drawings, itself in the archive", vectors, labels, everything, everything)
    marks = draw(options.identities, 4, model, with_variants=False)
    crops, sketches = marks.rows("crop"), marks.rows("sketch")
    odd = halves(marks.labels[crops])
    show("synthetic crops", marks.vectors, marks.labels, crops[odd], crops[~odd])
    show("synthetic sketches", marks.vectors, marks.labels, sketches, crops)


if __name__ == "__main__":
    main()
