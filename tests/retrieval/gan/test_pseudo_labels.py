from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from retrieval.gan import pseudo_labels as module
from retrieval.gan.architecture import Architecture, ContrastiveDiscriminator, draw_weights
from retrieval.gan.device import Compute
from retrieval.gan.pseudo_labels import PseudoLabels, pseudo_labels, seek_repeats
from retrieval.vectors import Vectors
from tests.retrieval.gan.embedded import mirrored, on_two_papers, repeated, spread


def _owners(vectors: Vectors) -> NDArray[np.int64]:
    return pseudo_labels(vectors, mirrored(vectors)).owners


def _right_and_found(vectors: Vectors, each: int) -> tuple[float, float]:
    """Return the share of joined pairs that are one owner's, and of such pairs that are joined."""
    owners, found = np.arange(len(vectors)) // each, _owners(vectors)
    apart = ~np.eye(len(vectors), dtype=bool)
    joined, repeats = ((by[:, None] == by) & apart for by in (found, owners))
    right = (joined & repeats).sum()
    return float(right / joined.sum()), float(right / repeats.sum())


@pytest.mark.parametrize("each", [2, 3, 5])
def test_an_owners_marks_are_found_together_and_strangers_stay_alone(each: int) -> None:
    found = _owners(repeated(900, 12, each))
    owned = found[900:].reshape(12, each)
    assert (owned == owned[:, :1]).all()
    assert len(np.unique(owned[:, 0])) == 12
    assert not np.isin(owned, found[:900]).any()
    assert len(np.unique(found[:900])) > 890  # though each of the strangers has a nearest one


@pytest.mark.parametrize("each", [10, 20])
def test_repeats_are_found_where_nearly_all_marks_have_many(each: int) -> None:
    right, found = _right_and_found(spread(60, each, 0.7), each)
    assert right > 0.98
    assert found > 0.8


def test_repeats_are_found_though_paper_makes_strangers_alike() -> None:
    right, found = _right_and_found(on_two_papers(100, 5), 5)
    assert right > 0.9
    assert found > 0.4


def test_an_archive_without_repeats_has_none() -> None:
    found = _owners(repeated(2000, 0, 1))
    assert len(np.unique(found)) > 1980


def test_of_a_few_marks_none_are_taken_for_one() -> None:
    for count in range(1, 10):
        assert len(np.unique(_owners(repeated(count, 0, 0)))) == count


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.integers(0, 2**32 - 1))
def test_another_is_of_the_same_owner_and_oneself_only_where_alone(
    owners: list[int], seed: int
) -> None:
    labels = PseudoLabels(np.minimum(owners, len(owners) - 1).astype(np.int64))
    rows = np.arange(len(owners))
    others = labels.another_each(rows, np.random.default_rng(seed))
    assert (labels.owners[others] == labels.owners).all()
    alone = np.bincount(labels.owners)[labels.owners] == 1
    assert ((others == rows) == alone).all()


def test_each_of_the_others_is_shown() -> None:
    labels = PseudoLabels(np.array([3, 0, 3, 3, 1]))
    rng = np.random.default_rng(0)
    shown = np.array([labels.another_each(np.array([0, 1, 3]), rng) for _ in range(60)])
    assert set(shown[:, 0]) == {2, 3}
    assert set(shown[:, 1]) == {1}
    assert set(shown[:, 2]) == {0, 2}


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
    owners = seek_repeats(network, pictures, np.random.default_rng(3), compute).owners
    assert (owners[:150] == owners[150:]).all()
    assert network.training

    monkeypatch.setattr(module, "SOUGHT", 100)
    owners = seek_repeats(network, pictures, np.random.default_rng(3), compute).owners
    assert len(owners) == 300
    joined = np.bincount(owners, minlength=300)[owners] > 1
    assert 0 < joined.sum() <= 100
