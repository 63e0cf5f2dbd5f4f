"""The side of the page: what a search, or the proposals that are looked through, is narrowed to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from retrieval.catalogue.documents import Facets, Filters
from ui.web.markup import section
from ui.web.state import ask_otherwise, view

_ANY = ""


def show_filters(facets: Facets, narrowed: str) -> None:
    """Show the filters of what is `narrowed`, as the view has them; changing one changes that."""
    where = view().where
    st.html(section(f"Narrow {narrowed}"))
    if not facets.series and not facets.ships and facets.year_from is None:
        st.caption(
            "This archive has no documents. Ingest with `--documents FILE` to filter "
            "by year, series and ship."
        )
        if where == Filters():
            return
    _years(facets, where)
    _choice("series", "Series", "All series", where.series, facets.series)
    _choice("ship", "Ship", "All ships", where.ship, facets.ships)
    if where != Filters():
        st.button(
            "Clear the filters", on_click=lambda: ask_otherwise(where=Filters()), type="tertiary"
        )


def _choice(name: str, title: str, every: str, chosen: str | None, values: tuple[str, ...]) -> None:
    if chosen is not None and chosen not in values:
        values = (chosen, *values)  # an address may name one that is not here
    if not values:
        return
    st.session_state[name] = chosen or _ANY
    st.selectbox(
        title,
        (_ANY, *values),
        format_func=lambda value: value or every,
        key=name,
        on_change=lambda: _narrow({name: st.session_state[name] or None}),
    )


def _years(facets: Facets, where: Filters) -> None:
    first, last = facets.year_from, facets.year_to
    if first is None or last is None:
        return
    # An address may reach beyond the years that are here.
    asked = [year for year in (where.year_from, where.year_to) if year is not None]
    first, last = min([first, *asked]), max([last, *asked])
    if first >= last:
        return
    st.session_state["years"] = (
        first if where.year_from is None else where.year_from,
        last if where.year_to is None else where.year_to,
    )

    def narrow() -> None:
        start, end = st.session_state["years"]
        if (start, end) == (first, last):  # undated documents fit again
            _narrow({"year_from": None, "year_to": None})
        else:
            _narrow({"year_from": start, "year_to": end})

    st.slider("Years", first, last, key="years", on_change=narrow)


def _narrow(fields: Mapping[str, Any]) -> None:
    """Ask with other values of some fields of `Filters`."""
    ask_otherwise(where=replace(view().where, **fields))
