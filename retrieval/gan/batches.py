"""What a step looks at: the archive's own marks, redrawn identities, turned siblings of both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from retrieval.catalogue.errors import TrainingError
from retrieval.gan.device import Compute, as_pictures
from retrieval.gan.objectives import objective
from retrieval.gan.objectives.objective import Batch, Contrast
from retrieval.gan.pseudo_labels import PseudoLabels
from retrieval.gan.settings import Settings
from retrieval.gan.turning import Pairs, siblings, turned_identities


def draw_batch(
    settings: Settings,
    marks: NDArray[np.uint8],
    pairs: NDArray[np.uint8],
    labels: PseudoLabels | None,
    codes: NDArray[np.int64] | None,
    step: int,
    compute: Compute,
) -> Batch:
    """Return the batch of a step, drawn by (seed, step).

    `marks` (N, S, S) are the archive's own and `pairs` (M, 2, S, S) redrawn identities, uint8 with
    255 = ink; `labels` say which marks repeat, where that was sought; `codes` (N,) are the marks'
    series, where the objective asks for them. The archive's own come first, then redrawn
    identities, which have no series; for a contrast some of these are turned, and turned siblings
    of both follow. A game has no use for siblings, and its generator would learn to draw them.
    Raises TrainingError when there is nothing to tell apart.
    """
    rng = np.random.default_rng([settings.seed, 2, step])
    contrast = isinstance(objective(settings.objective), Contrast)
    near = round(settings.batch * settings.siblings) if contrast else 0
    wanted = settings.batch - near
    own = min(len(marks), round(wanted * (1 - settings.redrawn_share)))
    rows = rng.choice(len(marks), own, replace=False) if own else np.zeros(0, np.int64)
    fresh = pairs[_identities(len(pairs), wanted - own, settings.near_misses, rng)]
    sides = (fresh[:, 0], fresh[:, 1])
    if contrast:
        sides = turned_identities(sides, rng)
    seen = marks[rows], _seen_again(settings, marks, rows, labels, rng)
    first, second = (np.concatenate(both) for both in zip(seen, sides, strict=True))
    others = siblings((first, second), near, rng)
    if len(first) + len(others[0]) < 2:
        raise TrainingError("Training needs at least two marks; ingest more pages first.")
    left, right = _as_tensors((first, second), others, compute)
    owners = np.arange(len(left)) + len(marks)  # each its own
    owners[:own] = rows if labels is None else labels.owners[rows]
    batch = Batch(left, right, torch.from_numpy(owners).to(compute.device))
    if codes is None:
        return batch
    told = np.zeros(len(left), np.int64)
    told[:own] = codes[rows]
    return replace(batch, series=torch.from_numpy(told).to(compute.device))


def _identities(
    count: int, wanted: int, near_misses: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return rows of redrawn identities, a share of them near misses of others among the rows.

    Rows 2i and 2i + 1 are a mark and its near miss (`retrieval.gan.redrawing`).
    """
    couples = count // 2
    wanted = min(2 * couples, wanted)
    both = max(min(round(wanted * near_misses), wanted // 2), wanted - couples)
    rows = 2 * rng.permutation(couples)[: wanted - both]
    rows += rng.integers(2, size=len(rows))
    return np.concatenate([rows, rows[:both] ^ 1])


def _seen_again(
    settings: Settings,
    marks: NDArray[np.uint8],
    rows: NDArray[np.int64],
    labels: PseudoLabels | None,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Return the second pictures of the archive's marks `rows`, before augmentation."""
    if labels is not None:
        others = labels.another_each(rows, rng)
        rows = np.where(rng.random(len(rows)) < settings.repeats, others, rows)
    return marks[rows]


def _as_tensors(pairs: Pairs, others: Pairs, compute: Compute) -> list[torch.Tensor]:
    return [
        as_pictures(np.concatenate(both), compute.device).contiguous(
            memory_format=torch.channels_last
        )
        for both in zip(pairs, others, strict=True)
    ]
