"""Generators and discriminators.

All pictures are (N, 1, S, S) float32 in [-1, 1], ink = +1. A discriminator's trunk halves the side
in each of four strided convolutions and doubles the channels from the second on; the generator
mirrors it (Radford, Metz & Chintala 2015, arXiv 1511.06434).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from retrieval.catalogue.errors import ModelError
from retrieval.gan.attention import SelfAttention

#: What evens out a trunk's activations: over the batch, over each picture by itself, or nothing.
Norm = Literal["batch", "layer", "none"]


@dataclass(frozen=True)
class Architecture:
    """The shape of a generator and a discriminator that play against each other."""

    name: str
    size: int = 64  # side of the pictures in pixels, a multiple of 16
    width: int = 48  # channels of the discriminator's first layer
    kernels: tuple[int, int, int, int] = (4, 4, 4, 4)  # of the discriminator, shallow to deep
    latent: int = 100
    embedding: int = 128
    generator_width: int = 48  # channels of the generator's last layer but one
    attention: int | None = None  # layer of the discriminator, from 0, that ends in self-attention

    @property
    def channels(self) -> tuple[int, int, int, int]:
        """Channels after each of the trunk's layers."""
        return self.width, self.width * 2, self.width * 4, self.width * 8

    @property
    def last_map(self) -> tuple[int, int, int]:
        """Shape (C, s, s) of the trunk's output."""
        return self.width * 8, self.size // 16, self.size // 16


#: sketch-GAN and thin-GAN follow Creswell & Bharath (arXiv 1607.02748): large filters in the
#: discriminator's shallow and the generator's deep layers, against small ones throughout at an
#: equal count of parameters. dcgan-attention is dcgan with SAGAN's attention
#: on a map of a quarter of the side.
ARCHITECTURES: dict[str, Architecture] = {
    "dcgan": Architecture("dcgan", size=128, generator_width=32),
    "dcgan-attention": Architecture("dcgan-attention", size=128, generator_width=32, attention=1),
    "sketch-gan": Architecture("sketch-gan", width=32, kernels=(12, 8, 4, 4), generator_width=32),
    "thin-gan": Architecture("thin-gan", width=35, kernels=(4, 4, 4, 4), generator_width=35),
}

#: Cells a side to which the last map is pooled before the projection: a trunk that learned on
#: small pictures goes on with large ones, and the projection does not grow with them.
CELLS = 4
#: Numbers by which a conditional generator is told a series.
SERIES_LENGTH = 16


def architecture(name: str) -> Architecture:
    """Return the architecture called `name`; ModelError lists the known ones."""
    try:
        return ARCHITECTURES[name]
    except KeyError:
        known = ", ".join(ARCHITECTURES)
        raise ModelError(f"There is no architecture {name!r}; choose one of: {known}.") from None


