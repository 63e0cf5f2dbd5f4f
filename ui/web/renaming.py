"""The name of an identity, where a person gives it another."""

from __future__ import annotations

import streamlit as st

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import PrizemarksError
from retrieval.catalogue.identities import Said, rename_identity
from retrieval.catalogue.names import LONGEST_NAME
from ui.web.wording import as_markdown, isolated

#: Which identity was just renamed, and what went wrong with the last new name and of which.
_SAID, _PROBLEM = "renamed", "name refused"


def offer_renaming(archive: Archive, said: Said) -> None:
    """Offer to call an identity otherwise."""
    named = f"rename-{said.identity}-{said.name}"  # another box when it has another name
    called = as_markdown(f"“{isolated(said.name)}”")
    if st.session_state.get(_SAID) == said.identity:
        del st.session_state[_SAID]
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
            "Save the new name",
            key=f"rename-{said.identity}",
            on_click=_rename,
            args=(archive, said, named),
        )
        problem, identity = st.session_state.get(_PROBLEM, ("", 0))
        if identity == said.identity:
            del st.session_state[_PROBLEM]
            st.error(as_markdown(problem))


def _rename(archive: Archive, said: Said, named: str) -> None:
    try:
        with archive.writing() as session:
            rename_identity(session, said, st.session_state[named])
    except PrizemarksError as error:
        st.session_state[_PROBLEM] = str(error), said.identity
        return
    st.session_state[_SAID] = said.identity
