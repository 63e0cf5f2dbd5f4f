"""What a training run is told to do."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from retrieval.gan.architecture import Architecture


@dataclass(frozen=True)
class Settings:
    """What a run does; two runs with equal settings, marks and start end with equal weights."""

    shape: Architecture
    objective: str = "contrastive"
    switches: tuple[str, ...] = ()
    start: str | None = None  # id of the model the run begins from; None: random weights
    steps: int = 700
    batch: int = 192  # marks a step, each seen twice
    redrawn_share: float = 0.4  # of a batch: fresh identities drawn by two hands each
    identities: int = 8000  # how many such identities the run draws
    near_misses: float = 0.33  # of these identities: near misses of others in the batch
    siblings: float = 0.125  # of a batch: turned or mirrored siblings of other marks in it
    repeats: float = 0.9  # of the archive's marks: shown with a repeat, where they have one
    learning_rate: float = 6e-4
    matrix_rate: float = 2e-3  # Muon's, over a contrast's hidden matrices
    generator_rate: float = 4e-4
    warm_up: int = 50
    decay: float = 0.995  # of the moving average
    whitening: float = 0.5  # power of a contrast's, at the end; 0: none
    adapted: float = 1.0  # how far a contrast goes from `start` to where training leads
    checkpoint_every: int = 100
    seed: int = 1

    def as_json(self) -> dict[str, Any]:
        """Return the settings as they stand in a manifest."""
        fields = dataclasses.asdict(self)
        fields["shape"]["kernels"] = list(self.shape.kernels)
        fields["switches"] = list(self.switches)
        return fields
