"""Conditional GAN (Mirza & Osindero 2014, arXiv 1411.1784); the condition is the archive series.

A series has its own scanner, paper and crop. Told it, neither player gains by finding it out, so
the features need not hold it. The generator is told beside its latent vector, the discriminator
past its features (by an inner product: Miyato & Koyama 2018, arXiv 1802.05637), for a sketch that
is searched with has no series.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from retrieval.catalogue.errors import TrainingError
from retrieval.gan.architecture import AdversarialDiscriminator


class SeriesVerdict(nn.Module):
    """Adds to each verdict how a real mark of its series differs from any real mark."""

    def __init__(self, channels: int, series: int) -> None:
        super().__init__()
        self.directions = nn.Embedding(series, channels)

    def forward(self, features: Tensor, series: Tensor | None) -> Tensor:
        """Return what is added to each verdict, (N,): nothing where the series is not known."""
        pooled = features.mean(dim=(2, 3))
        if series is None:
            return pooled.new_zeros(len(pooled))
        added: Tensor = (self.directions(series) * pooled).sum(dim=1)
        return added


def add_series(discriminator: AdversarialDiscriminator, series: int) -> None:
    """Let the verdict know of `series` series, 0 being none."""
    channels, _, _ = discriminator.shape.last_map
    discriminator.extras["series"] = SeriesVerdict(channels, series)


def series_codes(series: Sequence[str | None]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the names of the series and each mark's code: 0 none, else its name's place from 1.

    Raises TrainingError when there are not two series to tell apart.
    """
    names = sorted({name for name in series if name})
    if len(names) < 2:
        found = f"only of series {names[0]}" if names else "without a series"
        raise TrainingError(
            "The switch conditional tells marks of different series apart, but these are "
            f"{found}. Ingest with --documents FILE.csv, whose references name the series, or "
            "leave out the switch."
        )
    code = {name: place for place, name in enumerate(names, start=1)}
    return names, np.array([code[name] if name else 0 for name in series], np.int64)
