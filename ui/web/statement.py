"""What a person says of several marks: what to call them, how sure they are, and who they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import streamlit as st

from retrieval.catalogue.groups import Certainty
from ui.wording import counted


@dataclass(frozen=True)
class Statement:
    """What a person says of the marks that they call one merchant's."""

    name: str
    certainty: Certainty
    said_by: str


def ask_statement(about: str, offered: str) -> str:
    """Ask for a statement `about` some marks, `offered` their name; return the key of the name."""
    named = f"name-{about}-{offered}"  # another box when another name is offered
    with st.container(horizontal=True, vertical_alignment="bottom", key="judgement"):
        st.text_input("Your name", key="person", max_chars=255, persist_state="session")
        st.text_input(
            "What to call the mark",
            value=offered,
            key=named,
            persist_state="session",
            max_chars=255,
            help="A name that one of these marks has already adds the others to it.",
        )
        st.selectbox(
            "How sure are you?",
            get_args(Certainty),
            index=1,
            key=f"certainty-{about}",
            persist_state="session",
        )
    return named


def statement(about: str, named: str) -> Statement:
    """Return what was said; for callbacks, as what was typed last arrives with the click."""
    state = st.session_state
    return Statement(state[named], state[f"certainty-{about}"], state["person"])


def offered_name(marks: tuple[int, ...], names: list[str]) -> str:
    """Return what to call marks that have `names` already: one of them may be gone on with."""
    return names[0] if names else f"as mark {marks[0]}"


def kept(marks: int, said: Statement) -> str:
    """Say that what was said of so many marks is written down."""
    return f"Kept: {counted(marks, 'mark')} are “{said.name}”, {said.certainty}."