class Trunk(nn.Module):
    """The convolutional part of a discriminator: (N, 1, S, S) -> (N, 8 * width, S/16, S/16)."""

    def __init__(self, shape: Architecture, norm: Norm = "batch") -> None:
        super().__init__()
        layers: list[nn.Module] = []
        previous = 1
        for depth, (channels, kernel) in enumerate(zip(shape.channels, shape.kernels, strict=True)):
            padding = (kernel - 2) // 2
            # No norm on the first layer, as Radford et al. advise.
            normed = depth > 0 and norm != "none"
            block: list[nn.Module] = [
                nn.Conv2d(previous, channels, kernel, 2, padding, bias=not normed)
            ]
            if normed:
                batch = norm == "batch"
                block.append(nn.BatchNorm2d(channels) if batch else nn.GroupNorm(1, channels))
            block.append(nn.LeakyReLU(0.2, inplace=True))
            if depth == shape.attention:
                block.append(SelfAttention(channels))
            layers.append(nn.Sequential(*block))
            previous = channels
        self.layers = nn.ModuleList(layers)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the deepest activations."""
        return self.activations(pictures)[-1]

    def activations(self, pictures: Tensor) -> list[Tensor]:
        """Return the activations of every layer, shallow to deep."""
        outputs = []
        x = pictures
        for layer in self.layers:
            x = layer(x)
            outputs.append(x)
        return outputs


class PooledCells(nn.Module):
    """Mean of a map in 4 x 4 cells, flattened: (N, C, s, s) -> (N, 16 * C), whatever s is."""

    def forward(self, features: Tensor) -> Tensor:
        """Return one row of cells a picture."""
        return F.adaptive_avg_pool2d(features, CELLS).flatten(1)


class AdversarialDiscriminator(nn.Module):
    """DCGAN's discriminator: the trunk and one linear verdict over its last map.

    `extras` see that map and each mark's series as well, and add to the verdict.
    """

    def __init__(
        self,
        shape: Architecture,
        norm: Norm = "batch",
        extras: Mapping[str, nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.shape = shape
        self.trunk = Trunk(shape, norm)
        channels, side, _ = shape.last_map
        self.verdict = nn.Linear(channels * side * side, 1)
        self.extras = nn.ModuleDict(dict(extras or {}))

    def realism(self, features: Tensor, series: Tensor | None = None) -> Tensor:
        """Return one logit a picture, (N,): large where it looks drawn by a person.

        `series`, (N,) int64, is what a conditional discriminator is told; None: not known.
        """
        logits: Tensor = self.verdict(features.flatten(1)).squeeze(1)
        for extra in self.extras.values():
            logits = logits + extra(features, series)
        return logits

    def embed(self, pictures: Tensor) -> Tensor:
        """Return L2-normalised penultimate activations, (N, 8 * width * (S/16)**2)."""
        return F.normalize(self.trunk(pictures).flatten(1), dim=1)


class ContrastiveDiscriminator(nn.Module):
    """A DCGAN discriminator whose trunk learns by contrast (Jeong & Shin 2021, arXiv 2103.09742).

    `projection` makes the embedding; `apart` is the head in which generated marks are held
    together and away from real ones; `verdict` judges realism from stop-gradient features.
    """

    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        self.shape = shape
        self.trunk = Trunk(shape)
        channels, _, _ = shape.last_map
        hidden = 256
        self.projection = nn.Sequential(
            PooledCells(),
            nn.Linear(channels * CELLS * CELLS, hidden, bias=False),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Linear(hidden, shape.embedding),
        )
        self.apart = nn.Sequential(
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(channels * 4, 128),
            nn.ReLU(),
            nn.Linear(128, 64),
        )
        # Spectral norm keeps the verdict from winning outright, which starves the generator.
        self.verdict = nn.Sequential(
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            spectral_norm(nn.Linear(channels * 4, 128)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Linear(128, 1)),
        )

    def realism(self, features: Tensor) -> Tensor:
        """Return one logit a picture, (N,): large where it looks drawn by a person."""
        logits: Tensor = self.verdict(features)
        return logits.squeeze(1)

    def embed(self, pictures: Tensor) -> Tensor:
        """Return L2-normalised projections, (N, embedding)."""
        return F.normalize(self.projection(self.trunk(pictures)), dim=1)


Discriminator = AdversarialDiscriminator | ContrastiveDiscriminator


class Generator(nn.Module):
    """DCGAN's generator: latent (N, latent) -> pictures (N, 1, S, S) in [-1, 1].

    With `series` > 0 it is told which of so many series to draw a mark of, 0 being none.
    """

    def __init__(self, shape: Architecture, series: int = 0) -> None:
        super().__init__()
        self.shape = shape
        self.series = nn.Embedding(series, SERIES_LENGTH) if series else None
        told = SERIES_LENGTH if series else 0
        widths = [shape.generator_width * times for times in (8, 4, 2, 1)]
        channels, side = widths[0], shape.size // 16
        self.seed = nn.Sequential(
            nn.Linear(shape.latent + told, channels * side * side, bias=False),
            nn.Unflatten(1, (channels, side, side)),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        )
        layers: list[nn.Module] = []
        outputs = (*widths[1:], 1)
        for output, kernel in zip(outputs, reversed(shape.kernels), strict=True):
            padding = (kernel - 2) // 2
            layers.append(
                nn.ConvTranspose2d(channels, output, kernel, 2, padding, bias=output == 1)
            )
            layers += [nn.Tanh()] if output == 1 else [nn.BatchNorm2d(output), nn.ReLU()]
            channels = output
        self.layers = nn.Sequential(*layers)

    def forward(self, latent: Tensor, series: Tensor | None = None) -> Tensor:
        """Return one generated mark a latent vector; `series` is (N,) int64, None: of none."""
        if self.series is not None:
            if series is None:
                series = torch.zeros(len(latent), dtype=torch.int64, device=latent.device)
            latent = torch.cat([latent, self.series(series)], dim=1)
        pictures: Tensor = self.layers(self.seed(latent))
        return pictures


def draw_weights(network: nn.Module, seed: int) -> None:
    """Set a network's weights to Radford's N(0, 0.02), from `seed` alone.

    Linear layers keep fan-in scaling: with 0.02 a projection of 6,144 inputs starts saturated.
    """
    source = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(network.named_parameters(), key=lambda item: item[0]):
            if parameter.dim() == 4:
                parameter.copy_(torch.randn(parameter.shape, generator=source) * 0.02)
            elif parameter.dim() == 2:
                spread = parameter.shape[1] ** -0.5
                parameter.copy_(torch.randn(parameter.shape, generator=source) * spread)
            elif name.endswith("bias"):
                parameter.zero_()
        for name, buffer in sorted(network.named_buffers(), key=lambda item: item[0]):
            if name.endswith(("._u", "._v")):  # spectral norm's power-iteration vectors
                buffer.copy_(F.normalize(torch.randn(buffer.shape, generator=source), dim=0))
