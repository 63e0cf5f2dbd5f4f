"""CSV text that every reader takes back as it was, and no spreadsheet runs as formulas."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

#: By this at a file's beginning Excel knows that it is UTF-8; every reader here passes it over.
BYTE_ORDER_MARK = "\ufeff"
#: What a spreadsheet takes for a formula, and what that is written as.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def table_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return CSV with the columns' names and the rows; None is an empty field."""
    return "".join(map(row_text, (columns, *rows)))


def row_text(row: Sequence[object]) -> str:
    """Return a row as a line of CSV, with its end; None is an empty field."""
    # Python 3.11 quotes no "\r" but for a line's end of "\r\n", and could not read it back.
    line = io.StringIO(newline="")
    # Spaces before a field are passed over on reading, but for those in quotation marks.
    spaced = any(isinstance(one, str) and one.startswith(" ") for one in row)
    writer = csv.writer(
        line, lineterminator="\r\n", quoting=csv.QUOTE_ALL if spaced else csv.QUOTE_MINIMAL
    )
    writer.writerow(row)
    return line.getvalue()[:-2] + "\n"


def as_shown(said: str) -> str:
    """Return text that no spreadsheet takes for a formula: "'" is put before what may be one."""
    return f"'{said}" if _FORMULA.match(said) else said


def as_cell(said: str | None) -> str | None:
    """Return a field as `as_shown` writes it; None and "" stay as they are."""
    return said and as_shown(said)


def as_said(shown: str) -> str:
    """Return the text that `as_shown` was given: without the "'" that it put there."""
    return shown[1:] if shown.startswith("'") and _FORMULA.match(shown) else shown
