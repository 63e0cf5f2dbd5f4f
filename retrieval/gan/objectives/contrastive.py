"""One step of the contrastive discriminator (Jeong & Shin 2021, "ContraD", arXiv 2103.09742).

The trunk learns from a SimCLR loss over two views of every real mark; every few steps it also
learns to hold generated marks together and apart, while a small head judges realism from features
whose gradient is stopped, and the generator plays against that head.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from retrieval.gan.architecture import ContrastiveDiscriminator
from retrieval.gan.augmentation import augment
from retrieval.gan.device import Compute
from retrieval.gan.objectives.minimax import cross_entropy
from retrieval.gan.objectives.non_saturating import generator_loss
from retrieval.gan.objectives.objective import Batch, Contrast
from retrieval.gan.objectives.simclr import TEMPERATURE, contrast
from retrieval.gan.players import Players, descend, fixed_weights, frozen_statistics

#: The adversarial half costs as much as the contrastive one and teaches the features little
#: (docs/decisions): it plays in every fourth step, on a part of the batch.
PLAY_EVERY = 4
FAKES = 64


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


def contrastive_step(
    players: Players, batch: Batch, step: int, source: torch.Generator, compute: Compute
) -> dict[str, float]:
    """Train both players on one batch and return the losses by name.

    The archive's own marks come first in a batch, so that realism is judged on them.
    """
    first = batch.first
    discriminator = players.discriminator
    assert isinstance(discriminator, ContrastiveDiscriminator)
    plays = step % PLAY_EVERY == 0
    fakes = min(FAKES, len(first))
    losses: dict[str, float] = {}
    latent_size = discriminator.shape.latent

    with compute.autocast():
        loss, features = contrast(discriminator, batch, source)
        losses["contrast"] = loss.item()
        if plays:
            with torch.no_grad():
                latent = torch.randn((fakes, latent_size), generator=source).to(first.device)
                generated = players.generator(latent)
            with frozen_statistics(discriminator):
                imagined = discriminator.trunk(augment(generated.float(), source))
            real = features[:fakes]
            apart = fakes_apart_loss(
                F.normalize(discriminator.apart(imagined).float(), dim=1),
                F.normalize(discriminator.apart(real).float(), dim=1),
                TEMPERATURE,
            )
            on_real = discriminator.realism(real.detach()).float()
            on_fake = discriminator.realism(imagined.detach()).float()
            verdict = cross_entropy(on_real, on_fake)
            loss = loss + apart + verdict
            losses |= {
                "apart": apart.item(),
                "verdict": verdict.item(),
                "real_taken_for_real": (on_real > 0).float().mean().item(),
                "fake_taken_for_real": (on_fake > 0).float().mean().item(),
            }
    descend(loss, *players.discriminator_optimisers)

    if plays:
        with compute.autocast(), fixed_weights(discriminator), frozen_statistics(discriminator):
            latent = torch.randn((fakes, latent_size), generator=source).to(first.device)
            generated = players.generator(latent)
            seen = discriminator.trunk(augment(generated.float(), source))
            deception = generator_loss(discriminator.realism(seen).float())
        descend(deception, players.generator_optimiser)
        losses["generator"] = deception.item()
    return losses


CONTRASTIVE = Contrast(contrastive_step)
