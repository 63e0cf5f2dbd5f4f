"""Pages that are copies of another, byte for byte, and that page, their original.

Where the file of the original is gone and a copy's is there, the original lies in the copy's file
from then on, as if it had been moved there, and the page of the copy goes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, Row, and_, delete, or_, select, update
from sqlalchemy.orm import Session, aliased

from ingest.fingerprint import Looks
from ingest.known import KnownPage, pages_where
from ingest.listing import is_at_hand, path_of
from ingest.resemblance import Fingerprints, flag
from ingest.unused_crops import discard_crops
from retrieval.boxes import LEAST_OVERLAP, SAME_REGION, Box, overlap
from retrieval.catalogue.marks import in_identity_or_judged_group, judged_or_named
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.tables import Mark, Page

_MarkRow = Row[int, int, int, int, int, str, bool]  # id, x, y, width, height, status, named


@dataclass(frozen=True)
class Copy:
    """The pages of a file that is a copy, and all pages of the master that they are copies of."""

    pages: Sequence[KnownPage]
    originals: Sequence[KnownPage]


def copies_at(session: Session, locations: Sequence[str]) -> list[Copy]:
    """Return those of the files at the places that are copies of one master from end to end.

    Left out are those whose pages belong to other documents than their originals: each is a page
    of its own there.
    """
    original = aliased(Page)
    rows = session.execute(
        select(
            Page.location,
            Page.duplicate_of,
            original.source,
            and_(
                Page.document_id.is_not(None),
                original.document_id.is_not(None),
                Page.document_id != original.document_id,
            ).label("apart"),
        )
        .outerjoin(original, Page.duplicate_of == original.id)
        .where(Page.location.in_(locations))
    ).all()
    if all(row.duplicate_of is None for row in rows):
        return []
    sources: dict[str, set[str | None]] = defaultdict(set)
    for row in rows:
        sources[row.location].add(None if row.apart else row.source)
    of_one = {at: one for at, (one, *others) in sources.items() if one and not others}
    by_location: dict[str, list[KnownPage]] = defaultdict(list)
    by_source: dict[str, list[KnownPage]] = defaultdict(list)
    wanted = or_(Page.location.in_(of_one), Page.source.in_(set(of_one.values())))
    for page in pages_where(session, wanted):
        by_location[page.location].append(page)
        by_source[page.source].append(page)
    return [Copy(by_location[at], by_source[one]) for at, one in of_one.items()]


def empty_folder_above(location: str) -> Path | None:
    """Return the innermost folder above a missing master that there is, if it is empty.

    A disc that was taken out and a share that was lost leave it, if they leave anything: then the
    master is away, not gone.
    """
    folder = next(folder for folder in path_of(location).parents if folder.exists())
    return None if is_at_hand(folder) else folder


def take_over(session: Session, copies: Sequence[int]) -> int:
    """Delete pages that are copies; what people said of their marks is said of the originals.

    Returns how many marks go over. One that was confirmed or rejected alone, and of which the
    original says the same, goes with its page. What the original has not of a document and a
    canvas, it has from the copy.
    """
    carried = 0
    for some in in_parts(copies):
        _hand_on(session, some)
        carried += _carry_over(session, some)
        gone = delete(Mark).where(Mark.page_id.in_(some)).returning(Mark.crop)
        discard_crops(session, session.scalars(gone).all())
        session.execute(delete(Page).where(Page.id.in_(some)))
    return carried


def release_copies(session: Session, known: Fingerprints, page: int) -> None:
    """Make the first of the page's copies the original of the others: the page is another now.

    Or it is about to go. Call `known.load` first.
    """
    copies = session.execute(
        select(Page.id, Page.fingerprint).where(Page.duplicate_of == page).order_by(Page.id)
    ).all()
    if not copies:
        return
    first, *others = (row.id for row in copies)
    session.execute(update(Page).where(Page.id == first).values(duplicate_of=None))
    session.execute(update(Page).where(Page.id.in_(others)).values(duplicate_of=first))
    if (fingerprint := copies[0].fingerprint) is not None:
        flag(session, known, first, Looks(fingerprint, ()))


def _hand_on(session: Session, copies: Sequence[int]) -> None:
    """Give the originals of copies the documents and canvases that they have none of."""
    original = aliased(Page)
    rows = session.execute(
        select(
            original.id,
            original.document_id,
            original.details,
            Page.document_id.label("document"),
            Page.ordinal,
            Page.details.label("canvas"),
        )
        .join(original, Page.duplicate_of == original.id)
        .where(Page.id.in_(copies))
    ).all()
    bound = [
        {"id": row.id, "document_id": row.document, "ordinal": row.ordinal}
        for row in rows
        if row.document_id is None and row.document is not None
    ]
    painted = [
        {"id": row.id, "details": row.canvas}
        for row in rows
        if row.details is None and row.canvas is not None
    ]
    for values in (bound, painted):
        if values:
            session.execute(update(Page), values)


def _carry_over(session: Session, copies: Sequence[int]) -> int:
    """Give the originals the marks of copies that people have looked at; return how many."""
    looked_at = select(Mark.page_id).where(judged_or_named(as_crops=True))
    rows = session.execute(
        select(Page.id, Page.duplicate_of, Page.segmenter)
        .where(Page.id.in_(copies), Page.id.in_(looked_at))
        .order_by(Page.id)
    ).all()
    carried = 0
    for copy, original, segmenter in rows:
        words = judged_or_named(as_crops=segmenter is None)
        ours = _marks(session, Mark.page_id == original, words)
        going = [
            mark
            for mark in _marks(session, Mark.page_id == copy, words)
            if mark.named or not any(_say_the_same(mark, other) for other in ours)
        ]
        covered = [
            mark.id
            for mark in _marks(session, Mark.page_id == original, ~words)
            if any(overlap(_box(mark), _box(other)) >= LEAST_OVERLAP for other in going)
        ]
        gone = delete(Mark).where(Mark.id.in_(covered)).returning(Mark.crop)
        discard_crops(session, session.scalars(gone).all())
        carrying = [{"id": mark.id, "page_id": original} for mark in going]
        if carrying:
            session.execute(update(Mark), carrying)
        carried += len(carrying)
    return carried


def _say_the_same(one: _MarkRow, other: _MarkRow) -> bool:
    return one.status == other.status and overlap(_box(one), _box(other)) >= SAME_REGION


def _marks(session: Session, *conditions: ColumnElement[bool]) -> Sequence[_MarkRow]:
    return session.execute(
        select(
            Mark.id, Mark.x, Mark.y, Mark.width, Mark.height, Mark.status,
            in_identity_or_judged_group().label("named"),
        )
        .where(*conditions)
        .order_by(Mark.id)
    ).all()  # fmt: skip


def _box(mark: _MarkRow) -> Box:
    return mark.x, mark.y, mark.width, mark.height
