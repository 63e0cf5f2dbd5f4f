"""When two spellings are one to a person who searches: "étoile" is "Étoile", "STRASSE" "Straße"."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from functools import cache

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute


def folded(text: str) -> str:
    """Return what all spellings of a text have in common, whatever their case."""
    return text.casefold()


def plain_word(text: str) -> str:
    """Return what a word is without case, spaces and signs: "Page no." is "pageno"."""
    return re.sub(r"[\W_]+", "", text.casefold())


def holds(
    column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None], text: str
) -> ColumnElement[bool]:
    """Return the condition that a column holds a text, folded both; "ß" is met by "ss", not by "s".

    Each letter is written out in all its cases, for a database folds no others than those of the
    language that it was set up for, and SQLite those of ASCII alone.
    """
    return column.regexp_match(_pattern(folded(text)))


def _pattern(text: str) -> str:
    """Return a regular expression, of Python and PostgreSQL, for what is `text` when folded."""
    found, at = [], 0
    while at < len(text):
        # The longest first: of "ss" both, for they may be written as one letter.
        parts = (text[at : at + length] for length in (3, 2, 1))
        part = next(part for part in parts if len(part) == 1 or part in _written())
        apart = "".join(_letter(letter) for letter in part)
        if len(part) > 1:
            apart = f"({apart}|[{''.join(_written()[part])}])"
        found.append(apart)
        at += len(part)
    return "".join(found)


def _letter(letter: str) -> str:
    """Return the expression for one folded letter, in whatever case it is written."""
    others = "".join(_written().get(letter, ()))
    return f"[{letter}{others}]" if others else re.escape(letter)


@cache
def _written() -> dict[str, list[str]]:
    """Return the letters that fold to something else, by what they fold to: "s" is "S" and "ſ"."""
    found: dict[str, list[str]] = defaultdict(list)
    for letter in map(chr, range(sys.maxunicode + 1)):
        if folded(letter) != letter:
            found[folded(letter)].append(letter)
    return dict(found)
