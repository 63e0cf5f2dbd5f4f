"""WGAN (Arjovsky, Chintala & Bottou 2017, arXiv 1701.07875).

The critic estimates the earth mover's distance of real and generated marks; clipping every weight
to [-0.01, 0.01] is what keeps its slope bounded. RMSprop, five rounds of the critic for one of
the generator, as in the paper's algorithm 1.
"""

from __future__ import annotations

from torch import Tensor

from retrieval.gan.objectives.objective import Game, RMSprop, Verdicts


def critic_loss(verdicts: Verdicts) -> Tensor:
    """Return E f(g) - E f(x)."""
    return verdicts.fake.mean() - verdicts.real.mean()


def generator_loss(fake: Tensor) -> Tensor:
    """Return -E f(g) from verdicts (N,)."""
    return -fake.mean()


WASSERSTEIN = Game(
    critic_loss,
    generator_loss,
    RMSprop(5e-5),
    RMSprop(5e-5),
    rounds=5,
    clip=0.01,
    undecided=None,
)
