"""The view of a visitor, and the address of the page."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def _page() -> None:
    """A page of nothing but the view: callbacks that change it, or call back without a change."""
    import streamlit as st

    from ui.web.state import arrive, ask_otherwise, view, write_address

    arrive()
    write_address()
    st.button("same", key="same", on_click=lambda: ask_otherwise(way=view().way))
    st.button("turned", key="turned", on_click=lambda: ask_otherwise(turned=True))
    st.text(f"{view().liked} {view().turned} {view().shown}")


def _visited(address: dict[str, str]) -> AppTest:
    page = AppTest.from_function(_page)
    for name, value in address.items():
        page.query_params[name] = value
    return page.run()


def test_a_callback_that_changes_nothing_does_not_keep_the_browser_from_going_back() -> None:
    page = _visited({"mark": "3"})
    page.query_params["mark"] = "5"
    page.button(key="same").click().run()
    assert page.text[0].value == "(5,) False 24"


def test_a_click_before_the_browser_has_the_last_address_counts() -> None:
    page = _visited({"mark": "3"})
    page.query_params["mark"] = "5"
    page.button(key="turned").click().run()
    assert page.text[0].value == "(3,) True 24"


def test_what_is_asked_otherwise_is_shown_from_its_first_result() -> None:
    page = _visited({"mark": "3", "shown": "48"})
    page.button(key="same").click().run()
    assert page.text[0].value == "(3,) False 48"
    page.button(key="turned").click().run()
    assert page.text[0].value == "(3,) True 24"
