"""What the marks of a file change in the catalogue, before any of it is written."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ingest.annotations.existing import Existing, matches, repeats
from ingest.annotations.placing import Placed
from ingest.confirming import PERSON, word_of
from ingest.known import KnownPage
from ingest.taken_back import OldWord
from retrieval.boxes import Box
from retrieval.catalogue.identities import identity_names
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.source_names import image_called
from retrieval.catalogue.tables import Mark, now

#: What a segmenter is called: "strokes-5" came after "strokes-4".
_VERSION = re.compile(r"(.+)-([0-9]{1,9})")

#: Pages whose marks are compared at once.
_AT_ONCE = 500


@dataclass
class Plan:
    """What a file changes: rows to insert and to update, each with the box to cut, if any."""

    added: list[tuple[KnownPage, Box, dict[str, Any]]] = field(default_factory=list)
    updated: list[tuple[KnownPage, Box | None, dict[str, Any]]] = field(default_factory=list)
    unchanged: int = 0
    left: list[str] = field(default_factory=list)  # marks that an older box did not move
    contradicted: list[tuple[str, OldWord, str]] = field(default_factory=list)  # the mark, by whom
    refused: list[str] = field(default_factory=list)
    gone: int = 0  # proposals of an older segmentation
    repeated: int = 0  # regions that lie where another of the file does
    remarks: list[str] = field(default_factory=list)

    def cuts(self) -> Iterable[tuple[KnownPage, Box]]:
        """Give the boxes to cut, each on its page."""
        for page, box, _ in (*self.added, *self.updated):
            if box is not None:
                yield page, box


def planned(
    session: Session,
    placed: dict[int, tuple[KnownPage, list[Placed]]],
    unread: Iterable[int],
    origin: str,
) -> Plan:
    """Return what the marks of a file change on the pages whose masters are not `unread`.

    `origin` is that of the marks for which the file gives none.
    """
    plan = Plan()
    pages = sorted(set(placed) - set(unread))
    for chunk in in_parts(pages, _AT_ONCE):
        existing: dict[int, list[Existing]] = defaultdict(list)
        columns = [getattr(Mark, name) for name in Existing.__dataclass_fields__]
        for row in session.execute(
            select(*columns).where(Mark.page_id.in_(chunk)).order_by(Mark.id)
        ):
            existing[row.page_id].append(Existing(*row))
        matched = {number: matches(placed[number][1], existing[number]) for number in chunk}
        rejected = [
            mark.id
            for number, found in matched.items()
            for at, (mark, _) in found.items()
            if placed[number][1][at].annotation.status == "rejected" != mark.status
        ]
        names = identity_names(session, rejected)
        for number in chunk:
            page, here = placed[number]
            here_matched = matched[number]
            again = repeats(here, here_matched)
            plan.repeated += len(again)
            for at, one in enumerate(here):
                if at in here_matched and (name := names.get(here_matched[at][0].id)):
                    plan.refused.append(
                        f"{image_called(repr(page.source), page.frame)}, {one.annotation.where}: "
                        f"mark {here_matched[at][0].id} is identified as {name!r}, and was not "
                        "changed: to reject it, first take the identity back on the web page, "
                        "where its group is shown."
                    )
                elif at in here_matched:
                    mark, is_itself = here_matched[at]
                    _plan_update(plan, page, one, mark, is_itself, origin)
                elif _is_of_older_segmentation(one, page):
                    plan.gone += 1
                elif at not in again:
                    plan.added.append((page, one.box, _new_values(page, one, origin)))
    return plan


def _plan_update(
    plan: Plan, page: KnownPage, one: Placed, mark: Existing, is_itself: bool, origin: str
) -> None:
    """Plan what a region changes of the mark that it is."""
    said = one.annotation
    # A box that stays where it is takes no outline away: most formats and tools have none.
    polygon = mark.polygon if one.box == mark.box and one.polygon is None else one.polygon
    moved = (one.box, polygon) != (mark.box, mark.polygon)
    status = said.status or "confirmed"
    says_nothing = said.status is None and not moved
    if says_nothing or (status == "proposed" and not (is_itself and moved)):
        plan.unchanged += 1
        return
    if status == "proposed" and mark.is_where_a_person_put_it:
        plan.unchanged += 1
        plan.left.append(f"mark {mark.id} on {image_called(repr(page.source), page.frame)}")
        return
    if status == "proposed":  # a person has moved it, which is as good as a word
        status = "confirmed" if mark.status == "proposed" else mark.status
    if not moved and status == mark.status:
        plan.unchanged += 1
        return
    # Whoever proposed it did not say this of it, nor did who spoke of it before.
    not_theirs = (None, mark.origin, mark.proposed_by, page.segmenter)
    new_origin = said.origin if said.origin not in not_theirs else origin
    values: dict[str, Any] = {"id": mark.id, "status": status, "origin": new_origin}
    if mark.status not in ("proposed", status) and mark.origin != new_origin:
        called = f"mark {mark.id} on {image_called(repr(page.source), page.frame)}"
        word = word_of(mark.id, mark.status, mark.origin)
        plan.contradicted.append((called, word, new_origin.removeprefix(PERSON)))
    if moved:
        x, y, width, height = one.box
        values |= {"x": x, "y": y, "width": width, "height": height, "polygon": polygon}
        values["proposed_by"] = None  # nobody proposed it there
        if mark.polygon is not None and polygon is None:
            called = image_called(repr(page.source), page.frame)
            plan.remarks.append(
                f"{called}, {said.where}: the outline of mark {mark.id} does not fit its new box, "
                "and was removed."
            )
    if said.score is not None:
        values["score"] = said.score
    plan.updated.append((page, one.box if one.box != mark.box else None, values))


def _is_of_older_segmentation(one: Placed, page: KnownPage) -> bool:
    """Return whether our export wrote it as a proposal, of a segmenter's older version than that
    which went through the page."""
    said = one.annotation
    if said.status != "proposed" or said.mark is None or said.created is None:
        return False
    theirs, ours = (_VERSION.fullmatch(name or "") for name in (said.origin, page.segmenter))
    return bool(theirs and ours and theirs[1] == ours[1] and int(theirs[2]) < int(ours[2]))


def _new_values(page: KnownPage, one: Placed, origin: str) -> dict[str, Any]:
    said = one.annotation
    x, y, width, height = one.box
    status = said.status or "confirmed"
    said_by = said.origin or origin
    return {
        "page_id": page.id,
        "x": x,
        "y": y,
        "width": width,
        "height": height,
        "polygon": one.polygon,
        "status": status,
        "score": said.score,
        "origin": said_by,
        "proposed_by": said_by if status == "proposed" else None,
        "created_at": said.created or now(),
    }
