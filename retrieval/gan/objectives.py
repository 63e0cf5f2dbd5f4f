"""Losses of the adversarial and the contrastive training."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def non_saturating_discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Return -log D(real) - log(1 - D(fake)) from logits (N,) and (M,) (Goodfellow et al. 2014)."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def non_saturating_generator_loss(fake: Tensor) -> Tensor:
    """Return -log D(fake) from logits (M,), the generator's non-saturating loss."""
    return F.softplus(-fake).mean()


def nt_xent_loss(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Return SimCLR's normalised temperature-scaled cross entropy (Chen et al. 2020, 2002.05709).

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


def fakes_apart_loss(fake: Tensor, real: Tensor, temperature: float) -> Tensor:
    """Return the supervised-contrastive loss that holds fakes together and apart from reals.

    For each generated mark the other generated ones are positives and the real ones negatives
    (Jeong & Shin 2021, eq. 6, after Khosla et al. 2020). `fake` (M, D), `real` (N, D), both
    L2-normalised; M >= 2.
    """
    count = len(fake)
    similarity = fake @ torch.cat([fake, real]).T / temperature
    itself = torch.zeros_like(similarity, dtype=torch.bool)
    itself[:, :count] = torch.eye(count, dtype=torch.bool, device=fake.device)
    logits = similarity.masked_fill(itself, float("-inf"))
    log_share = similarity - torch.logsumexp(logits, dim=1, keepdim=True)
    positives = ~torch.eye(count, dtype=torch.bool, device=fake.device)
    return -(log_share[:, :count][positives]).mean()
