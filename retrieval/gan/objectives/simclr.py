"""The contrast alone (Chen et al. 2020, "SimCLR", arXiv 2002.05709).

The same discriminator, views and projection as the contrastive objective, and no generator: what
that one reaches beyond this one is what the adversarial half is worth.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from retrieval.gan.architecture import ContrastiveDiscriminator
from retrieval.gan.augmentation import augment
from retrieval.gan.device import Compute
from retrieval.gan.objectives.objective import Batch, Contrast
from retrieval.gan.players import Players

TEMPERATURE = 0.1


def nt_xent_loss(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Return SimCLR's normalised temperature-scaled cross entropy.

    `first` and `second`, (N, D) and L2-normalised, hold two views of N marks row by row; every
    other row of both is a negative.
    """
    views = torch.cat([first, second])
    count = len(first)
    similarity = views @ views.T / temperature
    similarity = similarity.masked_fill(
        torch.eye(2 * count, dtype=torch.bool, device=views.device), float("-inf")
    )
    partner = torch.arange(2 * count, device=views.device).roll(count)
    return F.cross_entropy(similarity, partner)


def contrast(
    discriminator: ContrastiveDiscriminator, batch: Batch, source: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return the loss over two augmented views of each mark, and the views' last maps, (2N, ...).

    N >= 2.
    """
    views = torch.cat([augment(batch.first, source), augment(batch.second, source)])
    features = discriminator.trunk(views)
    projected = F.normalize(discriminator.projection(features).float(), dim=1)
    count = len(batch.first)
    return nt_xent_loss(projected[:count], projected[count:], TEMPERATURE), features


def simclr_step(
    players: Players, batch: Batch, step: int, source: torch.Generator, compute: Compute
) -> dict[str, float]:
    """Train the trunk and its projection on one batch and return the loss by name."""
    discriminator = players.discriminator
    assert isinstance(discriminator, ContrastiveDiscriminator)
    with compute.autocast():
        loss, _ = contrast(discriminator, batch, source)
    players.discriminator_optimiser.zero_grad(set_to_none=True)
    loss.backward()
    players.discriminator_optimiser.step()
    return {"contrast": loss.item()}


SIMCLR = Contrast(simclr_step, generates=False)
