"""Repeats that an archive holds already: marks taken for two drawings of one, without a label.

Redrawn identities teach what hands change in general, an archive's own repeats what its own hands
change. Nobody says which marks repeat, so the network's judgement is asked, with caution: two marks
are partners when each is among the other's few nearest and hardly any unrelated pair is as alike.
After Dwibedi et al. (2021), "With a Little Help from My Friends" (NNCLR, arXiv 2104.14548), with
the mutual neighbours of Qin et al. (2011), "Hello neighbor".
"""

from __future__ import annotations

from dataclasses import dataclass

import faiss
import numpy as np
import torch
from numpy.typing import NDArray

from retrieval.calibration import calibrate
from retrieval.gan.architecture import Discriminator
from retrieval.gan.device import Compute
from retrieval.gan.probe import as_pictures

NEAREST = 5
#: Partners are so alike that of all N marks, were they unrelated, this many would be as alike.
STRANGERS = 0.2
#: Marks among which partners are sought at once: the search must stay short beside the training.
SOUGHT = 20_000
_AT_ONCE = 256


@dataclass(frozen=True)
class Neighbours:
    """The partners of N marks; those of mark i are `partners[starts[i] : starts[i + 1]]`."""

    starts: NDArray[np.int64]  # (N + 1,)
    partners: NDArray[np.int64]

    def one_each(self, rows: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """Return a partner of each row at random, or the row itself where it has none."""
        first = self.starts[rows]
        count = self.starts[rows + 1] - first
        chosen = first + (rng.random(len(rows)) * count).astype(np.int64)
        found = rows.copy()
        found[count > 0] = self.partners[chosen[count > 0]]
        return found


def mutual_neighbours(vectors: NDArray[np.float32]) -> Neighbours:
    """Return the partners among L2-normalised vectors (N, D)."""
    count = len(vectors)
    if count < 3:  # two marks are each other's nearest, whatever they look like
        return Neighbours(np.zeros(count + 1, np.int64), np.zeros(0, np.int64))
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    cosines, nearest = index.search(vectors, min(NEAREST + 1, count))
    rows = np.repeat(np.arange(count), nearest.shape[1])
    others, cosines = nearest.ravel(), cosines.ravel()
    alike = (others != rows) & (calibrate(vectors).unrelated(cosines) * count <= STRANGERS)
    rows, others = rows[alike], others[alike]
    mutual = np.isin(rows * count + others, others * count + rows)
    rows, others = rows[mutual], others[mutual]
    starts = np.searchsorted(rows, np.arange(count + 1))
    return Neighbours(np.asarray(starts, np.int64), np.asarray(others, np.int64))


def seek_neighbours(
    discriminator: Discriminator,
    marks: NDArray[np.uint8],
    rng: np.random.Generator,
    compute: Compute,
) -> Neighbours:
    """Return the partners of marks, (N, S, S) uint8 with 255 = ink, as the network sees them now.

    Of more than SOUGHT marks a random part is looked at; the others have no partner this time.
    """
    sought = np.arange(len(marks))
    if len(marks) > SOUGHT:
        sought = np.sort(rng.choice(len(marks), SOUGHT, replace=False))
    trained = discriminator.training
    discriminator.eval()
    with torch.no_grad(), compute.autocast():
        vectors = [
            discriminator.embed(as_pictures(marks[part], compute.device)).float().cpu().numpy()
            for part in np.array_split(sought, max(1, -(-len(sought) // _AT_ONCE)))
            if len(part)
        ]
    discriminator.train(trained)
    if not vectors:
        return Neighbours(np.zeros(1, np.int64), np.zeros(0, np.int64))
    among = mutual_neighbours(np.concatenate(vectors))
    counts = np.zeros(len(marks), np.int64)
    counts[sought] = np.diff(among.starts)
    return Neighbours(np.concatenate([[0], np.cumsum(counts)]), sought[among.partners])
