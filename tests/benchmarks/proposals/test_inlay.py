from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.proposals.inlay import (
    AMONG_WRITING,
    ANYWHERE,
    InlaidPage,
    Sort,
    lay_marks_in,
)
from ingest.inks import separate_inks
from retrieval.boxes import Edges

Page = NDArray[np.uint8]
PAPER, INK = (226, 214, 190), (70, 50, 40)


@pytest.fixture(scope="module")
def page() -> Page:
    """Ten lines of running loops on the upper half of a sheet with wide margins."""
    sheet = np.full((1100, 800, 3), PAPER, np.uint8)
    for line in range(10):
        at = np.arange(0, 380)
        across = 210 + at + 4.5 * np.sin(at / 3)
        up = 120 + 54 * line - 8 * np.cos(at / 3)
        path = np.round(np.stack([across, up], axis=1)).astype(np.int32)
        cv2.polylines(sheet, [path], False, INK, 2, cv2.LINE_AA)
    return sheet


def laid(
    page: Page, seed: int = 3, taken: Sequence[Edges] = (), sorts: Sequence[Sort] = ANYWHERE
) -> InlaidPage:
    return lay_marks_in(page, separate_inks(page), np.random.default_rng(seed), 12, taken, sorts)


def grown(box: Edges, by: int) -> tuple[slice, slice]:
    left, top, right, bottom = box
    return slice(max(0, top - by), bottom + by), slice(max(0, left - by), right + by)


def apart(a: Edges, b: Edges) -> bool:
    return a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_marks_darken_the_page_in_their_boxes_and_nowhere_else(page: Page) -> None:
    found = laid(page)
    assert len(found.boxes) == len(found.sorts) >= 6
    darker = page.astype(int).min(axis=2) - found.image.astype(int).min(axis=2)
    for box in found.boxes:
        assert darker[grown(box, 0)].max() > 15
    for box in found.boxes:
        darker[grown(box, 12)] = 0  # JPEG rings around a mark ...
    writing = (page.max(axis=2) < 160).astype(np.uint8)
    darker[cv2.dilate(writing, np.ones((17, 17), np.uint8)) > 0] = 0  # ... and around writing
    assert darker.max() < 15


def test_boxes_lie_on_the_page_and_apart(page: Page) -> None:
    boxes = laid(page).boxes
    assert len(boxes) > 1
    for at, (left, top, right, bottom) in enumerate(boxes):
        assert 0 <= left < right <= page.shape[1]
        assert 0 <= top < bottom <= page.shape[0]
        assert all(apart(boxes[at], other) for other in boxes[:at])


def test_a_margin_mark_stands_clear_and_one_across_has_writing_beneath(page: Page) -> None:
    writing = page.max(axis=2) < 160
    share: dict[str, list[float]] = {"margin": [], "across": []}
    for seed in range(4):
        found = laid(page, seed)
        for box, sort in zip(found.boxes, found.sorts, strict=True):
            if sort in share:
                share[sort].append(float(writing[grown(box, 0)].mean()))
    assert share["margin"]
    assert max(share["margin"]) < 0.03
    assert share["across"]
    assert min(share["across"]) > 0.01


def test_a_numbered_mark_has_ink_below_its_box(page: Page) -> None:
    found = laid(page, sorts=["numbered"])
    assert found.boxes
    for left, _, right, bottom in found.boxes:
        below = found.image[bottom : bottom + 30, left:right].max(axis=2)
        assert (below < 180).any()


def test_a_mark_in_a_gap_takes_the_place_of_the_writing(page: Page) -> None:
    found = laid(page, sorts=AMONG_WRITING)
    assert "gap" in found.sorts
    before, after = (picture.max(axis=2) < 160 for picture in (page, found.image))
    for box, sort in zip(found.boxes, found.sorts, strict=True):
        if sort == "gap":
            left, top, right, bottom = box
            assert before[grown(box, 0)].any(), "there was writing"
            assert not after[top:bottom, right + 1 : right + 3].any(), "beside it is paper"
            assert not after[top:bottom, left - 3 : left - 1].any()


def test_what_is_taken_stays_as_it_is(page: Page) -> None:
    taken = (0, 0, 800, 500)
    found = laid(page, taken=(taken,))
    assert found.boxes
    assert all(apart(box, taken) for box in found.boxes)


def test_one_seed_one_page(page: Page) -> None:
    first, again, other = laid(page, 5), laid(page, 5), laid(page, 6)
    assert first.boxes == again.boxes != other.boxes
    np.testing.assert_array_equal(first.image, again.image)


def test_a_grey_page_stays_grey(page: Page) -> None:
    grey = page[..., :1].repeat(3, axis=2)
    found = laid(grey)
    assert found.boxes
    assert np.ptp(found.image.astype(int), axis=2).max() <= 2


def test_a_page_without_writing_comes_back_as_it_is() -> None:
    blank = np.full((600, 500, 3), PAPER, np.uint8)
    found = laid(blank)
    assert found.boxes == ()
    np.testing.assert_array_equal(found.image, blank)
