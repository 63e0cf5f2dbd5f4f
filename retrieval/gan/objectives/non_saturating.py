"""The game as it is played (Goodfellow et al. 2014, section 3, arXiv 1406.2661; Radford's DCGAN).

D as in the minimax game; G maximises E log D(g), which has the same fixed point and a gradient
also where D is sure of itself.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from retrieval.gan.objectives.minimax import discriminator_loss
from retrieval.gan.objectives.objective import Game


def generator_loss(fake: Tensor) -> Tensor:
    """Return -E log D(g) from verdicts (N,)."""
    return F.softplus(-fake).mean()


NON_SATURATING = Game(discriminator_loss, generator_loss)
