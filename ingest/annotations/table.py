"""CSV as people's programs write it: comma, semicolon or tab."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from ingest.annotations.annotation import MAX_REGIONS
from retrieval.catalogue.errors import MetadataError


def read_table(text: str, name: str) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Return the names of the columns, in lower case, and each row by them with its line.

    Rows without any field are left out; a row that is too short has empty fields. MetadataError
    for a row that is too long, or where a quotation mark is missing.
    """
    header, _, _ = text.partition("\n")
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: list[str] = []
    rows: list[tuple[int, dict[str, str]]] = []
    try:
        for row in reader:
            if not columns:
                columns = [one.strip().casefold() for one in row]
                continue
            if not any(one.strip() for one in row):
                continue
            if any(one.strip() for one in row[len(columns) :]):
                raise MetadataError(
                    f"{name}, line {reader.line_num}: there are {len(row)} fields, but the header "
                    f"names {len(columns)}. Perhaps a quotation mark is missing."
                )
            if len(rows) == MAX_REGIONS:
                raise MetadataError(f"{name} has more than {MAX_REGIONS:,} rows: split it.")
            padded = [*row, *[""] * (len(columns) - len(row))]
            rows.append((reader.line_num, dict(zip(columns, padded, strict=False))))
    except csv.Error as error:
        raise MetadataError(f"{name}, line {reader.line_num}: {error}.") from error
    return columns, rows


def table_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return CSV with the columns' names and the rows; None is an empty field."""
    # Python 3.11 quotes no "\r" but for a line's end of "\r\n", and could not read it back.
    text = io.StringIO(newline="")
    for row in (columns, *rows):
        line = io.StringIO(newline="")
        csv.writer(line, lineterminator="\r\n").writerow(row)
        text.write(line.getvalue()[:-2] + "\n")
    return text.getvalue()
