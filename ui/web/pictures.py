"""The picture of a mark, wherever the page shows one."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from retrieval.catalogue.archive import Archive
from ui.web.loading import mark_tile
from ui.web.outline import in_page


def mark_picture(
    archive: Archive, crop: str, called: str, width: int | Literal["stretch"] = "stretch"
) -> None:
    """Show a mark as it was cut out, `called` so to who does not see it, or that it is missing."""
    picture = mark_tile(archive, crop)
    if picture is None:
        st.caption("The picture of this mark is missing from the archive's folder.")
    else:
        st.image(in_page(picture), width=width, alt=called)
