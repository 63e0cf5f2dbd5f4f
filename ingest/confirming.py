"""Judgements of single places and marks: a person confirms, rejects or takes them back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from ingest.cutting import cut_from_masters
from ingest.known import pages_where
from ingest.sources import MAX_PIXELS
from ingest.taken_back import OldWord, note_taken_back
from retrieval.boxes import SAME_REGION, Box, overlap
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.entered_names import person_name
from retrieval.catalogue.errors import RequestError, SourceError
from retrieval.catalogue.identities import identity_names
from retrieval.catalogue.marks import MarkRow
from retrieval.catalogue.tables import Mark, Page

#: How the origin of a mark begins that a person has judged; the name follows.
PERSON = "person:"

Verdict = Literal["confirmed", "rejected"]


@dataclass(frozen=True)
class Changed:
    """What became of marks of which a person said something together."""

    marks: tuple[MarkRow, ...]  # as they are now
    left: tuple[int, ...]  # as they were: something else was said of them, or they moved or went


def confirm_place(
    archive: Archive, page: int, box: Box, person: str, *, max_pixels: int = MAX_PIXELS
) -> int:
    """Make the box, x, y, width, height in pixels of the master, a confirmed mark; return its id.

    A proposal that lies there already (as an import takes it, intersection over union of
    `SAME_REGION` or more) is confirmed instead; a mark of which somebody has said something stays
    as it is, and its id is returned. `person` says so, and is kept as its origin.
    Raises RequestError when nobody is named, there is no such page, or the box is not on it, and
    SourceError when the master cannot be read or is not what was ingested.
    """
    origin = _origin(person)
    with archive.session() as session:
        known = next(iter(pages_where(session, Page.id == page)), None)
    if known is None:
        raise RequestError(f"{archive.folder} has no page {page}.")
    x, y, width, height = box
    if min(x, y) < 0 or min(width, height) < 1 or x + width > known.width or (
        y + height > known.height
    ):  # fmt: skip
        raise RequestError(
            f"The box {x},{y},{width},{height} is not on page {page}, which is "
            f"{known.width} x {known.height} pixels."
        )
    cut = cut_from_masters(archive.crops_folder, [(known, box)], max_pixels)
    if page in cut.unread:
        raise SourceError(f"Page {page}, {known.source}: {cut.unread[page]}")
    with archive.writing() as session:
        there = session.execute(
            select(Mark.id, Mark.x, Mark.y, Mark.width, Mark.height).where(Mark.page_id == page)
        ).all()
        if there:
            shared = [overlap(box, (x, y, w, h)) for _, x, y, w, h in there]
            if max(shared) >= SAME_REGION:
                mark = int(there[shared.index(max(shared))].id)
                values = {"status": "confirmed", "origin": origin}
                proposal = update(Mark).where(Mark.id == mark, Mark.status == "proposed")
                session.execute(proposal.values(values))
                return mark
        return int(
            session.scalars(
                insert(Mark).returning(Mark.id),
                {
                    "page_id": page,
                    "x": x,
                    "y": y,
                    "width": width,
                    "height": height,
                    "status": "confirmed",
                    "score": None,
                    "origin": origin,
                    "crop": cut.crops[page, box],
                },
            ).one()
        )


def judge_mark(archive: Archive, seen: MarkRow, status: Verdict, person: str) -> None:
    """Record that `person` confirms or rejects the mark; the name is kept as its origin.

    `seen` is the mark as the person was shown it; another's word that they contradict is noted
    (`note_taken_back`). Raises RequestError when nobody is named, there is no such mark, something
    else was said of it or it was moved meanwhile, or it belongs to an identity.
    """
    origin = _origin(person)
    with archive.writing() as session:
        _say(_judgeable(session, seen), status, origin)
        _note(archive, _contradicted([seen], origin), origin.removeprefix(PERSON))


def judge_marks(archive: Archive, said: Sequence[tuple[MarkRow, Verdict]], person: str) -> Changed:
    """Write down, in one transaction, what `person` says of each of some marks.

    As `judge_mark` does; but where that would refuse a mark, this is left as it is, and the others
    are kept. Raises RequestError when nobody is named.
    """
    origin = _origin(person)
    with archive.writing() as session:
        there = _those_judgeable(session, [seen for seen, _ in said])
        judged = [(seen, status) for seen, status in said if seen.mark in there]
        for seen, status in judged:
            _say(there[seen.mark], status, origin)
        contradicted = _contradicted([seen for seen, _ in judged], origin)
        _note(archive, contradicted, origin.removeprefix(PERSON))
    return Changed(
        tuple(replace(seen, status=status, origin=origin) for seen, status in judged),
        tuple(seen.mark for seen, _ in said if seen.mark not in there),
    )


def take_back_mark(archive: Archive, seen: MarkRow, person: str) -> None:
    """Make a mark that was proposed a proposal again, whoever said something of it since.

    `seen` is the mark as the `person` who does so was shown it; both are noted
    (`note_taken_back`). Raises RequestError when nobody is named, there is no such mark, something
    else was said of it or it was moved meanwhile, it was never proposed where it is, or it belongs
    to an identity.
    """
    person = _origin(person).removeprefix(PERSON)
    with archive.writing() as session:
        found = _judgeable(session, seen)
        if found.proposed_by is None:
            raise RequestError(
                f"Mark {seen.mark} was not proposed by the program: reject it instead."
            )
        _say(found, "proposed", found.proposed_by)
        _note(archive, [seen], person)


def take_back_marks(archive: Archive, seen: Sequence[MarkRow], person: str) -> Changed:
    """Make judged marks proposals again, in one transaction.

    As `take_back_mark` does; but where that would refuse a mark, this is left as it is, and the
    others are proposals again. Raises RequestError when nobody is named.
    """
    person = _origin(person).removeprefix(PERSON)
    again = []
    with archive.writing() as session:
        there = _those_judgeable(session, seen)
        for row in seen:
            if row.mark in there and (proposer := there[row.mark].proposed_by) is not None:
                _say(there[row.mark], "proposed", proposer)
                again.append((row, proposer))
        _note(archive, [row for row, _ in again], person)
    return Changed(
        tuple(replace(row, status="proposed", origin=proposer) for row, proposer in again),
        tuple(row.mark for row in seen if row.mark not in {one.mark for one, _ in again}),
    )


def sayer(origin: str) -> str:
    """Return who judged a mark, from its origin; "A person" where no name was kept."""
    return origin.removeprefix(PERSON) if origin.startswith(PERSON) else "A person"


def _say(found: Mark, status: str, origin: str) -> None:
    found.status, found.origin = status, origin


def _contradicted(seen: Sequence[MarkRow], origin: str) -> list[MarkRow]:
    """Return the marks on which `origin` now contradicts what somebody else had said."""
    return [row for row in seen if row.status != "proposed" and row.origin != origin]


def word_of(mark: int, status: str, origin: str) -> OldWord:
    """Return the judgement of a mark with this status and origin, which is not a proposal."""
    return OldWord(
        f"mark {mark}",
        "it is a mark" if status == "confirmed" else "it is not a mark",
        sayer(origin),
    )


def _note(archive: Archive, seen: Sequence[MarkRow], person: str) -> None:
    words = [word_of(row.mark, row.status, row.origin) for row in seen]
    note_taken_back(archive, [(word, person) for word in words])


def _judgeable(session: Session, seen: MarkRow) -> Mark:
    """Return the mark to be judged, if it still is as it was seen."""
    mark = seen.mark
    found = session.get(Mark, mark)
    if found is None:
        raise RequestError(f"Mark {mark} no longer exists: its page was segmented again. Reload.")
    if name := identity_names(session, [mark]).get(mark):
        raise RequestError(
            f"Mark {mark} is identified as {name!r}: take that back first, on its own page or "
            "where its group is shown."
        )
    if found.status != seen.status and found.status == "proposed":
        raise RequestError(f"The judgement of mark {mark} has since been taken back: reload.")
    if found.status != "proposed" and (found.status, found.origin) != (seen.status, seen.origin):
        word = "a mark" if found.status == "confirmed" else "not a mark"
        raise RequestError(
            f"{sayer(found.origin)} has since said that mark {mark} is {word}: reload."
        )
    if (found.x, found.y, found.width, found.height) != seen.box:
        raise RequestError(f"The box of mark {mark} has since been changed: reload.")
    return found


def _those_judgeable(session: Session, seen: Sequence[MarkRow]) -> dict[int, Mark]:
    """Return by id those of the marks that can be judged as they were seen."""
    there = {}
    for row in seen:
        with suppress(RequestError):
            there[row.mark] = _judgeable(session, row)
    return there


def _origin(person: str) -> str:
    return PERSON + person_name(person, "the person judging")
