"""Print what each objective teaches: `python benchmarks/objectives.py --drawn DIR [--minutes 4]`.

Every objective of `train`, then every switch and the attention on one base objective, learns from
random weights for the same wall-clock time: from redrawn synthetic marks or, with --learn-from
drawn, from the training split's drawings (their labels are not read). Every image of DIR's test
split is then a query against all others of it. How many steps fit into the time is counted for
every row before the first one is trained: the machine should do nothing else in these first minutes
and may be busy afterwards. Rows are kept in FOLDER/objectives.csv, and a row that was interrupted
goes on from its last checkpoint: run the same command again until the table is whole.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ingest.batch import ingest_crops
from retrieval.catalogue.archive import Archive, create_archive, open_archive
from retrieval.catalogue.files import write_atomically
from retrieval.crops import load_crop
from retrieval.evaluation.baselines.networks import trained_discriminator
from retrieval.evaluation.evaluate import evaluate
from retrieval.evaluation.labels import Labelled, find_marks, read_labels
from retrieval.gan.architecture import AdversarialDiscriminator, architecture
from retrieval.gan.objectives import OBJECTIVES
from retrieval.gan.redrawing import redrawn_pairs
from retrieval.gan.settings import Settings
from retrieval.gan.switches import SWITCHES
from retrieval.gan.training import Lesson, Progress, train
from retrieval.ink import as_bytes, normalise
from retrieval.learn import default_settings
from retrieval.model import Model, unpack_weights

#: What the switches and the attention are tried on.
BASE = "non-saturating"
#: Steps that are timed, or as many as fit into a tenth of the time.
TIMED = 20
COLUMNS = (
    "row", "learned_from", "minutes", "identities", "batch", "size", "seed",
    "steps", "seconds_per_step",
    "mean_average_precision", "precision_at_1",
    "pooled_mean_average_precision", "pooled_precision_at_1",
)  # fmt: skip
KEY = COLUMNS[:7]


@dataclass(frozen=True)
class Recipe:
    """One row of the table."""

    objective: str
    switches: tuple[str, ...] = ()
    architecture: str = "dcgan"

    @property
    def name(self) -> str:
        """What the row is called."""
        own = [] if self.architecture == "dcgan" else [self.architecture]
        return " + ".join([self.objective, *self.switches, *own])


ROWS = (
    *(Recipe(name) for name in OBJECTIVES),
    *(Recipe(BASE, (name,)) for name in SWITCHES),
    Recipe(BASE, (), "dcgan-attention"),
)


class Paced(Exception):
    """Enough steps were timed."""


def redrawn_lesson(folder: Path, identities: int, side: int, seed: int) -> Lesson:
    path = folder / f"redrawn-{identities}-{side}-{seed}.npy"
    if not path.exists():
        buffer = io.BytesIO()
        np.save(buffer, redrawn_pairs(seed, identities, side), allow_pickle=False)
        write_atomically(path, buffer.getvalue())
    pairs = np.load(path, allow_pickle=False)
    return Lesson(np.zeros((0, side, side), np.uint8), "", pairs=pairs)


def drawn_lesson(archive: Archive, drawn: Path, side: int) -> Lesson:
    """Return the drawings that are not asked about, each alphabet as a series of its own."""
    found = find_marks(archive, read_labels(drawn / "labels.csv", "train"), "labels.csv")
    marks = np.stack([as_bytes(normalise(load_crop(archive, crop), side)) for crop in found.crops])
    alphabets: list[str | None] = [source.split("/")[0] for source in found.sources]
    return Lesson(marks, "", alphabets, pairs=np.zeros((0, 2, side, side), np.uint8))


def paced(settings: Settings, lesson: Lesson, run: Path, minutes: float) -> tuple[int, float]:
    """Return how many steps fit into `minutes`, and the seconds one takes.

    The answer is kept in `run`, so that an interrupted row goes on with the same number.
    """
    kept = run / "pace.json"
    if not kept.exists():
        times: list[float] = []

        def report(progress: Progress) -> None:
            times.append(time.monotonic())
            spent = times[-1] - times[0]
            if len(times) > TIMED or (len(times) > 1 and spent > 6 * minutes):
                raise Paced

        scratch = run / "pace"
        few = replace(settings, steps=TIMED + 2, checkpoint_every=TIMED + 2)
        with suppress(Paced):
            train(few, lesson, scratch, report=report)
        shutil.rmtree(scratch)
        seconds = (times[-1] - times[0]) / (len(times) - 1)
        pace = {"steps": max(1, round(minutes * 60 / seconds)), "seconds": seconds}
        write_atomically(kept, json.dumps(pace).encode())
    pace = json.loads(kept.read_bytes())
    return pace["steps"], pace["seconds"]


def measured(archive: Archive, labelled: Labelled, model: Model) -> dict[str, float]:
    """Return mAP and P@1 of the model's embedding, and of its pooled activations if it has any."""
    pooled = (
        {"pooled": lambda: trained_discriminator(model)}
        if isinstance(model.discriminator, AdversarialDiscriminator)
        else {}
    )
    figures = {}
    rows = evaluate(archive, labelled, model, baselines=pooled).rows
    for row, prefix in zip(rows, ("", "pooled_"), strict=False):
        (scores,) = row.scores.values()
        for name in ("mean_average_precision", "precision_at_1"):
            figures[prefix + name] = round(scores.micro[name].value, 4)
    return figures


