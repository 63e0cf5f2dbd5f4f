"""What is asked of the marks. Plain columns, no objects: for millions of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Select, and_, exists, func, not_, or_, select
from sqlalchemy.orm import Session

from retrieval.catalogue.documents import (
    Filters,
    document_columns,
    document_conditions,
    take_document,
)
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.tables import (
    LARGEST_ID,
    Document,
    Embedding,
    Group,
    GroupMark,
    IdentityMark,
    Mark,
    Page,
)

#: How likely a proposal has to be a mark to be worth showing unasked. What is less so is more
#: likely writing or a stain, and these repeat most of all.
LIKELY = 0.5

#: Where the marks come from that were ingested as crops.
ORIGIN_OF_CROPS = "ingest"


def how_likely() -> ColumnElement[float | None]:
    """Return how likely a proposal is a mark: its realism, or else its score; in [0, 1] or null."""
    return func.coalesce(Mark.realism, Mark.score)


@dataclass(frozen=True)
class MarkRow:
    """A mark with its page and its document; boxes in pixels of the master."""

    mark: int
    page: int
    source: str
    location: str
    frame: int
    ordinal: int
    duplicate_of: int | None
    x: int
    y: int
    width: int
    height: int
    status: str
    score: float | None
    realism: float | None
    origin: str
    proposed_by: str | None
    crop: str
    document: dict[str, Any] | None

    @property
    def likely(self) -> float:
        """How likely it is a mark: 1 where a person says so, else `how_likely`, or 0."""
        said = self.score if self.realism is None else self.realism
        return 1.0 if self.status == "confirmed" else said or 0.0

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The box as (x, y, width, height)."""
        return self.x, self.y, self.width, self.height


def mark_ids(session: Session, where: Filters) -> list[int]:
    """Return the ids, in order, of the marks that are not rejected and whose document fits.

    Marks without a document fit only when nothing is asked for.
    """
    statement = select(Mark.id).where(Mark.status != "rejected").order_by(Mark.id)
    return list(session.scalars(narrow(statement, where)))


def narrow(statement: Select[int], where: Filters) -> Select[int]:
    """Return a statement on marks that is on those alone whose document fits."""
    conditions = document_conditions(where)
    if not conditions:
        return statement
    # Not by joins: of each of millions of marks the page and the document would be looked up.
    fitting = select(Page.id).join(Document, Page.document_id == Document.id).where(*conditions)
    return statement.where(Mark.page_id.in_(fitting))


def mark_rows(session: Session, marks: Sequence[int]) -> dict[int, MarkRow]:
    """Return the named marks by id, rejected ones too; ids that are gone are left out."""
    rows: dict[int, MarkRow] = {}
    ids = [int(mark) for mark in marks if abs(mark) <= LARGEST_ID]  # SQL takes no NumPy integers
    for some in in_parts(ids):
        for row in session.execute(_marks().where(Mark.id.in_(some))):
            rows[row.mark] = _mark_row(row)
    return rows


def marks_there(session: Session, marks: Sequence[int]) -> set[int]:
    """Return which of the marks are in the archive and not rejected."""
    there: set[int] = set()
    for some in in_parts([int(mark) for mark in marks if abs(mark) <= LARGEST_ID]):
        there.update(
            session.scalars(select(Mark.id).where(Mark.id.in_(some), Mark.status != "rejected"))
        )
    return there


def page_marks(session: Session, page: int) -> list[MarkRow]:
    """Return the marks of a page in order of id, rejected ones too."""
    statement = _marks().where(Mark.page_id == page).order_by(Mark.id)
    return [_mark_row(row) for row in session.execute(statement)]


def marked_boxes(session: Session, pages: Sequence[int]) -> dict[int, NDArray[np.int64]]:
    """Return the boxes of all marks of these pages, rejected ones too: (N, 4) a page with any.

    Each is x, y, width, height in pixels of the master.
    """
    boxes: dict[int, list[tuple[int, int, int, int]]] = defaultdict(list)
    for some in in_parts(pages):
        statement = select(Mark.page_id, Mark.x, Mark.y, Mark.width, Mark.height).where(
            Mark.page_id.in_(some)
        )
        for page, *box in session.execute(statement):
            boxes[page].append((box[0], box[1], box[2], box[3]))
    return {page: np.array(found, np.int64) for page, found in boxes.items()}


