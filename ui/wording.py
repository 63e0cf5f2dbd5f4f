"""How things are said to a person: a calibrated score, how a query was held, numbers and lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it loads NumPy, which --help does without
    from retrieval.orientation import Orientation

#: Up to this share of unrelated marks a likeness is worth a second look.
NOTABLE = 0.01
#: From this share of unrelated marks on, a likeness says nothing.
COMMON = 0.2
#: Sentences on what could not be read that are shown.
MOST_UNREAD = 10


def alikeness(unrelated: float, one: str = "mark") -> str:
    """Say what share of unrelated ones looks at least this alike, `unrelated` in (0, 1]."""
    if unrelated <= 1e-6:
        return f"fewer than 1 in 1,000,000 unrelated {one}s"
    if unrelated >= COMMON:
        return f"as alike as any two {one}s"
    one_in = 1 / unrelated
    if one_in >= 100:
        digits = 10 ** (len(str(int(one_in))) - 2)  # two figures are all the estimate is good for
        one_in = round(one_in / digits) * digits
    return f"1 in {one_in:,.0f} unrelated {one}s"


def alike_on_average(share: float, *, few: bool) -> str:
    """Say of a group's marks that they are as alike as this share of unrelated ones, or rarer.

    `few` says that the archive has too few marks to know how rare a likeness of two of them is.
    """
    if few:
        return "in an archive with too few marks to say how rare their likeness is"
    if share >= COMMON:
        return f"on average {alikeness(share)}"
    # "Fewer than", which the rarest share begins with, is what "or rarer" says.
    return f"on average as alike as {alikeness(share).removeprefix('fewer than ')} or rarer"


def is_notable(unrelated: float) -> bool:
    """Return whether a likeness is worth a second look."""
    return unrelated <= NOTABLE


_TURNS = {
    0: "the same way up",
    90: "turned a quarter to the right",
    180: "upside down",
    270: "turned a quarter to the left",
}


def held_in_words(way: Orientation) -> str:
    """Say how a mark stands against the query."""
    if not way.mirrored:
        return _TURNS[way.turned]
    return f"mirrored and {_TURNS[way.turned]}" if way.turned else "mirrored"


def waits(model: str) -> str:
    """Say that a model was trained and is not searched under."""
    return f"Model {model[:8]} has been trained but is not indexed yet."


def counted(number: int, one: str, several: str = "") -> str:
    """Return a number with its noun: "1 page", "1,204 pages"."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def known(value: object) -> str:
    """Return a value of a document's metadata as one line of text; nothing for None."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(known(part) for part in value)
    return " ".join(str(value).split())


def some_of(lines: Sequence[str], most: int, more: str = "more") -> list[str]:
    """Return the first lines, and how many `more` there are, for `--json` to tell."""
    left = len(lines) - most
    return [*lines[:most], *([f"... and {left} {more} (--json: all)."] if left > 0 else [])]


def unread_sentences(said: str, unread: Sequence[str]) -> list[str]:
    """Return the sentence `said` and the first of what was `unread`; nothing where all was read."""
    return [said, *some_of(unread, MOST_UNREAD, "more")] if unread else []
