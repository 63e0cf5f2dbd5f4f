"""How well proposals cover known boxes: the share that is found, and what is false, by page.

A box is found where a proposal's centre lies in it, or where the two overlap by half (intersection
over union, the measure of Everingham et al. 2010, the PASCAL VOC challenge). A proposal that does
neither for any box of its page is false.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.boxes import LEAST_OVERLAP, Corners, overlaps
from retrieval.evaluation.measures import RESAMPLES, Estimate

Flags = NDArray[np.bool_]

#: So many of a page's best proposals are looked at first.
FIRST = 12
#: What is counted of a box: does a proposal's centre lie in it, does a proposal overlap it by half;
#: among the page's `FIRST` best, all, and those that are shown unasked (at the threshold or over)?
MEASURES = (
    "centre_in_first",
    "overlap_in_first",
    "centre_in_all",
    "overlap_in_all",
    "centre_shown",
    "overlap_shown",
)
#: Draws times pages that are held at once.
_AT_ONCE = 500_000


@dataclass(frozen=True)
class Covered:
    """A page whose marks are known, and what was proposed on it."""

    boxes: Corners  # (M, 4)
    sorts: tuple[str, ...]  # of the boxes, "" for none
    proposals: Corners  # (N, 4), best first
    scores: NDArray[np.float64]  # (N,)


@dataclass(frozen=True)
class Recall:
    """Shares of the boxes of one sort that were found, by name; none where there is no box."""

    sort: str | None  # None: all boxes
    boxes: int
    pages: int  # that have such a box
    shares: dict[str, Estimate]


@dataclass(frozen=True)
class Spread:
    """Mean and median over pages."""

    mean: Estimate
    median: Estimate


@dataclass(frozen=True)
class Shown:
    """How many proposals a page shows unasked, and how many of them are false."""

    marked: bool  # pages with boxes, or without
    pages: int
    proposals: Spread
    false: Spread


@dataclass(frozen=True)
class Coverage:
    """Recall of all boxes, then of each sort if there are several; what pages show."""

    recall: tuple[Recall, ...]
    shown: tuple[Shown, ...]


@dataclass(frozen=True)
class Missed:
    """A box that no proposal among its page's first is: its page and its row there."""

    page: int
    box: int
    place: int | None  # of the first proposal that is it, from 1; None: there is none


def centred(boxes: Corners, proposals: Corners) -> Flags:
    """Return whether the centre of each proposal lies in each box, (M, N)."""
    centres = (proposals[:, :2] + proposals[:, 2:]) / 2
    inside = (boxes[:, None, :2] < centres) & (centres < boxes[:, None, 2:])
    return np.asarray(inside.all(axis=2))


def found(page: Covered, threshold: float) -> Flags:
    """Return which boxes each of `MEASURES` counts as found, (M, 6)."""
    centre = centred(page.boxes, page.proposals)
    overlap = overlaps(page.boxes, page.proposals) >= LEAST_OVERLAP
    shown = page.scores >= threshold
    among = (slice(FIRST), slice(None), shown)
    columns = [one[:, some].any(axis=1) for some in among for one in (centre, overlap)]
    return np.stack(columns, axis=1)


def meant(page: Covered) -> Flags:
    """Return which proposals mean which box, by their centre or by their overlap, (M, N)."""
    overlap = overlaps(page.boxes, page.proposals) >= LEAST_OVERLAP
    return np.asarray(centred(page.boxes, page.proposals) | overlap)


def false(page: Covered) -> Flags:
    """Return which proposals mean no box of the page, (N,)."""
    return np.asarray(~meant(page).any(axis=0))


def missed(pages: Sequence[Covered]) -> list[Missed]:
    """Return the boxes that no proposal among their page's `FIRST` means, the worst first.

    Each page's worst comes before any page's second: twelve boxes of one page tell little.
    """
    turns = []
    for at, page in enumerate(pages):
        means = meant(page)
        places = [int(row.argmax()) + 1 if row.any() else None for row in means]
        here = [Missed(at, box, place) for box, place in enumerate(places)]
        here = [one for one in here if one.place is None or one.place > FIRST]
        here.sort(key=lambda one: (one.place is not None, -(one.place or 0), one.box))
        turns += list(enumerate(here))
    turns.sort(key=lambda turn: (turn[0], turn[1].place is not None, -(turn[1].place or 0)))
    return [one for _, one in turns]


