from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.boxes import overlap, overlaps

boxes = st.tuples(*[st.integers(0, 30)] * 2, *[st.integers(1, 30)] * 2)


@given(boxes, boxes)
def test_overlap_counts_pixels(
    one: tuple[int, int, int, int], other: tuple[int, int, int, int]
) -> None:
    covered = [
        {(x, y) for x in range(b[0], b[0] + b[2]) for y in range(b[1], b[1] + b[3])}
        for b in (one, other)
    ]
    share = len(covered[0] & covered[1]) / len(covered[0] | covered[1])
    assert overlap(one, other) == pytest.approx(share)


def test_overlap_is_intersection_over_union() -> None:
    boxes = np.array([[0, 0, 10, 10], [50, 50, 60, 60]], np.float64)
    proposals = np.array([[0, 0, 10, 10], [0, 0, 10, 5], [5, 0, 15, 10], [10, 0, 20, 10]])
    expected = [[1, 1 / 2, 1 / 3, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(overlaps(boxes, proposals.astype(np.float64)), expected)


@given(st.lists(boxes, max_size=4), st.lists(boxes, max_size=4))
def test_many_boxes_overlap_as_two_do(
    some: list[tuple[int, int, int, int]], others: list[tuple[int, int, int, int]]
) -> None:
    corners = [
        np.array([(x, y, x + w, y + h) for x, y, w, h in each], np.float64).reshape(-1, 4)
        for each in (some, others)
    ]
    expected = [[overlap(one, other) for other in others] for one in some]
    found = overlaps(*corners)
    assert found.shape == (len(some), len(others))
    assert found.tolist() == expected
