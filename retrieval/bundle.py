"""Make the weights that ship with the program: `python -m retrieval.bundle`.

They are trained on redrawn synthetic marks alone; nobody's scans and no labels are in them. Small
pictures teach the trunk what a mark is, at a third of the cost; it then goes on with full-sized
ones. The manifest keeps this command's settings. An interrupted run goes on when started again.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from retrieval.gan.architecture import architecture
from retrieval.gan.settings import Settings
from retrieval.gan.training import Progress, Trained, train
from retrieval.model import MANIFEST, Model, read_model, write_model

SMALL, SMALL_STEPS, STEPS, IDENTITIES, SEED = 64, 1400, 900, 40_000, 1


def _report(stage: str) -> Callable[[Progress], None]:
    def report(progress: Progress) -> None:
        if progress.step % 20 == 0:
            losses = ", ".join(f"{name} {value:.3f}" for name, value in progress.losses.items())
            print(f"{stage} {progress.step}/{progress.steps} {losses} {progress.probe}", flush=True)

    return report


def _trained(settings: Settings, run: Path, start: Model | None, stage: str) -> Trained:
    side = settings.shape.size
    nothing = np.zeros((0, side, side), np.uint8)
    return train(settings, nothing, "", run, start, report=_report(stage))


def _small_model(settings: Settings, folder: Path) -> Model:
    """Return the model of the small pictures, trained now or by an earlier, interrupted call."""
    if not (folder / MANIFEST).exists():
        trained = _trained(settings, folder / "run", None, "small")
        write_model(folder, trained.weights, trained.manifest)
    return read_model(folder)


def main() -> None:
    """Train the bundled weights and write them to the folder named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m retrieval.bundle", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(__file__).parent / "weights")
    parser.add_argument("--run", type=Path, default=Path("bundle-run"), help="checkpoints go here")
    parser.add_argument("--small-steps", type=int, default=SMALL_STEPS)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--identities", type=int, default=IDENTITIES)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    shape = architecture("dcgan")
    small_settings = Settings(
        replace(shape, size=SMALL),
        steps=options.small_steps,
        batch=192,
        redrawn_share=1.0,
        identities=options.identities,
        seed=options.seed,
    )
    small = _small_model(small_settings, options.run / "small")
    settings = replace(
        small_settings, shape=shape, start=small.id, steps=options.steps, seed=options.seed + 1
    )
    trained = _trained(settings, options.run / "full", small, "full")
    command = (
        f"python -m retrieval.bundle --small-steps {options.small_steps} --steps {options.steps} "
        f"--identities {options.identities} --seed {options.seed}"
    )
    manifest = trained.manifest | {"made_by": command, "began_with": small.manifest}
    write_model(options.folder, trained.weights, manifest)
    shutil.rmtree(options.run)
    print(f"{trained.id}: {len(trained.weights) / 1e6:.1f} MB in {options.folder}")


if __name__ == "__main__":
    main()
