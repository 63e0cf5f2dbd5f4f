from __future__ import annotations

import math

import pytest
import torch

from retrieval.gan.architecture import Architecture, ContrastiveDiscriminator
from retrieval.gan.muon import Muon, as_matrix, hidden_matrices

TINY = Architecture("dcgan", size=32, width=8)
LAYOUTS = (torch.contiguous_format, torch.channels_last)


def convolution(layout: torch.memory_format) -> torch.nn.Parameter:
    source = torch.Generator().manual_seed(1)
    return torch.nn.Parameter(
        torch.randn((6, 3, 4, 4), generator=source).contiguous(memory_format=layout)
    )


def pushed(weight: torch.nn.Parameter, rate: float = 0.1) -> torch.Tensor:
    """Return how a first step moves `weight`, whose gradient is the same in every layout."""
    before = weight.detach().clone()
    gradient = torch.randn(weight.shape, generator=torch.Generator().manual_seed(2))
    muon = Muon([weight], rate)
    (weight * gradient).sum().backward()
    muon.step()
    return weight.detach() - before


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_matrix_shares_the_weights_memory(layout: torch.memory_format) -> None:
    weight = convolution(layout).detach()
    as_matrix(weight)[2] = 7
    assert as_matrix(weight).shape == (6, 48)
    assert (weight[2] == 7).all()
    assert not (weight[[0, 1, 3, 4, 5]] == 7).any()


def test_every_hidden_matrix_is_moved_and_no_other() -> None:
    discriminator = ContrastiveDiscriminator(TINY)
    moved = {id(weight) for weight in hidden_matrices(discriminator)}
    assert [name for name, weight in discriminator.named_parameters() if id(weight) in moved] == [
        "trunk.layers.1.0.weight",
        "trunk.layers.2.0.weight",
        "trunk.layers.3.0.weight",
        "projection.1.weight",
        "projection.4.weight",
    ]


def test_a_step_does_not_depend_on_how_the_weights_lie_in_memory() -> None:
    steps = [pushed(convolution(layout)) for layout in LAYOUTS]
    # torch's Muon reckons in bfloat16, whose sums depend on their order.
    torch.testing.assert_close(steps[0], steps[1], atol=5e-3, rtol=0)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_step_is_about_as_long_in_every_direction(layout: torch.memory_format) -> None:
    rate = 0.1
    lengths = torch.linalg.svdvals(as_matrix(pushed(convolution(layout), rate)))
    full = rate * 0.2 * math.sqrt(48)
    assert 0.5 * full < lengths.min()
    assert lengths.max() < 1.5 * full


def test_a_step_goes_down() -> None:
    weight = convolution(torch.channels_last)
    gradient = torch.randn(weight.shape, generator=torch.Generator().manual_seed(2))
    assert (pushed(weight) * gradient).sum() < 0


def test_forgotten_gradients_are_those_of_the_weights() -> None:
    weight = convolution(torch.channels_last)
    muon = Muon([weight], 0.1)
    weight.sum().backward()
    muon.step()
    muon.zero_grad()
    assert weight.grad is None
    before = weight.detach().clone()
    muon.step()
    assert torch.equal(weight.detach(), before)
