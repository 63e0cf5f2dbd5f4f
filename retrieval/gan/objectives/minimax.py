"""The original game (Goodfellow et al. 2014, "Generative Adversarial Nets", arXiv 1406.2661).

D maximises, G minimises E log D(x) + E log(1 - D(g)), with D = sigmoid(f). G's gradient fades
where D is sure of itself: that is the paper's own warning, and why it plays non-saturating.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from retrieval.gan.objectives.objective import Game, Verdicts


def cross_entropy(real: Tensor, fake: Tensor) -> Tensor:
    """Return -E log D(x) - E log(1 - D(g)) from verdicts (N,) and (M,)."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def discriminator_loss(verdicts: Verdicts) -> Tensor:
    """Return -E log D(x) - E log(1 - D(g))."""
    return cross_entropy(verdicts.real, verdicts.fake)


def generator_loss(fake: Tensor) -> Tensor:
    """Return E log(1 - D(g)) from verdicts (N,)."""
    return -F.softplus(fake).mean()


MINIMAX = Game(discriminator_loss, generator_loss)
