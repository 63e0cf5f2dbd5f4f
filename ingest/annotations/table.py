"""CSV as people's programs write it: comma, semicolon or tab."""

from __future__ import annotations

from ingest.annotations.annotation import MAX_REGIONS
from retrieval.catalogue.errors import MetadataError
from retrieval.catalogue.metadata import table_of


def rows_by_column(text: str, name: str) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Return the names of the columns, in lower case, and each row by them with its line.

    The text is parted as `table_of` does. Rows without any field are left out; a row that is too
    short has empty fields. MetadataError for a row that is too long, or where a quotation mark is
    missing.
    """
    header, numbered = table_of(text, name)
    columns = [one.strip().casefold() for one in header]
    rows: list[tuple[int, dict[str, str]]] = []
    for line, row in numbered:
        if not any(one.strip() for one in row):
            continue
        if any(one.strip() for one in row[len(columns) :]):
            raise MetadataError(
                f"{name}, line {line}: there are {len(row)} fields, but the header names "
                f"{len(columns)}. Perhaps a quotation mark is missing."
            )
        if len(rows) == MAX_REGIONS:
            raise MetadataError(f"{name} has more than {MAX_REGIONS:,} rows: split it.")
        padded = [*row, *[""] * (len(columns) - len(row))]
        rows.append((line, dict(zip(columns, padded, strict=False))))
    return columns, rows
