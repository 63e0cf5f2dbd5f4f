"""Proposed groups, one at a time: a person says whether the marks are one merchant's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from ingest.taken_back import take_back_group
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.canvases import CanvasRow, canvas_rows
from retrieval.catalogue.groups import (
    GroupRow,
    group_before,
    group_row,
    next_group,
)
from retrieval.catalogue.judgements import accept_group, refuse_group
from retrieval.catalogue.marks import MarkRow, mark_rows
from retrieval.search import Searcher
from ui.web.cards import mark_card, open_page
from ui.web.markup import section
from ui.web.notices import kept_problem, show_problem
from ui.web.person import ask_name
from ui.web.state import change, next_from_top, view
from ui.web.statement import Asked, ask_statement, kept, offered_name, statement
from ui.web.wording import as_markdown, back_to, isolated, likeness, said_on
from ui.wording import alike_on_average, counted

#: Marks of a group that are shown, and that a judgement is about: nobody compares more at once.
MOST_COMPARED = 60

#: What is said after the last judgement and of which group, and what went wrong with it.
_SAID, _PROBLEM = "judgement", "judgement refused"
#: What went wrong when one was taken back.
_NOT_TAKEN_BACK = "judgement stays"


def offer_groups(groups: int) -> None:
    """Show the way to the proposed groups, in the side of the page."""
    st.html(section("Proposed groups"))
    if not groups:
        st.caption(
            "None to review. `prizemarks group ARCHIVE` proposes marks that may be the same."
        )
        return
    st.button(
        f"Review {counted(groups, 'group')}",
        key="groups",
        on_click=lambda: next_from_top(group=0),
    )


def show_group(searcher: Searcher, groups: int) -> None:
    """Show the view's group, or the first that nobody has judged, with the means to judge it."""
    archive, wanted = searcher.archive, view().group
    st.button(
        back_to(replace(view(), group=None), "search"),
        key="search",
        on_click=lambda: change(group=None),
    )
    if said := st.session_state.pop(_SAID, None):
        sentence, judged = said
        st.success(as_markdown(sentence))
        if judged is not None:
            st.button(
                "Look at it again",
                key="again",
                type="tertiary",
                on_click=lambda: change(group=judged),
            )
    show_problem(_NOT_TAKEN_BACK)
    with archive.session() as session:
        number = wanted or next_group(session)
        row = group_row(session, number) if number is not None else None
        shown = _to_compare(row) if row is not None else []
        marks = mark_rows(session, shown)
        canvases = canvas_rows(session, [found.page for found in marks.values()])
        after = next_group(session, number) if number is not None else None
        before = group_before(session, number) if number is not None else None
    open_to_judge = row is not None and row.verdict is None and len(row.marks) > 1
    if not open_to_judge and _PROBLEM in st.session_state:
        show_problem(_PROBLEM)
        next_from_top()  # the click may have been far down, on what is not there any more
    if number is None:
        st.html(section("No groups left to review"))
        st.caption("`prizemarks group ARCHIVE` proposes new ones after marks were added.")
        return
    st.html(
        section(
            "Are these one merchant’s mark?",
            _how_alike(searcher, row) if row is not None else "",
        )
    )
    with st.container(horizontal=True, key="steps"):
        for label, key, group in (
            ("Previous group", "before", before),
            ("Next group", "after", after),
        ):
            st.button(
                label,
                key=key,
                disabled=group is None,
                on_click=lambda group=group: change(group=group),
            )
        st.caption(f"{counted(groups, 'group')} to review.")
    if row is None:
        st.warning(f"Group {number} no longer exists: groups were proposed again.")
        return
    if row.verdict is not None:
        _verdict(archive, row)
    if len(row.marks) > MOST_COMPARED:
        st.caption(
            f"{MOST_COMPARED} are shown, and your judgement applies to these. The next run "
            "proposes the others again."
        )
    chosen = _cards(searcher, row, [marks[mark] for mark in shown], canvases, to_tick=open_to_judge)
    if open_to_judge:
        _judgement(archive, row, tuple(shown), chosen)
        show_problem(_PROBLEM)


def _how_alike(searcher: Searcher, row: GroupRow) -> str:
    """Say how alike the marks of a group are, or that there is nothing left to compare."""
    if len(row.marks) < 2:
        return "Too few marks are left to compare: others have since been rejected or removed."
    few = row.model == searcher.model.id and searcher.index.cosines.says_nothing
    return (
        f"{counted(len(row.marks), 'mark')}, {alike_on_average(row.share, few=few)}. "
        "Likeness is a hint, not proof; your judgement is saved with your name and the date."
    )


