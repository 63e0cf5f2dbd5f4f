from __future__ import annotations

import numpy as np

from retrieval.strokes.emblem import emblem
from retrieval.strokes.sameness import same_drawing


def test_an_emblem_fills_the_unit_square_and_no_more() -> None:
    rng = np.random.default_rng(2)
    for _ in range(200):
        points = np.concatenate([stroke.points for stroke in emblem(rng).strokes])
        low, high = points.min(axis=0), points.max(axis=0)
        assert low.min() >= -1e-5
        assert high.max() <= 1 + 1e-5
        assert np.isclose((high - low).max(), 1)


def test_filled_bare_hatched_and_parted_figures_all_occur() -> None:
    rng = np.random.default_rng(3)
    first = [emblem(rng).strokes for _ in range(200)]
    assert 50 < sum(strokes[0].filled for strokes in first) < 130
    assert sum(any(not stroke.closed for stroke in strokes) for strokes in first) > 20
    assert sum(len(strokes) == 1 for strokes in first) > 20
    assert 100 < sum(strokes[0].smooth for strokes in first) < 180


def test_hatching_stays_inside_the_outline() -> None:
    rng = np.random.default_rng(4)
    hatched = 0
    for _ in range(100):
        outline, *rest = emblem(rng).strokes
        low, high = outline.points.min(axis=0), outline.points.max(axis=0)
        for stroke in rest:
            if not stroke.closed:
                hatched += 1
                assert np.all(stroke.points >= low - 1e-5)
                assert np.all(stroke.points <= high + 1e-5)
    assert hatched


def test_two_emblems_are_two_drawings() -> None:
    rng = np.random.default_rng(5)
    emblems = [emblem(rng) for _ in range(30)]
    same = [same_drawing(emblems[i], emblems[j]) for i in range(30) for j in range(i)]
    assert sum(same) <= 2
