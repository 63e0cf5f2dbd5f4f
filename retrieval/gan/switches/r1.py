"""R1 (Mescheder, Geiger & Nowozin 2018, "Which Training Methods for GANs do actually Converge?",
arXiv 1801.04406): D's slope on real marks is held down. Needs the gradient's gradient.
"""

from __future__ import annotations

import torch
from torch import Tensor

from retrieval.gan.objectives.objective import Critic

#: Their gamma.
WEIGHT = 10.0


def r1_penalty(critic: Critic, real: Tensor, fake: Tensor, source: torch.Generator) -> Tensor:
    """Return 10/2 E |grad f(x)|^2 over real marks; generated ones have no part in it."""
    at = real.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(at).sum(), at, create_graph=True)
    return WEIGHT / 2 * gradient.flatten(1).square().sum(dim=1).mean()
