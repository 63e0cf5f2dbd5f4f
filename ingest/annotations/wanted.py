"""Which marks of an archive are written, and all that the catalogue says of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from ingest.annotations.annotation import STATUSES, AnnotatedImage, Annotation, Canvas
from ingest.annotations.marks_csv import columns_written
from retrieval.catalogue.canvases import canvas_row, kept_address
from retrieval.catalogue.documents import Filters, document_conditions
from retrieval.catalogue.identities import words_on
from retrieval.catalogue.parts import MOST
from retrieval.catalogue.tables import Document, Identity, IdentityMark, Mark, Page, in_utc

_ANY_DOCUMENT = Filters()
_DOCUMENT = ("reference", "title", "date", "year_from", "ship", "place", "captain")


@dataclass(frozen=True)
class Wanted:
    """Which marks are written: of these statuses, on pages whose document fits, of the identity.

    `identity` is its name; None asks for marks of any and of none.
    Pages that have no such mark are written all the same: marks may be drawn on them.
    """

    statuses: frozenset[str] = frozenset(STATUSES)
    where: Filters = _ANY_DOCUMENT
    identity: str | None = None


EVERYTHING = Wanted()


def pages_in_parts(session: Session, wanted: Wanted = EVERYTHING) -> Iterator[list[AnnotatedImage]]:
    """Give every page in order of id, with its marks, in order of id as well, part by part."""
    pages = pages_wanted(wanted).with_only_columns(Page.id).order_by(Page.id)
    for some in session.scalars(pages.execution_options(yield_per=MOST)).partitions():
        images = _images(session, some)
        marks: dict[int, list[Annotation]] = defaultdict(list)
        statement = marks_wanted(wanted).where(Mark.page_id.in_(some)).order_by(Mark.id)
        for rows in session.execute(statement.execution_options(yield_per=MOST)).partitions():
            for page, mark in _annotations(session, rows):
                marks[page].append(mark)
        yield [replace(images[page], annotations=tuple(marks[page])) for page in some]


def marks_in_parts(session: Session, wanted: Wanted = EVERYTHING) -> Iterator[list[AnnotatedImage]]:
    """Give every mark in order of id, part by part: its page with no other mark."""
    statement = marks_wanted(wanted).order_by(Mark.id)
    for rows in session.execute(statement.execution_options(yield_per=MOST)).partitions():
        images = _images(session, list({row.page_id for row in rows}))
        yield [
            replace(images[page], annotations=(mark,)) for page, mark in _annotations(session, rows)
        ]


def pages_wanted(wanted: Wanted) -> Select[*tuple[Any, ...]]:
    """Return the statement on the pages that are written, in no order."""
    return (
        select(Page)
        .outerjoin(Document, Page.document_id == Document.id)
        .where(*document_conditions(wanted.where))
    )


def marks_wanted(wanted: Wanted) -> Select[*tuple[Any, ...]]:
    """Return the statement on the marks that are written, in no order."""
    statement: Select[*tuple[Any, ...]] = select(
        Mark.id, Mark.page_id, Mark.x, Mark.y, Mark.width, Mark.height, Mark.polygon, Mark.status,
        Mark.score, Mark.realism, Mark.origin, Mark.created_at,
    )  # fmt: skip
    if wanted.where != _ANY_DOCUMENT:
        statement = statement.where(
            Mark.page_id.in_(pages_wanted(wanted).with_only_columns(Page.id))
        )
    if wanted.statuses != EVERYTHING.statuses:
        statement = statement.where(Mark.status.in_(sorted(wanted.statuses)))
    if wanted.identity is not None:
        of_it = select(IdentityMark.mark_id).join(Identity).where(Identity.name == wanted.identity)
        statement = statement.where(Mark.id.in_(of_it))
    return statement


def _annotations(session: Session, rows: Sequence[Row[Any]]) -> list[tuple[int, Annotation]]:
    """Return the marks of rows of `marks_wanted`, each after its page's id."""
    words = words_on(session, [row.id for row in rows])
    return [
        (
            row.page_id,
            Annotation(
                box=(row.x, row.y, row.width, row.height),
                polygon=tuple((x, y) for x, y in row.polygon) if row.polygon else None,
                status=row.status,
                score=row.score,
                realism=row.realism,
                origin=row.origin,
                mark=row.id,
                created=in_utc(row.created_at),
                identities=tuple(words.get(row.id, ())),
            ),
        )
        for row in rows
    ]


