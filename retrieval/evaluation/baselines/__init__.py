"""Baselines: everything else a historian could use, on the same marks and pictures.

`BASELINES` names them; each is made by one small function, which may raise SetupError where the
installation lacks what it needs, or ModelError where the archive does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from retrieval.catalogue.archive import Archive
from retrieval.evaluation.baselines.appearance import (
    blurred_pixels,
    oriented_gradients,
    shade_signature,
)
from retrieval.evaluation.baselines.matching import SIDE, sift_keypoints, verified_matches
from retrieval.evaluation.baselines.networks import (
    imagenet_network,
    kept_discriminator,
    random_discriminator,
    trained_discriminators,
)
from retrieval.evaluation.baselines.shape import fourier_descriptors, zernike_moments
from retrieval.evaluation.features import (
    Features,
    Matching,
    euclidean,
    lone_model_features,
    relative,
)
from retrieval.model import Model

Baseline = Callable[[], Features | Matching]

_IMAGE_MATCH = (
    "computed here after the paper: the package image-match 1.1.2 needs scikit-image < 0.13, "
    "which does not install on this Python"
)

ALONE = "the same, each mark found by itself alone"

#: The baselines that every archive has, by the name of their row, in the order of the report.
BASELINES: dict[str, Baseline] = {
    "pixels, Gaussian blur 3": lambda: Features(64, blurred_pixels),
    "HOG, 8-pixel cells": lambda: Features(64, oriented_gradients),
    "Fourier descriptors": lambda: Features(128, fourier_descriptors, euclidean),
    "Zernike moments": lambda: Features(64, zernike_moments, euclidean),
    "SIFT + RANSAC, every pair": lambda: Matching(SIDE, sift_keypoints, verified_matches),
    "image-match's signature": lambda: Features(128, shade_signature, relative, _IMAGE_MATCH),
    "discriminator, random weights, pooled": random_discriminator,
}


def baselines_of(archive: Archive, model: Model) -> dict[str, Baseline]:
    """Return the baselines of an archive and of the model that is measured.

    The model without the marks' company, `BASELINES`, the archive's own adversarial models, and
    the ImageNet network.
    """
    trained = {
        name: partial(kept_discriminator, folder)
        for name, folder in trained_discriminators(archive).items()
    }
    alone = {ALONE: lambda: lone_model_features(model)}
    return {
        **alone,
        **BASELINES,
        **trained,
        "ImageNet network (EfficientNet-Lite0)": imagenet_network,
    }
