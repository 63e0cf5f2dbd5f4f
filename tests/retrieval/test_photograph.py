from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from retrieval.boxes import Box, overlap
from retrieval.ink import normalise
from retrieval.photograph import as_drawn, mark_box

Photograph = Callable[[], np.ndarray]

PAPER, INK = (226, 220, 206), (48, 40, 36)


def sheet(height: int, width: int, paper: tuple[int, int, int] = PAPER) -> np.ndarray:
    """Paper with its grain."""
    grain = np.random.default_rng(0).normal(0, 3, (height, width, 1))
    return np.clip(np.array(paper) + grain, 0, 255).astype(np.uint8)


def draw(
    image: np.ndarray, x: int, y: int, side: int, ink: tuple[int, int, int] = INK
) -> np.ndarray:
    """Draw a figure 4 on a staff into a square of the image; return the image."""
    pen = max(2, side // 16)
    staff = x + round(side * 0.6)
    cv2.line(image, (staff, y), (staff, y + side), ink, pen)
    cv2.line(image, (staff, y), (x, y + round(side * 0.6)), ink, pen)
    cv2.line(image, (x, y + round(side * 0.6)), (x + side, y + round(side * 0.6)), ink, pen)
    return image


def seen(image: np.ndarray) -> np.ndarray:
    return normalise(image, 64)


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """The correlation of two normalised pictures, a pixel or two apart."""
    blurred = [cv2.GaussianBlur(picture, (0, 0), 2).ravel() for picture in (one, other)]
    return float(np.corrcoef(*blurred)[0, 1])


CLEAN = seen(draw(np.full((400, 400, 3), 255, np.uint8), 60, 60, 280, (0, 0, 0)))


def on_a_table() -> np.ndarray:
    image = sheet(900, 1200, (84, 58, 40))
    corners = np.array([[300, 120], [960, 160], [930, 780], [270, 740]])
    cv2.fillPoly(image, [corners], PAPER)
    return draw(image, 500, 350, 160)


def on_a_screen() -> np.ndarray:
    image = np.full((1600, 900, 3), 18, np.uint8)
    image[450:1150] = 246
    cv2.putText(image, "11:52", (40, 80), cv2.FONT_HERSHEY_SIMPLEX, 2, (230, 230, 230), 4)
    return draw(image, 300, 600, 300)


def beside_a_ruler() -> np.ndarray:
    image = sheet(900, 1200)
    image[800:] = 205, 180, 110
    for x in range(0, 1200, 12):
        cv2.line(image, (x, 800), (x, 840 if x % 60 == 0 else 820), (20, 20, 20), 2)
    return draw(image, 400, 250, 320)


def in_a_corner() -> np.ndarray:
    return draw(sheet(1200, 1600), 1250, 130, 150)


def half_in_shadow() -> np.ndarray:
    image = draw(sheet(800, 800), 250, 250, 300).astype(np.float64)
    image[:, :380] *= 0.7
    return cv2.GaussianBlur(image, (0, 0), 3).astype(np.uint8)


def in_the_shadow() -> np.ndarray:
    """The lit part of the sheet is bare."""
    image = draw(sheet(800, 800), 60, 250, 300).astype(np.float64)
    image[:, :480] *= 0.7
    return cv2.GaussianBlur(image, (0, 0), 3).astype(np.uint8)


def with_stains() -> np.ndarray:
    image = sheet(500, 500).astype(np.float64)
    stain = np.zeros((500, 500))
    cv2.circle(stain, (90, 420), 110, 1, -1)
    image -= 60 * cv2.GaussianBlur(stain, (0, 0), 12)[..., None]
    return draw(image.clip(0, 255).astype(np.uint8), 150, 90, 260)


def on_ruled_paper() -> np.ndarray:
    image = sheet(800, 800, (238, 238, 236))
    for y in range(30, 800, 64):
        image[y : y + 3] = 160, 185, 215
    return draw(image, 250, 200, 400)


def on_squared_paper() -> np.ndarray:
    image = sheet(800, 800, (238, 238, 236))
    for at in range(14, 800, 36):
        image[at : at + 2] = image[:, at : at + 2] = 170, 190, 215
    return draw(image, 250, 200, 400)


def red_on_grey() -> np.ndarray:
    """Crayon that is hardly darker than the card."""
    return draw(sheet(600, 600, (150, 150, 150)), 150, 120, 300, (215, 90, 80))


def faint_pencil() -> np.ndarray:
    return draw(sheet(900, 900), 400, 350, 400, (180, 176, 168))


@pytest.mark.parametrize(
    "photograph",
    [
        on_a_table,
        on_a_screen,
        beside_a_ruler,
        in_a_corner,
        half_in_shadow,
        in_the_shadow,
        with_stains,
        on_ruled_paper,
        on_squared_paper,
        red_on_grey,
        faint_pencil,
    ],
)
def test_a_photograph_is_seen_as_the_drawing_on_it(photograph: Photograph) -> None:
    assert likeness(seen(photograph()), CLEAN) > 0.9


def test_another_mark_is_less_alike() -> None:
    """What the likeness above is to be held against."""
    ring = cv2.circle(np.full((400, 400, 3), 255, np.uint8), (200, 200), 140, (0, 0, 0), 18)
    assert likeness(seen(ring), CLEAN) < 0.5


@pytest.mark.parametrize(
    ("photograph", "mark"),
    [(on_a_table, (500, 350, 160, 160)), (in_a_corner, (1250, 130, 150, 150))],
)
def test_the_box_lies_around_the_mark(photograph: Photograph, mark: Box) -> None:
    found = mark_box(as_drawn(photograph()))
    assert overlap(found, mark) > 0.5
    assert found[0] <= mark[0] and found[1] <= mark[1]
    assert found[0] + found[2] >= mark[0] + mark[2] and found[1] + found[3] >= mark[1] + mark[3]


def test_what_was_cut_out_already_stays_whole() -> None:
    small = draw(sheet(150, 190), 120, 20, 50)
    assert mark_box(as_drawn(small)) == (0, 0, 190, 150)
    full = draw(sheet(400, 400), 15, 15, 370)
    assert mark_box(as_drawn(full)) == (0, 0, 400, 400)


def test_bare_paper_has_no_mark() -> None:
    bare = np.full((500, 700, 3), 230, np.uint8)
    assert as_drawn(bare).min() == 255
    assert mark_box(as_drawn(bare)) == (0, 0, 700, 500)


def test_the_frame_of_a_mark_is_no_table() -> None:
    image = draw(sheet(400, 400), 100, 90, 200)
    cv2.rectangle(image, (8, 8), (391, 391), INK, 16)
    drawn = as_drawn(image)
    assert drawn[200, 10] < 150, "the frame is ink"


def test_a_filled_shape_stays_filled() -> None:
    image = sheet(500, 500)
    cv2.circle(image, (250, 250), 150, INK, -1)
    drawn = as_drawn(image)
    assert drawn[250, 250] < 120
    assert np.median(drawn[:60]) > 245


def test_strokes_stay_where_they_cross_ruled_lines() -> None:
    image = sheet(800, 800, (238, 238, 236))
    lines = list(range(30, 800, 64))
    for y in lines:
        image[y : y + 3] = 160, 185, 215
    cv2.line(image, (400, 100), (400, 700), INK, 20)
    drawn = as_drawn(image)
    within = [y for y in lines if 120 < y < 680]
    assert max(drawn[y + 1, 400] for y in within) < 120
    assert min(drawn[y + 1, 200] for y in within) > 240


@given(
    arrays(np.uint8, st.tuples(st.integers(1, 260), st.integers(1, 260), st.sampled_from([3, 4])))
)
@settings(max_examples=40, deadline=None)
def test_any_picture_has_a_box_within_it(image: np.ndarray) -> None:
    drawn = as_drawn(image)
    assert drawn.shape == image.shape[:2] and drawn.dtype == np.uint8
    x, y, width, height = mark_box(drawn)
    assert x >= 0 and y >= 0 and width > 0 and height > 0
    assert x + width <= image.shape[1] and y + height <= image.shape[0]