def _verdict(archive: Archive, row: GroupRow) -> None:
    """Say what was said of the group, with the means to take it back."""
    if row.verdict == "same":
        verdict = "one merchant’s mark" + (f", “{isolated(row.identity)}”" if row.identity else "")
        means = (
            "Makes the group a proposal again, and removes the name from the marks that got it "
            "here. The marks stay confirmed: each can be taken back on its own page."
        )
    else:
        verdict, means = "not one merchant’s mark", "Makes the group a proposal again."
    st.info(as_markdown(f"{said_on(row.said_by, row.said_at)}: {verdict}."))
    with st.container(horizontal=True, vertical_alignment="bottom", key="verdict"):
        ask_name()
        st.button(
            "Take it back",
            key="take back",
            help=f"{means} Who said what, and who took it back, stays on record.",
            on_click=_take_back,
            args=(archive, row),
        )


def _to_compare(row: GroupRow) -> list[int]:
    """Return the marks to show: of those that have an identity already, one before the others."""
    first: list[int] = []
    later: list[int] = []
    named: set[str] = set()
    for mark in row.marks:
        name = row.identities.get(mark)
        (later if name in named else first).append(mark)
        if name is not None:
            named.add(name)
    return [*first, *later][:MOST_COMPARED]


def _cards(
    searcher: Searcher,
    row: GroupRow,
    marks: list[MarkRow],
    canvases: dict[int, CanvasRow],
    *,
    to_tick: bool,
) -> list[int]:
    """Show marks of the group, each to be left out if `to_tick`; return the ticked ones."""
    of_mark = dict(zip(row.marks, row.likeness, strict=True))
    cosines = np.array([of_mark[found.mark] for found in marks], np.float32)
    shares = searcher.index.cosines.unrelated(cosines)
    if row.model != searcher.model.id:  # its cosines mean something else
        shares = np.full(len(cosines), np.nan)
    chosen: list[int] = []
    with st.container(horizontal=True, gap="small", key="results"):
        for found, share in zip(marks, shares.tolist(), strict=True):
            mark = found.mark
            already = f"already: {isolated(row.identities[mark])}" if mark in row.identities else ""
            alike = likeness(share) if share == share else ""
            canvas = canvases.get(found.page)
            with mark_card(searcher.archive, found, canvas, alike=alike, already=already):
                if to_tick and st.checkbox(
                    f"One of them (mark {mark})",
                    value=True,
                    key=f"same-{row.group}-{mark}",
                    persist_state="session",
                ):
                    chosen.append(mark)
                open_page(mark)
    return chosen


def _judgement(archive: Archive, row: GroupRow, seen: tuple[int, ...], chosen: list[int]) -> None:
    st.html(section("Your judgement"))
    names = [row.identities[mark] for mark in row.marks if mark in row.identities]
    asked = ask_statement(archive, str(row.group), chosen, offered_name(row.marks, names))
    with st.container(horizontal=True, key="verdict"):
        st.button(
            f"The {len(chosen)} ticked marks are one merchant’s"
            if len(chosen) > 1
            else "The ticked marks are one merchant’s",
            key="accept",
            type="primary",
            disabled=len(chosen) < 2,
            on_click=_accept,
            args=(archive, row.group, seen, asked),
        )
        st.button(
            "Not one merchant’s mark", key="refuse", on_click=_refuse,
            args=(archive, row.group, seen),
        )  # fmt: skip


# What was typed last arrives with the click, after the page was shown: these two look it up.


def _accept(archive: Archive, group: int, seen: tuple[int, ...], asked: Asked) -> None:
    state = st.session_state
    marks = [mark for mark in seen if state[f"same-{group}-{mark}"]]
    said = statement(asked)
    with kept_problem(_PROBLEM):
        with archive.writing() as session:
            accept_group(session, group, marks, said, seen=seen)
        _go_on(archive, group, kept(len(marks), said))


def _refuse(archive: Archive, group: int, seen: tuple[int, ...]) -> None:
    with kept_problem(_PROBLEM):
        with archive.writing() as session:
            refuse_group(session, group, seen=seen, said_by=st.session_state["person"])
        _go_on(archive, group, "Saved: these are not one merchant’s mark.")


def _take_back(archive: Archive, row: GroupRow) -> None:
    with kept_problem(_NOT_TAKEN_BACK):
        take_back_group(archive, row, st.session_state["person"])
        said = said_on(row.said_by, row.said_at)
        sentence = f"Taken back what {said}: the group is a proposal again."
        st.session_state[_SAID] = sentence, None


def _go_on(archive: Archive, group: int, said: str) -> None:
    with archive.session() as session:
        after = next_group(session, group)
    st.session_state[_SAID] = said, group
    next_from_top(group=after or 0)
