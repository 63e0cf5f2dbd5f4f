"""Least squares, LSGAN (Mao et al. 2017, arXiv 1611.04076), with the labels 0, 1 and 1."""

from __future__ import annotations

from torch import Tensor

from retrieval.gan.objectives.objective import Game, Verdicts


def discriminator_loss(verdicts: Verdicts) -> Tensor:
    """Return E (f(x) - 1)^2 / 2 + E f(g)^2 / 2."""
    return ((verdicts.real - 1).square().mean() + verdicts.fake.square().mean()) / 2


def generator_loss(fake: Tensor) -> Tensor:
    """Return E (f(g) - 1)^2 / 2 from verdicts (N,)."""
    return (fake - 1).square().mean() / 2


LEAST_SQUARES = Game(discriminator_loss, generator_loss, undecided=0.5)
