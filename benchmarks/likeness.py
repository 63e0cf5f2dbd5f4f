"""Print how well marks find their like: `python benchmarks/likeness.py --drawn DIR [--train]`.

DIR holds drawings and `labels.csv` (source, label, split). They are ingested as marks into an
archive (--archive, or a temporary one) and measured with the bundled weights and, with --train,
with a model trained on the archive with the default settings. Every image of the split is a query
against all others of the split; labels are read here and nowhere else. What `prizemarks evaluate`
does for an archive that is there, this does from a folder of drawings.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from ingest.batch import ingest_crops
from retrieval.catalogue.archive import create_archive
from retrieval.evaluation.baselines import BASELINES
from retrieval.evaluation.evaluate import Row, evaluate
from retrieval.evaluation.labels import find_marks, read_labels
from retrieval.learn import default_settings, train_on_archive
from retrieval.model import bundled_model

PIXELS = "pixels, Gaussian blur 3"


def show(row: Row, seconds: float | None = None) -> None:
    spent = f"{seconds / 60:6.1f} min" if seconds is not None else " " * 10
    (scores,) = row.scores.values()
    measures = " | ".join(
        f"{scores.micro[name].value:.3f}"
        for name in ("precision_at_1", "mean_average_precision", "r_precision", "recall_at_10")
    )
    print(f"| {row.name:46} | {measures} | {spent} |", flush=True)


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
        labels = read_labels(options.drawn / "labels.csv", options.split)
        labelled = find_marks(archive, labels, "labels.csv")
        print(f"{len(labelled.marks)} queries, {len(labelled.names)} labels, split {options.split}")
        print(f"| {'features':46} | P@1   | mAP   | R-P   | R@10  | training   |")
        print("|---|---|---|---|---|---|")
        pixels = {PIXELS: BASELINES[PIXELS]}
        bundled, blurred = evaluate(archive, labelled, bundled_model(), baselines=pixels).rows
        show(blurred)
        show(bundled)
        if options.train:
            began = time.monotonic()
            model = train_on_archive(archive, default_settings()).model
            seconds = time.monotonic() - began
            show(evaluate(archive, labelled, model).rows[0], seconds)


if __name__ == "__main__":
    main()
