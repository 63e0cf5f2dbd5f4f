"""What has been established: the identities that people have named, and the marks of each."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.canvases import canvas_rows
from retrieval.catalogue.identities import identities_called, identity_row, members
from retrieval.catalogue.marks import mark_rows
from ui.web.cards import mark_card, more_like_this, open_page
from ui.web.markup import section
from ui.web.state import change, next_from_top, show_from_top, view
from ui.web.view import MOST_MARKS, SHOWN
from ui.web.wording import as_markdown, back_to, isolated, said_on
from ui.wording import counted

#: Identities that are listed at once: of more, nobody reads the list, and a name is typed.
MOST_LISTED = 100


def offer_identities(identities: int) -> None:
    """Show the way to what has been established, in the side of the page, if there is any."""
    if not identities:
        return
    st.html(section("Identities"))
    st.button(
        f"See {counted(identities, 'identity', 'identities')}",
        key="identities",
        help="Marks that people identified as one merchant’s.",
        on_click=lambda: next_from_top(identity=0),
    )


def show_identities(archive: Archive) -> None:
    """Show the list of all identities, each with the way to its marks."""
    st.button("Back to the search", key="search", on_click=lambda: change(identity=None))
    st.html(section("Identities", "Marks that people identified as one merchant’s."))
    text = st.text_input("Find a name", key="identity text", persist_state="session")
    with archive.session() as session:
        rows, fitting = identities_called(session, text, MOST_LISTED)
    if fitting > len(rows):
        st.caption(
            f"{fitting:,} match; the first {MOST_LISTED} are listed. Type more to narrow the list."
        )
    elif not rows:
        st.caption("No identity name contains these words.")
    with st.container(gap="xsmall", key="links-identities"):
        for row in rows:
            st.button(
                as_markdown(f"{isolated(row.name)} · {counted(row.marks, 'mark')}"),
                key=f"identity-{row.identity}",
                type="tertiary",
                on_click=lambda identity=row.identity: show_from_top(view().at_identity(identity)),
            )


def show_identity(archive: Archive, identity: int) -> None:
    """Show the marks of one identity, and who said so of each."""
    now = view()
    with st.container(horizontal=True, key="steps"):
        st.button(
            back_to(replace(now, identity=None), "search"),
            key="search",
            on_click=lambda: change(identity=None),
        )
        st.button("All identities", key="all", on_click=lambda: next_from_top(identity=0))
    with archive.session() as session:
        found = identity_row(session, identity)
        those = members(session, identity)
        rows = mark_rows(session, [one.mark for one in those[: now.members]])
        canvases = canvas_rows(session, [row.page for row in rows.values()])
    if found is None:
        st.warning(f"Identity {identity} does not exist, or was taken back.")
        return
    st.html(section(f"“{isolated(found.name)}”", f"{counted(found.marks, 'mark')}."))
    few = len(those) <= MOST_MARKS
    st.button(
        "More like these" if few else f"More like the first {MOST_MARKS} of these {len(those):,}",
        key="more-all",
        type="primary",
        disabled=not those,
        on_click=lambda: show_from_top(view().more_like_all(tuple(one.mark for one in those))),
    )
    with st.container(horizontal=True, gap="small", key="results"):
        for one in those[: now.members]:
            row = rows[one.mark]
            said = f"{one.certainty}, as {said_on(one.said_by, one.said_at)}"
            with (
                mark_card(archive, row, canvases.get(row.page), already=said),
                st.container(horizontal=True, gap="small", key=f"links-{one.mark}"),
            ):
                open_page(one.mark)
                more_like_this(one.mark)
    if len(those) > now.members:
        st.button("Show more", key="more", on_click=lambda: change(members=now.members + SHOWN))
