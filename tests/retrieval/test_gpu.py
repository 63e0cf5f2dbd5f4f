from __future__ import annotations

import faiss
import pytest

from retrieval.gpu import gpu_works


def test_a_gpu_is_not_believed_by_its_count_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faiss, "get_num_gpus", lambda: 1)
    gpu_works.cache_clear()
    try:
        if not hasattr(faiss, "GpuIndexFlat"):
            assert not gpu_works()
    finally:
        gpu_works.cache_clear()
