from __future__ import annotations

import importlib.util
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import ModelError, SetupError
from retrieval.catalogued_embeddings import register_model
from retrieval.evaluation.baselines import ALONE, BASELINES, baselines_of, networks
from retrieval.evaluation.baselines.appearance import oriented_gradients, shade_signature
from retrieval.evaluation.baselines.matching import sift_keypoints, verified_matches
from retrieval.evaluation.baselines.networks import imagenet_network, pooled_activations
from retrieval.evaluation.baselines.shape import fourier_descriptors, zernike_moments
from retrieval.evaluation.features import Features, Matching
from retrieval.evaluation.invariance import transformed
from retrieval.gan.architecture import AdversarialDiscriminator, Architecture, Generator
from retrieval.ink import normalise
from retrieval.model import (
    Model,
    bundled_model,
    model_id,
    pack_weights,
    read_model,
    write_model,
)
from tests.drawn_marks import drawn_mark

SMALL = Architecture("sketch-gan", size=32, width=4, kernels=(12, 8, 4, 4))


def pictures(side: int, count: int = 6) -> np.ndarray:
    marks = [normalise(drawn_mark(seed, 120), side) for seed in range(count)]
    return (np.stack(marks) + 1) / 2


@pytest.mark.parametrize("name", [name for name in BASELINES if "SIFT" not in name])
def test_vectors_are_finite_and_know_a_picture_again(name: str) -> None:
    features = BASELINES[name]()
    assert isinstance(features, Features)
    ink = pictures(features.side)
    blank = np.zeros((1, features.side, features.side), np.float32)
    vectors = features.vectors(np.concatenate([ink, blank]))
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all(), "bare paper too"
    faint = np.float32(1e-3)
    alike = features.compare(vectors[:6], features.vectors(np.clip(ink - faint, 0, 1)))
    assert alike.argmax(axis=1).tolist() == list(range(6))
    np.testing.assert_array_equal(vectors, BASELINES[name]().vectors(np.concatenate([ink, blank])))


def test_hog_is_what_others_compute() -> None:
    feature = pytest.importorskip("skimage.feature")
    ink = pictures(64)
    options = {"pixels_per_cell": (8, 8), "cells_per_block": (2, 2), "block_norm": "L2-Hys"}
    others = np.stack([feature.hog(one, orientations=9, **options) for one in ink])
    others /= np.linalg.norm(others, axis=1, keepdims=True)
    # An angle on the border of two bins falls by its last bit: a few numbers may differ.
    assert np.mean(np.abs(oriented_gradients(ink) - others) > 1e-5) < 0.01


def test_zernike_moments_by_hand_and_blind_to_quarter_turns() -> None:
    ink = pictures(64)
    moments = zernike_moments(ink)
    assert moments.shape == (6, 48)
    turned = np.ascontiguousarray(np.rot90(ink, axes=(1, 2)))
    np.testing.assert_allclose(zernike_moments(turned), moments, atol=1e-4)
    # Z(2, 0) = 3/pi (2 rho^2 - 1): for a point at the middle 3 times Z(0, 0), and Z(1, 1) = 0.
    point = np.zeros((1, 65, 65), np.float32)
    point[0, 32, 32] = 1
    first, second = zernike_moments(point)[0, :2]
    assert first == pytest.approx(0, abs=1e-6)
    assert second == pytest.approx(3, rel=1e-5)


def solid(corners: list[tuple[int, int]]) -> np.ndarray:
    canvas = np.zeros((128, 128), np.float32)
    cv2.fillPoly(canvas, [np.array(corners, np.int32)], 1.0)
    return canvas[None]


def test_fourier_descriptors_know_a_shape_wherever_and_however_large() -> None:
    corner = solid([(20, 20), (50, 20), (50, 80), (100, 80), (100, 110), (20, 110)])
    arrow = solid([(64, 10), (110, 70), (80, 70), (80, 115), (48, 115), (48, 70), (18, 70)])
    plain, other = fourier_descriptors(corner), fourier_descriptors(arrow)
    moved = fourier_descriptors(transformed(corner, degrees=20, scale=0.7, shift=(4, -3)))
    turned = fourier_descriptors(np.ascontiguousarray(np.rot90(corner, axes=(1, 2))))
    apart = np.linalg.norm(plain - other)
    assert np.linalg.norm(plain - moved) < apart / 5
    assert np.linalg.norm(plain - turned) < apart / 5


