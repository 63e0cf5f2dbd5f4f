"""Marks as the catalogue has them, and which of them the regions of a file are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from ingest.annotations.placing import Placed, Polygon
from retrieval.boxes import SAME_REGION, Box, Corners, overlap, overlaps
from retrieval.catalogue.tables import in_utc

#: A region that bears a mark's number, and nothing else of ours, is that mark if it covers it this
#: well (intersection over union).
MOVED_REGION = 0.5

#: Moments that are less apart are one: what is written in JavaScript has milliseconds at most.
_APART = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Existing:
    """A mark as the catalogue has it."""

    id: int
    page_id: int
    x: int
    y: int
    width: int
    height: int
    polygon: Polygon | None
    status: str
    score: float | None
    origin: str
    proposed_by: str | None
    created_at: datetime

    @property
    def box(self) -> Box:
        """The box as (x, y, width, height)."""
        return self.x, self.y, self.width, self.height

    @property
    def is_where_a_person_put_it(self) -> bool:
        """Whether its box is a person's: nobody proposed it there."""
        return self.status != "proposed" and self.proposed_by is None


@dataclass
class _Found:
    """The marks that are found, by the places of the regions that they are."""

    marks: dict[int, tuple[Existing, bool]] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)

    def take(self, at: int, mark: Existing, is_itself: bool) -> None:
        """Take a mark for the region at this place, unless either is taken."""
        if at not in self.marks and mark.id not in self.taken:
            self.marks[at] = mark, is_itself
            self.taken.add(mark.id)


def matches(
    placed: Sequence[Placed], existing: Sequence[Existing]
) -> dict[int, tuple[Existing, bool]]:
    """Return, by place in `placed`, the mark that it is, and whether its id says so."""
    found = _Found()
    if placed and existing:
        _match_moments(found, placed, existing)
        _match_boxes(found, placed, existing)
        _match_ids(found, placed, existing)
    return found.marks


def repeats(placed: Sequence[Placed], known: Collection[int]) -> set[int]:
    """Return the places of regions that are no mark yet and lie where another of them lies.

    What our own export wrote is never one: it has each mark once. `known` are the places of those
    that are marks already.
    """
    corners = _corners(one.box for one in placed)
    kept = np.zeros(len(placed), bool)
    kept[list(known)] = True
    found: set[int] = set()
    for at, one in enumerate(placed):
        if kept[at]:
            continue
        (shared,) = overlaps(corners[at : at + 1], corners)
        if one.annotation.created is None and (shared[kept] >= SAME_REGION).any():
            found.add(at)
        else:
            kept[at] = True
    return found


def _match_moments(found: _Found, placed: Sequence[Placed], existing: Sequence[Existing]) -> None:
    """Find the marks whose id and moment our own export wrote."""
    by_id = {mark.id: mark for mark in existing}
    for at, one in enumerate(placed):
        said, mark = one.annotation, by_id.get(one.annotation.mark or 0)
        if mark is None or said.created is None:
            continue
        if abs(said.created - in_utc(mark.created_at)) < _APART:
            found.take(at, mark, True)


def _match_boxes(found: _Found, placed: Sequence[Placed], existing: Sequence[Existing]) -> None:
    """Find the marks that lie where regions do, those that lie there best first."""
    regions, marks = _corners(one.box for one in placed), _corners(mark.box for mark in existing)
    pairs = []
    for at in range(len(placed)):  # one after another: both may be many
        (shared,) = overlaps(regions[at : at + 1], marks)
        pairs += [(-shared[to], at, int(to)) for to in np.flatnonzero(shared >= SAME_REGION)]
    for _, at, to in sorted(pairs):
        mark = existing[to]
        said = placed[at].annotation
        found.take(at, mark, said.created is None and said.mark == mark.id)


def _match_ids(found: _Found, placed: Sequence[Placed], existing: Sequence[Existing]) -> None:
    """Find the marks that regions name by id alone, if the boxes agree with that."""
    by_id = {mark.id: mark for mark in existing}
    for at, one in enumerate(placed):
        mark = by_id.get(one.annotation.mark or 0)
        if mark is None or one.annotation.created:
            continue
        # Anybody may number marks from 1: without the page's id, too, the place must say so.
        share = overlap(one.box, mark.box)
        # A person may have moved it away from where it was proposed.
        from_there = mark.is_where_a_person_put_it and one.annotation.status == "proposed"
        if (share > 0 or from_there) and (one.page_said or share >= MOVED_REGION):
            found.take(at, mark, True)


def _corners(boxes: Iterable[Box]) -> Corners:
    return np.array([(x, y, x + width, y + height) for x, y, width, height in boxes], np.float64)
