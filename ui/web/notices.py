"""What went wrong with a click: kept by its callback, and said when the page is shown after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from retrieval.catalogue.errors import PrizemarksError
from ui.web.wording import as_markdown


@contextmanager
def kept_problem(key: str) -> Iterator[None]:
    """Keep under `key` the program's own error that ends the block, if one does."""
    try:
        yield
    except PrizemarksError as error:
        st.session_state[key] = str(error)


def show_problem(key: str) -> None:
    """Say once what was kept under `key`, if anything was."""
    if problem := st.session_state.pop(key, ""):
        st.error(as_markdown(problem))
