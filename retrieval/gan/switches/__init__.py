"""The switches of `train --with`: what may be added to an adversarial objective, one a module."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from retrieval.catalogue.errors import TrainingError
from retrieval.gan.architecture import AdversarialDiscriminator, Norm
from retrieval.gan.augmentation import augment
from retrieval.gan.objectives import OBJECTIVES, objective
from retrieval.gan.objectives.objective import Contrast, Game, Penalty
from retrieval.gan.switches.conditional import add_series
from retrieval.gan.switches.minibatch import add_minibatch
from retrieval.gan.switches.r1 import r1_penalty
from retrieval.gan.switches.spectral import add_spectral_norm


@dataclass(frozen=True)
class Switch:
    """What a switch changes; most change one thing."""

    amend: Callable[[AdversarialDiscriminator, int], None] | None = None  # of so many series
    norm: Norm | None = None  # of the trunk, in the place of the objective's
    penalty: Penalty | None = None  # added to the discriminator's loss
    view: Callable[[Tensor, torch.Generator], Tensor] | None = None  # of all the discriminator sees
    holds_slope: bool = False


#: The switches by name, in the order in which they amend; `retrieval.gan.recipes` has a line each.
SWITCHES: dict[str, Switch] = {
    "minibatch": Switch(amend=add_minibatch),
    "conditional": Switch(amend=add_series),
    # Normalises what the others have added, too.
    "spectral-norm": Switch(amend=add_spectral_norm, norm="none", holds_slope=True),
    # As in WGAN-GP the slope is of each picture by itself, which batch norm would undo.
    "r1": Switch(penalty=r1_penalty, norm="layer", holds_slope=True),
    "diffaugment": Switch(view=augment),
}


def switches_of(objective_name: str, names: Sequence[str]) -> tuple[Switch, ...]:
    """Return the switches called `names`, in the order in which they amend.

    Raises TrainingError when there is no such objective or switch, or they cannot go together.
    """
    chosen = objective(objective_name)
    for name in names:
        if name not in SWITCHES:
            raise TrainingError(f"There is no switch {name!r}; choose from: {', '.join(SWITCHES)}.")
    if names and isinstance(chosen, Contrast):
        games = ", ".join(name for name, one in OBJECTIVES.items() if isinstance(one, Game))
        raise TrainingError(
            f"{objective_name} cannot be combined with {', '.join(names)}: no gradient of a "
            "verdict reaches its trunk, and its views are already augmented. Leave out --with, "
            f"or choose one of: {games}."
        )
    for name in names:
        if isinstance(chosen, Game) and chosen.constraint and SWITCHES[name].holds_slope:
            raise TrainingError(
                f"{objective_name} with {name} has no effect: {chosen.constraint} already limits "
                f"its critic's slope. Leave out {name}, or choose another objective, such as "
                "hinge."
            )
    return tuple(switch for name, switch in SWITCHES.items() if name in names)