def read_table(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write_table(path: Path, rows: list[dict[str, str]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(path, text.getvalue().encode())


def show(row: dict[str, str]) -> None:
    figures = " | ".join(f"{row[name] or '-':>6}" for name in COLUMNS[9:])
    print(f"| {row['row']:32} | {row['steps']:>6} | {figures} |", flush=True)


def asked_for() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drawn", type=Path, required=True)
    parser.add_argument("--learn-from", choices=("redrawn", "drawn"), default="redrawn")
    parser.add_argument("--minutes", type=float, default=4.0, help="of training, for each row")
    parser.add_argument("--folder", type=Path, default=Path("objectives-table"))
    parser.add_argument("--only", nargs="+", metavar="ROW", help="these rows, as the table has it")
    parser.add_argument("--identities", type=int, default=8000, help="redrawn ones to learn from")
    parser.add_argument("--batch", type=int, default=96)
    parser.add_argument("--size", type=int, default=64, help="of the pictures, in pixels")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    known = [recipe.name for recipe in ROWS]
    for name in options.only or ():
        if name not in known:
            parser.error(f"there is no row {name!r}; choose from: {', '.join(known)}")
    return options


def main() -> None:
    options = asked_for()
    options.folder.mkdir(parents=True, exist_ok=True)
    home = options.folder / "archive"
    archive = open_archive(home) if (home / "archive.db").exists() else create_archive(home)
    ingest_crops(archive, [options.drawn])
    labels = read_labels(options.drawn / "labels.csv", "test")
    labelled = find_marks(archive, labels, "labels.csv")
    if options.learn_from == "drawn":
        lesson = drawn_lesson(archive, options.drawn, options.size)
    else:
        lesson = redrawn_lesson(options.folder, options.identities, options.size, options.seed)

    table = options.folder / "objectives.csv"

    def key(recipe: Recipe) -> dict[str, str]:
        return {
            "row": recipe.name,
            "learned_from": options.learn_from,
            "minutes": str(options.minutes),
            "identities": str(options.identities),
            "batch": str(options.batch),
            "size": str(options.size),
            "seed": str(options.seed),
        }

    def kept(recipe: Recipe) -> dict[str, str] | None:
        asked = key(recipe)
        rows = read_table(table)
        return next((row for row in rows if all(row[name] == asked[name] for name in KEY)), None)

    def run_of(recipe: Recipe) -> Path:
        return Path(options.folder, "runs", "-".join(key(recipe).values()).replace(" + ", "+"))

    asked = [recipe for recipe in ROWS if not options.only or recipe.name in options.only]
    if not lesson.series:
        asked = [recipe for recipe in asked if "conditional" not in recipe.switches]
        print("Redrawn marks have no series: the conditional row needs --learn-from drawn.")
    settings = {
        recipe: replace(
            default_settings(recipe.architecture, recipe.objective, None, recipe.switches),
            shape=replace(architecture(recipe.architecture), size=options.size),
            redrawn_share=0.0,
            identities=options.identities,
            batch=options.batch,
            seed=options.seed,
        )
        for recipe in asked
    }
    for recipe in asked:
        if kept(recipe) is None:
            run_of(recipe).mkdir(parents=True, exist_ok=True)
            paced(settings[recipe], lesson, run_of(recipe), options.minutes)

    print(f"{len(labelled.marks)} queries; {options.minutes} minutes a row, {options.learn_from}")
    print(f"| {'learned by':32} | steps  | mAP    | P@1    | pooled | P@1    |")
    print("|---|---|---|---|---|---|")
    for recipe in asked:
        done = kept(recipe)
        if done is None:
            run = run_of(recipe)
            steps, seconds = paced(settings[recipe], lesson, run, options.minutes)
            schedule = replace(
                settings[recipe], steps=steps, checkpoint_every=max(1, -(-steps // 5))
            )
            trained = train(schedule, lesson, run)
            model = Model(trained.id, *unpack_weights(trained.weights, run), trained.manifest)
            figures = measured(archive, labelled, model)
            done = {name: "" for name in COLUMNS} | key(recipe)
            done |= {"steps": str(steps), "seconds_per_step": f"{seconds:.3f}"}
            done |= {name: f"{value:.4f}" for name, value in figures.items()}
            write_table(table, [*read_table(table), done])
            shutil.rmtree(run)
        show(done)


if __name__ == "__main__":
    main()
