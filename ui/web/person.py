"""Who speaks: the name that is kept with what a person says, asked for once a session."""

from __future__ import annotations

import streamlit as st

from retrieval.catalogue.entered_names import LONGEST_PERSON


def ask_name() -> None:
    """Ask for the person's name; callbacks find it in the session's state as "person"."""
    st.text_input("Your name", key="person", max_chars=LONGEST_PERSON, persist_state="session")
