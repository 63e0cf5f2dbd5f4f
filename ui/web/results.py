"""The right of the page: what was found, most alike first."""

from __future__ import annotations

import streamlit as st

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import ArchiveError, QueryError
from retrieval.catalogue.queries import mark_rows
from retrieval.search import Hit, Searcher, search_images, search_marks
from ui.web.asking import Question
from ui.web.loading import mark_tile
from ui.web.markup import card, section
from ui.web.outline import in_page
from ui.web.query import MOST_SHOWN, SHOWN, View
from ui.web.state import change, more_like, show, view
from ui.web.wording import (
    as_markdown,
    is_notable,
    likeness,
    narrowed,
    reference,
    ship_and_date,
)
from ui.wording import counted, held_in_words

CARD = 204  # pixels of a card's width


def found(searcher: Searcher, question: Question, now: View) -> list[Hit]:
    """Return what answers the question under the view's filters, one more than are to be shown.

    Marks that are not liked push a query by marks away from them; those are left out of any list.
    """
    if question.by_marks:
        return search_marks(
            searcher, now.liked, now.disliked, top=now.shown + 1, where=now.where, ways=now.ways
        )
    assert question.picture is not None
    top = now.shown + 1 + len(now.disliked)
    (hits,) = search_images(searcher, [question.picture], top=top, where=now.where, ways=now.ways)
    return [hit for hit in hits if hit.mark not in now.disliked][: now.shown + 1]


def show_results(searcher: Searcher, question: Question) -> None:
    """Search and show the cards of what was found."""
    now = view()
    try:
        hits = found(searcher, question, now)
    except (ArchiveError, QueryError) as error:
        st.error(as_markdown(str(error)))
        return
    scope = narrowed(now.where)
    searched = counted(len(searcher.index), "mark")
    if not hits:
        st.html(section("Nothing found", f"No mark fits the filters: {scope}." if scope else ""))
        st.info("Widen the filters on the left to search more of the archive.")
        return
    line = f"Among {searched}" + (f", narrowed to {scope}" if scope else "")
    st.html(section("Most alike first", line))
    if not is_notable(hits[0].unrelated):
        st.info(
            "Nothing here is clearly alike. The closest marks are no closer than many unrelated "
            "ones are: take them as hints at most."
        )
    with st.container(horizontal=True, gap="small", key="results"):
        for hit in hits[: now.shown]:
            _card(searcher.archive, hit, held_in_words(hit.held) if len(now.ways) > 1 else "")
    if len(hits) > now.shown < MOST_SHOWN:
        more = min(SHOWN, MOST_SHOWN - now.shown)
        st.button("Show more", on_click=lambda: change(shown=now.shown + more), key="more")
    elif len(hits) > now.shown:
        st.caption(f"The first {MOST_SHOWN} are shown. Narrow the search to see others.")


def _card(archive: Archive, hit: Hit, way: str) -> None:
    where = reference(hit.document, hit.source)
    with st.container(key=f"card-{hit.mark}", border=True, width=CARD, gap="xsmall"):
        _picture(archive, hit.crop, hit.mark, where)
        st.html(
            card(
                likeness(hit.unrelated),
                is_notable(hit.unrelated),
                where,
                ship_and_date(hit.document),
                way=way,
            )
        )
        _buttons(hit.mark)


def _picture(archive: Archive, crop: str, mark: int, where: str) -> None:
    picture = mark_tile(archive, crop)
    if picture is None:
        st.caption("The picture of this mark is missing from the archive's folder.")
    else:
        st.image(in_page(picture), width="stretch", alt=f"mark {mark}, {where}")


def _buttons(mark: int) -> None:
    with st.container(horizontal=True, gap="small", key=f"links-{mark}"):
        st.button(
            "Open page",
            key=f"open-{mark}",
            type="tertiary",
            on_click=lambda: change(opened=mark),
        )
        st.button(
            "More like this",
            key=f"more-{mark}",
            type="tertiary",
            on_click=more_like,
            args=(mark,),
        )
        st.button(
            "Not like this",
            key=f"less-{mark}",
            type="tertiary",
            on_click=lambda: show(view().not_like(mark)),
        )


def show_samples(archive: Archive, marks: tuple[int, ...]) -> None:
    """Show marks from all over the archive, for who has none to ask about yet."""
    with archive.session() as session:
        rows = mark_rows(session, marks)
    st.html(section("Or start from a mark in the archive", "A few from all over it."))
    with st.container(horizontal=True, gap="small", key="samples"):
        for mark, row in rows.items():
            where = reference(row.document, row.source)
            with st.container(key=f"card-{mark}", border=True, width=CARD, gap="xsmall"):
                _picture(archive, row.crop, mark, where)
                st.html(card("", False, where, ship_and_date(row.document)))
                _buttons(mark)
