from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.inks import separate_inks
from ingest.trait_weights import (
    FARTHEST,
    Weights,
    likelihoods,
    read_weights,
    shipped_weights,
    write_weights,
)
from ingest.traits import describe


def two_traits(single: tuple[float, float] = (0, 0), pair: float = 0, bias: float = 0) -> Weights:
    """Weights for `size`, mean 1 and spread 2, and `ring`, mean 0 and spread 1."""
    return Weights(
        names=("size", "ring"),
        mean=np.array([1, 0], np.float32),
        spread=np.array([2, 1], np.float32),
        single=np.array(single, np.float32),
        products=np.array([[0, 0], [pair, 0]], np.float32),
        bias=bias,
    )


def score(weights: Weights, size: float, ring: float) -> float:
    traits = {"ring": np.array([ring], np.float32), "size": np.array([size], np.float32)}
    (found,) = likelihoods(traits, weights)
    return float(found)


def logistic(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))


def test_a_trait_is_measured_in_spreads_from_the_mean() -> None:
    weights = two_traits(single=(1.5, 0), bias=-1)
    assert score(weights, size=1, ring=0) == pytest.approx(logistic(-1))
    assert score(weights, size=3, ring=0) == pytest.approx(logistic(0.5))


def test_two_traits_count_together() -> None:
    weights = two_traits(pair=0.5)
    assert score(weights, size=5, ring=2) == pytest.approx(logistic(0.5 * 2 * 2))
    assert score(weights, size=5, ring=0) == pytest.approx(0.5)
    assert score(weights, size=1, ring=2) == pytest.approx(0.5)


def test_what_is_far_out_tells_no_more() -> None:
    weights = two_traits(single=(1, 1))
    farthest = score(weights, size=1, ring=FARTHEST)
    assert score(weights, size=1, ring=1000) == farthest == pytest.approx(logistic(FARTHEST))


@given(st.floats(-1e30, 1e30), st.floats(-1e30, 1e30), st.floats(-1e3, 1e3))
def test_scores_are_shares(size: float, ring: float, weight: float) -> None:
    assert 0 <= score(two_traits((weight, -weight), weight, weight), size, ring) <= 1


def test_a_trait_that_is_missing_is_an_error() -> None:
    with pytest.raises(KeyError, match="ring"):
        likelihoods({"size": np.ones(1, np.float32)}, two_traits())


def test_weights_come_back_as_they_were_written(tmp_path: Path) -> None:
    weights = two_traits(single=(0.25, -3), pair=1.5, bias=-0.125)
    write_weights(tmp_path / "weights.csv", weights)
    found = read_weights(tmp_path / "weights.csv")
    assert (found.names, found.bias) == (weights.names, weights.bias)
    for name in ("mean", "spread", "single", "products"):
        np.testing.assert_array_equal(getattr(found, name), getattr(weights, name))


def test_the_shipped_weights_are_of_the_traits_that_are_measured() -> None:
    page = np.full((200, 200, 3), 230, np.uint8)
    page[60:70, 60:140] = page[60:140, 95:105] = 40
    traits = describe(separate_inks(page), np.array([[28, 28, 72, 72]], np.float32))
    weights = shipped_weights()
    assert set(weights.names) == set(traits)
    assert (weights.spread > 0).all()
    assert not np.triu(weights.products, 1).any()
    assert 0 < float(likelihoods(traits, weights)[0]) < 1
