from __future__ import annotations

import re

from ui.web.look import STYLE

#: Each rule of the style: what it is for, and its declarations.
RULES = {
    " ".join(selector.split()): dict(
        tuple(part.strip() for part in one.split(":", 1)) for one in body.split(";") if one.strip()
    )
    for selector, body in re.findall(r"([^{}]+)\{([^{}]+)\}", STYLE.split(">", 1)[1])
}


def test_the_question_scrolls_where_it_is_higher_than_the_window() -> None:
    question = RULES['[data-testid="stColumn"]:has(.st-key-question)']
    assert question["position"] == "sticky"
    assert question["max-height"] == "calc(100vh - 3rem)"
    assert question["overflow-y"] == "auto"