def test_the_signature_says_darker_and_lighter_by_turns() -> None:
    signature = shade_signature(pictures(128))
    assert set(np.unique(signature)) <= {-2.0, -1.0, 0.0, 1.0, 2.0}
    grid = signature.reshape(-1, 9, 9, 8)
    np.testing.assert_array_equal(grid[:, :, :-1, 4], -grid[:, :, 1:, 3])  # right against left
    assert np.abs(grid).sum() > 0


def test_sift_verifies_a_turned_mark_and_no_other() -> None:
    matching = BASELINES["SIFT + RANSAC, every pair"]()
    assert isinstance(matching, Matching)
    ink = pictures(matching.side, 8)
    turned = transformed(ink, degrees=12, scale=0.95)
    one, other = sift_keypoints(ink), sift_keypoints(turned)
    table = np.array([[verified_matches(a, b) for b in other] for a in one])
    assert (table.argmax(axis=1) == np.arange(8)).all()
    nothing = sift_keypoints(np.zeros((1, 128, 128), np.float32))[0]
    assert verified_matches(one[0], nothing) == verified_matches(nothing, one[0]) == 0


def test_pooled_activations_are_every_layer_on_a_4_by_4_grid() -> None:
    shape = Architecture("dcgan", size=64, width=4)
    discriminator = AdversarialDiscriminator(shape)
    ink = pictures(64)
    vectors = pooled_activations(discriminator)(ink)
    assert vectors.shape == (6, 16 * sum(shape.channels))
    with torch.no_grad():
        first = discriminator.trunk.activations(torch.from_numpy(ink[:1, None] * 2 - 1))[0]
    strongest = first[0, 0, :8, :8].max() / first[0, 0, 8:16, :8].max()
    assert vectors[0, 0] / vectors[0, 4] == pytest.approx(float(strongest), rel=1e-4)


def test_an_archives_own_adversarial_models_stand_in_the_table(archive: Archive) -> None:
    weights = pack_weights(AdversarialDiscriminator(SMALL), Generator(SMALL), "non-saturating")
    name = model_id(weights)
    folder = archive.models_folder / name
    write_model(folder, weights, {"id": name, "settings": {"objective": "non-saturating"}})
    register_model(archive, read_model(folder), "trained")
    named = baselines_of(archive, bundled_model())
    row = f"sketch-gan, non-saturating, pooled ({name[:8]})"
    assert list(named)[:2] == [ALONE, next(iter(BASELINES))]
    assert list(named)[len(BASELINES) + 1] == row
    features = named[row]()
    assert isinstance(features, Features)
    assert features.vectors(pictures(32)).shape == (6, 16 * sum(SMALL.channels))
    shutil.rmtree(folder)
    assert list(baselines_of(archive, bundled_model())) == list(named)
    with pytest.raises(ModelError, match=f"There is no model in {folder}"):
        named[row]()


def test_models_that_learned_by_a_contrast_are_no_baselines(
    archive: Archive, tiny_model: Model
) -> None:
    plain = list(baselines_of(archive, bundled_model()))
    for name in ("contrastive", "simclr"):
        manifest = {"settings": {"objective": name}}
        register_model(archive, replace(tiny_model, id=name, manifest=manifest), "trained")
    assert list(baselines_of(archive, bundled_model())) == plain


def test_a_missing_extra_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "find_spec", lambda name: None)
    with pytest.raises(SetupError, match=r"not installed.*pip install '\.\[benchmark\]'"):
        imagenet_network()


def test_the_imagenet_network_where_it_is_installed() -> None:
    if importlib.util.find_spec("efficientnet_lite_pytorch") is None:
        pytest.skip("the extra `benchmark` is not installed")
    features = imagenet_network()
    vectors = features.vectors(pictures(features.side, 2))
    assert vectors.shape == (2, 1280)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
