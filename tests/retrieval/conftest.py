"""A model small enough for a test, and what an index looked at anew."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from retrieval.company import Neighbours, find_neighbours
from retrieval.gan.architecture import Architecture, Generator, draw_weights
from retrieval.model import Model, build_discriminator, model_id, pack_weights

TINY = Architecture("dcgan", size=32, width=8)


@pytest.fixture(scope="session")
def tiny_model() -> Model:
    """An untrained contrastive model: equal pictures are equal to it, others differ."""
    discriminator, generator = build_discriminator(TINY, "contrastive"), Generator(TINY)
    draw_weights(discriminator, 1)
    draw_weights(generator, 2)
    weights = pack_weights(discriminator, generator, "contrastive")
    manifest = {"id": model_id(weights), "settings": {"objective": "contrastive"}}
    return Model(model_id(weights), discriminator.eval(), generator.eval(), manifest)


@pytest.fixture
def known_before(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The marks whose neighbours were known each time that those of all are brought up to date."""
    told: list[list[int]] = []

    def find(marks: np.ndarray, vectors: np.ndarray, known: Neighbours, *rest: Any) -> Neighbours:
        told.append(known.marks.tolist())
        return find_neighbours(marks, vectors, known, *rest)

    monkeypatch.setattr("retrieval.index.find_neighbours", find)
    return told
