"""Muon over a contrastive discriminator's matrices (Jordan et al. 2024).

A step moves every weight matrix by the nearest orthogonal one to its gradient's running mean, so
that rare directions are learned as fast as common ones. Method and source: Keller Jordan et al.,
"Muon: An optimizer for hidden layers in neural networks", kellerjordan.github.io/posts/muon; the
steps' size is matched to Adam's (Liu et al. 2025, "Muon is Scalable for LLM Training", arXiv
2502.16982).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from retrieval.gan.architecture import ContrastiveDiscriminator


def as_matrix(weight: Tensor) -> Tensor:
    """Return a weight as a matrix of one row an output, in the memory of `weight`.

    A convolution's columns come in the order in which they lie in memory, which Muon does not care
    about. ValueError where they lie apart.
    """
    if weight.dim() == 4 and weight.is_contiguous(memory_format=torch.channels_last):
        weight = weight.permute(0, 2, 3, 1)
    return weight.view(len(weight), -1)


def hidden_matrices(discriminator: ContrastiveDiscriminator) -> list[nn.Parameter]:
    """Return what Muon moves: the trunk's convolutions after the first, and the projection.

    The first layer, norms, biases and the heads that play with the generator are Adam's.
    """
    layers = nn.ModuleList([*discriminator.trunk.layers[1:], discriminator.projection])
    return [weight for weight in layers.parameters() if weight.dim() > 1]


class Muon(torch.optim.Muon):
    """torch's Muon, which takes matrices alone, over convolutions too."""

    def __init__(self, weights: Iterable[nn.Parameter], rate: float) -> None:
        self.weights = list(weights)
        matrices = [nn.Parameter(as_matrix(weight.detach())) for weight in self.weights]
        super().__init__(matrices, rate, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of the weights themselves."""
        for weight in self.weights:
            weight.grad = None

    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """Move the weights by their gradients."""
        matrices = (matrix for group in self.param_groups for matrix in group["params"])
        for matrix, weight in zip(matrices, self.weights, strict=True):
            matrix.grad = None
            if weight.grad is not None:
                # A gradient may lie in memory otherwise than its weight does.
                matrix.grad = as_matrix(torch.empty_like(weight).copy_(weight.grad))
        return super().step(closure)  # type: ignore[no-untyped-call]  # torch gives it no types