def highest_false(pages: Sequence[Covered], most: int) -> list[tuple[int, int]]:
    """Return (page, proposal) of the false proposals with the highest scores, best first."""
    ranked: list[tuple[float, int, int]] = []
    for at, page in enumerate(pages):
        heads = np.flatnonzero(false(page))[:most]
        ranked += [(-float(page.scores[proposal]), at, int(proposal)) for proposal in heads]
    return [(at, proposal) for _, at, proposal in sorted(ranked)[:most]]


def coverage(pages: Sequence[Covered], threshold: float, seed: int = 0) -> Coverage:
    """Measure the pages; intervals hold 95 % of the bootstrap draws of pages (Efron 1979).

    `threshold` is the score from which on a proposal is shown unasked.
    """
    hits = [found(page, threshold) for page in pages]
    sorts = sorted({sort for page in pages for sort in page.sorts})
    recall = [_recall(None, [np.ones(len(page.boxes), np.bool_) for page in pages], hits, seed)]
    if len(sorts) > 1:
        for sort in sorts:
            of_sort = [np.array([one == sort for one in page.sorts], np.bool_) for page in pages]
            recall.append(_recall(sort, of_sort, hits, seed))
    shown = []
    for marked in (True, False):
        counts = [
            (np.sum(page.scores >= threshold), np.sum((page.scores >= threshold) & false(page)))
            for page in pages
            if bool(len(page.boxes)) is marked
        ]
        if counts:
            proposals, wrong = np.array(counts, np.float64).T
            both = _spread(proposals, seed), _spread(wrong, seed)
            shown.append(Shown(marked, len(counts), *both))
    return Coverage(tuple(recall), tuple(shown))


def _recall(sort: str | None, chosen: Sequence[Flags], hits: Sequence[Flags], seed: int) -> Recall:
    pairs = zip(chosen, hits, strict=True)
    rows = [np.append(hit[which].sum(axis=0), which.sum()) for which, hit in pairs if which.any()]
    if not rows:
        return Recall(sort, 0, 0, {})
    counts = np.array(rows, np.float64)  # (P, 7): boxes found by each measure, boxes

    def shares(drawn: NDArray[np.int64]) -> NDArray[np.float64]:
        sums = counts[drawn].sum(axis=1)
        return np.asarray(sums[:, :-1] / sums[:, -1:])

    values = counts[:, :-1].sum(axis=0) / counts[:, -1].sum()
    low, high = _interval(len(counts), shares, seed)
    estimates = {
        name: Estimate(float(values[at]), float(low[at]), float(high[at]))
        for at, name in enumerate(MEASURES)
    }
    return Recall(sort, int(counts[:, -1].sum()), len(counts), estimates)


def _spread(values: NDArray[np.float64], seed: int) -> Spread:
    def middles(drawn: NDArray[np.int64]) -> NDArray[np.float64]:
        some = values[drawn]
        return np.stack([some.mean(axis=1), np.median(some, axis=1)], axis=1)

    low, high = _interval(len(values), middles, seed)
    mean, median = (
        Estimate(float(middle), float(low[at]), float(high[at]))
        for at, middle in enumerate((values.mean(), np.median(values)))
    )
    return Spread(mean, median)


def _interval(
    pages: int, measure: Callable[[NDArray[np.int64]], NDArray[np.float64]], seed: int
) -> NDArray[np.float64]:
    """Return the ends of the intervals, (2, K); `measure` makes (R, K) of R draws of the pages.

    Pages are drawn, not boxes: the boxes of one page, by one hand on one paper, are much alike.
    """
    rng = np.random.default_rng(seed)
    step = max(1, _AT_ONCE // pages)
    samples = [
        measure(rng.integers(0, pages, (min(step, RESAMPLES - start), pages)))
        for start in range(0, RESAMPLES, step)
    ]
    return np.percentile(np.concatenate(samples), [2.5, 97.5], axis=0)
