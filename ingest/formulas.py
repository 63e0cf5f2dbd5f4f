"""Cells of CSV files that a spreadsheet would run as formulas, written so that it shows them."""

from __future__ import annotations

import re

#: What a spreadsheet takes for a formula, and what that is written as.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def as_shown(said: str) -> str:
    """Return what a catalogue, a server or a person says, a formula with "'" before it."""
    return f"'{said}" if _FORMULA.match(said) else said


def as_cell(said: str | None) -> str | None:
    """Return a field as `as_shown` writes it; nothing stays nothing."""
    return said and as_shown(said)


def as_said(shown: str) -> str:
    """Return what `as_shown` was given."""
    return shown[1:] if shown.startswith("'") and _FORMULA.match(shown) else shown
