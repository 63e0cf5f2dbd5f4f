"""What is asked of the documents: what they can be narrowed by, in which order they come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from retrieval.catalogue.references import sort_key
from retrieval.catalogue.tables import Document, Page

#: What is said of a document where a mark or a page of it is asked for.
_FIELDS = (
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


@dataclass(frozen=True)
class Filters:
    """What a historian narrows a search to; None lets everything through.

    A document dated over a span of years fits when its span meets the filter's; one without any
    year fits only when no year is asked for.
    """

    year_from: int | None = None
    year_to: int | None = None
    series: str | None = None  # "HCA 32"
    ship: str | None = None


@dataclass(frozen=True)
class Facets:
    """What the documents can be narrowed by: their series and ships in order, their years."""

    series: tuple[str, ...]
    ships: tuple[str, ...]
    year_from: int | None
    year_to: int | None


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


def document_conditions(where: Filters) -> list[ColumnElement[bool]]:
    """Return what the filters ask of a document, one condition each; none for what is None."""
    conditions: list[ColumnElement[bool]] = []
    if where.year_from is not None or where.year_to is not None:
        conditions.append(or_(Document.year_from.is_not(None), Document.year_to.is_not(None)))
    # A span with one side open (before 1700) reaches as far as anyone asks.
    if where.year_from is not None:
        conditions.append(or_(Document.year_to >= where.year_from, Document.year_to.is_(None)))
    if where.year_to is not None:
        conditions.append(or_(Document.year_from <= where.year_to, Document.year_from.is_(None)))
    if where.series is not None:
        conditions.append(Document.series == where.series)
    if where.ship is not None:
        conditions.append(Document.ship == where.ship)
    return conditions


def in_order_of_reference() -> list[SQLColumnExpression[Any]]:
    """Return what sorts documents as people count: HCA 32/9, HCA 32/10; what has none is last."""
    return [Document.sort_key.is_(None), Document.sort_key, Document.id]


def references_without_page(session: Session) -> list[str]:
    """Return the references of the documents that no page belongs to, in their order."""
    statement = select(Document.reference).where(~exists().where(Page.document_id == Document.id))
    return list(session.scalars(statement.order_by(*in_order_of_reference())))


def document_columns() -> list[InstrumentedAttribute[Any]]:
    """Return the columns that say of a mark or a page whose document it is of."""
    return [getattr(Document, field) for field in _FIELDS]


def take_document(values: dict[str, Any]) -> dict[str, Any] | None:
    """Take the values of `document_columns` out of a row's; None where it is of no document."""
    document = {field: values.pop(field) for field in _FIELDS}
    return document if document["reference"] is not None else None
