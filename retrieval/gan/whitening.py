"""Whitening: no direction of the embedding may drown the others.

After training a few directions carry most of the variance, and cosines are ruled by them. Dividing
each principal direction by the square root of its spread evens that out half-way, which is what
served retrieval best; a full whitening amplifies noise, and so does a second one after the first
(docs/decisions/0018-half-way.md). After Jégou & Chum (2012), "Negative evidences and co-occurences
in image retrieval".
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from retrieval.gan.architecture import ContrastiveDiscriminator
from retrieval.gan.device import Compute, as_pictures

#: Marks from which the directions are estimated: many times the embedding's length.
ENOUGH = 4096


def whiten_projection(
    discriminator: ContrastiveDiscriminator,
    marks: NDArray[np.uint8],
    power: float,
    compute: Compute,
) -> None:
    """Fold the whitening of `marks`, (N, S, S) uint8 ink, into the projection's last layer.

    Each direction is divided by its spread (the standard deviation) to the `power`: 1 evens all
    out, and 0 only moves the mean of these marks to the middle. Fewer marks than twice the
    embedding's length say too little, and nothing is changed.
    """
    last = discriminator.projection[-1]
    assert isinstance(last, nn.Linear)
    marks = marks[:ENOUGH]
    if len(marks) < 2 * last.out_features:
        return
    discriminator.to(compute.device).eval()
    with torch.no_grad(), compute.autocast():
        outputs = [
            discriminator.projection(discriminator.trunk(part)).float().cpu()
            for part in as_pictures(marks, compute.device).split(256)
        ]
    vectors = torch.cat(outputs).double()
    mean = vectors.mean(dim=0)
    spread, directions = torch.linalg.eigh(torch.cov((vectors - mean).T))
    # A square matrix that keeps the axes: the result stays in the embedding's own basis.
    scale = spread.clamp(min=float(spread.max()) * 1e-6) ** (-power / 2)
    even = directions @ torch.diag(scale / scale.mean()) @ directions.T
    with torch.no_grad():
        weight, bias = last.weight.double().cpu(), last.bias.double().cpu()
        last.weight.copy_((even @ weight).to(last.weight))
        last.bias.copy_((even @ (bias - mean)).to(last.bias))
