"""Documents in a CSV file: one row a document, or one a page."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from ingest.csv_text import as_said
from ingest.documents.record import (
    LONGEST,
    Details,
    DocumentsFile,
    Gathering,
    PageClaim,
    add_detail,
    series_within,
)
from retrieval.catalogue.errors import MetadataError
from retrieval.catalogue.metadata import read_table
from retrieval.catalogue.references import normalise_reference
from retrieval.catalogue.spelling import plain_word

#: What the columns with a meaning may be called; of several that are there the first counts. Case,
#: spaces and signs are ignored. `normal` is the date for machines, as EAD calls it.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "reference": (
        "reference",
        "ref",
        "reference code",
        "reference number",
        "reference no",
        "ref no",
        "ref code",
        "document reference",
        "catalogue reference",
        "call number",
        "shelfmark",
        "unitid",
        "identifier",
    ),
    "title": ("title", "document title", "unittitle"),
    "date": (
        "date",
        "dates",
        "covering dates",
        "covering date",
        "unitdate",
        "date created",
        "year",
    ),
    "normal": ("date edtf", "edtf", "normal"),
    "ship": ("ship", "vessel", "ship name", "vessel name", "name of ship", "name of vessel"),
    "place": ("place", "port", "place name"),
    "captain": ("captain", "master", "shipmaster", "ship master", "captain name", "master name"),
    "series": ("series",),
    "source": ("source", "file", "filename", "file path", "path", "image", "image file", "scan"),
    "sha256": ("sha256",),
    "page in file": ("page in file", "image in file", "page of file", "pdf page", "tiff page"),
}


def read_csv(path: Path) -> DocumentsFile:
    """Read a CSV file of documents.

    One row a document, or one a page: rows with the same reference are one document, whose
    pages follow the order of the rows. A row without source describes the document alone.
    Columns without a meaning here (see `COLUMNS`) are kept as the document's details. Encoding
    and delimiter are as `read_table` takes them. Raises MetadataError, which names the file and
    line.
    """
    header, rows = read_table(path)
    if not header:
        raise MetadataError(
            f"{path.name}, line 1: there is no header. Name the columns in the first row."
        )
    columns = _columns(path.name, header)
    gathering = Gathering(path.name)
    for line, row in rows:
        values, details = _values(path.name, line, columns, row)
        if not values and not details:
            continue
        if "reference" not in values:
            raise MetadataError(
                f"{path.name}, line {line}: there is no reference. Every row needs the reference "
                "of its document."
            )
        reference = gathering.describe(values["reference"], values, details, line)
        if source := values.get("source"):
            sha256 = values.get("sha256", "").casefold()
            frame = _frame(path.name, line, values.get("page in file"))
            gathering.claim(PageClaim(source, reference, line, sha256=sha256, frame=frame))
    return gathering.finished()


def _frame(name: str, line: int, written: str | None) -> int | None:
    """Return which image of its file a row is about, from 0 on; None where it does not say."""
    if written is None:
        return None
    if not re.fullmatch(r"0*[1-9][0-9]{0,8}", written):
        raise MetadataError(
            f"{name}, line {line}: the page in the file, {written[:40]!r}, is not a whole number "
            "of 1 or more."
        )
    return int(written) - 1


def _columns(name: str, header: Sequence[str]) -> list[str]:
    """Return what each column is: a field of ours in lower case, or `details:` and its name."""
    plain = [plain_word(field) for field in header]
    columns = [
        f"details:{as_said(field.strip()) or f'column {at}'}"
        for at, field in enumerate(header, start=1)
    ]
    for column, names in COLUMNS.items():
        for called in names:
            if (wanted := plain_word(called)) in plain:
                columns[plain.index(wanted)] = column
                break
    if "reference" not in columns:
        raise MetadataError(
            f"{name}, line 1: there is no column 'reference' (nor 'ref' or 'reference code'), "
            f"only {', '.join(repr(field.strip()) for field in header[:12])}."
        )
    for column in columns:
        if columns.count(column) > 1:
            raise MetadataError(
                f"{name}, line 1: two columns are named {column.removeprefix('details:')!r}."
            )
    return columns


def _values(
    name: str, line: int, columns: Sequence[str], row: Sequence[str]
) -> tuple[dict[str, str], Details]:
    """Return a row's fields that are not empty: ours, and the details."""
    if any(field.strip() for field in row[len(columns) :]):
        raise MetadataError(
            f"{name}, line {line}: there are {len(row)} fields, but the header names "
            f"{len(columns)}. Is a quotation mark missing?"
        )
    values: dict[str, str] = {}
    details: Details = {}
    for column, field in zip(columns, row, strict=False):
        if not (text := unicodedata.normalize("NFC", as_said(field.strip()))):
            continue
        if column.startswith("details:"):
            add_detail(details, column.removeprefix("details:"), text)
            continue
        if column != "series" and len(text) > LONGEST.get(column, len(text)):
            raise MetadataError(
                f"{name}, line {line}: the {column} is longer than {LONGEST[column]} characters. "
                "Is a quotation mark missing?"
            )
        values[column] = text
    _move_to_details(values, details)
    return values, details


def _move_to_details(values: dict[str, str], details: Details) -> None:
    """Move to the details what says nothing in a column of ours.

    A series where the reference has its own, and where it is too long to be one; a SHA-256 and a
    page in a file where there is no source.
    """
    for column in ("sha256", "page in file"):
        if "source" not in values and column in values:
            add_detail(details, column, values.pop(column))
    if series := values.get("series"):
        reference = normalise_reference(values.get("reference", ""))
        if len(series) > LONGEST["series"] or series_within(reference, series) != series:
            add_detail(details, "series", values.pop("series"))
