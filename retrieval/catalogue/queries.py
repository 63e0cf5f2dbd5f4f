"""What the other rooms ask of the catalogue. Plain columns, no objects: for millions of marks."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from retrieval.catalogue.references import sort_key
from retrieval.catalogue.tables import (
    Document,
    Embedding,
    Failure,
    Group,
    Identity,
    Mark,
    Model,
    Page,
    Resemblance,
)

#: Ids asked for in one statement, under every database's limit of parameters.
_CHUNK = 5_000

#: Rows that are fetched at a time from a long result.
_FETCH = 10_000


@dataclass(frozen=True)
class Facets:
    """What the documents can be narrowed by: their series and ships in order, their years."""

    series: tuple[str, ...]
    ships: tuple[str, ...]
    year_from: int | None
    year_to: int | None


@dataclass(frozen=True)
class Counts:
    """How much an archive holds: `marks` by status, `embeddings` by model, `groups` by verdict.

    A group that nobody has judged yet counts as "proposed".
    """

    documents: int
    pages: int
    pages_without_document: int
    documents_without_pages: int
    duplicate_pages: int
    resembling_pages: int
    marks: dict[str, int]
    failures: int
    models: int
    embeddings: dict[str, int]
    identities: int
    groups: dict[str, int]


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
    origin: str
    crop: str
    document: dict[str, Any] | None

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The box as (x, y, width, height)."""
        return self.x, self.y, self.width, self.height


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


@dataclass(frozen=True)
class ResemblanceRow:
    """A page that looks like another, and in how many bits of 256 they differ."""

    page: int
    source: str
    frame: int
    like: int
    like_source: str
    like_frame: int
    distance: int


@dataclass(frozen=True)
class FailureRow:
    """An input that could not be read."""

    source: str
    frame: int
    location: str
    reason: str
    advice: str


def facets(session: Session) -> Facets:
    """Return what the documents of the archive can be narrowed by."""
    series = session.scalars(
        select(Document.series).distinct().where(Document.series.is_not(None))
    ).all()
    ships = session.scalars(
        select(Document.ship).distinct().where(Document.ship.is_not(None))
    ).all()
    first, last = session.execute(
        select(
            func.min(func.coalesce(Document.year_from, Document.year_to)),
            func.max(func.coalesce(Document.year_to, Document.year_from)),
        )
    ).one()
    return Facets(
        series=tuple(sorted((one for one in series if one), key=sort_key)),
        ships=tuple(sorted((one for one in ships if one), key=sort_key)),
        year_from=first,
        year_to=last,
    )


def counts(session: Session) -> Counts:
    """Return how many documents, pages, marks, failures, models and embeddings there are."""

    def number(statement: Select[int]) -> int:
        return session.execute(statement).scalar_one()

    marks = {"proposed": 0, "confirmed": 0, "rejected": 0}
    for status, marks_of_status in session.execute(
        select(Mark.status, func.count()).group_by(Mark.status)
    ):
        marks[status] = marks_of_status
    groups = {"proposed": 0, "same": 0, "different": 0}
    for verdict, groups_of_verdict in session.execute(
        select(Group.verdict, func.count()).group_by(Group.verdict)
    ):
        groups[verdict or "proposed"] = groups_of_verdict
    embeddings = dict.fromkeys(session.scalars(select(Model.id)), 0)
    for model, vectors in session.execute(
        select(Embedding.model_id, func.count()).group_by(Embedding.model_id)
    ):
        embeddings[model] = vectors
    return Counts(
        documents=number(select(func.count()).select_from(Document)),
        pages=number(select(func.count()).select_from(Page)),
        pages_without_document=number(
            select(func.count()).select_from(Page).where(Page.document_id.is_(None))
        ),
        documents_without_pages=number(
            select(func.count())
            .select_from(Document)
            .where(~exists().where(Page.document_id == Document.id))
        ),
        duplicate_pages=number(
            select(func.count()).select_from(Page).where(Page.duplicate_of.is_not(None))
        ),
        resembling_pages=number(select(func.count()).select_from(Resemblance)),
        marks=marks,
        failures=number(select(func.count()).select_from(Failure)),
        models=len(embeddings),
        embeddings=embeddings,
        identities=number(select(func.count()).select_from(Identity)),
        groups=groups,
    )


def sources_without_document(session: Session) -> list[str]:
    """Return the sources of the pages that belong to no document, 9.png before 10.png."""
    statement = select(Page.source).distinct().where(Page.document_id.is_(None))
    return sorted(session.scalars(statement), key=sort_key)


def references_without_page(session: Session) -> list[str]:
    """Return the references of the documents that no page belongs to, in their order."""
    statement = select(Document.reference).where(~exists().where(Page.document_id == Document.id))
    return list(session.scalars(statement.order_by(*in_order_of_reference())))


def in_order_of_reference() -> list[SQLColumnExpression[Any]]:
    """Return what sorts documents as people count: HCA 32/9, HCA 32/10; what has none is last."""
    return [Document.sort_key.is_(None), Document.sort_key, Document.id]


