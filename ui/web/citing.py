"""What to write in a footnote, to be copied."""

from __future__ import annotations

import streamlit as st

from ui.web.markup import section


def show_citation(text: str) -> None:
    """Show a text to cite a mark or a place by, with the means to copy it."""
    st.html(section("To cite it"))
    st.code(text, language=None, wrap_lines=True)
