"""Which pages show the same as another: byte for byte, or to the eye."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.references import sort_key
from retrieval.catalogue.tables import Page, Resemblance


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
        for some in in_parts(named)
        for row in session.execute(statement.where(Page.id.in_(some)))
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
