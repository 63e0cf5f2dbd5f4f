"""Make the weights that ship with the program: `python -m retrieval.bundle`.

They are trained on redrawn synthetic marks alone; nobody's scans and no labels are in them. Small
pictures teach the trunk what a mark is, at less than half of the cost; it then goes on with
full-sized ones. Each stage draws identities of its own, begins from the last one's weights, and
warms its learning rate up again (Loshchilov & Hutter 2017, SGDR). The manifest keeps this command
and every stage's settings. An interrupted run goes on when started again.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from retrieval.catalogue.errors import TrainingError
from retrieval.gan.architecture import architecture
from retrieval.gan.settings import Settings
from retrieval.gan.training import Lesson, Progress, train
from retrieval.model import MANIFEST, WEIGHTS, Model, read_model, write_model

BATCH, IDENTITIES, SEED = 192, 40_000, 1


@dataclass(frozen=True)
class Stage:
    """So many steps with pictures of so many pixels a side."""

    size: int
    steps: int

    def __str__(self) -> str:
        return f"{self.size}:{self.steps}"


STAGES = (Stage(64, 1400), Stage(96, 3000), Stage(128, 2600))


def stage(text: str) -> Stage:
    """Return the stage written as SIZE:STEPS; ValueError when it is not one."""
    size, steps = text.split(":")
    return Stage(int(size), int(steps))


def _report(name: str) -> Callable[[Progress], None]:
    def report(progress: Progress) -> None:
        if progress.step % 20 == 0:
            losses = ", ".join(f"{loss} {value:.3f}" for loss, value in progress.losses.items())
            print(f"{name} {progress.step}/{progress.steps} {losses} {progress.probe}", flush=True)

    return report


def _after(
    start: Model | None, now: Stage, batch: int, identities: int, seed: int, folder: Path
) -> Model:
    """Return the model after a stage, trained now or by an earlier, interrupted call.

    Raises TrainingError when that call asked for another stage.
    """
    settings = Settings(
        replace(architecture("dcgan"), size=now.size),
        start=start.id if start else None,
        steps=now.steps,
        batch=batch,
        redrawn_share=1.0,
        identities=identities,
        seed=seed,
    )
    if not (folder / MANIFEST).exists():
        redrawn_alone = Lesson(np.zeros((0, now.size, now.size), np.uint8), "")
        trained = train(settings, redrawn_alone, folder / "run", start, _report(str(now)))
        began = {"began_with": start.manifest} if start else {}
        write_model(folder, trained.weights, trained.manifest | began)
        shutil.rmtree(folder / "run")
    model = read_model(folder)
    if model.manifest["settings"] != settings.as_json():
        raise TrainingError(
            f"The stage in {folder} was trained with other settings than are asked for now. Ask "
            "for the same ones, or for a new run with another folder for --run."
        )
    return model


def main(arguments: Sequence[str] | None = None) -> None:
    """Train the bundled weights and write them to the folder named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m retrieval.bundle", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(__file__).parent / "weights")
    parser.add_argument("--run", type=Path, default=Path("bundle-run"), help="checkpoints go here")
    parser.add_argument(
        "--stages", type=stage, nargs="+", default=STAGES, metavar="SIZE:STEPS", help="in order"
    )
    parser.add_argument("--begin", type=Path, help="a model's folder to begin with, not at random")
    parser.add_argument("--batch", type=int, default=BATCH, help="marks a step")
    parser.add_argument("--identities", type=int, default=IDENTITIES, help="a stage")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(arguments)
    model = read_model(options.begin) if options.begin else None
    begin = f"--begin {model.id} " if model else ""
    for number, now in enumerate(options.stages):
        folder = options.run / str(number)
        model = _after(model, now, options.batch, options.identities, options.seed + number, folder)
    assert model is not None
    command = (
        f"python -m retrieval.bundle {begin}--stages {' '.join(map(str, options.stages))} "
        f"--batch {options.batch} --identities {options.identities} --seed {options.seed}"
    )
    weights = (folder / WEIGHTS).read_bytes()
    write_model(options.folder, weights, model.manifest | {"made_by": command})
    shutil.rmtree(options.run)
    print(f"{model.id}: {len(weights) / 1e6:.1f} MB in {options.folder}")


if __name__ == "__main__":
    main()
