"""Embeddings: one unit vector a picture, however many come at once and in however many views."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from retrieval import embedding as module
from retrieval.embedding import AS_IT_IS, VIEWS, dimension, embed, embed_pictures
from retrieval.gan.device import Compute
from retrieval.ink import normalise_all
from retrieval.model import Model

CPU = Compute(torch.device("cpu"), bf16=False)


def _pictures(count: int, size: int = 32) -> np.ndarray:
    """Return rings of several radii and places as normalised pictures, (N, 1, S, S)."""
    rng = np.random.default_rng(1)
    down, across = np.mgrid[:size, :size]
    drawn = []
    for _ in range(count):
        x, y = rng.uniform(0.4 * size, 0.6 * size, 2)
        ring = np.hypot(across - x, down - y) - rng.uniform(0.1, 0.35) * size
        drawn.append(np.where(np.abs(ring) < 1.5, 1, -1))
    return np.stack(drawn).astype(np.float32)[:, None]


@pytest.mark.parametrize("views", [VIEWS, AS_IT_IS])
def test_a_picture_has_one_vector_however_many_come_at_once(
    tiny_model: Model,
    monkeypatch: pytest.MonkeyPatch,
    views: tuple[tuple[float, float], ...],
) -> None:
    pictures = _pictures(23)
    whole = embed_pictures(tiny_model, pictures, CPU, views)
    assert whole.shape == (23, dimension(tiny_model)) and whole.dtype == np.float32
    assert np.linalg.norm(whole, axis=1) == pytest.approx(np.ones(23), abs=1e-5)
    for most in (1, 4, 7, 23):
        monkeypatch.setitem(module.BATCH, "cpu", most)
        in_parts = embed_pictures(tiny_model, pictures, CPU, views)
        np.testing.assert_allclose(in_parts, whole, atol=1e-5)


def test_of_no_pictures_there_are_no_vectors(tiny_model: Model) -> None:
    nothing = embed_pictures(tiny_model, np.zeros((0, 1, 32, 32), np.float32), CPU)
    assert nothing.shape == (0, dimension(tiny_model))
    assert embed(tiny_model, [], CPU).shape == nothing.shape


def test_a_vector_is_the_mean_over_the_views(tiny_model: Model) -> None:
    pictures = _pictures(5)
    once = embed_pictures(tiny_model, pictures, CPU, AS_IT_IS)
    np.testing.assert_allclose(
        embed_pictures(tiny_model, pictures, CPU, AS_IT_IS * 3), once, atol=1e-5
    )
    turned = embed_pictures(tiny_model, pictures, CPU, [(0.0, 1.0), (math.pi / 2, 1.0)])
    assert (np.abs(turned - once).max(axis=1) > 1e-3).all()


def test_a_turned_view_is_the_picture_turned(tiny_model: Model) -> None:
    pictures = _pictures(4)
    quarter = embed_pictures(tiny_model, pictures, CPU, [(math.pi / 2, 1.0)])
    alone = [
        embed_pictures(
            tiny_model, np.ascontiguousarray(np.rot90(pictures, way, (2, 3))), CPU, AS_IT_IS
        )
        for way in (1, 3)
    ]
    assert min(np.abs(quarter - one).max() for one in alone) < 1e-3


def test_pictures_are_normalised_before_they_are_embedded(tiny_model: Model) -> None:
    images = [
        np.pad(np.where(picture[0] > 0, 20, 240).astype(np.uint8), 9, constant_values=240)
        for picture in _pictures(3)
    ]
    seen = normalise_all(images, tiny_model.shape.size)
    np.testing.assert_allclose(
        embed(tiny_model, images, CPU), embed_pictures(tiny_model, seen, CPU), atol=1e-6
    )
