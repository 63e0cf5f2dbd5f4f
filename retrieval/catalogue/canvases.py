"""What IIIF canvases say of the pages fetched from them: labels, and whose images they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.tables import Page


@dataclass(frozen=True)
class CanvasRow:
    """What the canvas that a page was fetched from says of it; None is what it does not say."""

    label: str | None  # as a folio is called: "f. 12r"
    attribution: str | None
    rights: str | None


def canvas_rows(session: Session, pages: Sequence[int]) -> dict[int, CanvasRow]:
    """Return what is said of the named pages, by id; a page of which nothing is has no entry."""
    found: dict[int, CanvasRow] = {}
    for some in in_parts(pages):
        statement = select(Page.id, Page.details).where(
            Page.id.in_(some), Page.details.is_not(None)
        )
        for page, details in session.execute(statement):
            if said := canvas_row(details or {}):
                found[page] = said
    return found


def canvas_address(session: Session, page: int) -> str | None:
    """Return the address of the canvas that a page was fetched from, of http or https alone."""
    details = session.scalar(select(Page.details).where(Page.id == page))
    return kept_address(details or {}, "canvas")


def kept_address(details: Mapping[str, Any], name: str) -> str | None:
    """Return what a page's details say as `name`, if it is an address of http or https."""
    said = details.get(name)
    is_address = isinstance(said, str) and said.startswith(("http://", "https://"))
    return said if is_address else None


def canvas_row(details: Mapping[str, Any]) -> CanvasRow | None:
    """Return what a page's details say of its canvas; None where that is nothing."""
    said = [details.get(name) for name in ("label", "attribution", "rights")]
    texts = [text if isinstance(text, str) and text.strip() else None for text in said]
    return CanvasRow(*texts) if any(texts) else None
