"""Print how well marks find their like: `python benchmarks/likeness.py --drawn DIR [--train]`.

DIR holds drawings and `labels.csv` (source, label, split). They are ingested as marks into an
archive (--archive, or a temporary one), indexed with the bundled weights and, with --train, with a
model trained on the archive with the default settings. Every image of the split is a query against
all others of the split; labels are read here and nowhere else.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from ingest.batch import ingest_crops
from retrieval.catalogue import tables
from retrieval.catalogue.archive import Archive, create_archive
from retrieval.crops import load_crop
from retrieval.index import load_index, refresh_index, stored_vectors
from retrieval.ink import normalise
from retrieval.learn import default_settings, train_on_archive
from retrieval.model import Model, bundled_model
from retrieval.ranking import RankingScores, leave_one_out


def labelled(
    archive: Archive, drawn: Path, split: str
) -> tuple[list[int], list[str], NDArray[np.int64]]:
    """Return the marks, crops and labels of a split."""
    with (drawn / "labels.csv").open(newline="") as file:
        labels = {
            row["source"]: row["label"] for row in csv.DictReader(file) if row["split"] == split
        }
    with archive.session() as session:
        rows = session.execute(
            select(tables.Mark.id, tables.Mark.crop, tables.Page.source).join(tables.Page)
        ).all()
    rows = [row for row in rows if row.source in labels]
    names = sorted(set(labels.values()))
    return (
        [row.id for row in rows],
        [row.crop for row in rows],
        np.array([names.index(labels[row.source]) for row in rows]),
    )


def blurred_pixels(archive: Archive, crops: list[str]) -> NDArray[np.float32]:
    """Return the baseline everybody can compute: ink, blurred, normalised."""
    rows = [
        cv2.GaussianBlur(normalise(load_crop(archive, crop), 64) + 1, (0, 0), 3).ravel()
        for crop in crops
    ]
    stacked = np.stack(rows)
    return np.asarray(stacked / np.linalg.norm(stacked, axis=1, keepdims=True), np.float32)


def scored(
    archive: Archive, model: Model, marks: list[int], labels: NDArray[np.int64]
) -> RankingScores:
    """Return the scores of a model over the archive's own index."""
    refresh_index(archive, model)
    return leave_one_out(stored_vectors(load_index(archive, model), marks), labels)


def show(name: str, scores: RankingScores, seconds: float | None) -> None:
    spent = f"{seconds / 60:6.1f} min" if seconds is not None else " " * 10
    print(
        f"| {name:34} | {scores.precision_at_1:.3f} | {scores.mean_average_precision:.3f} "
        f"| {scores.r_precision:.3f} | {scores.recall_at_10:.3f} | {spent} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drawn", type=Path, required=True)
    parser.add_argument("--archive", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--train", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        archive = create_archive(options.archive or Path(temporary) / "archive")
        ingest_crops(archive, [options.drawn])
        marks, crops, labels = labelled(archive, options.drawn, options.split)
        print(f"{len(marks)} queries, {len(set(labels.tolist()))} labels, split {options.split}")
        print("| features                           | P@1   | mAP   | R-P   | R@10  | training   |")
        print("|---|---|---|---|---|---|")
        show("pixels, Gaussian blur 3", leave_one_out(blurred_pixels(archive, crops), labels), None)
        show("bundled weights", scored(archive, bundled_model(), marks, labels), None)
        if options.train:
            began = time.monotonic()
            model = train_on_archive(archive, default_settings())
            seconds = time.monotonic() - began
            show("trained on the archive, defaults", scored(archive, model, marks, labels), seconds)


if __name__ == "__main__":
    main()
