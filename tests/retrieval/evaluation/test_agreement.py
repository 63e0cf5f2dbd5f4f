from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.evaluation.agreement import agreement

numbers = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=30)


def test_pairs_are_counted_as_by_hand() -> None:
    found = agreement(np.array([0, 0, 0, 1, 1, 2]), np.array([7, 7, 8, 8, 8, 7]))
    assert (found.proposed, found.relevant, found.right) == (4, 6, 2)
    assert found.precision == 0.5
    assert found.recall == pytest.approx(1 / 3)
    assert found.f1 == pytest.approx(0.4)
    assert found.adjusted_rand == pytest.approx((2 - 1.6) / (5 - 1.6))


@given(numbers)
def test_pairs_are_counted_as_one_by_one(pairs: list[tuple[int, int]]) -> None:
    groups, labels = np.array(pairs).T
    found = agreement(groups, labels)
    upper = np.triu_indices(len(pairs), 1)
    together = (groups[:, None] == groups)[upper]
    alike = (labels[:, None] == labels)[upper]
    assert found.proposed == together.sum()
    assert found.relevant == alike.sum()
    assert found.right == (together & alike).sum()
    assert (found.precision is None) == (not together.any())
    assert 0 <= (found.precision or 0) <= 1
    assert 0 <= found.recall <= 1 and 0 <= found.f1 <= 1


def test_perfect_and_empty_agreement() -> None:
    alone = np.arange(4)
    labels = np.array([3, 3, 1, 1])
    perfect = agreement(np.array([5, 5, 9, 9]), labels)
    assert (perfect.precision, perfect.recall, perfect.f1) == (1, 1, 1)
    assert perfect.adjusted_rand == 1
    nothing = agreement(alone, labels)
    assert (nothing.precision, nothing.recall, nothing.f1) == (None, 0, 0)
    assert nothing.adjusted_rand == 0
