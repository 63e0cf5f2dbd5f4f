from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage.morphology import thin

from retrieval.gan.another_pen import drawn_again, skeletons


@pytest.fixture(scope="module")
def strokes() -> np.ndarray:
    """A cross, a ring and a bar of ink, (3, 64, 64)."""
    pictures = np.zeros((3, 64, 64), np.uint8)
    cv2.line(pictures[0], (10, 10), (54, 54), 255, 5)
    cv2.line(pictures[0], (54, 10), (10, 54), 255, 5)
    cv2.circle(pictures[1], (32, 32), 20, 255, 7)
    cv2.rectangle(pictures[2], (8, 28), (56, 36), 255, -1)
    return pictures


def test_skeletons_are_lines_of_the_strokes_and_keep_how_they_hang_together(
    strokes: np.ndarray,
) -> None:
    lines = skeletons(strokes > 0)
    for picture, line in zip(strokes, lines, strict=True):
        assert line.any()
        assert not (line & (picture == 0)).any()
        assert line.sum() < (picture > 0).sum() / 3
        parts, _ = cv2.connectedComponents(line.astype(np.uint8), connectivity=8)
        holes, _ = cv2.connectedComponents((~line).astype(np.uint8), connectivity=4)
        assert parts == 2
        assert holes == cv2.connectedComponents((picture == 0).astype(np.uint8), connectivity=4)[0]


def test_skeletons_run_where_those_of_scikit_image_run(strokes: np.ndarray) -> None:
    for picture, line in zip(strokes, skeletons(strokes > 0), strict=True):
        other = cv2.dilate(thin(picture > 0).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        assert (line & other).sum() >= 0.9 * line.sum()


def test_another_pen_leaves_the_lines_and_changes_their_width(strokes: np.ndarray) -> None:
    rng = np.random.default_rng(3)
    again = np.concatenate([drawn_again(strokes, rng) for _ in range(20)])
    assert again.shape == (60, 64, 64)
    assert again.dtype == np.uint8
    middle = np.tile(skeletons(strokes > 0), (20, 1, 1))
    assert (again[middle] >= 128).all()
    ink = again.reshape(20, 3, -1).sum(axis=2, dtype=np.int64)
    assert (ink.max(axis=0) > 2 * ink.min(axis=0)).all()


def test_bare_paper_stays_bare() -> None:
    assert not drawn_again(np.zeros((2, 32, 32), np.uint8), np.random.default_rng(0)).any()
