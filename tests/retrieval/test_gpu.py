from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import faiss
import numpy as np
import pytest

from retrieval.gpu import gpu_works


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    """What a test finds out about its GPU is no other's."""
    gpu_works.cache_clear()
    yield
    gpu_works.cache_clear()


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Any], Any]], None]:
    """Have FAISS count one GPU; call it with what FAISS gives for an index moved there."""

    def move(to_gpu: Callable[[Any], Any]) -> None:
        monkeypatch.setattr(faiss, "get_num_gpus", lambda: 1)
        monkeypatch.setattr(faiss, "StandardGpuResources", object, raising=False)
        monkeypatch.setattr(
            faiss, "index_cpu_to_gpu", lambda _resources, _gpu, index: to_gpu(index), raising=False
        )

    return move


class OneRow:
    """An index that finds its first vector, whatever is looked for."""

    def __init__(self, index: Any) -> None:
        self._index = index

    def add(self, vectors: np.ndarray) -> None:
        self._index.add(vectors)

    def search(self, vectors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        scores, rows = self._index.search(vectors, count)
        return scores, np.zeros_like(rows)


def _no_kernel(_index: Any) -> Any:
    raise RuntimeError("CUDA error 209 no kernel image is available for execution on the device")


@pytest.mark.parametrize(
    ("to_gpu", "works"), [(lambda index: index, True), (_no_kernel, False), (OneRow, False)]
)
def test_a_gpu_is_believed_by_what_it_finds_not_by_its_count(
    moved: Callable[..., None], to_gpu: Callable[[Any], Any], works: bool
) -> None:
    moved(to_gpu)
    assert gpu_works() is works


def test_where_none_is_counted_none_is_tried(
    moved: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    moved(lambda index: index)
    monkeypatch.setattr(faiss, "get_num_gpus", lambda: 0)
    assert not gpu_works()
