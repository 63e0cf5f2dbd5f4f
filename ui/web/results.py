"""The right of the page: what was found, most alike first."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.canvases import canvas_rows
from retrieval.catalogue.errors import ArchiveError, QueryError
from retrieval.catalogue.identities import identity_names
from retrieval.catalogue.marks import mark_ids, mark_rows, marks_there
from retrieval.places import Place, Places
from retrieval.search import Found, Hit, Scope, Searcher, search_images, search_marks
from ui.told.search import as_csv, caution
from ui.web.asking import Question
from ui.web.cards import CARD, mark_card, more_like_this, open_page
from ui.web.loading import place_tile, places_of
from ui.web.markup import card, one_of_many, section
from ui.web.previews import in_page
from ui.web.state import change, next_from_top, show, show_from_top, view
from ui.web.view import MOST_SHOWN, SHOWN, View
from ui.web.wording import (
    as_markdown,
    cited,
    credit,
    likeness,
    narrowed,
    nothing_found,
    said_to_be,
    ship_and_date,
)
from ui.wording import counted, held_in_words, is_notable


def found(
    searcher: Searcher, question: Question, now: View, places: Places | None = None
) -> Sequence[Found]:
    """Return what answers the question under the view's filters, one more than are to be shown.

    Among marks, and among `places` if these are given. Marks that are not liked push the query
    away from them and are left out.
    """
    scope = Scope(places, now.shown + 1, now.where, now.ways)
    if question.by_marks:
        return search_marks(searcher, now.liked, now.disliked, scope=scope)
    assert question.picture is not None
    return search_images(searcher, [question.picture], now.disliked, scope=scope)[0]


def show_results(searcher: Searcher, question: Question) -> None:
    """Search and show the cards of what was found."""
    asked = view()
    with searcher.archive.session() as session:
        there = marks_there(session, [*asked.liked, *asked.disliked])
    now = asked.without_gone(there)
    if question.by_marks and not now.liked:
        st.html(section("Nothing to search by"))
        st.info(
            "The marks that you chose have been rejected, or are no longer in this archive. Remove "
            "them and choose others, or start again."
        )
        return
    try:
        places = places_of(searcher) if now.everywhere else None
        hits = found(searcher, question, now, places)
    except (ArchiveError, QueryError) as error:
        st.error(as_markdown(str(error)))
        return
    if places is None and not len(searcher.index):
        _say_how_to_search_pages()
        return
    if hits:
        _show_found(searcher, now, places, hits)
    else:
        _show_nothing(searcher.archive, question, now, places)


def _show_nothing(archive: Archive, question: Question, now: View, places: Places | None) -> None:
    scope = narrowed(now.where)
    chosen = (*now.liked, *now.disliked) if question.by_marks else now.disliked
    with archive.session() as session:
        left_out = not set(chosen).isdisjoint(mark_ids(session, now.where))
    one = "mark" if places is None else "mark or other spot"
    st.html(section("Nothing found", nothing_found(one, scope, left_out=left_out)))
    if scope:
        st.info("Widen the filters on the left to search more of the archive.")


def _show_found(
    searcher: Searcher, now: View, places: Places | None, hits: Sequence[Found]
) -> None:
    """Show cards of what was found, as many as the view says, and the way to more."""
    searched = counted(len(searcher.index), "mark")
    if places is not None:
        searched += f" and {counted(len(places), 'other spot')} of the pages"
    scope = narrowed(now.where)
    line = f"Among {searched}" + (f", narrowed to {scope}" if scope else "")
    st.html(section("Most alike first", line))
    if doubt := caution(hits[: now.shown], few=searcher.index.scores.says_nothing):
        st.info(doubt)
    with searcher.archive.session() as session:
        names = identity_names(session, [hit.mark for hit in hits if isinstance(hit, Hit)])
    with st.container(horizontal=True, gap="small", key="results"):
        for hit in hits[: now.shown]:
            way = held_in_words(hit.held) if len(now.ways) > 1 else ""
            if isinstance(hit, Hit):
                with mark_card(
                    searcher.archive,
                    hit,
                    hit.canvas,
                    alike=likeness(hit.unrelated),
                    notable=is_notable(hit.unrelated),
                    way=way,
                    already=said_to_be(hit.status, names.get(hit.mark)),
                ):
                    _buttons(hit.mark)
            else:
                _place_card(searcher.archive, hit, way)
    if len(hits) > now.shown < MOST_SHOWN:
        more = min(SHOWN, MOST_SHOWN - now.shown)
        st.button("Show more", on_click=lambda: change(shown=now.shown + more), key="more")
    elif len(hits) > now.shown:
        st.caption(f"The first {MOST_SHOWN} are shown. Narrow the search to see others.")
    st.download_button(
        "Download these results as CSV",
        as_csv(hits[: now.shown], names, now.ways),
        file_name="marks.csv",
        mime="text/csv",
        key="csv",
        on_click="ignore",
        type="tertiary",
    )


def _place_card(archive: Archive, place: Place, way: str) -> None:
    where = cited(place.document, place.source, place.canvas)
    spot = (place.page, place.box)
    which = f"the place {','.join(map(str, place.box))} on page {place.page}"
    name = "-".join(map(str, (place.page, *place.box)))
    with st.container(key=f"card-place-{name}", border=True, width=CARD, gap="xsmall"):
        picture = place_tile(archive, spot)
        if picture is None:
            st.caption(
                "The page's file cannot be read, or has changed, so this place cannot be shown."
            )
        else:
            st.image(in_page(picture), width="stretch", alt=f"a place on {where}")
        st.html(
            card(
                likeness(place.unrelated, "spot"),
                is_notable(place.unrelated),
                where,
                ship_and_date(place.document),
                way=way,
                already="not among the marks",
                credit=credit(place.canvas),
            )
        )
        with st.container(horizontal=True, gap="small", key=f"links-place-{name}"):
            st.button(
                one_of_many("Open page", f"of {which}"),
                key=f"open-place-{name}",
                type="tertiary",
                on_click=lambda: next_from_top(place=spot),
            )
            st.button(
                one_of_many("More like this", which),
                key=f"more-place-{name}",
                type="tertiary",
                on_click=lambda: show_from_top(view().more_like_place(spot)),
            )


def _buttons(mark: int) -> None:
    with st.container(horizontal=True, gap="small", key=f"links-{mark}"):
        open_page(mark)
        more_like_this(mark)
        st.button(
            one_of_many("Not like this", f"mark {mark}"),
            key=f"less-{mark}",
            type="tertiary",
            on_click=lambda: show(view().not_like(mark)),
        )


def _say_how_to_search_pages() -> None:
    st.html(section("No mark can be searched yet"))
    st.info("Tick “Also where no mark was found” on the left to search the whole pages.")


def show_samples(archive: Archive, marks: tuple[int, ...]) -> None:
    """Show marks from all over the archive, for who has none to ask about yet."""
    if not marks:
        _say_how_to_search_pages()
        return
    with archive.session() as session:
        rows = mark_rows(session, marks)
        canvases = canvas_rows(session, [row.page for row in rows.values()])
        names = identity_names(session, marks)
    st.html(
        section(
            "Or start from a mark in the archive",
            "A few from the whole archive: confirmed marks, or the likeliest proposals.",
        )
    )
    with st.container(horizontal=True, gap="small", key="samples"):
        for mark, row in rows.items():
            already = said_to_be(row.status, names.get(mark))
            with mark_card(archive, row, canvases.get(row.page), already=already):
                _buttons(mark)
