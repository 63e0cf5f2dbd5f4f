"""FAISS on the GPU, where one works: whether it does, and search there or here.

What does not fit the GPU's memory is searched here: FAISS raises RuntimeError then.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from retrieval.cells import MANY_PAIRS, in_cells
from retrieval.vectors import Vectors

_QUERIES = 4096  # vectors whose nearest are looked for at once
_MOST = 2048  # results of one query that FAISS finds on a GPU; it refuses to look for more


@dataclass(frozen=True)
class OnGpu:
    """A FAISS index on the GPU, that any number of threads may search for any number of results."""

    here: Any  # the same on the CPU
    there: Any
    # FAISS on a GPU works in memory that the searches of an index share.
    _one_at_a_time: Lock = field(default_factory=Lock)

    def search(self, vectors: Vectors, count: int) -> tuple[Vectors, NDArray[np.int64]]:
        """Return scores and ids of the `count` nearest of each of `vectors`: (N, count) both."""
        if count <= _MOST:
            with self._one_at_a_time, suppress(RuntimeError):
                scores, ids = self.there.search(vectors, count)
                return scores, ids
        scores, ids = self.here.search(vectors, count)
        return scores, ids


@cache
def gpu_works() -> bool:
    """Return whether FAISS really adds and finds vectors on a GPU here.

    A build may count GPUs that it holds no code for, so the count alone is not believed.
    """
    if not hasattr(faiss, "StandardGpuResources") or faiss.get_num_gpus() < 1:
        return False
    vectors = np.eye(8, dtype=np.float32)
    try:
        index = faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, faiss.IndexFlatIP(8))
        index.add(vectors)
        return bool((index.search(vectors, 1)[1][:, 0] == np.arange(8)).all())
    except RuntimeError:  # what FAISS raises for "no kernel image" and "out of memory"
        return False


def on_gpu(index: Any) -> Any:
    """Return a FAISS index to be searched on the GPU, where one works with room; else as it is."""
    if not gpu_works():
        return index
    try:
        return OnGpu(index, faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index))
    except RuntimeError:
        return index


def nearest_rows(
    among: Vectors, vectors: Vectors, count: int
) -> Iterator[tuple[slice, Vectors, NDArray[np.int64]]]:
    """Give, block by block of `vectors`, which block it is, the cosines of the `count` nearest
    of `among` (n, count), nearest first, and their rows there (n, count); `count` <= len(among).

    Of more than `MANY_PAIRS` without a GPU a few nearest are missed (retrieval.cells).
    """
    searched = _to_be_searched(np.ascontiguousarray(among), len(vectors))
    for start in range(0, len(vectors), _QUERIES):
        part = slice(start, min(start + _QUERIES, len(vectors)))
        yield part, *searched.search(np.ascontiguousarray(vectors[part]), count)


def _to_be_searched(among: Vectors, asking: int) -> Any:
    """Return what gives the nearest of `among` to that many vectors in a bearable time."""
    if len(among) * asking > MANY_PAIRS and not gpu_works():
        return in_cells(among)
    index = faiss.IndexFlatIP(among.shape[1])
    index.add(among)
    return on_gpu(index)
