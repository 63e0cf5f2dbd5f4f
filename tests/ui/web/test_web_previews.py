from __future__ import annotations

import cv2
import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from ui.web.previews import (
    CHOSEN,
    OTHERS,
    Preview,
    outlined,
    preview,
    preview_as_wide,
    tile,
    to_master,
    to_preview,
)


def _opened(jpeg: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)


def _coloured(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.abs(image.astype(int) - colour).max(axis=2) < 60


@given(st.integers(200, 5000), st.integers(200, 5000), st.integers(100, 1000), st.data())
def test_a_box_comes_back_from_the_preview(width, height, longest, data) -> None:
    scale = min(1, longest / max(width, height))
    shown = Preview(b"", (max(1, round(width * scale)), max(1, round(height * scale))),
                    (width, height))  # fmt: skip
    assume(min(shown.size) > 20)
    across = width / shown.size[0]
    least = int(8 * max(across, height / shown.size[1])) + 1
    w = data.draw(st.integers(min(least, width), width))
    h = data.draw(st.integers(min(least, height), height))
    x, y = data.draw(st.integers(0, width - w)), data.draw(st.integers(0, height - h))
    back = to_master(to_preview((x, y, w, h), shown), shown)
    assert back is not None
    assert back[0] >= 0 and back[1] >= 0
    assert back[0] + back[2] <= width and back[1] + back[3] <= height
    for was, now in zip((x, y, x + w, y + h),
                        (back[0], back[1], back[0] + back[2], back[1] + back[3]),
                        strict=True):  # fmt: skip
        assert abs(was - now) <= 1.5 * max(across, height / shown.size[1]) + 1


def test_a_slip_of_the_hand_is_no_box() -> None:
    shown = Preview(b"", (500, 500), (4000, 4000))
    assert to_master((10, 10, 3, 90), shown) is None
    assert to_master((600, 10, 50, 50), shown) is None
    assert to_master((-20, -20, 60, 60), shown) == (0, 0, 320, 320)


def test_a_preview_is_small_and_knows_its_master() -> None:
    page = np.full((3000, 2000, 3), 250, np.uint8)
    small = preview(page, 600)
    assert (small.size, small.master) == ((400, 600), (2000, 3000))
    assert _opened(small.jpeg).shape == (600, 400, 3)
    assert preview(page[:30, :40], 600).size == (40, 30)
    assert preview_as_wide(page, 500).size == (500, 750)
    assert preview_as_wide(page[:40, :60], 500).size == (180, 120)  # a cutting is magnified


def test_the_mark_is_outlined_where_it_is() -> None:
    shown = preview(np.full((1000, 1000, 3), 250, np.uint8), 500)
    image = _opened(outlined(shown, [(400, 200, 100, 300)], [(700, 700, 100, 100)]))
    rows, columns = np.nonzero(_coloured(image, CHOSEN))
    assert abs(columns.min() - 195) <= 4 and abs(columns.max() - 254) <= 4
    assert abs(rows.min() - 95) <= 4 and abs(rows.max() - 254) <= 4
    assert not _coloured(image, CHOSEN)[115:235, 215:235].any()  # nothing lies on the mark
    assert _coloured(image, OTHERS)[340:410, 340:410].any()


def test_a_tile_shows_the_whole_crop() -> None:
    crop = np.zeros((300, 60, 3), np.uint8)
    image = _opened(tile(crop, 200))
    assert image.shape == (200, 200, 3)
    rows, columns = np.nonzero(image.max(axis=2) < 60)
    assert 170 <= np.ptp(rows) <= 180 and 30 <= np.ptp(columns) <= 40
    tiny = _opened(tile(np.zeros((10, 10, 3), np.uint8), 200))
    assert np.ptp(np.nonzero(tiny.max(axis=2) < 60)[0]) <= 32  # no more than there is to see
