"""What is said of an identity, where a person gives it another name or takes a mark out of it."""

from __future__ import annotations

import streamlit as st

from ingest.taken_back import take_out_mark
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.entered_names import LONGEST_NAME
from retrieval.catalogue.identities import Said, rename_identity
from ui.web.notices import kept_problem, show_problem
from ui.web.person import ask_name
from ui.web.wording import as_markdown, isolated, said_on

#: What is said after the mark was taken out, and what went wrong.
_LEFT, _STAYS = "mark left", "mark stays"
#: Which identity was just renamed, and what went wrong with the last new name, of each identity.
_RENAMED, _REFUSED = "renamed", "name refused"


def offer_leaving(archive: Archive, mark: int, said: list[Said]) -> None:
    """Offer to take a mark out of the identities that it is said to belong to."""
    if done := st.session_state.pop(_LEFT, ""):
        st.success(as_markdown(done))
    if said:
        with st.expander("Is this mark not one of these?"):
            st.caption(
                "The other marks keep this identity, and this mark stays confirmed. Who said "
                "what, and who took it back, stays on record."
            )
            ask_name()
            for one in said:
                st.button(
                    as_markdown(f"Take it out of “{isolated(one.name)}”"),
                    key=f"leave-{one.identity}",
                    on_click=_leave,
                    args=(archive, mark, one),
                )
    show_problem(_STAYS)


def _leave(archive: Archive, mark: int, seen: Said) -> None:
    with kept_problem(_STAYS):
        take_out_mark(archive, mark, seen, st.session_state["person"])
        st.session_state[_LEFT] = (
            f"Taken out of “{isolated(seen.name)}”, which {said_on(seen.said_by, seen.said_at)} "
            "that it is."
        )


def offer_renaming(archive: Archive, said: Said) -> None:
    """Offer to call an identity otherwise."""
    named = f"rename-{said.identity}-{said.name}"  # another box when it has another name
    called = as_markdown(f"“{isolated(said.name)}”")
    if st.session_state.get(_RENAMED) == said.identity:
        del st.session_state[_RENAMED]
        st.success(f"Renamed to {called}.")
    with st.expander(f"Rename {called}"):
        st.text_input(
            f"New name of {called}",
            value=said.name,
            key=named,
            max_chars=LONGEST_NAME,
            help="Renames it for all its marks; who identified them stays on record.",
        )
        st.button(
            f"Save the new name of {called}",
            key=f"rename-{said.identity}",
            on_click=_rename,
            args=(archive, said, named),
        )
        show_problem(_refused(said))


def _rename(archive: Archive, said: Said, named: str) -> None:
    with kept_problem(_refused(said)):
        with archive.writing() as session:
            rename_identity(session, said, st.session_state[named])
        st.session_state[_RENAMED] = said.identity


def _refused(said: Said) -> str:
    return f"{_REFUSED} {said.identity}"
