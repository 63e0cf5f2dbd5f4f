"""Make the weights that ship with the program: `python -m retrieval.bundle`.

They are trained on redrawn synthetic marks alone; nobody's scans and no labels are in them. The
manifest keeps this command's settings. An interrupted run goes on when started again.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import numpy as np

from retrieval.gan.architecture import architecture
from retrieval.gan.training import Progress, Settings, train
from retrieval.model import write_model

STEPS, IDENTITIES, SEED = 1300, 40_000, 1


def main() -> None:
    """Train the bundled weights and write them to the folder named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m retrieval.bundle", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(__file__).parent / "weights")
    parser.add_argument("--run", type=Path, default=Path("bundle-run"), help="checkpoints go here")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--identities", type=int, default=IDENTITIES)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    settings = Settings(
        architecture("dcgan"),
        steps=options.steps,
        redrawn_share=1.0,
        identities=options.identities,
        seed=options.seed,
    )

    def report(progress: Progress) -> None:
        if progress.step % 20 == 0:
            losses = ", ".join(f"{name} {value:.3f}" for name, value in progress.losses.items())
            print(f"{progress.step}/{progress.steps} {losses} {progress.probe}", flush=True)

    size = settings.shape.size
    trained = train(settings, np.zeros((0, size, size), np.uint8), "", options.run, report=report)
    command = (
        f"python -m retrieval.bundle --steps {options.steps} "
        f"--identities {options.identities} --seed {options.seed}"
    )
    write_model(options.folder, trained.weights, trained.manifest | {"made_by": command})
    shutil.rmtree(options.run)
    print(f"{trained.id}: {len(trained.weights) / 1e6:.1f} MB in {options.folder}")


if __name__ == "__main__":
    main()
