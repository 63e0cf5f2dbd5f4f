"""The two players of a training run with their optimisers, and how their state is kept.

State goes to safetensors and JSON, never to pickle: a checkpoint can be opened without trusting it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from retrieval.gan.architecture import Discriminator, Generator
from retrieval.gan.interpolation import move_towards


@dataclass
class Players:
    """Discriminator, generator, the discriminator's moving average, and what moves either."""

    discriminator: Discriminator
    generator: Generator
    average: Discriminator  # exponential moving average: what is kept in the end
    discriminator_optimisers: tuple[torch.optim.Optimizer, ...]
    generator_optimiser: torch.optim.Optimizer

    def networks(self) -> dict[str, nn.Module]:
        """Return the networks by the name they have in a checkpoint."""
        return {
            "discriminator": self.discriminator,
            "generator": self.generator,
            "average": self.average,
        }

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        """Return the optimisers by the name they have in a checkpoint."""
        moving_the_discriminator = enumerate(self.discriminator_optimisers)
        return {
            "generator_optimiser": self.generator_optimiser,
        } | {f"discriminator_optimiser_{i}": each for i, each in moving_the_discriminator}

    def follow(self, decay: float) -> None:
        """Move the average a share of 1 - `decay` towards the discriminator."""
        move_towards(self.average, self.discriminator, 1 - decay)


def averaged(discriminator: Discriminator) -> Discriminator:
    """Return a copy that will follow `discriminator` and is never trained itself."""
    return copy.deepcopy(discriminator).requires_grad_(False).eval()


def descend(loss: Tensor, *optimisers: torch.optim.Optimizer) -> None:
    """Take one step down `loss` with the weights that the optimisers move."""
    for optimiser in optimisers:
        optimiser.zero_grad(set_to_none=True)
    loss.backward()
    for optimiser in optimisers:
        optimiser.step()


@contextmanager
def frozen_statistics(network: nn.Module) -> Iterator[None]:
    """Run generated marks through `network` without moving its batch-norm statistics.

    The statistics serve real marks at embedding time; fakes would pull them away.
    """
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


@contextmanager
def fixed_weights(network: nn.Module) -> Iterator[None]:
    """Let gradients pass through `network` to its input without collecting any for its weights."""
    trained = [p for p in network.parameters() if p.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)


def state_tensors(players: Players) -> tuple[dict[str, Tensor], str]:
    """Return what a run needs to go on: named tensors and, as JSON, the optimisers' groups."""
    tensors: dict[str, Tensor] = {}
    for name, network in players.networks().items():
        for key, value in network.state_dict().items():
            tensors[f"{name}/{key}"] = value.detach().cpu().contiguous()
    groups: dict[str, object] = {}
    for name, optimiser in players.optimisers().items():
        state = optimiser.state_dict()
        groups[name] = state["param_groups"]
        for index, entry in state["state"].items():
            for key, value in entry.items():
                tensors[f"{name}/{index}/{key}"] = value.detach().cpu().contiguous()
    return tensors, json.dumps(groups)


def restore_state(players: Players, tensors: dict[str, Tensor], groups: str) -> None:
    """Put a state made by `state_tensors` back into `players`."""
    for name, network in players.networks().items():
        prefix = f"{name}/"
        network.load_state_dict(
            {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
        )
    for name, optimiser in players.optimisers().items():
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith(f"{name}/"):
                _, index, field = key.split("/")
                parameter = parameters[int(index)]
                if value.shape == parameter.shape:
                    # In the parameter's own memory layout: the fused optimiser walks both as one.
                    value = torch.empty_like(parameter).copy_(value)
                state.setdefault(int(index), {})[field] = value
        optimiser.load_state_dict({"state": state, "param_groups": json.loads(groups)[name]})
