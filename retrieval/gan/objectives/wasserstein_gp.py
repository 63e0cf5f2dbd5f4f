"""WGAN-GP (Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", arXiv 1704.00028).

WGAN's losses; instead of clipping, the critic's slope is pulled to 1 on the straight lines between
real and generated marks. The trunk has layer norm: the penalty is of each picture by itself, and
batch norm would make it depend on the others (their section 4). Needs the gradient's gradient.
"""

from __future__ import annotations

import torch
from torch import Tensor

from retrieval.gan.objectives.objective import Adam, Critic, Game
from retrieval.gan.objectives.wasserstein import critic_loss, generator_loss

#: Their lambda.
WEIGHT = 10.0


def slopes(critic: Critic, pictures: Tensor) -> Tensor:
    """Return the Euclidean norm of the critic's gradient at each picture, (N,), differentiable."""
    at = pictures.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(at).sum(), at, create_graph=True)
    # The root has no gradient at nought, where a new critic may well be.
    return (gradient.flatten(1).square().sum(dim=1) + 1e-12).sqrt()


def gradient_penalty(critic: Critic, real: Tensor, fake: Tensor, source: torch.Generator) -> Tensor:
    """Return 10 E (|grad f(h)| - 1)^2, h anywhere on the line from a real to a generated mark."""
    share = torch.rand((len(real), 1, 1, 1), generator=source).to(real.device)
    between = torch.lerp(real, fake, share)
    return WEIGHT * (slopes(critic, between) - 1).square().mean()


WASSERSTEIN_GP = Game(
    critic_loss,
    generator_loss,
    Adam(1e-4, (0.0, 0.9)),
    Adam(1e-4, (0.0, 0.9)),
    rounds=5,
    penalty=gradient_penalty,
    norm="layer",
    undecided=None,
)
