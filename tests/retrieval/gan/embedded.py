"""Embeddings of marks as tests imagine them: with a mirror image, and several of one owner."""

from __future__ import annotations

import numpy as np

from retrieval.vectors import Vectors, unit


def mirrored(vectors: Vectors) -> Vectors:
    """Return the embeddings (N, D) of the mirror images: what half the numbers say turns about.

    Twice mirrored is as before, and two images are as alike as the marks are.
    """
    turned = np.ones(vectors.shape[1], np.float32)
    turned[1::2] = -1
    return vectors * turned


def repeated(strangers: int, owners: int, each: int) -> Vectors:
    """Return unit vectors (strangers + owners * each, 64) whose last rows are several owners'."""
    rng = np.random.default_rng(1)
    alone, often = rng.normal(size=(strangers, 64)), rng.normal(size=(owners, 1, 64))
    near = often + rng.normal(size=(owners, each, 64)) * 0.2
    return unit(np.concatenate([alone, near.reshape(-1, 64)]))


def spread(owners: int, each: int, apart: float, seed: int = 4) -> Vectors:
    """Return unit vectors (owners * each, 24), owner by owner, whose hands are `apart`."""
    rng = np.random.default_rng(seed)
    own = np.repeat(rng.normal(size=(owners, 24)), each, axis=0)
    return unit(own + rng.normal(size=own.shape) * apart)


def on_two_papers(owners: int, each: int) -> Vectors:
    """Return unit vectors (owners * each, 28) like those of `spread`, to which paper adds its part.

    What the paper adds is alike in a mark and its mirror image, and makes strangers alike.
    """
    marks = spread(owners, each, 0.45)
    ways = np.random.default_rng(5).normal(size=(len(marks), 2))
    paper = np.stack([ways[:, 0], 0 * ways[:, 0], ways[:, 1], 0 * ways[:, 0]], axis=1)
    return unit(np.hstack([marks, 0.6 * unit(paper)]))
