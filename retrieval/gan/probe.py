"""A label-free probe of the features, by which a run picks its checkpoint.

Two augmented views of a mark must find each other among all the rest. Adversarial features can
decay while the losses look well (Radford et al. 2015, section 7), so the last step is not trusted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from retrieval.gan.architecture import Discriminator
from retrieval.gan.augmentation import Strength, augment
from retrieval.gan.device import Compute, as_pictures, evaluating

#: A third to three quarters stronger than in training, and four times as many lose a patch of ink:
#: what it has learned to the letter does not count.
HARDER = Strength(rotation=0.35, scale=0.3, shear=0.2, shift=0.12, elastic=0.035, erasure=0.4)


@dataclass(frozen=True, order=True)
class ProbeScore:
    """How well views find their partner; compares by precision first, margin second."""

    precision_at_1: float
    margin: float  # cosine to the partner minus cosine to the nearest stranger, mean
    marks: int  # that were looked at

    def as_good_as(self, other: ProbeScore) -> bool:
        """Whether the precision is lower than the other's by two standard errors at most.

        The error is of a share with one more hit and one more miss: of all marks or of none it
        would be 0, and a single mark would decide.
        """
        share = (other.precision_at_1 * other.marks + 1) / (other.marks + 2)
        error = math.sqrt(share * (1 - share) / other.marks)
        return self.precision_at_1 >= other.precision_at_1 - 2 * error


def probe(
    discriminator: Discriminator,
    first: NDArray[np.uint8],
    second: NDArray[np.uint8],
    compute: Compute,
) -> ProbeScore:
    """Return how well the views of N marks, (N, S, S) uint8 each, find each other."""
    source = torch.Generator().manual_seed(0)
    sides = [augment(as_pictures(side, compute.device), source, HARDER) for side in (first, second)]
    with evaluating(discriminator), compute.autocast():
        left, right = (
            torch.cat([discriminator.embed(part).float() for part in side.split(256)])
            for side in sides
        )
    similarity = left @ right.T
    partner = similarity.diagonal()
    strangers = similarity.clone().fill_diagonal_(-2.0).max(dim=1).values
    return ProbeScore(
        (partner > strangers).float().mean().item(),
        (partner - strangers).mean().item(),
        len(first),
    )
