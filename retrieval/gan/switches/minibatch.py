"""Minibatch discrimination (Salimans et al. 2016, "Improved Techniques", arXiv 1606.03498, 3.2).

A generator that always draws the same mark is found out by the batch, not by any one picture.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from retrieval.gan.architecture import AdversarialDiscriminator

KERNELS, LENGTH = 16, 8


class MinibatchDiscrimination(nn.Module):
    """Adds to each verdict how close its mark's features are to those of the others."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        # From quarters of the map: from all its cells the matrix would outweigh the trunk.
        self.rows = nn.Sequential(
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(channels * 4, KERNELS * LENGTH, bias=False),
        )
        self.verdict = nn.Linear(KERNELS, 1, bias=False)

    def closeness(self, features: Tensor) -> Tensor:
        """Return the sum of exp(-L1 distance) to the other marks, (N, KERNELS), of maps (N, ...).

        Generated and real marks come in batches of their own, as in the paper.
        """
        rows = self.rows(features).float().unflatten(1, (KERNELS, LENGTH))
        distance = (rows[:, None] - rows[None]).abs().sum(dim=3)
        return torch.exp(-distance).sum(dim=1) - 1  # without itself

    def forward(self, features: Tensor, series: Tensor | None) -> Tensor:
        """Return what is added to each verdict, (N,)."""
        added: Tensor = self.verdict(self.closeness(features)).squeeze(1)
        return added


def add_minibatch(discriminator: AdversarialDiscriminator, series: int) -> None:
    """Let the verdict see the batch. As one more linear term, it is the paper's concatenation."""
    channels, _, _ = discriminator.shape.last_map
    discriminator.extras["minibatch"] = MinibatchDiscrimination(channels)
