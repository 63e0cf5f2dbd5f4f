from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from retrieval.gan.architecture import Architecture, ContrastiveDiscriminator, draw_weights
from retrieval.gan.interpolation import move_towards

SHAPE = Architecture("dcgan", size=32, width=8)


@pytest.fixture(scope="module")
def two() -> tuple[ContrastiveDiscriminator, ContrastiveDiscriminator]:
    one, other = ContrastiveDiscriminator(SHAPE), ContrastiveDiscriminator(SHAPE)
    draw_weights(one, 1)
    draw_weights(other, 2)
    other.projection(other.trunk(torch.randn(8, 1, 32, 32)))  # moves what normalises batches
    return one, other


@given(share=st.floats(0, 1))
def test_every_weight_goes_the_same_share_of_the_way(
    share: float, two: tuple[ContrastiveDiscriminator, ContrastiveDiscriminator]
) -> None:
    one, other = two
    moved = copy.deepcopy(one)
    move_towards(moved, other, share)
    before, there = one.state_dict(), other.state_dict()
    for name, value in moved.state_dict().items():
        if name.endswith(("._u", "._v", ".num_batches_tracked")):
            assert torch.equal(value, there[name])
        else:
            torch.testing.assert_close(value, torch.lerp(before[name], there[name], share))


def test_the_ends_are_the_two_networks_and_the_other_stays(
    two: tuple[ContrastiveDiscriminator, ContrastiveDiscriminator],
) -> None:
    one, other = two
    kept = copy.deepcopy(other.state_dict())
    all_the_way, none_of_it = copy.deepcopy(one), copy.deepcopy(one)
    move_towards(all_the_way, other, 1.0)
    move_towards(none_of_it, other, 0.0)
    for name, value in all_the_way.state_dict().items():
        torch.testing.assert_close(value, kept[name])
        assert torch.equal(other.state_dict()[name], kept[name])
    weights = dict(none_of_it.named_parameters())
    assert all(torch.equal(weights[name], value) for name, value in one.named_parameters())
