from __future__ import annotations

import cv2
import numpy as np
import pytest

from retrieval.paper import Pixels, dark_on_light, darkness, paper_under

SIDE, PAPER, DEPTH = 220, 210, 130


def page() -> np.ndarray:
    """Bare paper with a stroke on it, DEPTH darker, at the left."""
    sheet = np.full((SIDE, SIDE), PAPER, np.float32)
    cv2.line(sheet, (30, 30), (30, 190), PAPER - DEPTH, 8)
    return sheet


def blot(softness: float, radius: int = 45) -> np.ndarray:
    """How far a round blot at (140, 110) covers the paper, (SIDE, SIDE) in [0, 1]."""
    round_one = np.zeros((SIDE, SIDE), np.float32)
    cv2.circle(round_one, (140, 110), radius, 1, -1)
    return np.asarray(cv2.GaussianBlur(round_one, (0, 0), softness), np.float32)


def as_pixels(sheet: np.ndarray) -> Pixels:
    return np.asarray(np.clip(sheet, 0, 255), np.uint8)


@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_a_stain_is_paper_however_dark(share: float) -> None:
    stained = as_pixels(page() - share * DEPTH * blot(softness=10))
    ink = darkness(stained)
    assert ink[105:116, 135:146].max() < 0.1 * DEPTH
    assert ink[60:160, 29:32].min() > 0.9 * DEPTH


@pytest.mark.parametrize("share", [0.7, 1.0])
def test_a_filled_shape_with_sharp_edges_is_ink(share: float) -> None:
    drawn = as_pixels(page() - share * DEPTH * blot(softness=0.8))
    assert darkness(drawn)[80:141, 110:171].min() > 0.9 * share * DEPTH


def test_a_stroke_across_a_stain_is_as_dark_as_its_ink() -> None:
    sheet = page() - 0.4 * DEPTH * blot(softness=10)
    cv2.line(sheet, (100, 110), (180, 110), PAPER - DEPTH, 6)
    ink = darkness(as_pixels(sheet))
    assert ink[110, 120:160].min() > 0.45 * DEPTH
    assert ink[125:136, 120:160].max() < 0.15 * DEPTH


def test_the_level_of_bare_paper_is_its_own() -> None:
    grain = np.random.default_rng(1).normal(PAPER, 6, (SIDE, SIDE))
    assert np.abs(paper_under(as_pixels(grain)) - PAPER).max() < 4


def test_a_dark_strip_along_an_edge_is_no_filled_shape() -> None:
    sheet = page()
    sheet[:, -40:] -= DEPTH
    ink = darkness(as_pixels(sheet))
    assert ink[:, -20:].max() < 0.1 * DEPTH
    assert ink[60:160, 29:32].min() > 0.9 * DEPTH


def test_stone_in_patches_of_light_is_no_negative() -> None:
    stone = as_pixels(0.5 * page() + 140 * blot(softness=25, radius=60))
    assert int(stone.min()) + int(stone.max()) > 2 * np.median(stone), "mostly dark"
    np.testing.assert_array_equal(dark_on_light(stone), stone)


def test_chalk_on_slate_with_stains_is_turned_over() -> None:
    slate = as_pixels(255 - (page() - 40 * blot(softness=10)))
    np.testing.assert_array_equal(dark_on_light(slate), 255 - slate)
