from __future__ import annotations

import numpy as np

from retrieval.strokes.rings import ringed_mark


def test_a_ringed_mark_lies_within_its_border() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        points = np.concatenate([stroke.points for stroke in ringed_mark(rng).strokes])
        assert np.isfinite(points).all()
        assert points.min() > -0.1
        assert points.max() < 1.1


def test_most_carry_a_legend_of_many_letters() -> None:
    rng = np.random.default_rng(1)
    strokes = [len(ringed_mark(rng).strokes) for _ in range(100)]
    assert sum(count > 15 for count in strokes) > 50
    assert sum(count <= 15 for count in strokes) > 10
