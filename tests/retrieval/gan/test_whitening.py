from __future__ import annotations

import numpy as np
import pytest
import torch

from retrieval.gan.architecture import Architecture, ContrastiveDiscriminator, draw_weights
from retrieval.gan.device import Compute, as_pictures
from retrieval.gan.whitening import whiten_projection

SHAPE = Architecture("dcgan", size=32, width=8, embedding=8)
CPU = Compute(torch.device("cpu"), bf16=False)


@pytest.fixture
def network() -> ContrastiveDiscriminator:
    network = ContrastiveDiscriminator(SHAPE)
    draw_weights(network, 1)
    return network.eval()


@pytest.fixture
def marks() -> np.ndarray:
    rng = np.random.default_rng(2)
    share = rng.uniform(0.05, 0.6, (200, 1, 1))
    return (rng.random((200, 32, 32)) < share).astype(np.uint8) * 255


def _spread(network: ContrastiveDiscriminator, marks: np.ndarray) -> np.ndarray:
    """Return the standard deviations of the projections along their own directions, ascending."""
    with torch.no_grad():
        outputs = network.projection(network.trunk(as_pictures(marks, torch.device("cpu"))))
    return np.sqrt(np.linalg.eigvalsh(np.cov(outputs.double().numpy().T)))


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_each_direction_is_divided_by_its_spread_to_the_power(
    power: float, network: ContrastiveDiscriminator, marks: np.ndarray
) -> None:
    before = _spread(network, marks)
    whiten_projection(network, marks, power, CPU)
    after = _spread(network, marks)
    wanted = before ** (1 - power)
    np.testing.assert_allclose(after / after.max(), wanted / wanted.max(), rtol=0.02)


def test_marks_lie_around_the_middle_afterwards(
    network: ContrastiveDiscriminator, marks: np.ndarray
) -> None:
    whiten_projection(network, marks, 0.5, CPU)
    with torch.no_grad():
        outputs = network.projection(network.trunk(as_pictures(marks, torch.device("cpu"))))
    assert outputs.mean(dim=0).abs().max() < 0.01 * outputs.std()


def test_too_few_marks_change_nothing(network: ContrastiveDiscriminator, marks: np.ndarray) -> None:
    before = network.projection[-1].weight.clone()
    whiten_projection(network, marks[:15], 0.5, CPU)
    assert torch.equal(network.projection[-1].weight, before)
