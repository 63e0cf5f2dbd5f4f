"""What the archivist's CSV says: documents, and which page belongs to which."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from retrieval.catalogue.errors import MetadataError
from retrieval.catalogue.metadata import read_metadata
from retrieval.catalogue.tables import Document, Page

#: The columns with a meaning, and what else they are called. Case, spaces and signs are ignored.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "reference": (
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
    "title": ("document title", "unittitle"),
    "date": ("dates", "covering dates", "covering date", "unitdate", "date created", "year"),
    "ship": ("vessel", "ship name", "vessel name", "name of ship", "name of vessel"),
    "place": ("port", "place name"),
    "captain": ("master", "shipmaster", "ship master", "captain name", "master name"),
    "source": ("file", "filename", "file path", "path", "image", "image file", "scan"),
}

#: Characters that a column of the catalogue holds; titles and other columns have no limit.
_LONGEST = {"reference": 255, "date": 255, "ship": 255, "place": 255, "captain": 255}

_FIELDS = ("title", "date", "ship", "place", "captain")
_CHUNK = 500


@dataclass(frozen=True)
class DocumentRecord:
    """A document as the file describes it; None where it says nothing."""

    reference: str
    series: str | None
    title: str | None
    date: str | None
    year_from: int | None
    year_to: int | None
    ship: str | None
    place: str | None
    captain: str | None
    details: dict[str, Any]


@dataclass(frozen=True)
class PageClaim:
    """A row that gives a page to a document: the page's source as written, and the line."""

    source: str
    reference: str
    line: int


@dataclass(frozen=True)
class DocumentsFile:
    """A documents file that has been read: its documents and its claims, in its order."""

    name: str
    documents: tuple[DocumentRecord, ...]
    claims: tuple[PageClaim, ...]


@dataclass(frozen=True)
class Binding:
    """How the claims met the pages: pages claimed, and one sentence for each claim that failed."""

    pages: int
    problems: tuple[str, ...]


def read_documents(path: Path) -> DocumentsFile:
    """Read a CSV file of documents.

    One row a document, or one a page: rows with the same reference are one document, whose
    pages follow the order of the rows. A row without source describes the document alone.
    Columns without a meaning here (see `COLUMNS`) are kept as the document's details. UTF-8 or
    Windows-1252; comma, semicolon or tab. Raises MetadataError, which names the file and line.
    """
    text = _text(path)
    if path.suffix.lower() in {".xlsx", ".xls", ".ods"} or text.startswith("PK\x03\x04"):
        raise MetadataError(f"{path} is a spreadsheet: save it as CSV (UTF-8) and give that.")
    first, rows = _rows(path.name, text)
    columns = _columns(path.name, first)
    merged: dict[str, dict[str, Any]] = {}
    claims: list[PageClaim] = []
    for line, row in rows:
        values, details = _values(path.name, line, columns, row)
        if not values and not details:
            continue
        reference = values.get("reference")
        if not reference:
            raise MetadataError(
                f"{path.name}, line {line}: there is no reference. Every row needs the reference "
                "of its document."
            )
        _merge(merged.setdefault(reference, {"details": {}}), values, details)
        if source := values.get("source"):
            claims.append(PageClaim(source, reference, line))
    documents = tuple(_record(reference, known) for reference, known in merged.items())
    return DocumentsFile(path.name, documents, tuple(claims))


def store_documents(session: Session, documents: Sequence[DocumentRecord]) -> int:
    """Add the documents, or bring those with the same reference up to date; return how many.

    What a record leaves open stays as the catalogue has it. Only what changes is written.
    """
    written = 0
    for start in range(0, len(documents), _CHUNK):
        chunk = documents[start : start + _CHUNK]
        table = Document.__table__.c
        known = {
            row.reference: row._asdict()
            for row in session.execute(
                select(*table).where(table.reference.in_([one.reference for one in chunk]))
            )
        }
        new = [_as_row(one) for one in chunk if one.reference not in known]
        changed = []
        for one in chunk:
            if (before := known.get(one.reference)) is None:
                continue
            after = before | {
                column: value
                for column, value in _as_row(one).items()
                if value is not None and column != "details"
            }
            if one.date:
                after |= {"year_from": one.year_from, "year_to": one.year_to}
            after["details"] = before["details"] | one.details
            if after != before:
                changed.append(after)
        if new:
            session.execute(insert(Document), new)
        if changed:
            session.execute(update(Document), changed)
        written += len(new) + len(changed)
    return written


