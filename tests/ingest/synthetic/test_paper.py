from __future__ import annotations

import numpy as np

from ingest.synthetic.paper import draw_paper, random_sheet


def test_paper_is_blank_and_light() -> None:
    for seed in range(5):
        planes = draw_paper(np.random.default_rng(seed), (300, 400))
        assert planes.shape == (3, 400, 300)
        assert np.median(planes) > 130
        assert np.median(planes[0]) > np.median(planes[2])  # yellowish, never blue


def test_a_sheet_is_skewed_by_two_degrees_at_most() -> None:
    turns = [abs(random_sheet(np.random.default_rng(s), (700, 900)).turn) for s in range(200)]
    assert max(turns) <= np.deg2rad(2) + 1e-9
    assert np.mean(turns) > np.deg2rad(0.2)
