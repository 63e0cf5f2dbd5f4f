"""Columns of the tables that people write for an evaluation, found by what they may be called."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence

from retrieval.catalogue.errors import MetadataError
from retrieval.catalogue.spelling import plain_word

#: No picture that can be read has a side of so many pixels.
_BEYOND_ANY_PAGE = 2**31


def find_columns(
    name: str, header: Sequence[str], called: Mapping[str, Sequence[str]]
) -> dict[str, int]:
    """Return where each column stands that is there; case, spaces and signs are ignored.

    Of several names of a column that are there, the first in `called` holds. `name` is the file's.
    Raises MetadataError where two columns are named the same.
    """
    plain = [plain_word(field) for field in header]
    found: dict[str, int] = {}
    for column, names in called.items():
        written = next((one for one in names if one in plain), None)
        if written is None:
            continue
        places = [at for at, field in enumerate(plain) if field == written]
        if len(places) > 1:
            raise MetadataError(f"{name}: two columns are named {header[places[1]].strip()!r}.")
        found[column] = places[0]
    return found


def columns_in_words(header: Sequence[str]) -> str:
    """Return the header for a message, no more than a dozen columns of it."""
    return ", ".join(repr(field.strip()) for field in header[:12])


def filled_rows(
    rows: Iterable[tuple[int, list[str]]], columns: Mapping[str, int]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Give (line, what stands in each column) of the rows in which anything does."""
    for line, row in rows:
        values = {
            column: text
            for column, at in columns.items()
            if at < len(row) and (text := unicodedata.normalize("NFC", row[at].strip()))
        }
        if values:
            yield line, values


def written_source(text: str) -> str:
    """Return a source as the catalogue writes it."""
    return text.replace("\\", "/").removeprefix("./")


def page_number(name: str, line: int, column: str, text: str) -> int:
    """Return a page's id, such as 12 or 12.0; MetadataError, with the line, where it is not one."""
    if not re.fullmatch(r"[0-9]{1,18}(\.0*)?", text):
        raise MetadataError(f"{name}, line {line}: the {column} is {text!r}, not a whole number.")
    return int(text.partition(".")[0])


def pixels(name: str, line: int, column: str, text: str) -> int:
    """Return a number of pixels, rounded; MetadataError, with the line, where it is not one."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not abs(number) < _BEYOND_ANY_PAGE:
        raise MetadataError(
            f"{name}, line {line}: the {column} is {text!r}, not a number of pixels."
        )
    return round(number)
