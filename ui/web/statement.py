"""What a person says of several marks: what to call them, how sure they are, and who they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import streamlit as st

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.entered_names import LONGEST_NAME, as_kept
from retrieval.catalogue.identities import IdentityRow, identity_called, names_of
from retrieval.catalogue.judgements import Certainty, Statement
from ui.web.person import ask_name
from ui.web.state import show_from_top, view
from ui.web.wording import as_markdown, isolated
from ui.wording import counted


@dataclass(frozen=True)
class Asked:
    """The fields of a statement as they are shown: the keys of their widgets."""

    name: str
    certainty: str
    known: IdentityRow | None  # has the name already, and none of the marks
    same: str


def ask_statement(archive: Archive, about: str, marks: Sequence[int], offered: str) -> Asked:
    """Ask for a statement `about` some marks, `offered` their name.

    Where another identity has the name that is given, it is asked whether they are its own.
    """
    named = f"name-{about}-{offered}"  # another box when another name is offered
    certainty = f"certainty-{about}"
    with st.container(horizontal=True, vertical_alignment="bottom", key="judgement"):
        ask_name()
        name = st.text_input(
            "What to call the mark",
            value=offered,
            key=named,
            persist_state="session",
            max_chars=LONGEST_NAME,
            help="If one of these marks already has this name, the others join it.",
        )
        st.selectbox(
            "How sure are you?",
            get_args(Certainty),
            index=1,
            key=certainty,
            persist_state="session",
        )
    with archive.session() as session:
        known = identity_called(session, name)
        names = names_of(session, marks)
    if known is None or any(known.name in some for some in names.values()):
        return Asked(named, certainty, None, "")
    same = f"same-as-{about}-{known.identity}"
    called, several = as_markdown(isolated(known.name)), counted(known.marks, "mark")
    st.checkbox(
        f"“{called}” already exists, with {several}: these marks are the same merchant’s",
        key=same,
        persist_state="session",
    )
    st.button(
        f"Look at “{called}”",
        key=f"identity-{known.identity}",
        type="tertiary",
        on_click=lambda: show_from_top(view().at_identity(known.identity)),
    )
    return Asked(named, certainty, known, same)


def statement(asked: Asked) -> Statement:
    """Return what was said; for callbacks, as what was typed last arrives with the click."""
    state = st.session_state
    name, joins = as_kept(state[asked.name]), None
    if asked.known is not None and asked.known.name == name and state[asked.same]:
        joins = asked.known.identity
    return Statement(name, state[asked.certainty], state["person"], joins)


def offered_name(marks: tuple[int, ...], names: list[str]) -> str:
    """Return the name to offer for marks that have `names` already."""
    return names[0] if names else f"as mark {marks[0]}"


def kept(marks: int, said: Statement) -> str:
    """Say that what was said of so many marks is written down."""
    return (
        f"Saved: {counted(marks, 'mark')} identified as “{isolated(said.name)}”, {said.certainty}."
    )
