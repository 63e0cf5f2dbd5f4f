from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.boxes import Edges
from retrieval.evaluation.coverage import (
    FIRST,
    MEASURES,
    Covered,
    Missed,
    centred,
    coverage,
    false,
    found,
    highest_false,
    missed,
)


def page(
    boxes: list[Edges],
    proposals: list[Edges],
    scores: list[float] | None = None,
    sorts: tuple[str, ...] | None = None,
) -> Covered:
    return Covered(
        np.array(boxes, np.float64).reshape(-1, 4),
        sorts or ("",) * len(boxes),
        np.array(proposals, np.float64).reshape(-1, 4),
        np.array([0.9] * len(proposals) if scores is None else scores, np.float64),
    )


@st.composite
def corners(draw: st.DrawFn) -> Edges:
    left, top = draw(st.integers(0, 90)), draw(st.integers(0, 90))
    return left, top, left + draw(st.integers(1, 40)), top + draw(st.integers(1, 40))


some = st.lists(corners(), max_size=20)


def test_a_centre_lies_within_or_not() -> None:
    box = np.array([[10, 10, 30, 30]], np.float64)
    proposals = np.array(
        [[19, 19, 21, 21], [0, 0, 40, 40], [25, 10, 35, 30], [25, 10, 34, 30]], np.float64
    )
    # The third one's centre lies on the box's edge, which is outside.
    assert centred(box, proposals).tolist() == [[True, True, False, True]]


def test_places_and_scores_decide_where_a_box_counts_as_found() -> None:
    elsewhere = [(100 + 5 * at, 0, 104 + 5 * at, 4) for at in range(FIRST)]
    boxes = [(0, 0, 10, 10), (20, 0, 40, 10), (60, 60, 70, 70)]
    # Half of the first box, exactly, and in place 12; the middle of the second, in place 13.
    proposals = [*elsewhere[:-1], (0, 0, 10, 5), (29, 4, 31, 6)]
    one = page(boxes, proposals, [*np.linspace(0.9, 0.5, FIRST), 0.4])
    # centre and overlap: among the first twelve, all, and those at 0.5 or over
    assert found(one, 0.5).tolist() == [
        [True, True, True, True, True, True],
        [False, False, True, False, False, False],
        [False] * 6,
    ]
    assert false(one).tolist() == [True] * (FIRST - 1) + [False, False]


def test_recall_is_of_boxes_and_sorts_stand_apart() -> None:
    margin, text = (0, 0, 10, 10), (50, 50, 60, 60)
    pages = [
        page([margin, text], [margin], sorts=("margin", "text")),
        page([margin], [margin], sorts=("margin",)),
        page([], [margin, text], [0.8, 0.3]),
    ]
    measured = coverage(pages, 0.5)
    everything, in_margin, in_text = measured.recall
    assert (everything.sort, everything.boxes, everything.pages) == (None, 3, 2)
    assert everything.shares["overlap_in_all"].value == pytest.approx(2 / 3)
    assert (in_margin.sort, in_margin.boxes, in_margin.pages) == ("margin", 2, 2)
    assert in_margin.shares["centre_in_first"].value == 1
    assert (in_text.sort, in_text.boxes, in_text.pages) == ("text", 1, 1)
    assert in_text.shares["centre_in_all"].value == 0
    with_marks, without = measured.shown
    assert (with_marks.marked, with_marks.pages) == (True, 2)
    assert with_marks.proposals.mean.value == 1
    assert with_marks.false.mean.value == 0
    assert (without.marked, without.pages) == (False, 1)
    assert without.proposals.median.value == without.false.median.value == 1


