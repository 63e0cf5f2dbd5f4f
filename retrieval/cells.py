"""Marks in cells: who is near to whom among so many that to compare all with all takes hours.

An inverted file (Sivic & Zisserman 2003, "Video Google"; FAISS `IndexIVFFlat`): marks are parted
by k-means, and a mark is compared with those of the cells whose middles it is nearest to. Of the
nine nearest of 30,000 redrawn marks 99.1 % are found so, of the four nearest 99.5 %
(docs/decisions/0007-company.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from retrieval.vectors import Vectors

#: From so many pairs on cells are worth making: below, all are compared within a minute or two.
MANY_PAIRS = 20_000_000_000
#: Cells, in roots of the number of marks, and how many of them are looked into.
_CELLS, _LOOKED_INTO = 4, 64
#: K-means sees so many marks a cell, and goes over them so often.
_TAUGHT_BY, _ROUNDS = 64, 10


@dataclass(frozen=True)
class Cells:
    """A FAISS inverted file over rows."""

    index: Any  # faiss.IndexIVFFlat

    def search(self, vectors: Vectors, count: int) -> tuple[Vectors, NDArray[np.int64]]:
        """Return cosines and rows of the `count` nearest of each of `vectors`: (N, count) both.

        Those that a whole neighbourhood holds too few for are looked for in all cells.
        """
        cosines, rows = self.index.search(vectors, count)
        few = (rows < 0).any(axis=1)
        if few.any():
            parameters: Any = faiss.SearchParametersIVF
            cosines[few], rows[few] = self.index.search(
                vectors[few], count, params=parameters(nprobe=self.index.nlist)
            )
        return cosines, rows


def in_cells(vectors: Vectors) -> Cells:
    """Return L2-normalised vectors (N, D), one at least, parted into cells; the same each time."""
    count, size = vectors.shape
    cells = min(round(_CELLS * count**0.5), count)
    index: Any = faiss.index_factory(size, f"IVF{cells},Flat", faiss.METRIC_INNER_PRODUCT)
    index.cp.niter, index.cp.max_points_per_centroid = _ROUNDS, _TAUGHT_BY
    index.cp.min_points_per_centroid = 1  # nothing is to be said of small cells
    index.nprobe = _LOOKED_INTO
    index.train(vectors)
    index.add(vectors)
    return Cells(index)
