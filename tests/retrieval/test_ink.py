from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from retrieval.ink import (
    MARGIN,
    SEEN,
    as_bytes,
    from_bytes,
    ink_density,
    normalise,
    normalise_all,
)
from retrieval.paper import grey
from retrieval.photograph import as_drawn


def cross(width: int = 120, height: int = 160, paper: int = 230, ink: int = 40) -> np.ndarray:
    """A cross drawn on paper, off centre."""
    image = np.full((height, width), paper, np.uint8)
    cv2.line(image, (30, 20), (30, 100), ink, 5)
    cv2.line(image, (15, 45), (45, 45), ink, 5)
    return image


def test_crops_are_seen_as_they_are_said_to_be() -> None:
    image = cross()
    image[:, :3] = 40
    cv2.line(image, (60, 60), (100, 140), 90, 3)
    small = cv2.resize((normalise(image, 64) + 1) * 50, (6, 6), interpolation=cv2.INTER_AREA)
    seen = [
        [0, 26, 0, 0, 0, 0],
        [1, 54, 17, 0, 0, 0],
        [0, 32, 0, 17, 0, 0],
        [0, 32, 0, 15, 4, 0],
        [0, 2, 0, 0, 19, 0],
        [0, 0, 0, 0, 14, 1],
    ]
    assert SEEN == "ink-8"
    np.testing.assert_allclose(small, seen, atol=1.5, err_msg="give SEEN another name")


def test_result_is_ink_on_paper_in_a_square() -> None:
    picture = normalise(cross(), 64)
    assert picture.shape == (64, 64)
    assert picture.dtype == np.float32
    assert picture.min() == -1
    assert picture.max() == 1
    assert picture[0].max() == -1, "the margin is paper"


def test_the_box_of_the_ink_is_centred_and_not_stretched() -> None:
    rows, columns = np.nonzero(normalise(cross(), 96) > 0)
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert height == pytest.approx(96 * (1 - 2 * MARGIN), abs=2)
    assert width / height == pytest.approx(36 / 86, abs=0.06)
    assert abs((columns.min() + columns.max()) / 2 - 47.5) <= 1.5


@pytest.mark.parametrize("change", ["negative", "darker paper", "fainter ink", "rgb", "elsewhere"])
def test_the_same_mark_otherwise_scanned_looks_the_same(change: str) -> None:
    image = cross()
    other = {
        "negative": 255 - image,
        "darker paper": cross(paper=170, ink=20),
        "fainter ink": cross(ink=150),
        "rgb": np.repeat(image[..., None], 3, axis=2),
        "elsewhere": np.roll(image, (20, 30), axis=(0, 1)),
    }[change]
    assert np.abs(normalise(image, 64) - normalise(other, 64)).mean() < 0.02


@pytest.mark.parametrize("angle", [0, 40, 90, 200])
@pytest.mark.parametrize("darkest", [0.9, 0.6, 0.4])
def test_light_from_one_side_is_not_ink(darkest: float, angle: float) -> None:
    image = cross()
    y, x = np.mgrid[-1:1:160j, -1:1:120j]
    towards = x * np.cos(np.radians(angle)) + y * np.sin(np.radians(angle))
    light = 1 - (1 - darkest) * (towards - towards.min()) / np.ptp(towards)
    lit = np.round(image * light).astype(np.uint8)
    assert ink_density(as_drawn(lit))[110:].max() == 0
    assert np.abs(normalise(lit, 64) - normalise(image, 64)).mean() < 0.03


def test_paper_that_shows_in_one_line_alone_is_a_plane_all_the_same() -> None:
    image = np.full((96, 96), 20, np.uint8)
    image[:, 40:44] = 230
    image[0], image[-1], image[:, 0], image[:, -1] = 230, 230, 230, 230
    assert np.isfinite(ink_density(as_drawn(image))).all()


