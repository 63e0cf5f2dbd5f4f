"""Print how well real stamps are found: `python benchmarks/stamps.py --pages D`.

The folder D holds 77 pages and `regions.csv` (source, zone, x0, y0, x1, y1 in pixels), 48 stamps
that are marks of their owners. The pages are ingested into an archive (--archive, or a temporary
one). Each region is cut from its page as a person would cut it, 10 % wider than the truth.

First it is a query for its own place, which is found when an answer lies on its page and covers it
(intersection over union >= 0.3). Then 42 of the stamps, which eleven dies struck twice or more,
are queries for each other, alone and among every proposal of the pages that lies on no region.
`--model DIR` measures a model's folder instead of the weights that ship with the program.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.batch import ingest_pages
from ingest.sources import read_frames
from retrieval.boxes import Box, overlap
from retrieval.catalogue.archive import Archive, create_archive
from retrieval.catalogue.documents import Filters
from retrieval.catalogue.marks import mark_ids, mark_rows
from retrieval.embedding import embed
from retrieval.evaluation.features import (
    Features,
    compared,
    model_features,
    own_and_company,
    vectors_of,
)
from retrieval.evaluation.measures import rank, score
from retrieval.ink import Pixels
from retrieval.model import Model, bundled_model, read_model

LOOSE = 0.10
#: Rows of regions.csv, from 0, that one die struck, told apart by eye.
STRUCK_BY_ONE_DIE = {
    "B de l'A": (2, 3, 8, 9, 10, 19, 24, 31, 33, 42),
    "Bibliothèque royale": (6, 12, 15, 20, 40, 41),
    "Fonds Bastille": (1, 4, 23, 30, 44),
    "Archives nationales du Québec": (5, 13, 22, 35),
    "Armée de terre": (16, 29, 32, 37),
    "Bibliothèque royale, crown": (14, 26, 36),
    "Bibliothèque nationale": (7, 18),
    "Bibliothèque impériale": (11, 27),
    "A. O.": (21, 43),
    "Bibliotheca regia": (25, 45),
    "Ministère de la guerre": (28, 38),
}


def read_regions(folder: Path) -> list[tuple[str, Box]]:
    """Return the source and the box of every region, in the file's order."""
    with (folder / "regions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    corners = [[int(row[key]) for key in ("x0", "y0", "x1", "y1")] for row in rows]
    return [
        (row["source"], (x0, y0, x1 - x0, y1 - y0))
        for row, (x0, y0, x1, y1) in zip(rows, corners, strict=True)
    ]


def cut_by_hand(page: Path, box: Box) -> Pixels:
    """Return a region of a page, a little wider than the truth."""
    image = next(read_frames(page)).image
    x, y, width, height = box
    dx, dy = round(width * LOOSE / 2), round(height * LOOSE / 2)
    return image[max(0, y - dy) : y + height + dy, max(0, x - dx) : x + width + dx]


def show_own_places(
    stamps: NDArray[np.float32],
    regions: list[tuple[str, Box]],
    marks: NDArray[np.float32],
    places: list[tuple[str, Box]],
) -> None:
    """Print how many regions find the proposal at their own place, asked of all proposals."""
    likeness = np.max([stamps @ found.T for found in own_and_company(marks)], axis=0)
    ranks = []
    for (source, box), scores in zip(regions, likeness, strict=True):
        own = [at for at, (on, of) in enumerate(places) if on == source and overlap(of, box) >= 0.3]
        best = scores[own].max() if own else -np.inf
        ranks.append(int((scores > best).sum()) + 1)
    found = [sum(rank <= k for rank in ranks) for k in (1, 10, 100)]
    print(
        f"{len(regions)} regions among {len(places)} marks: own place first {found[0]}, "
        f"within ten {found[1]}, not within a hundred {len(ranks) - found[2]}"
    )


def show_repeats(
    stamps: NDArray[np.float32], strangers: NDArray[np.float32], features: Features
) -> None:
    """Print how well the impressions of one die find each other, alone and among strangers."""
    rows = [row for struck in STRUCK_BY_ONE_DIE.values() for row in struck]
    dies = np.concatenate([[at] * len(of) for at, of in enumerate(STRUCK_BY_ONE_DIE.values())])
    print("\n| impressions | among | P@1 | mAP |\n|---|---|---|---|")
    for others in (strangers[:0], strangers):
        vectors = np.concatenate([stamps[rows], others])
        labels = np.concatenate([dies, np.arange(len(others)) + len(STRUCK_BY_ONE_DIE)])
        gallery = np.arange(len(labels))
        likeness = compared(vectors, gallery, features)
        found = score(rank(labels, gallery[: len(rows)], gallery, likeness)).micro
        print(
            f"| {len(rows)} | {len(labels)} | {found['precision_at_1'].value:.3f} "
            f"| {found['mean_average_precision'].value:.3f} |"
        )


def proposals(archive: Archive, model: Model) -> tuple[NDArray[np.float32], list[tuple[str, Box]]]:
    """Return the embeddings of all marks of the archive, and the page and box of each."""
    with archive.session() as session:
        found = list(mark_rows(session, mark_ids(session, Filters())).values())
    vectors = vectors_of(archive, [mark.crop for mark in found], model_features(model))
    return vectors, [(Path(mark.source).name, mark.box) for mark in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=Path, required=True)
    parser.add_argument("--archive", type=Path, help="kept, and used again by the next call")
    parser.add_argument("--model", type=Path, help="a model's folder; default: the bundled weights")
    options = parser.parse_args()
    model = read_model(options.model) if options.model else bundled_model()
    regions = read_regions(options.pages)
    stamps = embed(model, [cut_by_hand(options.pages / source, box) for source, box in regions])
    with tempfile.TemporaryDirectory() as temporary:
        archive = create_archive(options.archive or Path(temporary) / "archive")
        ingest_pages(archive, [options.pages])
        marks, places = proposals(archive, model)
    print(f"model {model.id}")
    show_own_places(stamps, regions, marks, places)
    alone = [all(on != s or overlap(of, b) == 0 for s, b in regions) for on, of in places]
    show_repeats(stamps, marks[np.asarray(alone)], model_features(model))


if __name__ == "__main__":
    main()
