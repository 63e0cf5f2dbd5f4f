"""One step of the plain DCGAN with the non-saturating loss: the seed method, kept as a baseline."""

from __future__ import annotations

import torch
from torch import Tensor

from retrieval.gan.architecture import AdversarialDiscriminator
from retrieval.gan.augmentation import augment
from retrieval.gan.device import Compute
from retrieval.gan.objectives import (
    non_saturating_discriminator_loss,
    non_saturating_generator_loss,
)
from retrieval.gan.players import Players, fixed_weights


def adversarial_step(
    players: Players,
    first: Tensor,
    second: Tensor,
    step: int,
    source: torch.Generator,
    compute: Compute,
) -> dict[str, float]:
    """Train both players on one batch (N, 1, S, S) and return the losses by name.

    Real and generated marks are augmented alike (Zhao et al. 2020), which is what makes a few
    thousand marks enough. It has no use for `second`, the other view of each mark.
    """
    discriminator = players.discriminator
    assert isinstance(discriminator, AdversarialDiscriminator)
    real = first
    with compute.autocast():
        latent = torch.randn((len(real), discriminator.shape.latent), generator=source)
        generated = players.generator(latent.to(real.device))
        on_real = discriminator.realism(discriminator.trunk(augment(real, source))).float()
        shown = augment(generated.detach().float(), source)
        on_fake = discriminator.realism(discriminator.trunk(shown)).float()
        verdict = non_saturating_discriminator_loss(on_real, on_fake)
    players.discriminator_optimiser.zero_grad(set_to_none=True)
    verdict.backward()
    players.discriminator_optimiser.step()

    with compute.autocast(), fixed_weights(discriminator):
        seen = discriminator.trunk(augment(generated.float(), source))
        deception = non_saturating_generator_loss(discriminator.realism(seen).float())
    players.generator_optimiser.zero_grad(set_to_none=True)
    deception.backward()
    players.generator_optimiser.step()
    return {
        "verdict": verdict.item(),
        "generator": deception.item(),
        "real_taken_for_real": (on_real > 0).float().mean().item(),
        "fake_taken_for_real": (on_fake > 0).float().mean().item(),
    }
