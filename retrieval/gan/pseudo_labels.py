"""Pseudo-labels: the repeats that an archive holds already, though nobody has named them.

Redrawn identities teach what hands change in general, an archive's own repeats what its own hands
change. Nobody says which marks repeat, so the network's judgement is asked, and groups of like
marks are taken for identities until they are sought again (Caron et al. 2018, "Deep Clustering",
arXiv 1807.05520; Ge et al. 2020, "Self-paced Contrastive Learning", arXiv 2006.02713, where what
joins no group is an identity of its own, too). How alike is enough, the archive decides: where few
marks repeat, like pairs are mostly strangers, and hardly any are joined.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from retrieval.company import company, find_neighbours
from retrieval.gan.architecture import Discriminator
from retrieval.gan.device import Compute, as_pictures, evaluating
from retrieval.gan.strangers import cosine_of_repeats
from retrieval.grouping import group_marks, group_numbers
from retrieval.vectors import Vectors

#: Share of strangers among the pairs by which a mark's company is judged ...
COMPANY_STRANGERS = 0.3
#: ... and among those, seen in that company, that are joined.
STRANGERS = 0.02
#: Marks among which repeats are sought at once: the search must stay short beside the training.
SOUGHT = 20_000
_AT_ONCE = 256


@dataclass(frozen=True)
class PseudoLabels:
    """The supposed owners of N marks; equal numbers are one owner's."""

    owners: NDArray[np.int64]  # (N,), each in 0..N - 1

    def another_each(self, rows: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """Return for each row another mark of its owner at random, or the row where it has none."""
        order, place, starts = self._by_owner
        owner = self.owners[rows]
        first, count = starts[owner], starts[owner + 1] - starts[owner]
        # Any step but a whole round leads to another of the owner's marks.
        step = 1 + (rng.random(len(rows)) * (count - 1)).astype(np.int64)
        return np.asarray(order[first + (place[rows] - first + step) % count], np.int64)

    @cached_property  # every batch asks until the labels are sought again
    def _by_owner(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """The rows owner by owner, each row's place among these, and where each owner's begin."""
        order = np.argsort(self.owners, kind="stable")
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        return order, place, np.searchsorted(self.owners[order], np.arange(len(order) + 1))


def pseudo_labels(vectors: Vectors, mirrored: Vectors) -> PseudoLabels:
    """Return the supposed owners of marks with L2-normalised embeddings (N, D).

    Marks are joined as `prizemarks group` does it, each seen in the company of those that are
    likely to be its repeats. `mirrored` are the embeddings of their mirror images, (N, D).
    """
    marks = np.arange(len(vectors))
    near = find_neighbours(marks, vectors)
    likely = near.cosines >= cosine_of_repeats(vectors, mirrored, COMPANY_STRANGERS)
    near = replace(near, nearest=np.where(likely, near.nearest, -1))
    joined, decoys = company(vectors, near), company(mirrored, near)
    groups = group_marks(marks, joined, cosine_of_repeats(joined, decoys, STRANGERS))
    _, owners = np.unique(group_numbers(groups, marks.tolist()), return_inverse=True)
    return PseudoLabels(np.asarray(owners, np.int64))


def seek_repeats(
    discriminator: Discriminator,
    marks: NDArray[np.uint8],
    rng: np.random.Generator,
    compute: Compute,
) -> PseudoLabels:
    """Return the supposed owners of marks, (N, S, S) uint8 with 255 = ink, as the network sees
    them now.

    Of more than SOUGHT marks a random part is looked at; the others have no like this time.
    """
    sought = np.arange(len(marks))
    if len(marks) > SOUGHT:
        sought = np.sort(rng.choice(len(marks), SOUGHT, replace=False))
    seen = marks[sought]
    as_drawn = _embedded(discriminator, seen, compute)
    mirrored = _embedded(discriminator, seen[:, :, ::-1], compute)
    owners = np.arange(len(marks))
    owners[sought] = sought[pseudo_labels(as_drawn, mirrored).owners]
    return PseudoLabels(owners)


def _embedded(
    discriminator: Discriminator, pictures: NDArray[np.uint8], compute: Compute
) -> Vectors:
    """Return the embeddings (N, D) of pictures (N, S, S)."""
    with evaluating(discriminator), compute.autocast():
        vectors = [
            discriminator.embed(as_pictures(part, compute.device)).float().cpu().numpy()
            for part in np.array_split(pictures, -(-len(pictures) // _AT_ONCE))
        ]
    return np.concatenate(vectors)
