from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import faiss
import numpy as np
import pytest

from retrieval.gpu import gpu_works, nearest_rows, on_gpu


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


class StrictGpu:
    """An index as FAISS has it on a GPU: for 2,048 results at most, and for one thread."""

    searches = 0

    def __init__(self, index: Any) -> None:
        self._index, self._free = index, Lock()

    def add(self, vectors: np.ndarray) -> None:
        self._index.add(vectors)

    def search(self, vectors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        StrictGpu.searches += 1
        if count > 2048:
            raise RuntimeError("Error: 'k <= getMaxKSelection()' failed")
        assert self._free.acquire(blocking=False), "searched by two at once"
        time.sleep(0.01)
        try:
            return self._index.search(vectors, count)
        finally:
            self._free.release()


def _vectors(count: int) -> np.ndarray:
    drawn = np.random.default_rng(0).normal(size=(count, 8)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


@pytest.mark.parametrize(("count", "there"), [(2048, 1), (2049, 0), (2500, 0)])
def test_more_than_a_gpu_finds_is_found_without_it(
    moved: Callable[..., None], count: int, there: int
) -> None:
    moved(StrictGpu)
    assert gpu_works()
    index = faiss.IndexFlatIP(8)
    index.add(_vectors(2500))
    before = StrictGpu.searches
    scores, rows = on_gpu(index).search(_vectors(2), count)
    assert StrictGpu.searches - before == there
    exact = index.search(_vectors(2), count)
    np.testing.assert_array_equal(rows, exact[1])
    np.testing.assert_array_equal(scores, exact[0])


def _small(index: Any) -> Any:
    """Move an index to a GPU with room for 100 vectors."""
    if index.ntotal > 100:
        raise RuntimeError("StandardGpuResources: alloc fail: out of memory")
    return index


class NoRoomToSearch(StrictGpu):
    """An index on a GPU that has room for it, but for no more than 8 queries at once."""

    def search(self, vectors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        if len(vectors) > 8:
            raise RuntimeError("StandardGpuResources: alloc fail: out of memory")
        return super().search(vectors, count)


@pytest.mark.parametrize("to_gpu", [_small, NoRoomToSearch])
def test_what_a_gpu_has_no_room_for_is_searched_without_it(
    moved: Callable[..., None], to_gpu: Callable[[Any], Any]
) -> None:
    moved(to_gpu)
    assert gpu_works()
    index = faiss.IndexFlatIP(8)
    index.add(_vectors(101))
    scores, rows = on_gpu(index).search(_vectors(9), 5)
    exact = index.search(_vectors(9), 5)
    np.testing.assert_array_equal(rows, exact[1])
    np.testing.assert_array_equal(scores, exact[0])
    ((_, _, rows),) = nearest_rows(_vectors(101), _vectors(9), 5)
    np.testing.assert_array_equal(rows, exact[1])


def test_searches_on_a_gpu_wait_for_one_another(moved: Callable[..., None]) -> None:
    moved(StrictGpu)
    index = faiss.IndexFlatIP(8)
    index.add(_vectors(20))
    searched = on_gpu(index)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: searched.search(_vectors(3), 1)[1][:, 0], range(8)))
    assert [rows.tolist() for rows in found] == [[0, 1, 2]] * 8


def test_the_nearest_rows_are_found_on_a_gpu(moved: Callable[..., None]) -> None:
    moved(StrictGpu)
    ((part, _, rows),) = nearest_rows(_vectors(20), _vectors(3), 1)
    assert part == slice(0, 3) and rows[:, 0].tolist() == [0, 1, 2]
