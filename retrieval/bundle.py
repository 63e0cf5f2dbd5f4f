"""Make the weights that ship with the program: `python -m retrieval.bundle`.

They are trained on redrawn synthetic marks alone; nobody's scans and no labels are in them. Small
pictures teach the trunk what a mark is, at less than half of the cost; it then goes on with
full-sized ones. Each stage draws identities of its own, begins from the last one's weights, and
warms its learning rate up again (Loshchilov & Hutter 2017, SGDR). What goes on from weights that
were good before may keep a share of them (`--keep`). The manifest keeps this command and every
stage's settings. An interrupted run goes on when started again.
"""

from __future__ import annotations

import argparse
import copy
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from retrieval.catalogue.errors import TrainingError
from retrieval.gan.architecture import architecture
from retrieval.gan.interpolation import move_towards
from retrieval.gan.settings import Settings
from retrieval.gan.training import Lesson, Progress, train
from retrieval.model import (
    MANIFEST,
    WEIGHTS,
    Model,
    model_id,
    pack_weights,
    read_model,
    write_model,
)

BATCH, IDENTITIES, SEED, WHITENING = 192, 40_000, 1, 0.5


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


def _after(start: Model | None, now: Stage, asked: Settings, folder: Path) -> Model:
    """Return the model after a stage, trained now or by an earlier, interrupted call.

    Raises TrainingError when that call asked for another stage.
    """
    settings = replace(
        asked,
        shape=replace(asked.shape, size=now.size),
        start=start.id if start else None,
        steps=now.steps,
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


def between(before: Model, after: Model, kept: float) -> bytes:
    """Return weights on the line between two models', a share `kept` of the way back to `before`.

    What was learned meanwhile is mostly kept, and what was forgotten mostly regained (Wortsman et
    al. 2022, "Robust fine-tuning of zero-shot models", arXiv 2109.01903). Both have the same
    networks; the generator is that of `after`.
    """
    discriminator = copy.deepcopy(before.discriminator)
    move_towards(discriminator, after.discriminator, 1 - kept)
    objective = after.manifest["settings"]["objective"]
    return pack_weights(discriminator, after.generator, objective)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train the bundled weights and write them to the folder named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m retrieval.bundle", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(__file__).parent / "weights")
    parser.add_argument("--run", type=Path, default=Path("bundle-run"), help="checkpoints go here")
    parser.add_argument(
        "--stages", type=stage, nargs="+", default=STAGES, metavar="SIZE:STEPS", help="in order"
    )
    parser.add_argument("--begin", type=Path, help="a model's folder to begin with, not at random")
    parser.add_argument("--keep", type=float, default=0.0, help="share of --begin's that is kept")
    parser.add_argument("--batch", type=int, default=BATCH, help="marks a step")
    parser.add_argument("--identities", type=int, default=IDENTITIES, help="a stage")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument(
        "--whitening", type=float, default=WHITENING, help="power of a stage's; 0 after --begin"
    )
    options = parser.parse_args(arguments)
    begun = read_model(options.begin) if options.begin else None
    if options.keep and begun is None:
        parser.error("--keep is a share of what --begin names: name it.")
    if options.keep and begun and begun.shape.size != options.stages[-1].size:
        parser.error(f"--keep needs a last stage of {begun.shape.size} pixels, as --begin has.")
    model = begun
    for number, now in enumerate(options.stages):
        folder = options.run / str(number)
        asked = Settings(
            architecture("dcgan"),
            batch=options.batch,
            redrawn_share=1.0,
            identities=options.identities,
            whitening=options.whitening,
            seed=options.seed + number,
        )
        model = _after(model, now, asked, folder)
    assert model is not None
    command = (
        f"python -m retrieval.bundle {f'--begin {begun.id} ' if begun else ''}"
        f"--stages {' '.join(map(str, options.stages))} "
        f"{f'--keep {options.keep} ' if options.keep else ''}"
        f"{f'--whitening {options.whitening} ' if options.whitening != WHITENING else ''}"
        f"--batch {options.batch} --identities {options.identities} --seed {options.seed}"
    )
    weights, made = (folder / WEIGHTS).read_bytes(), {"made_by": command}
    if begun is not None and options.keep:
        weights = between(begun, model, options.keep)
        made |= {"id": model_id(weights), "went_on_to": model.id}
    write_model(options.folder, weights, model.manifest | made)
    shutil.rmtree(options.run)
    print(f"{made.get('id', model.id)}: {len(weights) / 1e6:.1f} MB in {options.folder}")


if __name__ == "__main__":
    main()
