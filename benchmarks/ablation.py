"""Print what each part of training on an archive is worth: `python benchmarks/ablation.py`.

Every row trains on the drawings in --drawn from the same weights for the same number of steps and
differs from the default in one thing; then the split's drawings are queries against each other.
Rows already in --results are not trained again, so that an interrupted table goes on.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from ingest.batch import ingest_crops
from retrieval.catalogue.archive import create_archive
from retrieval.catalogue.files import write_atomically
from retrieval.evaluation.evaluate import evaluate
from retrieval.evaluation.labels import find_marks, read_labels
from retrieval.gan.redrawing import redrawn_pairs
from retrieval.gan.settings import Settings
from retrieval.gan.training import train
from retrieval.learn import examples, lesson_of
from retrieval.model import bundled_model, read_model, write_model

#: Row -> what it changes in the default settings.
VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "no adversarial half": {"objective": "simclr"},
    "no repeats sought": {"repeats": 0.0},
    "a repeat half of the time": {"repeats": 0.5},
    "no turned siblings": {"siblings": 0.0},
    "no redrawn identities": {"redrawn_share": 0.0},
    "half redrawn identities": {"redrawn_share": 0.5},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drawn", type=Path, required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--start", type=Path, help="a model folder; the bundled weights otherwise")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch", type=int, default=192)
    parser.add_argument("--rows", nargs="*", default=list(VARIANTS), metavar="ROW")
    parser.add_argument("--results", type=Path, default=Path("ablation.csv"))
    options = parser.parse_args()
    start = read_model(options.start) if options.start else bundled_model()
    plain = Settings(
        start.shape, start=start.id, steps=options.steps, batch=options.batch, learning_rate=4e-4
    )
    done: dict[str, str] = {}
    if options.results.exists():
        done = {row["row"]: row["text"] for row in csv.DictReader(options.results.open())}
    print(f"| from {start.id}, {options.steps} steps | P@1 | mAP | minutes |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        archive = create_archive(Path(temporary) / "archive")
        ingest_crops(archive, [options.drawn])
        labels = read_labels(options.drawn / "labels.csv", options.split)
        labelled = find_marks(archive, labels, "labels.csv")
        pairs = redrawn_pairs(plain.seed, plain.identities, start.shape.size)
        lesson, *_ = lesson_of(archive, plain, examples(archive, plain.seed))
        for name in ["start", *options.rows]:
            if name not in done:
                began, model = time.monotonic(), start
                if name != "start":
                    run = Path(temporary) / name.replace(" ", "-")
                    settings = replace(plain, **VARIANTS[name])
                    trained = train(settings, replace(lesson, pairs=pairs), run, start)
                    write_model(run / "model", trained.weights, trained.manifest)
                    model = read_model(run / "model")
                minutes = (time.monotonic() - began) / 60
                (scores,) = evaluate(archive, labelled, model).rows[0].scores.values()
                first, mean = (
                    scores.micro[measure].value
                    for measure in ("precision_at_1", "mean_average_precision")
                )
                done[name] = f"| {first:.3f} | {mean:.3f} | {minutes:.1f} |"
                lines = ["row,text", *(f"{row},{text}" for row, text in done.items())]
                write_atomically(options.results, ("\n".join(lines) + "\n").encode())
            print(f"| {name} {done[name]}", flush=True)


if __name__ == "__main__":
    main()
