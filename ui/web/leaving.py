"""A mark that is said to be one of an identity's, where a person says that it is not."""

from __future__ import annotations

import streamlit as st

from ingest.taken_back import take_out_mark
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import PrizemarksError
from retrieval.catalogue.identities import Said
from ui.web.person import ask_name
from ui.web.wording import as_markdown, isolated, said_on

#: What is said after the mark was taken out, and what went wrong.
_SAID, _PROBLEM = "mark left", "mark stays"


def offer_leaving(archive: Archive, mark: int, said: list[Said]) -> None:
    """Offer to take a mark out of the identities that it is said to belong to."""
    if done := st.session_state.pop(_SAID, ""):
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
    if problem := st.session_state.pop(_PROBLEM, ""):
        st.error(as_markdown(problem))


def _leave(archive: Archive, mark: int, seen: Said) -> None:
    try:
        take_out_mark(archive, mark, seen, st.session_state["person"])
    except PrizemarksError as error:
        st.session_state[_PROBLEM] = str(error)
        return
    st.session_state[_SAID] = (
        f"Taken out of “{isolated(seen.name)}”, which {said_on(seen.said_by, seen.said_at)} that "
        "it is."
    )