def _images(session: Session, pages: Sequence[int]) -> dict[int, AnnotatedImage]:
    """Return the named pages, `MOST` at most, by id and without marks."""
    statement = select(
        Page.id, Page.document_id, Page.source, Page.frame, Page.ordinal,
        Page.width, Page.height, Page.sha256, Page.size, Page.ingested_at, Page.details,
    ).where(Page.id.in_(pages))  # fmt: skip
    rows = session.execute(statement).all()
    documents = {
        row.id: {name: getattr(row, name) for name in _DOCUMENT}
        for row in session.execute(
            select(Document.id, *(getattr(Document, name) for name in _DOCUMENT)).where(
                Document.id.in_({row.document_id for row in rows})
            )
        )
    }
    return {
        row.id: AnnotatedImage(
            names=(row.source,),
            frame=row.frame,
            width=row.width,
            height=row.height,
            sha256=row.sha256,
            size=row.size,
            page=row.id,
            ordinal=row.ordinal,
            ingested=in_utc(row.ingested_at),
            document=documents.get(row.document_id),
            canvas=_canvas(row.details or {}),
            described=canvas_row(row.details or {}),
        )
        for row in rows
    }


def _canvas(details: Mapping[str, Any]) -> Canvas | None:
    """Return the canvas that a page was fetched from, as its manifest described it."""
    name, image, service = (kept_address(details, key) for key in ("canvas", "image", "service"))
    width, height = details.get("width") or 0, details.get("height") or 0
    if name is None or min(width, height) < 1:
        return None
    attribution, rights = details.get("attribution"), details.get("rights")
    return Canvas(name, width, height, attribution, rights, image, service)


def columns_in(session: Session, columns: Sequence[str], wanted: Wanted) -> tuple[str, ...]:
    """Return a table's columns, with those that follow where the marks have anything in them."""
    return columns_written(
        columns,
        realism=_any_realism(session, wanted),
        canvases=_any_canvas(session, wanted),
        identities=_any_identity(session, wanted),
    )


def number_of_marks(session: Session, wanted: Wanted) -> int:
    """Return how many marks are written."""
    return _number_of(session, marks_wanted(wanted))


def number_of_pages(session: Session, wanted: Wanted) -> int:
    """Return how many pages are written."""
    return _number_of(session, pages_wanted(wanted))


def _any_canvas(session: Session, wanted: Wanted) -> bool:
    """Return whether a canvas says anything of a page that has any of the marks."""
    described = select(Page.details).where(
        Page.details.is_not(None), Page.id.in_(marks_wanted(wanted).with_only_columns(Mark.page_id))
    )
    details = session.scalars(described.execution_options(yield_per=MOST))
    return any(canvas_row(said or {}) for said in details)


def _any_realism(session: Session, wanted: Wanted) -> bool:
    """Return whether any of the marks has a realism."""
    statement = marks_wanted(wanted).where(Mark.realism.is_not(None)).limit(1)
    return session.execute(statement).first() is not None


def _any_identity(session: Session, wanted: Wanted) -> bool:
    """Return whether somebody said whose mark any of the marks is."""
    said = select(IdentityMark.mark_id).where(
        IdentityMark.mark_id.in_(marks_wanted(wanted).with_only_columns(Mark.id))
    )
    return session.scalar(said.limit(1)) is not None


def _number_of(session: Session, statement: Select[*tuple[Any, ...]]) -> int:
    return session.scalar(select(func.count()).select_from(statement.subquery())) or 0
