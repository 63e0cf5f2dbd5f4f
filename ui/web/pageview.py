"""A mark on its page: the page with the mark outlined, and what is known of the document."""

from __future__ import annotations

import streamlit as st

from ingest.known import ORIGIN_OF_CROPS
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.canvases import CanvasRow, canvas_address, canvas_rows
from retrieval.catalogue.errors import SourceError
from retrieval.catalogue.identities import Said, said_of
from retrieval.catalogue.marks import MarkRow, mark_rows, page_marks
from retrieval.catalogue.naming import image_called
from retrieval.catalogue.pages import page as catalogued_page
from retrieval.catalogue.resemblances import same_again
from ui.web.cards import mark_picture
from ui.web.citing import show_citation
from ui.web.leaving import offer_leaving
from ui.web.loading import page_preview
from ui.web.markup import card, one_of_many, section, table
from ui.web.previews import in_page, outlined
from ui.web.renaming import offer_renaming
from ui.web.state import back, more_like, next_from_top, show_from_top, view
from ui.web.verdict import ask_whether_mark
from ui.web.wording import (
    STATUS,
    as_markdown,
    canvas_lines,
    citation,
    cited,
    isolated,
    metadata_rows,
    said_on,
    ship_and_date,
)
from ui.wording import counted

#: Other marks of the page, or of an identity, that are shown beside it.
_MOST_OTHERS = 12


def show_page(archive: Archive, mark: int) -> None:
    """Show the page of `mark`."""
    st.button(_whence(), on_click=lambda: back(opened=None), key="back")
    with archive.session() as session:
        row = mark_rows(session, [mark]).get(mark)
        others = page_marks(session, row.page) if row is not None else []
        page = catalogued_page(session, row.page) if row is not None else None
        copies, alike = same_again(session, row.page) if row is not None else ([], [])
        said = said_of(session, mark)
        kin = mark_rows(session, [one for some in said for one in some.others[:_MOST_OTHERS]])
        shown = [row, *kin.values()] if row is not None else []
        canvases = canvas_rows(session, [one.page for one in shown])
        address = canvas_address(session, row.page) if row is not None else None
    if row is None or page is None:
        st.warning(f"This archive has no mark {mark}.")
        return
    others = [other for other in others if other.mark != mark and other.status != "rejected"]
    canvas = canvases.get(row.page)
    st.html(section(cited(row.document, row.source, canvas), ship_and_date(row.document)))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        framed = others and st.toggle(
            "Frame the other marks on this page", value=True, key="others"
        )
        try:
            preview = page_preview(archive, page)
        except SourceError as error:
            st.warning(as_markdown(f"{error} Here is the mark as it was cut out."))
            mark_picture(archive, row.crop, f"mark {mark}")
        else:
            boxes = [other.box for other in others] if framed else []
            picture = outlined(preview, [row.box], boxes)
            st.image(
                in_page(picture), width="stretch", alt=f"page {page.page} with mark {mark} outlined"
            )
    with right:
        mark_picture(archive, row.crop, f"mark {row.mark}", 240)
        with st.container(horizontal=True):
            st.button(
                "More like this",
                key=f"more-{mark}",
                type="primary",
                disabled=row.status == "rejected",
                on_click=more_like,
                args=(mark,),
            )
            st.button(
                "Search another part of this page",
                key="other part",
                on_click=lambda: next_from_top(
                    way="page",
                    page=page.page,
                    region=None,
                    opened=None,
                    group=None,
                    identity=None,
                ),
            )
        for one in said:
            _show_identity(archive, one, kin, canvases)
            offer_renaming(archive, one)
        offer_leaving(archive, mark, said)
        if not said and row.origin != ORIGIN_OF_CROPS:
            ask_whether_mark(archive, row)
        rows = [
            (
                "Identity",
                f"{isolated(one.name)}, {one.certainty}, as {said_on(one.said_by, one.said_at)}",
            )
            for one in said
        ]
        rows += metadata_rows(row.document or {}) + canvas_lines(canvas, row.document)
        rows.append(("File", image_called(isolated(page.source), page.frame)))
        if copies:
            rows.append(("Same file as", ", ".join(map(isolated, copies))))
        if alike:
            rows.append(("Perhaps the same page as", ", ".join(map(isolated, alike))))
        x, y, width, height = row.box
        rows += [
            ("Mark", f"{mark}, {STATUS[row.status]}"),
            ("Box", f"{x}, {y}, {width} × {height} pixels of {page.width} × {page.height}"),
            ("Found by", row.origin),
        ]
        st.html(section("What is known"))
        st.html(table(rows, [("Canvas", address)] if address else []))
        what = (
            f"mark {mark}" if row.status == "confirmed" else f"mark {mark} ({STATUS[row.status]})"
        )
        show_citation(
            citation(
                cited(row.document, row.source, canvas),
                page.source,
                page.frame,
                row.box,
                (page.width, page.height),
                f"{what} in the archive {archive.folder.name}",
            )
        )
        st.caption("The address of this page in your browser leads back to this mark.")
        _show_others(archive, others)


def _whence() -> str:
    """Say what lies under the page and is seen again without it."""
    if view().identity is not None:
        return "Back to the identity"
    return "Back to the results" if view().group is None else "Back to the group"


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
            help="What was said of it can be taken back there.",
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
