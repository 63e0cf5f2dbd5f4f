from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from retrieval.gan import neighbours
from retrieval.gan.architecture import Architecture, ContrastiveDiscriminator, draw_weights
from retrieval.gan.device import Compute
from retrieval.gan.neighbours import Neighbours, mutual_neighbours, seek_neighbours


def _unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def _repeated(strangers: int, repeats: int) -> np.ndarray:
    """Return unit vectors (strangers + 2 * repeats, 64) whose last rows repeat in twos."""
    rng = np.random.default_rng(1)
    alone, twice = rng.normal(size=(strangers, 64)), rng.normal(size=(repeats, 64))
    near = [twice + rng.normal(size=twice.shape) * 0.1 for _ in range(2)]
    return _unit(np.concatenate([alone, np.stack(near, axis=1).reshape(-1, 64)]))


def _pairs(found: Neighbours) -> set[tuple[int, int]]:
    rows = np.repeat(np.arange(len(found.starts) - 1), np.diff(found.starts))
    return set(zip(rows.tolist(), found.partners.tolist(), strict=True))


def test_repeats_are_partners_and_strangers_are_not() -> None:
    found = _pairs(mutual_neighbours(_repeated(900, 30)))
    repeats = {(900 + 2 * i + j, 900 + 2 * i + 1 - j) for i in range(30) for j in range(2)}
    assert repeats <= found
    assert len(found - repeats) < 0.2 * 900  # though each of the strangers has a nearest one


@given(st.integers(0, 40), st.integers(0, 2**32 - 1))
def test_partners_are_mutual_and_never_oneself(count: int, seed: int) -> None:
    vectors = _unit(np.random.default_rng(seed).normal(size=(count, 3)) + 1e-6)
    found = mutual_neighbours(vectors)
    assert len(found.starts) == count + 1
    pairs = _pairs(found)
    assert all(i != j and (j, i) in pairs for i, j in pairs)


def test_one_each_takes_a_partner_where_there_is_one() -> None:
    known = Neighbours(np.array([0, 2, 2, 3, 4]), np.array([2, 3, 0, 0]))
    rng = np.random.default_rng(0)
    drawn = np.array([known.one_each(np.array([0, 1, 2, 3]), rng) for _ in range(50)])
    assert set(drawn[:, 0]) == {2, 3}
    assert set(drawn[:, 1]) == {1}
    assert set(drawn[:, 2]) == set(drawn[:, 3]) == {0}


def test_the_network_finds_the_same_picture_again_within_the_part_it_looks_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shape = Architecture("dcgan", size=32, width=8)
    network = ContrastiveDiscriminator(shape)
    draw_weights(network, 1)
    rng = np.random.default_rng(2)
    pictures = (rng.random((300, 32, 32)) < 0.2).astype(np.uint8) * 255
    pictures[150:] = pictures[:150]
    compute = Compute(torch.device("cpu"), bf16=False)
    found = seek_neighbours(network, pictures, np.random.default_rng(3), compute)
    assert {(i, i + 150) for i in range(150)} <= _pairs(found)
    assert network.training

    monkeypatch.setattr(neighbours, "SOUGHT", 100)
    part = seek_neighbours(network, pictures, np.random.default_rng(3), compute)
    assert len(part.starts) == 301
    assert len(np.unique(part.partners)) <= 100