def bind_pages(session: Session, file: DocumentsFile) -> Binding:
    """Give each claimed page to its document, numbered in the order of the rows from 1.

    A claim meets the page whose source it names: the path below SOURCE, or as much of its end
    as only one page has; never a page's position, and never a file that was not ingested. Every
    image of a multi-page file goes to the document, one after another. Call `store_documents`
    first.
    """
    documents = {
        reference: document
        for reference, document in session.execute(select(Document.reference, Document.id))
    }
    pages: dict[str, list[tuple[int, int | None, int]]] = defaultdict(list)
    for source, page, document, ordinal in session.execute(
        select(Page.source, Page.id, Page.document_id, Page.ordinal).order_by(
            Page.source, Page.frame
        )
    ):
        pages[source].append((page, document, ordinal))
    finder = _Finder(pages)
    owners: dict[str, PageClaim] = {}
    next_ordinal: dict[str, int] = defaultdict(lambda: 1)
    changed: list[dict[str, int]] = []
    problems: list[str] = []
    bound = 0
    for claim in file.claims:
        found = finder.find(claim.source)
        where = f"{file.name}, line {claim.line}:"
        if len(found) != 1:
            problems.append(
                f"{where} no page {claim.source!r} has been ingested."
                if not found
                else f"{where} {claim.source!r} may be any of {len(found)} pages, such as "
                f"{found[0]!r} and {found[1]!r}: write its path below the source folder."
            )
            continue
        owner = owners.setdefault(found[0], claim)
        if owner is not claim:
            if owner.reference != claim.reference:
                problems.append(
                    f"{where} the page {found[0]!r} was given to {owner.reference} on line "
                    f"{owner.line}; it stays there."
                )
            continue
        for page, document, ordinal in pages[found[0]]:
            place = {
                "id": page,
                "document_id": documents[claim.reference],
                "ordinal": next_ordinal[claim.reference],
            }
            next_ordinal[claim.reference] += 1
            bound += 1
            if (document, ordinal) != (place["document_id"], place["ordinal"]):
                changed.append(place)
    if changed:
        session.execute(update(Page), changed)
    return Binding(bound, tuple(problems))


def series_of(reference: str) -> str | None:
    """Return the series of a reference: "HCA 32" of "HCA 32/12/5", "TNA, HCA32/12" or "hca 32".

    Letters and number as The National Archives (Kew) write them, small letters at the beginning
    only; None for other references.
    """
    found = re.search(r"^\s*([A-Za-z]{1,4})\s*([0-9]{1,4})\s*(?:/|$)", reference) or re.search(
        r"[\s,:;]([A-Z]{1,4})\s*([0-9]{1,4})\s*(?:/|$)", reference
    )
    return f"{found[1].upper()} {int(found[2])}" if found else None


def years_of(date: str) -> tuple[int | None, int | None]:
    """Return the first and last year that a written date speaks of, from 1000 to 2099.

    Knows years in any wording, ranges (1700-1705, 1744-45), Old Style years (1744/5), decades
    (1690s, 169X), centuries (17th century, 16XX), and "before" and "after", which leave one side
    open as None. (None, None) where there is no year.
    """
    text = unicodedata.normalize("NFKC", date).casefold()
    text = re.sub(r"[‐-―−]", "-", text)
    spans: list[tuple[int, int]] = []
    for century in re.finditer(
        r"(?<![0-9])(1[1-9]|2[01])(?:st|nd|rd|th)?(?=(?:\s*(?:-|to|and|or|/)\s*"
        r"(?:1[1-9]|2[01])(?:st|nd|rd|th))?\s*(?:c\b|cent))",
        text,
    ):
        spans.append((int(century[1]) * 100 - 99, int(century[1]) * 100))
    for start, unknown, plural in re.findall(
        r"(?<![0-9])(1[0-9]{1,3}|20[0-9]{0,2})(x{0,2})('?s)?(?![0-9])", text
    ):
        digits = len(start) + len(unknown)
        if digits != 4:
            continue
        first = int(start) * 10 ** len(unknown)
        if unknown:
            spans.append((first, first + 10 ** len(unknown) - 1))
        elif plural and start.endswith("0"):
            spans.append((first, first + (99 if start.endswith("00") else 9)))
        else:
            spans.append((first, first))
    for year, sign, more in re.findall(
        r"(?<![0-9])(1[0-9]{3}|20[0-9]{2})\s*([-/])\s*([0-9]{1,2})(?![0-9]|\s*[-/.]\s*[0-9])", text
    ):
        # 1702-03 is March 1702 to ISO 8601; 1702/3 is the Old Style's double year.
        month = sign == "-" and len(more) == 2 and 1 <= int(more) <= 12
        whole = int(year[: 4 - len(more)] + more)
        if not month and whole > int(year):
            spans.append((whole, whole))
    if not spans:
        return None, None
    first, last = min(start for start, _ in spans), max(end for _, end in spans)
    if re.match(r"\W*(before|bef\b|ante\b|until\b|not after)", text):
        return None, last
    if re.match(r"\W*(after|aft\b|post\b|since\b|not before)", text):
        return first, None
    return first, last


def _text(path: Path) -> str:
    content = read_metadata(path)
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "cp1252", "latin-1"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise MetadataError(f"{path} is no text in UTF-8 or UTF-16: save it as CSV (UTF-8).")


