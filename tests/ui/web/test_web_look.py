from __future__ import annotations

import re

import pytest

from ui.web.look import STYLE, THEME

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


def test_what_tells_buttons_apart_is_heard_and_not_seen() -> None:
    button = '[data-testid="stBaseButton-tertiary"]'
    hidden = RULES[f"{button} p span"]
    assert (hidden["position"], hidden["clip-path"]) == ("absolute", "inset(50%)")
    assert not {"display", "visibility"} & set(hidden), "these would hide it from the ear as well"
    assert RULES[button]["position"] == "relative", "what is hidden stays with its button"


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours as WCAG 2 defines it, in [1, 21]."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("paper", [THEME["backgroundColor"], "#fffdf9"], ids=["page", "card"])
def test_all_text_stands_out_from_its_paper(paper: str) -> None:
    assert RULES['[class*="st-key-card-"]']["background"] == "#fffdf9"
    inks = {body["color"] for body in RULES.values() if "color" in body} | {THEME["textColor"]}
    assert {ink: _contrast(ink, paper) for ink in inks if _contrast(ink, paper) < 4.5} == {}
