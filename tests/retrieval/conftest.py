"""A model small enough for a test."""

from __future__ import annotations

import pytest

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
