"""A place on its page that is no mark yet: a person may say that it is one."""

from __future__ import annotations

import streamlit as st

from ingest.confirming import confirm_place
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.canvases import canvas_address, canvas_rows
from retrieval.catalogue.errors import PrizemarksError, SourceError
from retrieval.catalogue.marks import page_marks
from retrieval.catalogue.naming import image_called
from retrieval.catalogue.pages import page as catalogued_page
from retrieval.catalogue.pages import place_pages
from ui.pictures import beyond_page
from ui.web.citing import show_citation
from ui.web.loading import most_pixels, page_preview, place_tile
from ui.web.markup import section, table
from ui.web.person import ask_name
from ui.web.previews import in_page, outlined
from ui.web.state import back, next_from_top, show_from_top, view
from ui.web.view import Spot
from ui.web.wording import (
    as_markdown,
    canvas_lines,
    citation,
    cited,
    isolated,
    metadata_rows,
    ship_and_date,
)

#: What went wrong when a place was called a mark.
_PROBLEM = "place refused"


def show_place(archive: Archive, place: Spot) -> None:
    """Show the page of a place, outlined, with the means to call it a mark."""
    number, box = place
    st.button("Back to the results", on_click=lambda: back(place=None), key="back")
    with archive.session() as session:
        page = catalogued_page(session, number)
        known = place_pages(session, [number]).get(number)
        canvas = canvas_rows(session, [number]).get(number)
        address = canvas_address(session, number)
        marks = [row.box for row in page_marks(session, number) if row.status != "rejected"]
    if page is None or known is None:
        st.warning(f"This archive has no page {number}.")
        return
    if problem := beyond_page("place", box, number, (page.width, page.height)):
        st.warning(problem)
        return
    st.html(section(cited(known.document, known.source, canvas), ship_and_date(known.document)))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        framed = marks and st.toggle("Frame the marks on this page", value=True, key="others")
        try:
            shown = page_preview(archive, page)
        except SourceError as error:
            st.warning(as_markdown(str(error)))
        else:
            st.image(
                in_page(outlined(shown, [box], marks if framed else [])),
                width="stretch",
                alt=f"page {number} with a place outlined",
            )
    with right:
        picture = place_tile(archive, place)
        if picture is not None:
            st.image(in_page(picture), width=240, alt="the place")
        st.button(
            "More like this",
            key="more-place",
            type="primary",
            on_click=lambda: show_from_top(view().more_like_place(place)),
        )
        st.html(
            section(
                "Is this a mark?",
                "The program did not take it for one. What you say is kept with your name.",
            )
        )
        ask_name()
        st.button("It is a mark", key="confirm", on_click=_confirm, args=(archive, place))
        if problem := st.session_state.pop(_PROBLEM, ""):
            st.error(as_markdown(problem))
        rows = metadata_rows(known.document or {}) + canvas_lines(canvas, known.document)
        rows.append(("File", image_called(isolated(page.source), page.frame)))
        x, y, width, height = box
        rows.append(("Box", f"{x}, {y}, {width} × {height} pixels of {page.width} × {page.height}"))
        st.html(section("What is known"))
        st.html(table(rows, [("Canvas", address)] if address else []))
        show_citation(
            citation(
                cited(known.document, known.source, canvas),
                page.source,
                page.frame,
                box,
                (page.width, page.height),
                f"a place not among the marks of the archive {archive.folder.name}",
            )
        )


def _confirm(archive: Archive, place: Spot) -> None:
    number, box = place
    person = st.session_state["person"]  # typed last, it came with the click
    try:
        mark = confirm_place(archive, number, box, person, max_pixels=most_pixels(archive))
    except PrizemarksError as error:
        st.session_state[_PROBLEM] = str(error)
        return
    next_from_top(place=None, opened=mark)
