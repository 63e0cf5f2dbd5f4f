"""Spectral norm on every layer of D, in batch norm's place (Miyato et al. 2018, 1802.05957)."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.nn.utils.parametrize import is_parametrized

from retrieval.gan.architecture import AdversarialDiscriminator

#: Steps of power iteration before the first batch, as many as PyTorch takes.
SETTLING = 15


def add_spectral_norm(discriminator: AdversarialDiscriminator, series: int) -> None:
    """Divide the weights of each layer, the verdict's too, by their largest singular value.

    It is estimated by one step of power iteration a batch, whose vectors are part of the state.
    """
    for module in list(discriminator.modules()):
        if isinstance(module, nn.Conv2d | nn.Linear | nn.Embedding):
            spectral_norm(module)


def settle(discriminator: nn.Module) -> None:
    """Let the power iteration find its vectors; one step from random ones says far too little."""
    normed = [one for one in discriminator.modules() if is_parametrized(one, "weight")]
    with torch.no_grad():
        for _ in range(SETTLING):
            for module in normed:
                _ = module.weight  # in training mode each look at it is one step
