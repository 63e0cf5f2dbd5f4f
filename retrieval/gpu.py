"""FAISS on the GPU, where one works."""

from __future__ import annotations

from functools import cache
from typing import Any

import faiss
import numpy as np


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
    """Return a FAISS index on the GPU, where one works; else as it is."""
    if not gpu_works():
        return index
    return faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index)
