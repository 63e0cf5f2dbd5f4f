"""A place on its page without a mark: a person may say that it is one."""

from __future__ import annotations

import streamlit as st

from ingest.confirming import confirm_place
from retrieval.boxes import SAME_REGION, overlap
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import QueryError, SourceError
from retrieval.catalogue.marks import MarkRow, page_marks
from ui.pictures import beyond_page
from ui.web.loading import most_pixels, place_tile
from ui.web.markup import section
from ui.web.notices import kept_problem, show_problem
from ui.web.onpage import box_row, on_page, page_rows, show_heading, show_known, show_outlined
from ui.web.person import ask_name
from ui.web.previews import in_page
from ui.web.state import back, next_from_top, show_from_top, view
from ui.web.view import Spot
from ui.web.wording import STATUS, as_markdown, mark_in_words

#: What went wrong when a place was called a mark.
_PROBLEM = "place refused"


def show_place(archive: Archive, place: Spot) -> None:
    """Show the page of a place, outlined, with the means to call it a mark.

    Where a mark lies there by now, it says so: the address may be an old one.
    """
    number, box = place
    st.button("Back to the results", on_click=lambda: back(place=None), key="back")
    with archive.session() as session:
        spot = on_page(session, place)
        marks = [row for row in page_marks(session, number) if row.status != "rejected"]
    if spot is None:
        st.warning(f"This archive has no page {number}.")
        return
    if problem := beyond_page("place", box, number, (spot.page.width, spot.page.height)):
        st.warning(problem)
        return
    show_heading(spot)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        try:
            show_outlined(
                archive,
                spot,
                [mark.box for mark in marks],
                offer="Frame the marks on this page",
                called=f"page {number} with a place outlined",
            )
        except (QueryError, SourceError) as error:
            st.warning(as_markdown(str(error)))
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
        known = [mark for mark in marks if overlap(mark.box, box) >= SAME_REGION]
        if known:
            _show_mark(known[0])
            what = mark_in_words(known[0].mark, known[0].status, archive.folder.name)
        else:
            _ask_whether_mark(archive, place)
            what = f"a place not among the marks of the archive {archive.folder.name}"
        show_known(spot, [*page_rows(spot), box_row(spot)], what)


def _show_mark(mark: MarkRow) -> None:
    """Say which mark a place is, with the way to it."""
    st.info(f"This is mark {mark.mark}, {STATUS[mark.status]}.")
    st.button(
        "Open the mark",
        key=f"open-{mark.mark}",
        on_click=lambda: next_from_top(place=None, opened=mark.mark),
    )


def _ask_whether_mark(archive: Archive, place: Spot) -> None:
    st.html(
        section(
            "Is this a mark?",
            "The program did not propose it. Your judgement is saved with your name.",
        )
    )
    ask_name()
    st.button("It is a mark", key="confirm", on_click=_confirm, args=(archive, place))
    show_problem(_PROBLEM)


def _confirm(archive: Archive, place: Spot) -> None:
    number, box = place
    person = st.session_state["person"]  # typed last, it came with the click
    with kept_problem(_PROBLEM):
        mark = confirm_place(archive, number, box, person, max_pixels=most_pixels(archive))
        next_from_top(place=None, opened=mark)
