from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from retrieval.orientation import UPRIGHT, Orientation, held, orientations

EIGHT = orientations(turned=True, mirrored=True)


def test_there_are_one_two_four_or_eight_ways_upright_first() -> None:
    assert orientations() == (UPRIGHT,)
    assert orientations(mirrored=True) == (UPRIGHT, Orientation(mirrored=True))
    assert [way.turned for way in orientations(turned=True)] == [0, 90, 180, 270]
    assert len(set(EIGHT)) == 8
    assert EIGHT[0] == UPRIGHT


def test_a_quarter_turn_is_clockwise_and_the_mirror_swaps_left_and_right() -> None:
    picture = np.array([[[[1, 2], [3, 4]]]], np.float32)
    seen = held(picture, [Orientation(turned=90), Orientation(mirrored=True)])
    assert seen.shape == (1, 2, 1, 2, 2)
    assert seen[0, 0, 0].tolist() == [[3, 1], [4, 2]]
    assert seen[0, 1, 0].tolist() == [[2, 1], [4, 3]]


@pytest.mark.parametrize(("first", "after"), list(product(EIGHT, EIGHT)))
def test_one_way_after_another_is_one_of_the_eight(first: Orientation, after: Orientation) -> None:
    picture = np.arange(9, dtype=np.float32).reshape(1, 1, 3, 3)
    step_by_step = held(held(picture, [first])[:, 0], [after])
    assert first.then(after) in EIGHT
    assert np.array_equal(step_by_step, held(picture, [first.then(after)]))


@pytest.mark.parametrize(("turned", "mirrored"), list(product([False, True], repeat=2)))
def test_any_two_ways_are_again_one_of_those_asked_for(turned: bool, mirrored: bool) -> None:
    ways = orientations(turned=turned, mirrored=mirrored)
    assert {first.then(after) for first, after in product(ways, ways)} == set(ways)