def _rows(name: str, text: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return the header and the (line, fields) after it."""
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise MetadataError(f"{name}, line {line}: there are zero bytes. Is it a text file?")
    stated = re.match(r"sep=(.)\r?\n", text)  # Excel's own way of naming the delimiter
    delimiter = stated[1] if stated else _delimiter(text)
    stream = io.StringIO(text, newline="")
    reader = csv.reader(stream, delimiter=delimiter, strict=True, skipinitialspace=True)

    def numbered() -> Iterator[tuple[int, list[str]]]:
        while True:
            line = reader.line_num + 1
            try:
                row = next(reader, None)
            except csv.Error as error:
                raise MetadataError(f"{name}, line {line}: it is no proper CSV: {error}.") from None
            if row is None:
                return
            yield line, row

    rows = numbered()
    for _, row in rows:
        if any(field.strip() for field in row) and not (stated and row[0].startswith("sep=")):
            return row, rows
        if stated and row and row[0].startswith("sep="):
            continue
    raise MetadataError(f"{name}, line 1: there is no header. Name the columns in the first row.")


def _delimiter(text: str) -> str:
    header = next((line for line in text.splitlines() if line.strip()), "")
    unquoted = re.sub(r'"[^"]*"', "", header)
    return max(",;\t", key=unquoted.count)  # the comma, where none occurs


def _columns(name: str, header: Sequence[str]) -> list[str]:
    """Return what each column is: a field of ours in lower case, or `details:` and its name."""
    plain = [re.sub(r"[\W_]+", "", field.casefold()) for field in header]
    columns = [
        f"details:{field.strip() or f'column {at}'}" for at, field in enumerate(header, start=1)
    ]
    for column, others in COLUMNS.items():
        for called in (column, *others):
            wanted = called.replace(" ", "")
            if wanted in plain:
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
                f"{name}, line 1: two columns are called {column.removeprefix('details:')!r}."
            )
    return columns


def _values(
    name: str, line: int, columns: Sequence[str], row: Sequence[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return a row's fields that are not empty: ours, and the details."""
    if any(field.strip() for field in row[len(columns) :]):
        raise MetadataError(
            f"{name}, line {line}: there are {len(row)} fields, but the header names "
            f"{len(columns)}. Is a quotation mark missing?"
        )
    values: dict[str, str] = {}
    details: dict[str, str] = {}
    for column, field in zip(columns, row, strict=False):
        if not (text := unicodedata.normalize("NFC", field.strip())):
            continue
        if column.startswith("details:"):
            details[column.removeprefix("details:")] = text
            continue
        if column == "reference":
            text = " ".join(text.split())
        if len(text) > _LONGEST.get(column, len(text)):
            raise MetadataError(
                f"{name}, line {line}: the {column} is longer than {_LONGEST[column]} characters. "
                "Is a quotation mark missing?"
            )
        values[column] = text
    return values, details


def _merge(known: dict[str, Any], values: Mapping[str, str], details: Mapping[str, str]) -> None:
    """Add a further row of a document: the first to say something of a field is kept.

    A detail that differs from row to row becomes the list of what the rows say.
    """
    for field in _FIELDS:
        if field in values:
            known.setdefault(field, values[field])
    for key, value in details.items():
        said = known["details"].setdefault(key, value)
        several = said if isinstance(said, list) else [said]
        if value not in several:
            known["details"][key] = [*several, value]


def _record(reference: str, known: Mapping[str, Any]) -> DocumentRecord:
    date = known.get("date")
    year_from, year_to = years_of(date) if date else (None, None)
    return DocumentRecord(
        reference=reference,
        series=series_of(reference),
        title=known.get("title"),
        date=date,
        year_from=year_from,
        year_to=year_to,
        ship=known.get("ship"),
        place=known.get("place"),
        captain=known.get("captain"),
        details=known["details"],
    )


def _as_row(one: DocumentRecord) -> dict[str, Any]:
    return {
        "reference": one.reference,
        "series": one.series,
        "title": one.title,
        "date": one.date,
        "year_from": one.year_from,
        "year_to": one.year_to,
        "ship": one.ship,
        "place": one.place,
        "captain": one.captain,
        "details": one.details,
    }


class _Finder:
    """Finds the ingested sources that a written source may mean."""

    def __init__(self, sources: Mapping[str, object]) -> None:
        self._sources = sources
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for source in sources:
            self._by_name[source.rsplit("/", 1)[-1].casefold()].append(source)

    def find(self, written: str) -> list[str]:
        """Return the one source that is meant, or several when it may be any of them."""
        plain = written.replace("\\", "/").removeprefix("./")
        if plain in self._sources:
            return [plain]
        parts = [part for part in plain.casefold().split("/") if part]
        if not parts or ".." in parts:
            return []
        return [
            source
            for source in self._by_name[parts[-1]]
            if _same_end(source.casefold().split("/"), parts)
        ]


def _same_end(one: Sequence[str], other: Sequence[str]) -> bool:
    shorter = min(len(one), len(other))
    return list(one[-shorter:]) == list(other[-shorter:])
