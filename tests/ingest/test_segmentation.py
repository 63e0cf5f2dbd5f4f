from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmarks.proposals.clutter import CLUTTER, Clutter, lay_clutter_in
from ingest.inks import separate_inks
from ingest.segmentation import DEFAULT_THRESHOLD, Proposal, candidates, propose_marks

Page = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]  # x, y, width, height

PAPER, INK, RED = (226, 214, 190), (70, 50, 40), (190, 70, 60)
REAL_PAGES = Path(__file__).parents[2] / ".." / "shared" / "data" / "pages"


def written_page(seed: int = 0, lines: int = 14, letter: int = 18) -> Page:
    """A sheet of 1000 x 760 pixels with lines of running loops and a wide left margin."""
    rng = np.random.default_rng(seed)
    page = np.full((1000, 760, 3), PAPER, np.float32)
    page += rng.normal(0, 2.5, (1000, 760, 1)).astype(np.float32)
    page = np.clip(page, 0, 255).astype(np.uint8)
    for line in range(lines):
        y, x = 120 + line * 3 * letter, 210
        while x < 660:
            word = int(rng.integers(2, 7)) * letter
            t = np.linspace(0, word / letter * 2 * np.pi, word)
            tall = 1 + 0.8 * (rng.random(word // letter + 1) > 0.7).repeat(letter)[:word]
            across = x + np.arange(word) + 0.25 * letter * np.sin(t)
            up = y - 0.45 * letter * tall * np.cos(t)
            path = np.stack([across - 0.2 * (up - y), up], axis=1)
            cv2.polylines(
                page, [np.round(path * 8).astype(np.int32)], False, INK, 2, cv2.LINE_AA, 3
            )
            x += word + int(1.2 * letter)
    return page


def draw_mark(page: Page, x: int, y: int, side: int) -> Box:
    """A figure 4 on a staff over an orb with a cross, in the page's ink."""
    middle, foot = x + side // 2, y + side
    cv2.line(page, (middle, y), (middle, foot - side // 2), INK, 3, cv2.LINE_AA)
    four = [(middle, y), (x, y + side // 3), (x + side, y + side // 3)]
    cv2.polylines(page, [np.array(four)], False, INK, 3, cv2.LINE_AA)
    cv2.circle(page, (middle, foot - side // 4), side // 4, INK, 3, cv2.LINE_AA)
    cv2.line(page, (middle, foot - side // 2), (middle, foot), INK, 3, cv2.LINE_AA)
    return x, y, side, side


def stamp(page: Page, x: int, y: int, side: int) -> Box:
    """A red ring with initials, laid over what is written as stamping ink is."""
    layer = np.zeros(page.shape[:2], np.uint8)
    middle = (x + side // 2, y + side // 2)
    cv2.circle(layer, middle, side // 2 - 2, 255, 3, cv2.LINE_AA)
    cv2.circle(layer, middle, side // 3, 255, 2, cv2.LINE_AA)
    cv2.putText(layer, "RF", (x + side // 3, y + side * 3 // 5), 0, side / 100, 255, 2, cv2.LINE_AA)
    share = (layer / 255.0)[..., None] * 0.7
    page[:] = (page * (1 - share * (1 - np.array(RED) / 255.0))).astype(np.uint8)
    return x, y, side, side


def overlap(a: Box, b: Proposal) -> float:
    w = min(a[0] + a[2], b.x + b.width) - max(a[0], b.x)
    h = min(a[1] + a[3], b.y + b.height) - max(a[1], b.y)
    common = max(w, 0) * max(h, 0)
    return common / (a[2] * a[3] + b.width * b.height - common)


def rank_of(box: Box, proposals: list[Proposal]) -> int:
    """Place of the first proposal that covers the box well, from 0; 1000 if there is none."""
    return next((i for i, found in enumerate(proposals) if overlap(box, found) >= 0.5), 1000)


@pytest.mark.parametrize("side", [45, 70, 100])
def test_finds_a_mark_in_the_margin(side: int) -> None:
    page = written_page()
    box = draw_mark(page, 70, 400, side)
    proposals = propose_marks(page)
    assert rank_of(box, proposals) < 3
    assert proposals[rank_of(box, proposals)].score >= DEFAULT_THRESHOLD


def test_finds_a_stamp_of_another_ink_across_the_writing() -> None:
    page = written_page()
    box = stamp(page, 350, 380, 110)
    assert rank_of(box, propose_marks(page)) < 3


def test_finds_a_faint_stamp() -> None:
    page = written_page()
    before = page.copy()
    box = stamp(page, 60, 600, 110)
    page = (0.6 * before + 0.4 * page).astype(np.uint8)
    assert rank_of(box, propose_marks(page)) < 5


def test_finds_a_mark_where_the_writing_touches_it() -> None:
    page = written_page()
    box = draw_mark(page, 110, 400, 90)
    cv2.line(page, (190, 470), (230, 462), INK, 2, cv2.LINE_AA)
    assert rank_of(box, propose_marks(page)) < 12


def stain(page: Page, x: int, y: int, side: int) -> Box:
    """A brown spot that fades into the paper on all sides."""
    rows, columns = np.mgrid[: page.shape[0], : page.shape[1]]
    distance = np.hypot(columns - (x + side / 2), rows - (y + side / 2)) / (side / 2)
    light = 1 - 0.45 * np.exp(-2.5 * distance**2)
    page[:] = (page * light[..., None] ** np.array([0.6, 1.0, 1.5])).astype(np.uint8)
    return x, y, side, side


def test_a_stain_is_not_proposed_and_the_mark_on_it_is() -> None:
    page = written_page()
    bare = stain(page, 50, 600, 110)
    under = stain(page, 50, 300, 110)
    box = draw_mark(page, 75, 325, 60)
    proposals = propose_marks(page)
    assert rank_of(box, proposals) < 5
    assert rank_of(bare, proposals) == 1000
    assert any(holds_centre(under, found) for found in proposals)
    assert not any(holds_centre(bare, found) for found in proposals)


def holds_centre(box: Box, found: Proposal) -> bool:
    x, y = found.x + found.width / 2, found.y + found.height / 2
    return box[0] < x < box[0] + box[2] and box[1] < y < box[1] + box[3]


def test_rules_and_dark_borders_are_not_proposed_beside_a_mark() -> None:
    page = written_page()
    page[:, :40] = 12
    page[:30] = 12
    cv2.line(page, (200, 60), (700, 62), INK, 3, cv2.LINE_AA)
    cv2.line(page, (120, 80), (122, 840), INK, 2, cv2.LINE_AA)
    box = stamp(page, 60, 850, 90)
    shown = [found for found in propose_marks(page) if found.score >= DEFAULT_THRESHOLD]
    assert rank_of(box, shown) == 0
    on_rules = [
        found
        for found in shown
        if found.x <= 40 or found.y <= 66 or (found.y < 840 and abs(found.x - 80) <= 41)
    ]
    assert on_rules == []


@pytest.mark.parametrize("kind", CLUTTER)
def test_a_mark_stands_above_what_a_page_collects(kind: Clutter) -> None:
    """Blots, stains, rules, initials, flourishes, targets and dark borders are not marks."""
    ink = -np.log(np.array(INK, np.float32) / np.array(PAPER, np.float32))
    above = 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        page, boxes = lay_clutter_in(
            written_page(seed), 22.0, ink, rng, [kind], [(190, 90, 690, 900)]
        )
        mark = draw_mark(page, 110, 400, 60)
        others = [(x, y, r - x, b - y) for x, y, r, b in boxes]
        found = propose_marks(page)
        best = max((p.score for p in found if holds_centre(mark, p)), default=0.0)
        above += all(p.score < best for p in found if any(holds_centre(o, p) for o in others))
    assert above >= 3


def test_a_mark_that_writing_touches_on_three_sides_has_a_box() -> None:
    page = written_page()
    box = draw_mark(page, 110, 400, 80)
    x, y, side, _ = box
    for start, end in (((x, y + side), (x - 30, y + side + 25)), ((x + side, y + 30), (215, y))):
        cv2.line(page, start, end, INK, 3, cv2.LINE_AA)
    cv2.putText(page, "N 17 - 29", (x - 20, y + side + 28), 0, 0.9, INK, 2, cv2.LINE_AA)
    inks = separate_inks(page)
    true = np.array([x, y, x + side, y + side]) / 2
    boxes = candidates(inks)
    low, high = np.maximum(boxes[:, :2], true[:2]), np.minimum(boxes[:, 2:], true[2:])
    common = np.prod(np.maximum(high - low, 0), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) + np.prod(true[2:] - true[:2])
    assert (common / (areas - common)).max() > 0.75


def test_a_page_of_writing_gives_few_proposals_above_the_threshold() -> None:
    found = [p for p in propose_marks(written_page()) if p.score >= DEFAULT_THRESHOLD]
    assert len(found) <= 8


def test_boxes_are_in_pixels_of_the_master() -> None:
    page = written_page()
    box = draw_mark(page, 70, 400, 80)
    master = cv2.resize(page, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    large = (box[0] * 3, box[1] * 3, box[2] * 3, box[3] * 3)
    assert rank_of(large, propose_marks(np.asarray(master, np.uint8))) < 3


def test_same_page_same_proposals_best_first() -> None:
    page = written_page(seed=3)
    draw_mark(page, 70, 300, 70)
    proposals = propose_marks(page)
    assert proposals == propose_marks(page.copy())
    scores = [p.score for p in proposals]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert propose_marks(page, most=3) == proposals[:3]


def test_a_bilevel_page_is_read() -> None:
    page = written_page()
    box = draw_mark(page, 70, 400, 80)
    bilevel = np.where(page.min(axis=2, keepdims=True) < 140, 0, 255).repeat(3, axis=2)
    assert rank_of(box, propose_marks(bilevel.astype(np.uint8))) < 3


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("shape", [(10, 10), (600, 400), (16, 3000), (2500, 20)])
def test_an_empty_page_gives_nothing(level: int, shape: tuple[int, int]) -> None:
    assert propose_marks(np.full((*shape, 3), level, np.uint8)) == []


def test_a_grey_plane_is_refused() -> None:
    with pytest.raises(ValueError, match="RGB"):
        propose_marks(np.zeros((100, 100), np.uint8))


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 300),
    width=st.integers(1, 300),
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(["noise", "bilevel", "blots", "steps"]),
)
def test_any_image_is_survived(height: int, width: int, seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    if kind == "bilevel":
        image = (image[..., :1] > 200).repeat(3, axis=2).astype(np.uint8) * 255
    elif kind == "blots":
        image = cv2.GaussianBlur(image, (0, 0), 6)
    elif kind == "steps":
        image[:] = 255
        image[height // 3 :, width // 2 :] = 0
    for found in propose_marks(image):
        assert 0 <= found.x < found.x + found.width <= width
        assert 0 <= found.y < found.y + found.height <= height
        assert np.isfinite(found.score)


def test_another_ink_is_told_from_the_writing() -> None:
    page = written_page()
    stamp(page, 350, 380, 110)
    inks = separate_inks(page)
    inside = inks.other[190:245, 175:230].sum()
    assert inside > 0.9 * inks.other.sum() > 0


@pytest.mark.parametrize("letter", [14, 18, 26])
def test_letter_height_follows_the_writing(letter: int) -> None:
    inks = separate_inks(written_page(letter=letter, lines=9))
    assert 0.7 * letter <= 2 * inks.letter <= 2.0 * letter  # planes are at half size


def test_finds_the_stamps_of_real_pages() -> None:
    if not (REAL_PAGES / "regions.csv").exists():
        pytest.skip("needs the real pages in ../shared/data/pages")
    with (REAL_PAGES / "regions.csv").open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["source"])[::8]
    found = 0
    for row in rows:
        page = np.asarray(Image.open(REAL_PAGES / row["source"]).convert("RGB"))
        x0, y0, x1, y1 = (int(float(row[name])) for name in ("x0", "y0", "x1", "y1"))
        found += rank_of((x0, y0, x1 - x0, y1 - y0), propose_marks(page)) < 12
    assert found >= len(rows) // 2
