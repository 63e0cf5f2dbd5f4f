"""Embeddings: from pictures of marks to L2-normalised vectors whose inner product is the cosine."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from retrieval.gan.device import Compute, best_compute
from retrieval.ink import normalise_all
from retrieval.model import Model

#: Pictures that the network sees at once: what a graphics card is filled by, and what leaves a
#: processor's intermediate results small enough that their memory is used again.
BATCH = {"cuda": 255, "cpu": 64}
#: A mark is seen as it is, turned a little both ways, from afar, and from so close that its rim is
#: cut off and with it most writing that ran into the crop; the mean of the five vectors is steadier
#: than any one (docs/decisions/0011-what-a-crop-shows.md): (radians, magnification).
VIEWS: tuple[tuple[float, float], ...] = (
    (0.0, 1.0),
    (math.radians(8), 1.0),
    (math.radians(-8), 1.0),
    (0.0, 0.8),
    (0.0, 1.28),
)
#: One view, for what is looked at by the hundred: a fifth of the work.
AS_IT_IS = VIEWS[:1]


def _seen(pictures: Tensor, turn: float, magnification: float) -> Tensor:
    """Return pictures turned and magnified about their middle, paper moving in from outside."""
    if turn == 0.0 and magnification == 1.0:
        return pictures
    cosine, sine = math.cos(turn) / magnification, math.sin(turn) / magnification
    theta = pictures.new_tensor([[cosine, -sine, 0.0], [sine, cosine, 0.0]])
    grid = F.affine_grid(
        theta.expand(len(pictures), 2, 3), list(pictures.shape), align_corners=False
    )
    return F.grid_sample(pictures + 1, grid, padding_mode="zeros", align_corners=False) - 1


def embed_pictures(
    model: Model,
    pictures: NDArray[np.float32],
    compute: Compute | None = None,
    views: Sequence[tuple[float, float]] = VIEWS,
) -> NDArray[np.float32]:
    """Return the embeddings, (N, D) float32, of normalised pictures (N, 1, S, S) in [-1, 1]."""
    compute = compute or best_compute()
    network = model.discriminator.to(compute.device).eval()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    vectors = []
    with torch.inference_mode(), compute.autocast():
        at_once = max(1, BATCH[compute.device.type] // len(views))
        for start in range(0, len(pictures), at_once):
            batch = torch.from_numpy(pictures[start : start + at_once]).to(compute.device)
            viewed = torch.cat([_seen(batch, *view) for view in views])
            seen = network.embed(viewed.contiguous(memory_format=torch.channels_last))
            total = seen.float().unflatten(0, (len(views), len(batch))).sum(dim=0)
            vectors.append(F.normalize(total, dim=1).cpu().numpy())
    if not vectors:
        return np.zeros((0, dimension(model)), np.float32)
    return np.concatenate(vectors)


def embed(
    model: Model, images: Sequence[NDArray[np.uint8]], compute: Compute | None = None
) -> NDArray[np.float32]:
    """Return the embeddings, (N, D) float32, of N pictures, uint8 (H, W) or (H, W, 3 or 4)."""
    return embed_pictures(model, normalise_all(images, model.shape.size), compute)


def dimension(model: Model) -> int:
    """Return how long the vectors of `model` are."""
    with torch.inference_mode():
        device = next(model.discriminator.parameters()).device
        blank = torch.full((1, 1, model.shape.size, model.shape.size), -1.0, device=device)
        return int(model.discriminator.embed(blank).shape[1])
