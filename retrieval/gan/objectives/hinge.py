"""The hinge game (Lim & Ye 2017, "Geometric GAN", arXiv 1705.02894), with SAGAN's learning rates.

SAGAN: Zhang, Goodfellow, Metaxas & Odena (2019), arXiv 1805.08318.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from retrieval.gan.objectives.objective import Adam, Game, Verdicts


def discriminator_loss(verdicts: Verdicts) -> Tensor:
    """Return E max(0, 1 - f(x)) + E max(0, 1 + f(g))."""
    return F.relu(1 - verdicts.real).mean() + F.relu(1 + verdicts.fake).mean()


def generator_loss(fake: Tensor) -> Tensor:
    """Return -E f(g) from verdicts (N,)."""
    return -fake.mean()


HINGE = Game(discriminator_loss, generator_loss, Adam(4e-4, (0.0, 0.9)), Adam(1e-4, (0.0, 0.9)))
