"""The view of one visitor, kept in step with the address of the page.

The address is read when it is not what was last written: on arrival, and after the browser went
back or forward. All else changes the view, and the address follows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from ui.web.view import View, from_address, to_address

_VIEW, _ADDRESS, _MOVED, _SCROLLED = "view", "address", "moved", "scrolled"

#: Streamlit keeps a page scrolled as it was and has no way of its own to move it. What is above
#: the goal may not have its height yet, so the browser tries for two seconds.
_SCROLL = """<script>/*RUN*/{
  const main = document.querySelector('[data-testid=stMain]'), goal = GOAL;
  let tries = 20;
  const go = () => {
    main.scrollTo(0, goal);
    if (main.scrollTop < goal - 1 && tries--) setTimeout(go, 100);
  };
  go();
}</script>"""
_TOP, _LEFT = "0", "window.leftAt ?? 0"

#: Notes how far down the page was when one of its marks or places was opened.
_NOTE = """<script>document.documentElement.onclick = event => {
  if (event.target.closest('[class*=st-key-open-]'))
    window.leftAt = document.querySelector('[data-testid=stMain]').scrollTop;
}</script>"""


def arrive() -> list[str]:
    """Take the view from the address if the visitor came by it; return what was not understood."""
    params = {name: st.query_params.get(name, "") for name in st.query_params}
    if _VIEW in st.session_state and params == st.session_state[_ADDRESS]:
        return []
    if _VIEW in st.session_state and st.session_state.get(_MOVED):
        return []  # a button was pressed before the browser had the last address
    st.session_state[_VIEW], problems = from_address(params)
    st.session_state[_ADDRESS] = params
    return problems


def view() -> View:
    """Return what is to be shown."""
    found = st.session_state[_VIEW]
    assert isinstance(found, View)
    return found


def show(changed: View) -> None:
    """Show another view; for callbacks.

    Widgets that come back into sight may call back though nobody touched them: a view that is the
    same is not a move, or it would keep the browser's way back from being followed.
    """
    if changed != view():
        st.session_state[_VIEW] = changed
        st.session_state[_MOVED] = True


def change(**fields: Any) -> None:
    """Change some fields of the view."""
    show(replace(view(), **fields))


def ask_otherwise(**fields: Any) -> None:
    """Change some fields of what is asked, and show the first of what is found so.

    What is asked so already goes on being shown as it is.
    """
    changed = replace(view(), **fields)
    if changed != view():
        first = None if changed.proposals is None else 0
        show(replace(changed, shown=View().shown, proposals=first))


def more_like(mark: int) -> None:
    """Look for more like `mark`, and see the new results from their beginning."""
    show_from_top(view().more_like(mark))


def show_from_top(changed: View) -> None:
    """Show another view, from its beginning."""
    show(changed)
    st.session_state[_SCROLLED] = _TOP


def next_from_top(**fields: Any) -> None:
    """Change some fields of the view, and see it from its beginning."""
    show_from_top(replace(view(), **fields))


def back(**fields: Any) -> None:
    """Change some fields of the view, and see it where a mark or place of it was opened."""
    change(**fields)
    st.session_state[_SCROLLED] = _LEFT


def scroll_if_asked() -> None:
    """Bring into sight what the last click asked for: the top of the page, or where it was left."""
    st.html(_NOTE, unsafe_allow_javascript=True)
    if goal := st.session_state.pop(_SCROLLED, ""):
        run = str(st.session_state["run"])  # another text each time, or the browser skips it
        script = _SCROLL.replace("RUN", run).replace("GOAL", goal)
        st.html(script, unsafe_allow_javascript=True)


def write_address() -> None:
    """Bring the address in step with the view."""
    st.session_state[_MOVED] = False
    params = to_address(view())
    if params != st.session_state[_ADDRESS]:
        st.session_state[_ADDRESS] = params
        st.query_params.from_dict(params)