def may_be_found() -> ColumnElement[bool]:
    """Return the condition on a mark that a search may find it.

    It was not rejected, and is not a proposal on a copy of another page: there is the same one on
    that page. What a person confirmed on a copy is found as well.
    """
    on_its_own = or_(Mark.status == "confirmed", not_(on_a_copy()))
    return and_(Mark.status != "rejected", on_its_own)


def on_a_copy() -> ColumnElement[bool]:
    """Return the condition on a mark that it is on a page that is a copy, byte for byte."""
    return Mark.page_id.in_(select(Page.id).where(Page.duplicate_of.is_not(None)))


def judged_or_named(*, as_crops: bool) -> ColumnElement[bool]:
    """Return the condition on a mark that a person has looked at: such marks stay.

    Alone or in a group: what somebody said of a group is known by the group's marks.
    `as_crops`: the page's images are ingested as crops. Else a mark that was made of a whole crop
    is nobody's word, and goes.
    """
    looked_at = Mark.status != "proposed"
    if not as_crops:
        looked_at = and_(looked_at, Mark.origin != ORIGIN_OF_CROPS)
    return or_(looked_at, in_identity_or_judged_group())


def in_identity_or_judged_group() -> ColumnElement[bool]:
    """Return the condition on a mark that it is in an identity, or in a group that was judged."""
    in_identity = exists().where(IdentityMark.mark_id == Mark.id)
    in_judged_group = exists().where(
        GroupMark.mark_id == Mark.id,
        GroupMark.group_id == Group.id,
        Group.verdict.is_not(None),
    )
    return or_(in_identity, in_judged_group)


def marks_to_embed(
    session: Session, model: str, seen: str, after: int = 0, most: int | None = None
) -> list[tuple[int, str]]:
    """Return (mark, crop) for each that `may_be_found` whose crop has no vector under `model`.

    In order of id, `most` at the most of those beyond `after`. A vector of a crop that was not
    `seen` as it would be now counts as none.
    """
    statement = _to_embed(model, seen).where(Mark.id > after).order_by(Mark.id).limit(most)
    return [(mark, crop) for mark, crop in session.execute(statement)]


def has_marks_to_embed(session: Session, model: str, seen: str) -> bool:
    """Return whether `marks_to_embed` has any."""
    # Backwards: they are embedded in order of id, so that a run that is not done lacks the last.
    one = _to_embed(model, seen).order_by(Mark.id.desc()).limit(1)
    return session.execute(one).first() is not None


def number_to_embed(session: Session, model: str, seen: str) -> int:
    """Return how many marks `marks_to_embed` returns in all."""
    every = _to_embed(model, seen).subquery()
    return session.scalar(select(func.count()).select_from(every)) or 0


def _to_embed(model: str, seen: str) -> Select[int, str]:
    return (
        select(Mark.id, Mark.crop)
        .outerjoin(Embedding, and_(Embedding.mark_id == Mark.id, Embedding.model_id == model))
        .where(may_be_found())
        .where(
            or_(
                Embedding.mark_id.is_(None),
                Embedding.crop != Mark.crop,
                Embedding.seen.is_distinct_from(seen),
            )
        )
    )


def _marks() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Mark.id.label("mark"),
            Mark.x,
            Mark.y,
            Mark.width,
            Mark.height,
            Mark.status,
            Mark.score,
            Mark.realism,
            Mark.origin,
            Mark.proposed_by,
            Mark.crop,
            Page.id.label("page"),
            Page.source,
            Page.location,
            Page.frame,
            Page.ordinal,
            Page.duplicate_of,
            *document_columns(),
        )
        .join(Page, Mark.page_id == Page.id)
        .outerjoin(Document, Page.document_id == Document.id)
    )


def _mark_row(row: Any) -> MarkRow:
    values: dict[str, Any] = row._asdict()
    document = take_document(values)
    return MarkRow(**values, document=document)
