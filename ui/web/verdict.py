"""Is this a mark? A person confirms or rejects a mark, or takes that back."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from ingest.confirming import judge_mark, sayer, take_back_mark
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.marks import MarkRow
from ui.web.loading import may_be_found_again
from ui.web.markup import section
from ui.web.notices import kept_problem, show_problem
from ui.web.person import ask_name
from ui.web.wording import as_markdown, isolated

#: What is said after a word was taken back, and what went wrong when something was said.
_SAID, _PROBLEM = "mark judged", "mark refused"


def ask_whether_mark(archive: Archive, row: MarkRow) -> None:
    """Offer to confirm or reject a mark, and to take that back."""
    person = isolated(sayer(row.origin))
    line = {
        "proposed": "The program proposed it. Your judgement is saved with your name.",
        "confirmed": f"{person} said that it is a mark.",
        "rejected": f"{person} said that it is not a mark.",
    }[row.status]
    st.html(section("Is this a mark?", line))
    ask_name()
    with st.container(horizontal=True, key="verdict"):
        if row.status != "confirmed":
            st.button(
                "It is a mark",
                key="confirm",
                on_click=_judge,
                args=(archive, row, "confirmed"),
            )
        if row.status != "rejected":
            st.button(
                "Not a mark",
                key="reject",
                help="It stays in the catalogue but no longer appears in searches.",
                on_click=_judge,
                args=(archive, row, "rejected"),
            )
        if row.status != "proposed" and row.proposed_by is not None:
            st.button(
                "Take it back",
                key="take back",
                help="Makes it a proposal again. Who said what, and who took it back, stays on "
                "record.",
                on_click=_take_back,
                args=(archive, row),
            )
    if said := st.session_state.pop(_SAID, ""):
        st.success(as_markdown(said))
    show_problem(_PROBLEM)


def _judge(archive: Archive, row: MarkRow, status: Literal["confirmed", "rejected"]) -> None:
    with kept_problem(_PROBLEM):
        judge_mark(archive, row, status, st.session_state["person"])
        may_be_found_again(archive, [row.mark])


def _take_back(archive: Archive, row: MarkRow) -> None:
    with kept_problem(_PROBLEM):
        take_back_mark(archive, row, st.session_state["person"])
        may_be_found_again(archive, [row.mark])
        word = "a mark" if row.status == "confirmed" else "not a mark"
        st.session_state[_SAID] = (
            f"Taken back: {isolated(sayer(row.origin))} had said that it is {word}."
        )
