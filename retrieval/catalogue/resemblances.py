"""Which pages show the same as another: byte for byte, or to the eye."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, aliased

from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.references import sort_key
from retrieval.catalogue.source_names import image_called
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

    @property
    def called(self) -> str:
        """What people call the page."""
        return image_called(self.source, self.frame)

    @property
    def like_called(self) -> str:
        """What people call the other."""
        return image_called(self.like_source, self.like_frame)


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
    """Return what the pages are called that are this one byte for byte, and those that look so.

    The page itself is left out; each list is in natural order.
    """
    original = session.scalar(select(Page.duplicate_of).where(Page.id == page)) or page
    copies = and_(or_(Page.id == original, Page.duplicate_of == original), Page.id != page)
    alike = or_(
        Page.id.in_(select(Resemblance.like_id).where(Resemblance.page_id == original)),
        Page.id.in_(select(Resemblance.page_id).where(Resemblance.like_id == original)),
    )
    return _called(session, copies), _called(session, alike)


def _called(session: Session, condition: ColumnElement[bool]) -> list[str]:
    rows = session.execute(select(Page.source, Page.frame).where(condition))
    in_order = sorted(rows, key=lambda row: (sort_key(row.source), row.frame))
    return [image_called(source, frame) for source, frame in in_order]
