"""On the straight line between two networks' weights.

A moving average goes along it while a run lasts. At its end, the weights that a run began from tell
other archives' marks apart, and what is rare in this one; those that it ends with know this archive
best. Between them lie weights that do both nearly as well, and often better than either (Wortsman
et al. 2022, "Robust Fine-tuning of Zero-shot Models", arXiv 2109.01903).
"""

from __future__ import annotations

import torch

from retrieval.gan.architecture import Discriminator


def move_towards(network: Discriminator, other: Discriminator, share: float) -> None:
    """Move a network's weights a `share` of the way to those of `other`, in [0, 1].

    What normalises batches goes with the weights; all else becomes what it is in `other`.
    """
    there = other.state_dict()
    with torch.no_grad():
        for name, value in network.state_dict().items():
            # Singular vectors are not averaged: their mean has neither length nor meaning.
            if value.dtype.is_floating_point and not name.endswith(("._u", "._v")):
                value.lerp_(there[name], share)
            else:
                value.copy_(there[name])
