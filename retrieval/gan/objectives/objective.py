"""What an objective is: a game of two losses, or a contrast that plays its own step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from retrieval.gan.architecture import Norm
from retrieval.gan.device import Compute
from retrieval.gan.players import Players


@dataclass(frozen=True)
class Batch:
    """The marks of one step, seen twice row by row, whose each is taken to be, and its series.

    Pictures are (N, 1, S, S) in [-1, 1]; `owners` is (N,) int64, equal for marks that are taken
    for one; `series` is (N,) int64, 0 where a mark has none, or None where nobody asked. The
    archive's own marks come first.
    """

    first: Tensor
    second: Tensor
    owners: Tensor
    series: Tensor | None = None


@dataclass(frozen=True)
class Verdicts:
    """What the discriminator said of real and generated marks, row by row.

    `real` and `fake` are (N,); `distance` (N,) is the mean absolute difference of the two
    pictures of a row, in [0, 2].
    """

    real: Tensor
    fake: Tensor
    distance: Tensor


#: Pictures (N, 1, S, S) to verdicts (N,).
Critic = Callable[[Tensor], Tensor]
#: Of the critic, real pictures, generated pictures, and a CPU source of random numbers.
Penalty = Callable[[Critic, Tensor, Tensor, torch.Generator], Tensor]
#: Trains the players on the batch of a step and returns the losses by name.
Step = Callable[[Players, Batch, int, torch.Generator, Compute], dict[str, float]]


@dataclass(frozen=True)
class Adam:
    """Adam with decoupled weight decay; `rate` is what the recipe's paper uses, or served best."""

    rate: float
    betas: tuple[float, float]
    weight_decay: float = 0.0

    def over(self, parameters: Iterable[nn.Parameter], rate: float) -> torch.optim.Optimizer:
        """Return the optimiser of `parameters` with the full learning rate `rate`."""
        return torch.optim.AdamW(
            parameters, rate, betas=self.betas, weight_decay=self.weight_decay, fused=True
        )


@dataclass(frozen=True)
class RMSprop:
    """RMSprop: no momentum, which a critic whose weights are clipped cannot bear."""

    rate: float

    def over(self, parameters: Iterable[nn.Parameter], rate: float) -> torch.optim.Optimizer:
        """Return the optimiser of `parameters` with the full learning rate `rate`."""
        return torch.optim.RMSprop(parameters, rate)


#: Radford et al. (2015), section 4.
DCGAN_ADAM = Adam(2e-4, (0.5, 0.999))


@dataclass(frozen=True)
class Game:
    """An adversarial objective: both players' losses, and how they are trained."""

    discriminator_loss: Callable[[Verdicts], Tensor]
    generator_loss: Callable[[Tensor], Tensor]
    discriminator_optimiser: Adam | RMSprop = DCGAN_ADAM
    generator_optimiser: Adam | RMSprop = DCGAN_ADAM
    rounds: int = 1  # batches the discriminator learns from for each one of the generator
    clip: float | None = None  # bound of every weight of the discriminator
    penalty: Penalty | None = None  # added to the discriminator's loss
    norm: Norm = "batch"  # of the discriminator's trunk
    undecided: float | None = 0.0  # verdict between real and generated; None: it has no zero

    @property
    def constraint(self) -> str | None:
        """What holds the critic's slope by the objective's own definition, in words."""
        if self.clip is not None:
            return "clipping its weights"
        return "its gradient penalty" if self.penalty is not None else None


@dataclass(frozen=True)
class Contrast:
    """An objective whose features learn from a contrast between views."""

    step: Step
    discriminator_optimiser: Adam = Adam(6e-4, (0.9, 0.999), weight_decay=1e-4)
    generator_optimiser: Adam = Adam(4e-4, (0.5, 0.999))
    generates: bool = True  # False: the generator stays as it was drawn


Objective = Game | Contrast