@pytest.mark.parametrize("paper", [0, 1, 3])
def test_a_mark_that_is_cut_at_its_frame_is_no_negative(paper: int) -> None:
    drawn = np.full((160, 160), 230, np.uint8)
    cv2.rectangle(drawn, (30, 30), (130, 130), 40, 7)
    cv2.line(drawn, (80, 50), (80, 110), 40, 5)
    first, last = 27 - paper, 134 + paper
    cut = normalise(drawn[first:last, first:last], 64)
    likeness = np.corrcoef(cut.ravel(), normalise(drawn, 64).ravel())[0, 1]
    assert likeness > 0.9


def test_a_filled_shape_is_ink_to_its_middle() -> None:
    image = np.full((160, 160), 200, np.uint8)
    cv2.circle(image, (80, 80), 60, 90, -1)
    cv2.line(image, (0, 10), (60, 10), 90, 8)
    inside = np.zeros_like(image)
    cv2.circle(inside, (80, 80), 58, 1, -1)
    assert ink_density(as_drawn(image))[inside > 0].min() > 0.95


@pytest.mark.parametrize("edge", ["top", "bottom", "left", "right"])
def test_writing_that_runs_into_the_crop_is_not_the_marks(edge: str) -> None:
    image = np.full((160, 160), 230, np.uint8)
    image[:, 20:140] = cross()
    turns = ["top", "left", "bottom", "right"].index(edge)
    written = np.rot90(image, -turns).copy()
    for x in range(0, 150, 50):  # the lower halves of some letters
        cv2.ellipse(written, (x + 10, 0), (6, 11), 0, 0, 180, 40, 2)
    written = np.rot90(written, turns)
    np.testing.assert_allclose(normalise(written, 64), normalise(image, 64), atol=0.02)


def test_a_stroke_that_the_edge_cuts_and_that_reaches_the_middle_stays() -> None:
    image = cross()
    cv2.line(image, (30, 60), (119, 60), 40, 5)
    assert normalise(image, 64)[32:40, 50:].max() > 0.5


def test_all_stays_where_the_edges_cut_most_of_the_ink() -> None:
    image = np.full((100, 100), 230, np.uint8)
    cv2.line(image, (8, 0), (8, 99), 40, 7)
    cv2.line(image, (92, 0), (92, 99), 40, 7)
    cv2.circle(image, (50, 50), 6, 40, -1)
    picture = normalise(image, 64)
    assert min(picture[:, :10].max(), picture[:, -10:].max()) == pytest.approx(1, abs=0.03)


def test_transparent_sketch_lies_on_white() -> None:
    sketch = np.zeros((50, 50, 4), np.uint8)
    sketch[10:40, 24:27, 3] = 255
    assert grey(sketch)[0, 0] == 255
    assert grey(sketch)[20, 25] == 0


def test_light_strokes_on_nothing_are_seen_as_dark_ones() -> None:
    dark, light = np.zeros((2, 50, 50, 4), np.uint8)
    dark[10:40, 24:27, 3] = 255
    light[10:40, 24:27] = 255
    assert np.array_equal(grey(light), grey(dark))


def test_bare_paper_has_no_ink() -> None:
    assert normalise(np.full((40, 70), 200, np.uint8), 64).max() == -1


def test_batch_of_none_is_empty() -> None:
    assert normalise_all([], 64).shape == (0, 1, 64, 64)


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40))),
    st.sampled_from([16, 64, 96]),
)
def test_any_picture_is_normalised(image: np.ndarray, size: int) -> None:
    picture = normalise(image, size)
    assert picture.shape == (size, size)
    assert np.isfinite(picture).all()
    assert picture.min() >= -1
    assert picture.max() <= 1


def test_bytes_of_ink_come_back_as_they_were() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    assert np.array_equal(as_bytes(from_bytes(levels)), levels)
    assert from_bytes(levels).dtype == np.float32
    assert as_bytes(np.array([-1, 0, 1], np.float32)).tolist() == [0, 128, 255]
