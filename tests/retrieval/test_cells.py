from __future__ import annotations

import numpy as np
import pytest

from retrieval.cells import in_cells
from retrieval.company import find_neighbours
from retrieval.gpu import gpu_works, nearest_rows
from retrieval.vectors import Vectors, unit


def marks_alike(seed: int, count: int, size: int = 16) -> Vectors:
    """Vectors of marks that repeat: some forty of each."""
    rng = np.random.default_rng(seed)
    middles = rng.normal(size=(count // 40 + 1, size))
    return unit(middles[rng.integers(len(middles), size=count)] + rng.normal(0, 0.3, (count, size)))


def exact(among: Vectors, asking: Vectors, count: int) -> np.ndarray:
    return np.argsort(-(asking @ among.T), axis=1, kind="stable")[:, :count]


def test_nearly_all_of_the_nearest_are_found() -> None:
    among, asking = marks_alike(0, 6000), marks_alike(1, 200)
    cosines, rows = in_cells(among).search(asking, 9)
    expected = exact(among, asking, 9)
    shared = [len(set(one) & set(other)) for one, other in zip(rows, expected, strict=True)]
    assert np.mean(shared) > 0.97 * 9
    np.testing.assert_allclose(cosines, np.einsum("nd,nkd->nk", asking, among[rows]), atol=1e-5)
    assert (np.diff(cosines, axis=1) <= 0).all()


def test_the_same_marks_are_found_each_time() -> None:
    among = marks_alike(2, 3000)
    one, other = (in_cells(among).search(among[:500], 5)[1] for _ in range(2))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("count", [1, 2, 70])
def test_few_marks_are_all_found(count: int) -> None:
    among = marks_alike(3, count)
    _, rows = in_cells(among).search(among, count)
    assert (np.sort(rows, axis=1) == np.arange(count)).all()


def test_a_mark_whose_cells_hold_too_few_is_sought_in_all() -> None:
    # A thousand copies of one picture in one cell leave the others' cells nearly empty.
    rng = np.random.default_rng(4)
    alone = unit(rng.normal(size=(90, 16)))
    among = np.concatenate([np.repeat(alone[:1], 1000, axis=0), alone[1:]])
    cells = in_cells(among)
    cells.index.nprobe = 1
    _, rows = cells.search(alone[1:], 60)
    assert (rows >= 0).all()


def test_an_archive_of_many_is_compared_in_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retrieval.gpu.gpu_works", lambda: False)
    vectors = marks_alike(5, 2000)
    marks = np.arange(2000)
    whole = find_neighbours(marks, vectors)
    made: list[int] = []

    def counted(among: Vectors) -> object:
        made.append(len(among))
        return in_cells(among)

    monkeypatch.setattr("retrieval.gpu.in_cells", counted)
    monkeypatch.setattr("retrieval.gpu.MANY_PAIRS", 2000 * 2000 - 1)
    parted = find_neighbours(marks, vectors)
    assert made == [2000]
    assert (parted.nearest != marks[:, None]).all()
    assert (parted.nearest == whole.nearest).mean() > 0.9
    list(nearest_rows(vectors, vectors[:10], 3))
    assert made == [2000], "ten are compared with all"


def test_a_gpu_compares_all_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu_works.cache_clear()
    monkeypatch.setattr("retrieval.gpu.gpu_works", lambda: True)
    monkeypatch.setattr("retrieval.gpu.on_gpu", lambda index: index)
    monkeypatch.setattr("retrieval.gpu.MANY_PAIRS", 0)
    vectors = marks_alike(6, 300)
    ((_, _, rows),) = nearest_rows(vectors, vectors, 4)
    np.testing.assert_array_equal(rows, exact(vectors, vectors, 4))
