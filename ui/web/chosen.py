"""The marks that a person chose: liked and disliked ones, and whether the liked ones are one's."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from retrieval.accepting import accept_found
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.identities import names_of
from retrieval.catalogue.marks import MarkRow, mark_rows
from retrieval.search import Searcher
from ui.web.cards import mark_picture
from ui.web.markup import one_of_many, section
from ui.web.notices import kept_problem, show_problem
from ui.web.state import next_from_top, show, view
from ui.web.statement import Asked, ask_statement, kept, offered_name, statement
from ui.web.view import MOST_MARKS, View
from ui.web.wording import as_markdown, named_already

#: What is said after the marks were called one merchant's and of which group, and what went wrong.
_SAID, _PROBLEM = "chosen", "chosen refused"


def show_chosen(searcher: Searcher, now: View) -> None:
    """Show what is liked and disliked, each to be taken back, and what to say of the liked ones."""
    liked = now.liked if now.way == "marks" else ()
    with searcher.archive.session() as session:
        rows = mark_rows(session, [*liked, *now.disliked])
        names = names_of(session, liked)
    if liked:
        _marks(searcher.archive, "Like these", liked, rows)
    there = tuple(mark for mark in liked if mark in rows and rows[mark].status != "rejected")
    if len(there) > 1:
        _ask_whether_one(searcher, there, names)
    if now.disliked:
        _marks(searcher.archive, "Not like these", now.disliked, rows)


def _marks(archive: Archive, title: str, marks: tuple[int, ...], rows: dict[int, MarkRow]) -> None:
    line = (
        f"{MOST_MARKS} is the most a search can take: adding another removes the first."
        if len(marks) == MOST_MARKS
        else ""
    )
    st.html(section(title, line))
    with st.container(horizontal=True, gap="small"):
        for mark in marks:
            with st.container(key=f"card-chosen-{mark}", width=96, gap="xxsmall"):
                row = rows.get(mark)
                if row is not None:
                    mark_picture(archive, row.crop, f"mark {mark}", 96)
                if row is None or row.status == "rejected":
                    what = (
                        f"Mark {mark} is not in this archive, or not any more"
                        if row is None
                        else "Rejected since"
                    )
                    st.caption(f"{what}: the search ignores it. Remove it.")
                st.button(
                    one_of_many("Remove", f"mark {mark}"),
                    key=f"remove-{mark}",
                    type="tertiary",
                    on_click=lambda mark=mark: show(view().forget(mark)),
                )


def _ask_whether_one(
    searcher: Searcher, marks: tuple[int, ...], names: dict[int, list[str]]
) -> None:
    """Offer to say that the marks are one merchant's."""
    if said := st.session_state.pop(_SAID, None):
        sentence, group = said
        st.success(as_markdown(sentence))
        st.button(
            "Look at it again",
            key="again",
            type="tertiary",
            on_click=lambda: next_from_top(group=group),
        )
    already = Counter(name for mark in marks for name in names.get(mark, ()))
    with st.expander("Are these one merchant’s mark?"):
        st.caption("Your judgement is saved with your name and the date.")
        for name, count in already.items():
            st.caption(as_markdown(named_already(count, len(marks), name)))
        offered = offered_name(marks, list(already))
        # What is said of some marks is not said of others: these have fields of their own.
        about = "chosen-" + "-".join(map(str, sorted(marks)))
        asked = ask_statement(searcher.archive, about, marks, offered)
        st.button(
            "These are one merchant’s",
            key="one merchant",
            type="primary",
            on_click=_accept,
            args=(searcher, marks, asked),
        )
        show_problem(_PROBLEM)


def _accept(searcher: Searcher, marks: tuple[int, ...], asked: Asked) -> None:
    said = statement(asked)
    with kept_problem(_PROBLEM):
        group = accept_found(searcher, marks, said)
        st.session_state[_SAID] = kept(len(marks), said), group
