"""A mark as the page shows it: its picture, what is known of it, and the ways on from it."""

from __future__ import annotations

from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.canvases import CanvasRow
from retrieval.catalogue.marks import MarkRow
from retrieval.search import Hit
from ui.web.loading import mark_tile
from ui.web.markup import card, one_of_many
from ui.web.previews import in_page
from ui.web.state import more_like, next_from_top
from ui.web.wording import cited, credit, ship_and_date

CARD = 204  # pixels of a card's width


def mark_picture(
    archive: Archive, crop: str, called: str, width: int | Literal["stretch"] = "stretch"
) -> None:
    """Show a mark's crop with the alternative text `called`, or say that it is missing."""
    picture = mark_tile(archive, crop)
    if picture is None:
        st.caption("The picture of this mark is missing from the archive's folder.")
    else:
        st.image(in_page(picture), width=width, alt=called)


def mark_card(
    archive: Archive,
    mark: Hit | MarkRow,
    canvas: CanvasRow | None,
    *,
    alike: str = "",
    notable: bool = False,
    way: str = "",
    already: str = "",
) -> DeltaGenerator:
    """Show a mark on a card of its own, and return this for its buttons.

    `alike`, `notable`, `way` and `already` are lines of it, as `markup.card` takes them.
    """
    where = cited(mark.document, mark.source, canvas)
    shown = st.container(key=f"card-{mark.mark}", border=True, width=CARD, gap="xsmall")
    with shown:
        mark_picture(archive, mark.crop, f"mark {mark.mark}, {where}")
        lines = {"way": way, "already": already, "credit": credit(canvas)}
        st.html(card(alike, notable, where, ship_and_date(mark.document), **lines))
    return shown


def open_page(mark: int) -> None:
    """Offer to see a mark on its page."""
    st.button(
        one_of_many("Open page", f"of mark {mark}"),
        key=f"open-{mark}",
        type="tertiary",
        on_click=lambda: next_from_top(opened=mark),
    )


def more_like_this(mark: int) -> None:
    """Offer to look for more like a mark."""
    st.button(
        one_of_many("More like this", f"mark {mark}"),
        key=f"more-{mark}",
        type="tertiary",
        on_click=more_like,
        args=(mark,),
    )