def mark_ids(
    session: Session,
    *,
    year_from: int | None = None,
    year_to: int | None = None,
    series: str | None = None,
    ship: str | None = None,
) -> list[int]:
    """Return the ids, in order, of the marks that are not rejected and whose document fits.

    Years: the document's span and the one asked for overlap; a document without any year fits
    only when none is asked for. Marks without a document fit only when nothing is.
    """
    statement = select(Mark.id).where(Mark.status != "rejected").order_by(Mark.id)
    conditions = document_conditions(year_from, year_to, series, ship)
    if conditions:
        statement = (
            statement.join(Page, Mark.page_id == Page.id)
            .join(Document, Page.document_id == Document.id)
            .where(*conditions)
        )
    return list(session.scalars(statement))


def page_ids(
    session: Session,
    *,
    year_from: int | None = None,
    year_to: int | None = None,
    series: str | None = None,
    ship: str | None = None,
) -> list[int]:
    """Return the ids, in order, of the pages whose document fits, as in `mark_ids`."""
    statement = select(Page.id).order_by(Page.id)
    conditions = document_conditions(year_from, year_to, series, ship)
    if conditions:
        statement = statement.join(Document, Page.document_id == Document.id).where(*conditions)
    return list(session.scalars(statement))


def document_conditions(
    year_from: int | None = None,
    year_to: int | None = None,
    series: str | None = None,
    ship: str | None = None,
) -> list[ColumnElement[bool]]:
    """Return the conditions on a document, for `where`; none for what is None."""
    conditions: list[ColumnElement[bool]] = []
    if year_from is not None or year_to is not None:
        conditions.append(or_(Document.year_from.is_not(None), Document.year_to.is_not(None)))
    # A span with one side open (before 1700) reaches as far as anyone asks.
    if year_from is not None:
        conditions.append(or_(Document.year_to >= year_from, Document.year_to.is_(None)))
    if year_to is not None:
        conditions.append(or_(Document.year_from <= year_to, Document.year_from.is_(None)))
    if series is not None:
        conditions.append(Document.series == series)
    if ship is not None:
        conditions.append(Document.ship == ship)
    return conditions


def mark_rows(session: Session, marks: Sequence[int]) -> dict[int, MarkRow]:
    """Return the named marks by id, rejected ones too; ids that are gone are left out."""
    rows: dict[int, MarkRow] = {}
    for start in range(0, len(marks), _CHUNK):
        chunk = [int(mark) for mark in marks[start : start + _CHUNK]]  # NumPy's are no parameters
        for row in session.execute(_marks().where(Mark.id.in_(chunk))):
            rows[row.mark] = _mark_row(row)
    return rows


def all_mark_rows(session: Session) -> Iterator[MarkRow]:
    """Give every mark that is not rejected, in order of id, without holding them all."""
    statement = _marks().where(Mark.status != "rejected").order_by(Mark.id)
    for row in session.execute(statement.execution_options(yield_per=_FETCH)):
        yield _mark_row(row)


def page_marks(session: Session, page: int) -> list[MarkRow]:
    """Return the marks of a page in order of id, rejected ones too."""
    statement = _marks().where(Mark.page_id == page).order_by(Mark.id)
    return [_mark_row(row) for row in session.execute(statement)]


def pages(
    session: Session,
    *,
    after: int = 0,
    limit: int = 100,
    reference: str | None = None,
) -> list[PageRow]:
    """Return up to `limit` pages with ids over `after`, in order of id; of one document, if named.

    The last id of one call is the `after` of the next. A document's own pages come in its order,
    all at once up to `limit`.
    """
    statement = _pages().limit(limit)
    if reference is None:
        statement = statement.where(Page.id > after).order_by(Page.id)
    else:
        statement = statement.where(Document.reference == reference)
        statement = statement.order_by(Page.ordinal, Page.id)
    return [PageRow(**row._asdict()) for row in session.execute(statement)]


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


def marked_boxes(session: Session, pages: Sequence[int]) -> dict[int, NDArray[np.int64]]:
    """Return the boxes of all marks of these pages, rejected ones too: (N, 4) a page with any.

    Each is x, y, width, height in pixels of the master.
    """
    boxes: dict[int, list[tuple[int, int, int, int]]] = defaultdict(list)
    for start in range(0, len(pages), _CHUNK):
        statement = select(Mark.page_id, Mark.x, Mark.y, Mark.width, Mark.height).where(
            Mark.page_id.in_(pages[start : start + _CHUNK])
        )
        for page, *box in session.execute(statement):
            boxes[page].append((box[0], box[1], box[2], box[3]))
    return {page: np.array(found, np.int64) for page, found in boxes.items()}


def place_pages(session: Session, pages: Sequence[int]) -> dict[int, PlacePage]:
    """Return the named pages by id with their documents; ids that are gone are left out."""
    found: dict[int, PlacePage] = {}
    for start in range(0, len(pages), _CHUNK):
        statement = (
            select(
                Page.id.label("page"),
                Page.source,
                *(getattr(Document, field) for field in _DOCUMENT_FIELDS),
            )
            .outerjoin(Document, Page.document_id == Document.id)
            .where(Page.id.in_(pages[start : start + _CHUNK]))
        )
        for row in session.execute(statement):
            values = row._asdict()
            document = {field: values.pop(field) for field in _DOCUMENT_FIELDS}
            known = document if document["reference"] is not None else None
            found[row.page] = PlacePage(**values, document=known)
    return found


