"""One step of an adversarial game, whatever its losses and switches: D's turn, then perhaps G's."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from retrieval.gan.architecture import AdversarialDiscriminator
from retrieval.gan.device import Compute
from retrieval.gan.objectives.objective import Batch, Game, Verdicts
from retrieval.gan.players import Players, descend, fixed_weights, frozen_statistics
from retrieval.gan.switches import Switch


def adversarial_step(
    game: Game,
    switches: Sequence[Switch],
    players: Players,
    batch: Batch,
    step: int,
    source: torch.Generator,
    compute: Compute,
) -> dict[str, float]:
    """Train the discriminator on one batch, the generator too every `game.rounds` steps.

    Returns the losses by name. A batch's second view is not needed.
    """
    discriminator, series = players.discriminator, batch.series
    assert isinstance(discriminator, AdversarialDiscriminator)
    plays = step % game.rounds == 0

    def critic(pictures: Tensor) -> Tensor:
        return discriminator.realism(discriminator.trunk(pictures), series).float()

    with compute.autocast():
        latent = torch.randn((len(batch.first), discriminator.shape.latent), generator=source)
        with torch.set_grad_enabled(plays):
            generated = players.generator(latent.to(batch.first.device), series).float()
        real = _shown(batch.first, switches, source)
        fake = _shown(generated.detach(), switches, source)
        on_real = critic(real)
        with frozen_statistics(discriminator):
            on_fake = critic(fake)
        distance = (real - fake).abs().mean(dim=(1, 2, 3))
        verdict = game.discriminator_loss(Verdicts(on_real, on_fake, distance))
    losses = {"verdict": verdict.item()}
    loss = verdict
    for penalise in (game.penalty, *(switch.penalty for switch in switches)):
        if penalise is not None:
            # Squares of small gradients: in float32, whatever the rest is in.
            whole = torch.autocast(compute.device.type, enabled=False)
            with whole, frozen_statistics(discriminator):
                penalty = penalise(critic, real, fake, source)
            losses["penalty"] = penalty.item()
            loss = loss + penalty
    descend(loss, *players.discriminator_optimisers)
    if game.clip is not None:
        with torch.no_grad():
            for weight in discriminator.parameters():
                weight.clamp_(-game.clip, game.clip)

    if plays:
        with compute.autocast(), fixed_weights(discriminator), frozen_statistics(discriminator):
            deception = game.generator_loss(critic(_shown(generated, switches, source)))
        descend(deception, players.generator_optimiser)
        losses["generator"] = deception.item()
    if game.undecided is not None:
        losses["real_taken_for_real"] = (on_real > game.undecided).float().mean().item()
        losses["fake_taken_for_real"] = (on_fake > game.undecided).float().mean().item()
    return losses


def _shown(pictures: Tensor, switches: Sequence[Switch], source: torch.Generator) -> Tensor:
    """Return the pictures as the switches have the discriminator see them."""
    for switch in switches:
        if switch.view is not None:
            pictures = switch.view(pictures, source)
    return pictures
