from __future__ import annotations

import numpy as np

from retrieval.gan.turning import siblings, turn, turned_identities


def _hooks(count: int, side: int = 48) -> np.ndarray:
    """Marks that no turn or mirror leaves as they are: an L with a dot."""
    marks = np.zeros((count, side, side), np.uint8)
    marks[:, 6:42, 8:12] = 255
    marks[:, 38:42, 8:30] = 255
    marks[:, 8:14, 30:36] = 255
    return marks


def test_the_eight_ways_are_eight_pictures() -> None:
    ways = {turn(_hooks(1), way).tobytes() for way in range(8)}
    assert len(ways) == 8
    assert turn(_hooks(1), 0).tobytes() == _hooks(1).tobytes()


def test_both_pictures_of_an_identity_lie_the_same_way() -> None:
    first, second = turned_identities((_hooks(64), _hooks(64)), np.random.default_rng(0))
    assert np.array_equal(first, second)
    upright = (first == _hooks(64)).all(axis=(1, 2)).mean()
    assert 0.3 < upright < 0.7


def test_a_sibling_is_never_the_mark_itself() -> None:
    first, second = siblings((_hooks(64), _hooks(64)), 16, np.random.default_rng(0))
    assert len(first) == len(second) == 16
    assert not (first == _hooks(16)).all(axis=(1, 2)).any()


def test_a_symmetric_mark_has_no_sibling() -> None:
    ring = np.zeros((20, 48, 48), np.uint8)
    y, x = np.mgrid[:48, :48] - 23.5
    ring[:, (np.hypot(x, y) < 20) & (np.hypot(x, y) > 16)] = 255
    for marks in (ring, np.zeros_like(ring), ring[:0]):
        assert len(siblings((marks, marks), 8, np.random.default_rng(0))[0]) == 0