def test_intervals_are_over_pages() -> None:
    """Ten boxes of one page stand or fall together."""
    boxes = [(20 * at, 0, 20 * at + 10, 10) for at in range(10)]
    pages = [page(boxes, boxes), page(boxes, [])] * 4
    share = coverage(pages, 0.5).recall[0].shares["overlap_in_all"]
    assert share.value == 0.5
    assert 0.05 < share.low < 0.3
    assert 0.7 < share.high < 0.95
    assert coverage(pages, 0.5) == coverage(pages, 0.5)
    same = coverage([pages[0]] * 5, 0.5).shown[0].proposals
    assert (same.mean.low, same.mean.high, same.median.value) == (10, 10, 10)


def test_without_boxes_there_is_no_recall() -> None:
    measured = coverage([page([], []), page([], [(0, 0, 5, 5)])], 0.5)
    assert (measured.recall[0].boxes, measured.recall[0].shares) == (0, {})
    assert len(measured.recall) == len(measured.shown) == 1
    assert measured.shown[0].false.mean.value == 0.5
    assert coverage([], 0.5).shown == ()


def test_the_worst_missed_boxes_of_all_pages_come_first() -> None:
    elsewhere = [(100 + 5 * at, 90, 104 + 5 * at, 94) for at in range(14)]
    near, far, gone = (0, 0, 10, 10), (20, 0, 30, 10), (40, 0, 50, 10)
    found_late = page([near, far, gone], [*elsewhere[:12], near, far])
    pages = [page([near], [near]), found_late, page([gone], [])]
    assert missed(pages) == [
        Missed(1, 2, None),
        Missed(2, 0, None),
        Missed(1, 1, 14),
        Missed(1, 0, 13),
    ]


def test_the_highest_scored_false_proposals() -> None:
    box, one, other = (0, 0, 10, 10), (50, 50, 60, 60), (70, 70, 80, 80)
    pages = [page([box], [box, one], [0.9, 0.7]), page([], [other, one], [0.8, 0.1])]
    assert highest_false(pages, 2) == [(1, 0), (0, 1)]
    assert highest_false(pages, 9) == [(1, 0), (0, 1), (1, 1)]


@given(boxes=some, proposals=some, more=some, threshold=st.floats(0, 1))
def test_recall_never_falls_when_proposals_are_added(
    boxes: list[Edges], proposals: list[Edges], more: list[Edges], threshold: float
) -> None:
    fewer = page(boxes, proposals, [0.5] * len(proposals))
    further = page(boxes, proposals + more, [0.5] * len(proposals) + [0.4] * len(more))
    assert (found(further, threshold) >= found(fewer, threshold)).all()
    # Ahead of the others they may push one from the first twelve, and from nowhere else.
    ahead = page(boxes, more + proposals, [0.6] * len(more) + [0.5] * len(proposals))
    assert (found(ahead, threshold)[:, 2:] >= found(fewer, threshold)[:, 2:]).all()


@given(boxes=st.lists(corners(), min_size=1, max_size=FIRST), proposals=some)
def test_a_proposal_that_is_the_box_always_counts(
    boxes: list[Edges], proposals: list[Edges]
) -> None:
    one = page(boxes, boxes + proposals)
    assert found(one, 0.5).all()
    assert not false(one)[: len(boxes)].any()
    assert missed([one]) == []


@given(pages=st.lists(st.tuples(some, some), max_size=4))
def test_what_is_measured_holds_together(pages: list[tuple[list[Edges], list[Edges]]]) -> None:
    covered = [page(boxes, proposals) for boxes, proposals in pages]
    measured = coverage(covered, 0.5)
    assert measured.recall[0].boxes == sum(len(boxes) for boxes, _ in pages)
    for recall in measured.recall:
        assert set(recall.shares) == (set(MEASURES) if recall.boxes else set())
        for share in recall.shares.values():
            assert 0 <= share.low <= share.value + 1e-9
            assert share.value <= share.high + 1e-9 <= 1 + 1e-8
        if recall.boxes:
            within, total = recall.shares["overlap_in_first"], recall.shares["overlap_in_all"]
            assert within.value <= total.value
    assert sum(shown.pages for shown in measured.shown) == len(pages)
    for shown in measured.shown:
        assert shown.false.mean.value <= shown.proposals.mean.value
