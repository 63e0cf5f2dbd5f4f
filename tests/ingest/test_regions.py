from __future__ import annotations

import numpy as np
import pytest

from ingest.regions import MOST_REGIONS, SQUARES, page_regions, region_pictures
from ingest.segmentation import propose_marks
from retrieval.ink import normalise
from tests.missed_marks import PLACES, SIDE, missed_page


def ink_box(image: np.ndarray, x: int, y: int) -> np.ndarray:
    """Where the ink of the mark at (x, y) is: x, y, width, height."""
    rows, columns = np.nonzero(image[y : y + SIDE, x : x + SIDE, 0] < 150)
    left, top = x + columns.min(), y + rows.min()
    return np.array([left, top, np.ptp(columns) + 1, np.ptp(rows) + 1])


@pytest.mark.parametrize("page", range(3))
def test_every_mark_of_a_page_is_among_its_regions(page: int) -> None:
    image = missed_page(page)
    regions = page_regions(image).boxes
    for x, y in PLACES:
        box = ink_box(image, x, y)
        low = np.maximum(box[:2], regions[:, :2])
        high = np.minimum(box[:2] + box[2:], regions[:, :2] + regions[:, 2:])
        common = np.prod(np.maximum(high - low, 0), axis=1)
        union = np.prod(regions[:, 2:], axis=1) + np.prod(box[2:]) - common
        assert (common / union).max() > 0.5, (x, y)


def test_regions_lie_on_the_page_are_few_and_the_likeliest_come_first() -> None:
    image = missed_page(1)
    found = page_regions(image)
    regions, slid = found.boxes, found.slid
    assert 0 < len(regions) <= MOST_REGIONS
    assert 0 < slid.sum() <= SQUARES and (np.diff(slid.astype(int)) >= 0).all(), "squares are last"
    assert (regions[:, :2] >= 0).all() and (regions[:, 2:] > 0).all()
    assert (regions[:, 0] + regions[:, 2] <= image.shape[1]).all()
    assert (regions[:, 1] + regions[:, 3] <= image.shape[0]).all()
    np.testing.assert_array_equal(page_regions(image, 2).boxes, regions[:2])
    best = propose_marks(image)[0]
    assert (best.x, best.y, best.width, best.height) in map(tuple, regions.tolist())


@pytest.mark.parametrize("size", [(5, 5), (400, 300), (16, 900)])
def test_a_page_without_ink_has_no_regions(size: tuple[int, int]) -> None:
    assert page_regions(np.full((*size, 3), 240, np.uint8)).boxes.shape == (0, 4)


def test_what_is_no_page_is_refused() -> None:
    with pytest.raises(ValueError, match="RGB"):
        page_regions(np.zeros((50, 50), np.uint8))


def test_a_model_sees_the_ink_of_each_region() -> None:
    image = missed_page(0)
    x, y = PLACES[2]
    pictures = region_pictures(image, np.array([[x, y, SIDE, SIDE], [0, 0, 30, 30]]), 96)
    assert pictures.shape == (2, 96, 96) and pictures.dtype == np.uint8
    wanted = normalise(image[y : y + SIDE, x : x + SIDE], 96)
    np.testing.assert_allclose(pictures[0] / 127.5 - 1, wanted, atol=0.01)
    assert not pictures[1].any(), "bare paper"
