from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.binarise import optical_density, paper_colour, sauvola_threshold


@given(
    seed=st.integers(0, 2**32 - 1),
    window=st.integers(1, 20).map(lambda n: 2 * n + 1),
    k=st.floats(0.05, 0.5),
)
def test_sauvola_agrees_with_scikit_image(seed: int, window: int, k: float) -> None:
    filters = pytest.importorskip("skimage.filters")
    grey = np.random.default_rng(seed).integers(0, 256, (60, 75)).astype(np.uint8)
    ours = grey <= sauvola_threshold(grey, window, k)
    theirs = grey <= filters.threshold_sauvola(grey, window_size=window, k=k, r=128)
    inner = window // 2  # the two continue the page beyond its edge each in its own way
    ours, theirs = (plane[inner:-inner, inner:-inner] for plane in (ours, theirs))
    assert ours.shape == theirs.shape
    assert (ours != theirs).mean() < 1e-3


def test_sauvola_refuses_an_even_window() -> None:
    with pytest.raises(ValueError, match="odd"):
        sauvola_threshold(np.zeros((20, 20), np.uint8), 8)


def test_paper_closes_over_strokes_and_keeps_the_scanners_bed() -> None:
    page = np.full((400, 300, 3), 220, np.uint8)
    page[:, 240:] = 20
    page[100:300, 50:54] = 30
    paper = paper_colour(page, 64)
    assert paper.shape == page.shape
    assert abs(int(paper[200, 52, 0]) - 220) <= 3
    assert paper[200, 290, 0] <= 40


def test_density_of_one_ink_keeps_its_direction_when_laid_on_thinner() -> None:
    paper = np.full((10, 10, 3), 230, np.uint8)
    ink = np.array([0.2, 0.9, 0.7])
    thick = (paper * np.exp(-ink)).astype(np.uint8)
    thin = (paper * np.exp(-0.3 * ink)).astype(np.uint8)
    a, b = (optical_density(image, paper)[5, 5] for image in (thick, thin))
    assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) > 0.999
    assert not optical_density(paper, paper).any()
