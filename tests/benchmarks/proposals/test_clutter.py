from __future__ import annotations

import numpy as np
import pytest

from benchmarks.proposals.clutter import CLUTTER, Clutter, lay_clutter_in

INK = np.array([1.0, 1.1, 1.2], np.float32)


def sheet() -> np.ndarray:
    return np.full((600, 500, 3), 220, np.uint8)


@pytest.mark.parametrize("kind", CLUTTER)
def test_each_kind_changes_the_page_inside_its_box(kind: Clutter) -> None:
    page = sheet()
    rng = np.random.default_rng(5)
    changed, boxes = lay_clutter_in(page, 20.0, INK, rng, [kind])
    assert (page == 220).all()
    assert changed.shape == page.shape
    assert (changed != page).any()
    if kind == "border":
        assert boxes == ()
        assert (changed[200:400, 150:350] == 220).all()
        return
    ((left, top, right, bottom),) = boxes
    assert 0 <= left < right <= 500
    assert 0 <= top < bottom <= 600
    changed[top:bottom, left:right] = 220
    assert (changed == 220).all()


def test_the_same_seed_lays_the_same() -> None:
    first, second = (
        lay_clutter_in(sheet(), 20.0, INK, np.random.default_rng(3), CLUTTER) for _ in range(2)
    )
    np.testing.assert_array_equal(first[0], second[0])
    assert first[1] == second[1]


def test_it_stays_off_what_is_taken() -> None:
    taken = (100, 100, 400, 500)
    kinds = [kind for kind in CLUTTER if kind != "border"]
    changed, boxes = lay_clutter_in(
        sheet(), 10.0, INK, np.random.default_rng(0), kinds * 3, [taken]
    )
    assert boxes
    assert (changed[100:500, 100:400] == 220).all()


def test_what_finds_no_room_is_left_out() -> None:
    _, boxes = lay_clutter_in(
        sheet(), 10.0, INK, np.random.default_rng(0), ["blot"], [(0, 0, 500, 600)]
    )
    assert boxes == ()