def failures(session: Session) -> list[FailureRow]:
    """Return the inputs that could not be read, in order of their names."""
    statement = select(
        Failure.source, Failure.frame, Failure.location, Failure.reason, Failure.advice
    ).order_by(Failure.source, Failure.frame)
    return [FailureRow(**row._asdict()) for row in session.execute(statement)]


def resemblances(session: Session, pages: Sequence[int] | None = None) -> list[ResemblanceRow]:
    """Return the pages that look like another, in order; of those named alone, if any are."""
    other = aliased(Page)
    statement = (
        select(
            Page.id.label("page"),
            Page.source,
            Page.frame,
            other.id.label("like"),
            other.source.label("like_source"),
            other.frame.label("like_frame"),
            Resemblance.distance,
        )
        .join(Page, Resemblance.page_id == Page.id)
        .join(other, Resemblance.like_id == other.id)
        .order_by(Page.id)
    )
    if pages is None:
        return [ResemblanceRow(**row._asdict()) for row in session.execute(statement)]
    named = sorted(pages)
    return [
        ResemblanceRow(**row._asdict())
        for start in range(0, len(named), _CHUNK)
        for row in session.execute(statement.where(Page.id.in_(named[start : start + _CHUNK])))
    ]


def same_again(session: Session, page: int) -> tuple[list[str], list[str]]:
    """Return the sources of the files that hold the page byte for byte, and of those that look so.

    The page's own is left out; each list is in natural order.
    """
    original = session.scalar(select(Page.duplicate_of).where(Page.id == page)) or page
    copies = session.scalars(
        select(Page.source).where(
            or_(Page.id == original, Page.duplicate_of == original), Page.id != page
        )
    )
    alike = session.scalars(
        select(Page.source).where(
            or_(
                Page.id.in_(select(Resemblance.like_id).where(Resemblance.page_id == original)),
                Page.id.in_(select(Resemblance.page_id).where(Resemblance.like_id == original)),
            )
        )
    )
    return sorted(set(copies), key=sort_key), sorted(set(alike), key=sort_key)


def failure_reasons(session: Session) -> dict[str, int]:
    """Return how many inputs failed for each reason, the most frequent first.

    Reasons that differ in their numbers, or in what follows a colon, are one.
    """
    reasons: Counter[str] = Counter()
    for reason, number in session.execute(
        select(Failure.reason, func.count()).group_by(Failure.reason)
    ):
        reasons[re.sub(r"[0-9][0-9,.]*(?<![,.])", "N", reason.split(":")[0])] += number
    return dict(sorted(reasons.items(), key=lambda one: (-one[1], one[0])))


def pages_by_segmenter(session: Session) -> dict[str, int]:
    """Return how many pages have the proposals of each segmenter; crops have none."""
    rows = session.execute(
        select(Page.segmenter, func.count())
        .where(Page.segmenter.is_not(None))
        .group_by(Page.segmenter)
        .order_by(Page.segmenter)
    )
    return {segmenter: number for segmenter, number in rows if segmenter is not None}


def marks_to_embed(session: Session, model: str, seen: str) -> list[tuple[int, str]]:
    """Return (mark, crop) for each mark, not rejected, whose crop has no vector under `model`.

    One of a crop that was not `seen` as it would be now counts as none.
    """
    statement = (
        select(Mark.id, Mark.crop)
        .outerjoin(Embedding, and_(Embedding.mark_id == Mark.id, Embedding.model_id == model))
        .where(Mark.status != "rejected")
        .where(
            or_(
                Embedding.mark_id.is_(None),
                Embedding.crop != Mark.crop,
                Embedding.seen.is_distinct_from(seen),
            )
        )
        .order_by(Mark.id)
    )
    return [(mark, crop) for mark, crop in session.execute(statement)]


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
            Mark.origin,
            Mark.crop,
            Page.id.label("page"),
            Page.source,
            Page.location,
            Page.frame,
            Page.ordinal,
            Page.duplicate_of,
            Document.reference,
            Document.title,
            Document.date,
            Document.series,
            Document.year_from,
            Document.year_to,
            Document.ship,
            Document.place,
            Document.captain,
            Document.details,
        )
        .join(Page, Mark.page_id == Page.id)
        .outerjoin(Document, Page.document_id == Document.id)
    )


_DOCUMENT_FIELDS = (
    "reference",
    "title",
    "date",
    "series",
    "year_from",
    "year_to",
    "ship",
    "place",
    "captain",
    "details",
)


def _mark_row(row: Any) -> MarkRow:
    values: dict[str, Any] = row._asdict()
    document = {field: values.pop(field) for field in _DOCUMENT_FIELDS}
    return MarkRow(**values, document=document if document["reference"] is not None else None)


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
