"""The page as Streamlit runs it, without a browser: how tests open it and read what it shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import TextInput

from retrieval.catalogue import tables
from tests.paper_archive import Papers

PAGE = Path(__file__).parents[3] / "ui/web/script.py"
Visit = Callable[..., AppTest]


def html_of(page: AppTest) -> str:
    return "\n".join(element.proto.body for element in page.get("html"))


def cards_of(page: AppTest) -> list[int]:
    """Return the marks whose cards are shown, in order."""
    keys = [button.key or "" for button in page.button]
    cards = [key.removeprefix("more-") for key in keys if key.startswith("more-")]
    return [int(card) for card in cards if card.isdigit()]


def places_of(page: AppTest) -> list[str]:
    """Return the places whose cards are shown, in order."""
    keys = [button.key or "" for button in page.button]
    return [key.removeprefix("open-place-") for key in keys if key.startswith("open-place-")]


def address_of(page: AppTest) -> dict[str, Any]:
    """Return the parameters of the page's address."""
    return {
        name: value[0] if isinstance(value, list) else value
        for name, value in page.query_params.items()
    }


def name_box(page: AppTest) -> TextInput:
    """Return where is said what to call some marks."""
    return next(box for box in page.text_input if (box.key or "").startswith("name-"))


def said_in(papers: Papers) -> dict[int, tuple[str, str, str]]:
    """Return of each mark that has one its identity's name, how sure it is, and who said so."""
    with papers.archive.session() as session:
        rows = session.execute(
            select(
                tables.IdentityMark.mark_id,
                tables.Identity.name,
                tables.IdentityMark.certainty,
                tables.IdentityMark.said_by,
            ).join(tables.Identity)
        )
        return {mark: (name, certainty, person) for mark, name, certainty, person in rows}
