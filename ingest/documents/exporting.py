"""The documents of an archive as the CSV file that `ingest --documents` takes back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby, zip_longest
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy import Row, Select, exists, func, select
from sqlalchemy.orm import Session

from ingest.csv_text import as_cell, as_shown, row_text
from ingest.documents.csv_file import COLUMNS as CSV_COLUMNS
from ingest.documents.dates import read_date
from ingest.documents.record import CALENDAR, EDTF
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.documents import Filters, document_conditions, in_order_of_reference
from retrieval.catalogue.files import (
    check_is_outside,
    output_refused_said,
    where_links_lead,
    write_texts,
)
from retrieval.catalogue.parts import MOST, in_parts
from retrieval.catalogue.references import series_of
from retrieval.catalogue.spelling import plain_word
from retrieval.catalogue.tables import Document, Page
from retrieval.progress import Report, nobody

#: What every row has, in its order; `PAGE_IN_FILE` follows where files of several images are there.
#: Then follow the details, so that one called as one of these is read as a detail again.
COLUMNS = (
    "reference",
    "title",
    "date",
    EDTF,
    "ship",
    "place",
    "captain",
    "series",
    "source",
    "sha256",
)
PAGE_IN_FILE = "page in file"
_FIELDS = ("title", "date", "ship", "place", "captain")

_EVERY = Filters()


def export_documents(
    archive: Archive,
    output: Path | TextIO,
    where: Filters = _EVERY,
    *,
    head: str = "",
    progress: Report = nobody,
) -> int:
    """Write the documents to a stream, or to a file whole or not at all; return how many.

    What is written begins with `head`. Raises RequestError where the file cannot be written, and,
    before anything is, where it would be in the archive's folder.
    """
    if isinstance(output, Path):
        check_is_outside(output, archive.folder)
    with archive.session() as session:
        total = session.scalar(select(func.count()).select_from(_documents(where).subquery())) or 0

        def texts() -> Iterator[str]:
            yield head
            done = 0
            for count, text in documents_csv(session, where):
                yield text
                done += count
                progress(done, total)

        if isinstance(output, Path):
            with output_refused_said(output):
                write_texts(where_links_lead(output), texts())
        else:
            output.writelines(texts())
    return total


def documents_csv(session: Session, where: Filters = _EVERY) -> Iterator[tuple[int, str]]:
    """Give the table part by part, and how many documents each part is of; its header first.

    One row a file of a document, in their order, or a single row without source; a row an image
    where those of a file are not all the document's, one after another. What is said of
    the document stands in the first, so that there is one place to correct; a detail with several
    values has one in each row, and rows without source where there are more values than files.
    """
    details = _details_said(session, where)
    several = bool(session.scalar(select(exists().where(Page.frame > 0))))
    columns = [*COLUMNS, PAGE_IN_FILE] if several or _is_called_as_ours(details) else COLUMNS
    yield 0, row_text([*columns, *map(as_shown, details)])
    for some in _in_parts(session, where):
        sources = _sources(session, [row.id for row in some], several)
        rows = (cells for row in some for cells in _rows(row, sources[row.id], columns, details))
        yield len(some), "".join(row_text([*map(as_cell, cells)]) for cells in rows)


def _documents(where: Filters) -> Select[*tuple[Any, ...]]:
    table = Document.__table__.c
    return select(
        *(table[name] for name in ("id", "reference", "series", *_FIELDS)),
        *(table[name] for name in ("year_from", "year_to", "details")),
    ).where(*document_conditions(where))


def _in_parts(session: Session, where: Filters) -> Iterator[Sequence[Row[Any]]]:
    in_order = _documents(where).order_by(*in_order_of_reference())
    yield from session.execute(in_order.execution_options(yield_per=MOST)).partitions()


def _details_said(session: Session, where: Filters) -> list[str]:
    """Return what the details are called, in the order in which the documents have them."""
    said: dict[str, None] = {}
    for some in _in_parts(session, where):
        for row in some:
            said |= dict.fromkeys(_edtf_and_details(row)[1])
    return list(said)


def _series(row: Row[Any]) -> str | None:
    """Return the series, where the reference alone would be read as of another or none."""
    series: str | None = row.series
    return None if series == series_of(row.reference) else series


def _edtf_and_details(row: Row[Any]) -> tuple[str | None, dict[str, Any]]:
    """Return the date for machines, where its wording alone would be read otherwise, and the
    details, but for what reading the date anew adds to them."""
    details = dict(row.details)
    edtf: str | None = details.pop(EDTF, None)
    if not row.date:
        return None, details
    worded = read_date(row.date)
    if details.get(CALENDAR) == worded.calendar:
        details.pop(CALENDAR, None)
    if (worded.edtf, worded.year_from, worded.year_to) == (edtf, row.year_from, row.year_to):
        edtf = None
    return edtf or None, details


def _is_called_as_ours(details: Sequence[str]) -> bool:
    plain = {plain_word(called) for called in CSV_COLUMNS[PAGE_IN_FILE]}
    return any(plain_word(detail) in plain for detail in details)


def _sources(
    session: Session, documents: Sequence[int], several: bool
) -> dict[int, list[tuple[str, str, str | None]]]:
    """Return the files of each document in the order of their pages, each once, with its SHA-256;
    or one image of them after another, by its number, where the name would mean more or others.

    A source is but a name, under which another archive may have another file. `several`: there are
    files of several images.
    """
    found: dict[int, list[tuple[str, int, str]]] = defaultdict(list)
    pages = (
        select(Page.document_id, Page.source, Page.frame, Page.sha256)
        .where(Page.document_id.in_(documents))
        .order_by(Page.document_id, Page.ordinal, Page.source, Page.frame)
    )
    for document, source, frame, sha256 in session.execute(pages):
        if document is not None:
            found[document].append((source, frame, sha256))
    frames: dict[str, list[int]] = defaultdict(list)
    of_several = {source for ours in found.values() for source, _, _ in ours} if several else ()
    for some in in_parts(sorted(of_several)):
        of_these = select(Page.source, Page.frame).where(Page.source.in_(some))
        for source, frame in session.execute(of_these.order_by(Page.source, Page.frame)):
            frames[source].append(frame)
    rows: dict[int, list[tuple[str, str, str | None]]] = {document: [] for document in documents}
    for document, ours in found.items():
        for source, together in groupby(ours, key=lambda one: one[0]):
            images = list(together)
            if not several or [frame for _, frame, _ in images] == frames[source]:
                rows[document].append((source, images[0][2], None))
            else:
                rows[document] += [(source, sha, str(frame + 1)) for _, frame, sha in images]
    return rows


def _rows(
    row: Row[Any],
    sources: Sequence[tuple[str, str, str | None]],
    columns: Sequence[str],
    details: Sequence[str],
) -> Iterator[list[str | None]]:
    """Give a document's rows: what is said once, its file, and a value of each detail."""
    edtf, said = _edtf_and_details(row)
    once = {name: getattr(row, name) for name in _FIELDS}
    once |= {EDTF: edtf, "series": _series(row)}
    files: list[str | None] = [source for source, _, _ in sources] or [None]
    digests = [sha256 for _, sha256, _ in sources]
    images = [image for _, _, image in sources]
    values = [_values(said.get(key)) for key in details]
    for source, sha256, image, *beside in zip_longest(files, digests, images, *values):
        fields = {"reference": row.reference, "source": source, "sha256": sha256, **once}
        fields[PAGE_IN_FILE] = image
        yield [*(fields.get(column) for column in columns), *beside]
        once = {}


def _values(said: Any) -> list[str]:
    """Return the values of a detail that a catalogue has."""
    if said is None:
        return []
    return [str(one) for one in said] if isinstance(said, list) else [str(said)]
