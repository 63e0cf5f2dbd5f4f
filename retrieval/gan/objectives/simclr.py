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
from retrieval.gan.players import Players, descend

TEMPERATURE = 0.1


def contrast_loss(first: Tensor, second: Tensor, owners: Tensor, temperature: float) -> Tensor:
    """Return the supervised-contrastive loss (Khosla et al. 2020, arXiv 2004.11362, eq. 2).

    `first` and `second`, (N, D) and L2-normalised, hold two views of N marks row by row. Every
    other view of a mark's owner, by `owners` (N,), is a positive, every view of another a
    negative. Where no two marks have one owner it is SimCLR's normalised temperature-scaled cross
    entropy.
    """
    views, owner = torch.cat([first, second]), torch.cat([owners, owners])
    itself = torch.eye(len(views), dtype=torch.bool, device=views.device)
    similarity = views @ views.T / temperature
    choices = torch.logsumexp(similarity.masked_fill(itself, float("-inf")), dim=1, keepdim=True)
    positives = ((owner[:, None] == owner) & ~itself).float()
    log_share = ((similarity - choices) * positives).sum(dim=1) / positives.sum(dim=1)
    return -log_share.mean()


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
    loss = contrast_loss(projected[:count], projected[count:], batch.owners, TEMPERATURE)
    return loss, features


def simclr_step(
    players: Players, batch: Batch, step: int, source: torch.Generator, compute: Compute
) -> dict[str, float]:
    """Train the trunk and its projection on one batch and return the loss by name."""
    discriminator = players.discriminator
    assert isinstance(discriminator, ContrastiveDiscriminator)
    with compute.autocast():
        loss, _ = contrast(discriminator, batch, source)
    descend(loss, *players.discriminator_optimisers)
    return {"contrast": loss.item()}


SIMCLR = Contrast(simclr_step, generates=False)
