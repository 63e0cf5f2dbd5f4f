"""Proposals, a sheet at a time, the likeliest first: a person says which of them are marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from ingest.confirming import Verdict, judge_marks, take_back_marks
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.canvases import canvas_rows
from retrieval.catalogue.documents import Filters
from retrieval.catalogue.marks import MarkRow, mark_rows
from retrieval.catalogue.proposals import sheet_before
from retrieval.realism import LEAST_CONFIRMED
from ui.web.cards import mark_card, open_page
from ui.web.loading import Sheet, may_be_found_again, proposals_to_judge, sheet_after
from ui.web.markup import section
from ui.web.notices import kept_problem, show_problem
from ui.web.person import ask_name
from ui.web.state import change, next_from_top, show_from_top, view
from ui.web.view import SHOWN, View
from ui.web.wording import as_markdown, narrowed
from ui.wording import counted

#: What was said last, and what went wrong when something was said or taken back.
_SAID, _PROBLEM, _NOT_TAKEN_BACK = "sheet judged", "sheet refused", "sheet stays"


@dataclass(frozen=True)
class _Said:
    """What was said of a sheet: in words, of which marks as they are now, and where it was seen."""

    sentence: str
    marks: tuple[MarkRow, ...]
    ticked: tuple[int, ...]
    seen: View


def offer_proposals(archive: Archive) -> None:
    """Show the way to the proposals that nobody has judged, in the side of the page."""
    st.html(section("Proposals"))
    number = proposals_to_judge(archive, Filters())
    if not number:
        st.caption("None to review. `prizemarks ingest` proposes marks on the pages it adds.")
        return
    st.button(
        f"Review {counted(number, 'proposal')}",
        key="proposals",
        help="Judge many proposals at once, the likeliest marks first.",
        on_click=lambda: next_from_top(proposals=0),
    )


def show_proposals(archive: Archive) -> None:
    """Show the view's sheet of proposals, with the means to judge them."""
    now = view()
    st.button("Back to the search", key="search", on_click=_leave)
    _what_was_said(archive)
    sheet = sheet_after(archive, now.where, now.proposals or 0)
    scope = narrowed(now.where)
    if not sheet.marks:
        _nothing_here(sheet, scope)
        return
    st.html(section("Which of these are marks?", _left(sheet, scope)))
    st.caption(
        "Tick those that are marks, then save your judgement below. From "
        f"{LEAST_CONFIRMED} confirmed marks on, the next `prizemarks index` ranks the other "
        "proposals by what people judged."
    )
    with archive.session() as session:
        there = mark_rows(session, sheet.marks)
        # Another person may have judged one just now: nobody is to contradict what they do not see.
        rows = [there[mark] for mark in sheet.marks if mark in there]
        rows = [row for row in rows if row.status == "proposed"]
        canvases = canvas_rows(session, [row.page for row in rows])
    ticked = 0
    with st.container(horizontal=True, gap="small", key="results"):
        for row in rows:
            with mark_card(archive, row, canvases.get(row.page)):
                ticked += st.checkbox(
                    f"A mark (mark {row.mark})", key=_tick(row.mark), persist_state="session"
                )
                open_page(row.mark)
    _judgement(archive, rows, ticked)
    _steps(archive, sheet)


def _left(sheet: Sheet, scope: str) -> str:
    """Say how many proposals are left, and which of them are shown."""
    left = f"{counted(sheet.in_all, 'proposal')} {'is' if sheet.in_all == 1 else 'are'} left"
    which = ""
    if len(sheet.marks) < sheet.in_all:
        which = f": here are {sheet.before + 1:,} to {sheet.before + len(sheet.marks):,}"
    within = f", narrowed to {scope}" if scope else ""
    return f"{left} to review{within}, the likeliest first{which}."


def _nothing_here(sheet: Sheet, scope: str) -> None:
    if sheet.in_all:
        before = f"{counted(sheet.in_all, 'proposal')} before it"
        are = "is" if sheet.in_all == 1 else "are"
        st.html(section("This was the last sheet", f"{before} {are} left to judge."))
        st.button(
            "Start again with the likeliest",
            key="first",
            type="primary",
            on_click=lambda: next_from_top(proposals=0),
        )
    elif scope:
        st.html(section("No proposals left here", f"None matches the filters: {scope}."))
        st.info("Widen the filters on the left to look through others.")
    else:
        st.html(section("No proposals left to review"))
        st.caption("`prizemarks ingest` proposes marks on the pages it adds.")


def _judgement(archive: Archive, rows: list[MarkRow], ticked: int) -> None:
    st.html(
        section(
            "Your judgement",
            "It is saved with your name; rejected proposals no longer appear in searches.",
        )
    )
    ask_name()
    with st.container(horizontal=True, key="verdict"):
        st.button(
            verdict_on_all(ticked, len(rows) - ticked),
            key="judge all",
            type="primary",
            on_click=_judge_all,
            args=(archive, rows),
        )
        st.button(
            verdict_on_ticked(ticked),
            key="judge ticked",
            help="The others stay proposals.",
            disabled=ticked in (0, len(rows)),
            on_click=_judge_ticked,
            args=(archive, rows),
        )
    show_problem(_PROBLEM)


