"""Who speaks: the name that is kept with what a person says, asked for once a session."""

from __future__ import annotations

import streamlit as st

from retrieval.catalogue.identities import LONGEST_NAME

#: Letters of a name that is kept as a mark's origin, beside other words.
LONGEST_AS_ORIGIN = 100


def ask_name(longest: int = LONGEST_NAME) -> None:
    """Ask for the person's name; callbacks find it in the session's state as "person"."""
    st.text_input("Your name", key="person", max_chars=longest, persist_state="session")
