"""A mark on its page: the page with the mark outlined, and what is known of the document."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.canvases import CanvasRow, canvas_rows
from retrieval.catalogue.errors import QueryError, SourceError
from retrieval.catalogue.identities import Said, said_of
from retrieval.catalogue.marks import ORIGIN_OF_CROPS, MarkRow, mark_rows, page_marks
from retrieval.catalogue.resemblances import same_again
from ui.web.cards import mark_picture
from ui.web.identity_changes import offer_leaving, offer_renaming
from ui.web.markup import card, one_of_many, section
from ui.web.onpage import (
    OnPage,
    box_row,
    on_page,
    page_rows,
    show_heading,
    show_known,
    show_outlined,
)
from ui.web.state import back, more_like, next_from_top, show_from_top, view
from ui.web.verdict import ask_whether_mark
from ui.web.wording import (
    STATUS,
    as_markdown,
    back_to,
    cited,
    isolated,
    mark_in_words,
    said_on,
    ship_and_date,
)
from ui.wording import counted

#: Other marks of the page, or of an identity, that are shown beside it.
_MOST_OTHERS = 12


@dataclass(frozen=True)
class _Opened:
    """A mark, its page, and what else is known of both."""

    row: MarkRow
    spot: OnPage
    others: list[MarkRow]  # on the page, the likeliest first, those rejected left out
    copies: list[str]
    alike: list[str]
    said: list[Said]
    kin: dict[int, MarkRow]  # the first of the other marks of its identities
    canvases: dict[int, CanvasRow]  # of their pages


def show_page(archive: Archive, mark: int) -> None:
    """Show the page of `mark`."""
    st.button(
        back_to(replace(view(), opened=None), "results"),
        on_click=lambda: back(opened=None),
        key="back",
    )
    opened = _looked_up(archive, mark)
    if opened is None:
        st.warning(f"This archive has no mark {mark}.")
        return
    show_heading(opened.spot)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _show_scan(archive, opened)
    with right:
        mark_picture(archive, opened.row.crop, f"mark {mark}", 240)
        _offer_search(opened.row)
        _show_what_was_said(archive, opened)
        _show_known(archive, opened)
        st.caption("This page’s address in your browser leads back to this mark.")
        _show_others(archive, opened.others)


def _looked_up(archive: Archive, mark: int) -> _Opened | None:
    with archive.session() as session:
        row = mark_rows(session, [mark]).get(mark)
        spot = on_page(session, (row.page, row.box)) if row is not None else None
        if row is None or spot is None:
            return None
        others = [
            other
            for other in page_marks(session, row.page)
            if other.mark != mark and other.status != "rejected"
        ]
        others.sort(key=lambda other: -other.likely)
        copies, alike = same_again(session, row.page)
        said = said_of(session, mark)
        kin = mark_rows(session, [one for some in said for one in some.others[:_MOST_OTHERS]])
        canvases = canvas_rows(session, [one.page for one in kin.values()])
        return _Opened(row, spot, others, copies, alike, said, kin, canvases)


def _show_scan(archive: Archive, opened: _Opened) -> None:
    """Show the page with the mark outlined, or the mark alone where the page cannot be had."""
    row = opened.row
    try:
        show_outlined(
            archive,
            opened.spot,
            [other.box for other in opened.others],
            offer="Frame the other marks on this page",
            called=f"page {row.page} with mark {row.mark} outlined",
        )
    except (QueryError, SourceError) as error:
        st.warning(as_markdown(f"{error} The crop of the mark is shown instead."))
        mark_picture(archive, row.crop, f"mark {row.mark}")


def _offer_search(row: MarkRow) -> None:
    """Offer to search by the mark, or by another part of its page."""
    with st.container(horizontal=True):
        st.button(
            "More like this",
            key=f"more-{row.mark}",
            type="primary",
            disabled=row.status == "rejected",
            on_click=more_like,
            args=(row.mark,),
        )
        st.button(
            "Search another part of this page",
            key="other part",
            on_click=lambda: next_from_top(
                way="page",
                page=row.page,
                region=None,
                opened=None,
                group=None,
                identity=None,
                proposals=None,
            ),
        )


def _show_what_was_said(archive: Archive, opened: _Opened) -> None:
    """Show what people have said of the mark, with the means to say otherwise."""
    for one in opened.said:
        _show_identity(archive, one, opened.kin, opened.canvases)
        offer_renaming(archive, one)
    offer_leaving(archive, opened.row.mark, opened.said)
    if not opened.said and opened.row.origin != ORIGIN_OF_CROPS:
        ask_whether_mark(archive, opened.row)


def _show_known(archive: Archive, opened: _Opened) -> None:
    row, rows = opened.row, []
    for one in opened.said:
        said = f"{one.certainty}, as {said_on(one.said_by, one.said_at)}"
        rows.append(("Identity", f"{isolated(one.name)}, {said}"))
    rows += page_rows(opened.spot)
    for label, files in (
        ("Same file as", opened.copies),
        ("Perhaps the same page as", opened.alike),
    ):
        if files:
            rows.append((label, ", ".join(map(isolated, files))))
    rows += [
        ("Mark", f"{row.mark}, {STATUS[row.status]}"),
        box_row(opened.spot),
        ("Found by", row.origin),
    ]
    show_known(opened.spot, rows, mark_in_words(row.mark, row.status, archive.folder.name))


def _show_identity(
    archive: Archive, said: Said, kin: dict[int, MarkRow], canvases: dict[int, CanvasRow]
) -> None:
    """Show the other marks of an identity, and the way to the group that it was said of."""
    called = f"of “{isolated(said.name)}”"
    st.html(section(f"Other marks {called}"))
    with st.container(horizontal=True, gap="small"):
        for mark in said.others[:_MOST_OTHERS]:
            other = kin[mark]
            with st.container(key=f"card-other-{said.name}-{mark}", width=120, gap="xxsmall"):
                mark_picture(archive, other.crop, f"mark {other.mark}", 120)
                where = cited(other.document, other.source, canvases.get(other.page))
                st.html(card("", False, where, ship_and_date(other.document)))
                st.button(
                    one_of_many("Look", as_markdown(f"at mark {mark} {called}")),
                    key=f"look-{said.name}-{mark}",
                    type="tertiary",
                    on_click=lambda mark=mark: next_from_top(opened=mark),
                )
    if len(said.others) > _MOST_OTHERS:
        st.button(
            one_of_many(
                f"And {counted(len(said.others) - _MOST_OTHERS, 'other mark')}",
                as_markdown(called),
            ),
            key=f"identity-{said.identity}",
            type="tertiary",
            on_click=lambda: show_from_top(view().at_identity(said.identity)),
        )
    if said.group is not None:
        st.button(
            one_of_many("See the group", as_markdown(called)),
            key=f"group-{said.group}",
            help="The judgement can be taken back there.",
            on_click=lambda: next_from_top(opened=None, identity=None, group=said.group),
        )


def _show_others(archive: Archive, others: list[MarkRow]) -> None:
    if not others:
        return
    st.html(section("Other marks on this page"))
    with st.container(horizontal=True, gap="small"):
        for other in others[:_MOST_OTHERS]:
            with st.container(key=f"card-other-{other.mark}", width=96, gap="xxsmall"):
                mark_picture(archive, other.crop, f"mark {other.mark}", 96)
                st.button(
                    one_of_many("Look", f"at mark {other.mark}"),
                    key=f"look-{other.mark}",
                    type="tertiary",
                    on_click=lambda mark=other.mark: next_from_top(opened=mark),
                )
    if len(others) > _MOST_OTHERS:
        st.caption(f"{len(others) - _MOST_OTHERS} more are framed on the page.")
