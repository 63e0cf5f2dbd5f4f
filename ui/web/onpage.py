"""A box on its page, a mark's or another's: the page around it, what is known, how to cite it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from retrieval.boxes import Box
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.canvases import CanvasRow, canvas_address, canvas_rows
from retrieval.catalogue.pages import PageRow, place_pages
from retrieval.catalogue.pages import page as catalogued_page
from retrieval.catalogue.source_names import image_called
from ui.web.loading import page_preview
from ui.web.markup import section, table
from ui.web.previews import in_page, outlined
from ui.web.view import Spot
from ui.web.wording import canvas_lines, citation, cited, isolated, metadata_rows, ship_and_date


@dataclass(frozen=True)
class OnPage:
    """A box in pixels of its page's master, and what the catalogue says of that page."""

    box: Box
    page: PageRow
    document: Mapping[str, Any] | None
    canvas: CanvasRow | None
    address: str | None  # of the canvas

    @property
    def cited(self) -> str:
        """What the page is `cited` as."""
        return cited(self.document, self.page.source, self.canvas)


def on_page(session: Session, spot: Spot) -> OnPage | None:
    """Return what is known of a box's page; None where there is no such page."""
    number, box = spot
    page, known = catalogued_page(session, number), place_pages(session, [number]).get(number)
    if page is None or known is None:
        return None
    canvas = canvas_rows(session, [number]).get(number)
    return OnPage(box, page, known.document, canvas, canvas_address(session, number))


def show_heading(spot: OnPage) -> None:
    """Say what the page is, and of which ship and day."""
    st.html(section(spot.cited, ship_and_date(spot.document)))


def show_outlined(
    archive: Archive, spot: OnPage, others: Sequence[Box], *, offer: str, called: str
) -> None:
    """Show the page with the box outlined, and the `others` framed if a person ticks that.

    `offer` is what the tick is called, `called` what the picture is to who does not see it. Errors
    as `page_preview` raises them.
    """
    framed = others and st.toggle(offer, value=True, key="others")
    picture = outlined(page_preview(archive, spot.page), [spot.box], others if framed else [])
    st.image(in_page(picture), width="stretch", alt=called)


def page_rows(spot: OnPage) -> list[tuple[str, str]]:
    """Return (label, value) rows of what is known of the page."""
    file = image_called(isolated(spot.page.source), spot.page.frame)
    rows = metadata_rows(spot.document or {}) + canvas_lines(spot.canvas, spot.document)
    return [*rows, ("File", file)]


def box_row(spot: OnPage) -> tuple[str, str]:
    """Return the (label, value) row of the box."""
    (x, y, width, height), page = spot.box, spot.page
    return "Box", f"{x}, {y}, {width} × {height} pixels of {page.width} × {page.height}"


def show_known(spot: OnPage, rows: Sequence[tuple[str, str]], what: str) -> None:
    """Show the rows of what is known, and a text to cite the box by, to be copied.

    `what` says what is there and in which archive.
    """
    st.html(section("What is known"))
    st.html(table(rows, [("Canvas", spot.address)] if spot.address else []))
    page = spot.page
    size = page.width, page.height
    st.html(section("To cite it"))
    st.code(
        citation(spot.cited, page.source, page.frame, spot.box, size, what),
        language=None,
        wrap_lines=True,
    )