def _steps(archive: Archive, sheet: Sheet) -> None:
    with st.container(horizontal=True, key="steps"):
        st.button(
            "Previous sheet", key="before", disabled=not sheet.before,
            on_click=_go_back, args=(archive,),
        )  # fmt: skip
        st.button(
            "Next sheet",
            key="after",
            disabled=not sheet.after,
            help="Leaves these unjudged.",
            on_click=lambda: next_from_top(proposals=sheet.marks[-1]),
        )


def verdict_on_ticked(ticked: int) -> str:
    """Say of so many ticked marks that they are marks."""
    if not ticked:
        return "The ticked ones are marks"
    return "The ticked one is a mark" if ticked == 1 else f"The {ticked} ticked ones are marks"


def verdict_on_all(ticked: int, others: int) -> str:
    """Say of a sheet with so many ticked marks and others that only those are marks."""
    if not ticked:
        return f"None of these {others} is a mark" if others > 1 else "This is not a mark"
    if not others:
        return verdict_on_ticked(ticked)
    rest = "the other is not" if others == 1 else f"the other {others} are not"
    return f"{verdict_on_ticked(ticked)}, {rest}"


def _what_was_said(archive: Archive) -> None:
    """Repeat what was said last, with the means to take it back."""
    said = st.session_state.get(_SAID)
    if said is not None:
        (st.success if said.marks else st.info)(as_markdown(said.sentence))
        if said.marks:
            st.button(
                "Take it back",
                key="take back",
                type="tertiary",
                help="Makes them proposals again. Who said what, and who took it back, stays on "
                "record.",
                on_click=_take_back,
                args=(archive, said),
            )
    show_problem(_NOT_TAKEN_BACK)


def _tick(mark: int) -> str:
    """Return the key of a mark's tick."""
    return f"mark-{mark}"


# What was ticked and typed last arrives with the click: callbacks look it up.


def _judge_all(archive: Archive, rows: list[MarkRow]) -> None:
    ticked = _ticked(rows)
    said: list[tuple[MarkRow, Verdict]] = [
        (row, "confirmed" if row.mark in ticked else "rejected") for row in rows
    ]
    if _keep(archive, said, ticked):
        show_from_top(view())


def _judge_ticked(archive: Archive, rows: list[MarkRow]) -> None:
    ticked = _ticked(rows)
    if _keep(archive, [(row, "confirmed") for row in rows if row.mark in ticked], ticked):
        next_from_top(proposals=rows[-1].mark)


def _ticked(rows: list[MarkRow]) -> tuple[int, ...]:
    return tuple(row.mark for row in rows if st.session_state[_tick(row.mark)])


def _keep(
    archive: Archive, said: Sequence[tuple[MarkRow, Verdict]], ticked: tuple[int, ...]
) -> bool:
    """Write down what was said; return whether it could be."""
    state = st.session_state
    with kept_problem(_PROBLEM):
        changed = judge_marks(archive, said, state["person"])
        for row, _ in said:
            state[_tick(row.mark)] = False
        confirmed = sum(row.status == "confirmed" for row in changed.marks)
        word = kept(confirmed, len(changed.marks) - confirmed)
        sentence = f"{word}{left_as_they_are(changed.left)}"
        state[_SAID] = _Said(sentence, changed.marks, ticked, view())
        return True
    return False


def _take_back(archive: Archive, said: _Said) -> None:
    state = st.session_state
    with kept_problem(_NOT_TAKEN_BACK):
        changed = take_back_marks(archive, said.marks, state["person"])
        may_be_found_again(archive, [row.mark for row in changed.marks])
        for mark in said.ticked:
            state[_tick(mark)] = True
        sentence = f"{taken_back(len(changed.marks))}{left_as_they_are(changed.left)}"
        state[_SAID] = _Said(sentence, (), (), said.seen)
        show_from_top(replace(view(), proposals=said.seen.proposals, where=said.seen.where))


def _go_back(archive: Archive) -> None:
    now = view()
    with archive.session() as session:
        before = sheet_before(session, now.where, now.proposals or 0, SHOWN)
    next_from_top(proposals=before)


def _leave() -> None:
    st.session_state.pop(_SAID, None)
    change(proposals=None)


def kept(confirmed: int, rejected: int) -> str:
    """Say how many marks were confirmed, and how many rejected."""
    parts = [
        f"{number:,} {'is' if number == 1 else 'are'} {word}"
        for number, word in (
            (confirmed, "a mark" if confirmed == 1 else "marks"),
            (rejected, "not a mark" if rejected == 1 else "not marks"),
        )
        if number
    ]
    return f"Saved: {', '.join(parts)}." if parts else "Nothing was saved."


def taken_back(number: int) -> str:
    """Say how many marks are proposals again."""
    if not number:
        return "Nothing was taken back."
    return f"Taken back: {'1 is a proposal' if number == 1 else f'{number} are proposals'} again."


def left_as_they_are(marks: Sequence[int]) -> str:
    """Say which marks were not changed, and why; an empty text of none."""
    if not marks:
        return ""
    if len(marks) == 1:
        return f" Mark {marks[0]} was not changed: it has since been judged, moved or replaced."
    named = f"{', '.join(map(str, marks[:-1]))} and {marks[-1]}"
    return f" Marks {named} were not changed: they have since been judged, moved or replaced."
