from __future__ import annotations

from streamlit.testing.v1 import AppTest

from ui.web.wording import as_markdown


def _page() -> None:
    import streamlit as st

    from retrieval.catalogue.errors import QueryError
    from ui.web.notices import kept_problem, show_problem

    def judge(problem: str) -> None:
        with kept_problem("refused"):
            if problem:
                raise QueryError(problem)
            st.session_state["judged"] = True

    st.button("Judge", key="judge", on_click=judge, args=("",))
    st.button("Fail", key="fail", on_click=judge, args=("Mark *3* is gone.",))
    show_problem("refused")


def test_what_went_wrong_with_a_click_is_said_once() -> None:
    page = AppTest.from_function(_page).run()
    assert not page.error
    page.button(key="fail").click().run()
    assert [one.value for one in page.error] == [as_markdown("Mark *3* is gone.")]
    assert "judged" not in page.session_state
    page.run()
    assert not page.error
    page.button(key="judge").click().run()
    assert page.session_state["judged"] and not page.error
