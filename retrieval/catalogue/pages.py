"""What is asked of the pages. Plain columns, no objects: for millions of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from retrieval.catalogue.documents import (
    Filters,
    document_columns,
    document_conditions,
    take_document,
)
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.references import sort_key
from retrieval.catalogue.tables import Document, Mark, Page

#: Rows that are fetched at a time from a long result.
_FETCH = 10_000


@dataclass(frozen=True)
class PageRow:
    """A page with its document's reference and the number of its marks that are not rejected."""

    page: int
    source: str
    location: str
    frame: int
    ordinal: int
    width: int
    height: int
    duplicate_of: int | None
    segmenter: str | None
    reference: str | None
    marks: int


@dataclass(frozen=True)
class PlacePage:
    """What is said of a place: its page and that page's document."""

    page: int
    source: str
    document: dict[str, Any] | None


@dataclass(frozen=True)
class PageSize:
    """A page and its width and height in pixels of the master."""

    page: int
    width: int
    height: int


def page_ids(session: Session, where: Filters) -> list[int]:
    """Return the ids, in order, of the pages whose document fits, as in `mark_ids`."""
    statement = select(Page.id).order_by(Page.id)
    conditions = document_conditions(where)
    if conditions:
        statement = statement.join(Document, Page.document_id == Document.id).where(*conditions)
    return list(session.scalars(statement))


def page(session: Session, page: int) -> PageRow | None:
    """Return one page; None when there is none with this id."""
    row = session.execute(_pages().where(Page.id == page)).one_or_none()
    return None if row is None else PageRow(**row._asdict())


def pages_by_content(session: Session) -> dict[tuple[str, int], PageSize]:
    """Return the segmented pages, copies left out, by the SHA-256 of their master and its frame."""
    statement = select(Page.sha256, Page.frame, Page.id, Page.width, Page.height).where(
        Page.duplicate_of.is_(None), Page.segmenter.is_not(None)
    )
    return {
        (sha256, frame): PageSize(*rest)
        for sha256, frame, *rest in session.execute(
            statement.order_by(Page.id.desc()).execution_options(yield_per=_FETCH)
        )
    }


def has_pages_by_content(session: Session) -> bool:
    """Return whether `pages_by_content` returns any."""
    statement = select(Page.id).where(Page.duplicate_of.is_(None), Page.segmenter.is_not(None))
    return session.scalar(statement.limit(1)) is not None


def place_pages(session: Session, pages: Sequence[int]) -> dict[int, PlacePage]:
    """Return the named pages by id with their documents; ids that are gone are left out."""
    found: dict[int, PlacePage] = {}
    for some in in_parts(pages):
        statement = (
            select(Page.id.label("page"), Page.source, *document_columns())
            .outerjoin(Document, Page.document_id == Document.id)
            .where(Page.id.in_(some))
        )
        for row in session.execute(statement):
            values = row._asdict()
            document = take_document(values)
            found[row.page] = PlacePage(**values, document=document)
    return found


def content_of(session: Session, page: int) -> str | None:
    """Return the SHA-256 of the master that a page was read from; None where there is none."""
    return session.scalar(select(Page.sha256).where(Page.id == page))


def ingested_so_far(session: Session) -> tuple[int, datetime | None]:
    """Return how many pages there are, and when one was last read: another when pages change."""
    number, last = session.execute(select(func.count(), func.max(Page.ingested_at))).one()
    return number, last


def sources_without_document(session: Session) -> list[str]:
    """Return the sources of the pages that belong to no document, 9.png before 10.png."""
    statement = select(Page.source).distinct().where(Page.document_id.is_(None))
    return sorted(session.scalars(statement), key=sort_key)


def _pages() -> Select[*tuple[Any, ...]]:
    marks = (
        select(func.count())
        .where(Mark.page_id == Page.id, Mark.status != "rejected")
        .correlate(Page)
        .scalar_subquery()
    )
    return select(
        Page.id.label("page"),
        Page.source,
        Page.location,
        Page.frame,
        Page.ordinal,
        Page.width,
        Page.height,
        Page.duplicate_of,
        Page.segmenter,
        Document.reference,
        marks.label("marks"),
    ).outerjoin(Document, Page.document_id == Document.id)
