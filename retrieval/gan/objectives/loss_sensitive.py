"""Loss-sensitive GAN, LS-GAN (Qi 2017, arXiv 1701.06264); not to be taken for least squares.

D learns a loss L = -f that is smaller on a real mark than on a generated one by a margin, their
distance as pictures: what is nearly right already is let alone. The paper's further term E L(x) is
left out, as in its author's program, for the paper shows that it may be.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from retrieval.gan.objectives.objective import Adam, Game, Verdicts

#: Margin a unit of mean absolute difference: the author's 0.0002 a number of a 3 x 64 x 64 picture.
MARGIN = 2.5


def discriminator_loss(verdicts: Verdicts) -> Tensor:
    """Return E max(0, margin + L(x) - L(g))."""
    return F.relu(MARGIN * verdicts.distance - verdicts.real + verdicts.fake).mean()


def generator_loss(fake: Tensor) -> Tensor:
    """Return E L(g) from verdicts (N,)."""
    return -fake.mean()


LOSS_SENSITIVE = Game(
    discriminator_loss,
    generator_loss,
    Adam(1e-4, (0.5, 0.999)),
    Adam(1e-4, (0.5, 0.999)),
    undecided=None,
)
