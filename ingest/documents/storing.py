"""Documents into the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from ingest.documents.record import CALENDAR, EDTF, DocumentRecord
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.references import sort_key
from retrieval.catalogue.tables import Document


def store_documents(session: Session, documents: Sequence[DocumentRecord]) -> int:
    """Add the documents, or bring those with the same reference up to date; return how many.

    What a record leaves open stays as the catalogue has it. Only what changes is written.
    """
    written = 0
    for chunk in in_parts(documents):
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
            after = _brought_up(before, one)
            if after != before:
                changed.append(after)
        if new:
            session.execute(insert(Document), new)
        if changed:
            session.execute(update(Document), changed)
        written += len(new) + len(changed)
    return written


def store_beneath_others(
    session: Session, document: DocumentRecord, before: DocumentRecord | None
) -> int:
    """Add the document, or bring in what it says where nobody else has spoken; return how many.

    `before` is what was stored of it from the same source the last time: what the catalogue has
    and `before` has not is somebody else's word, and stays. A date stays with all made of it.
    """
    table = Document.__table__.c
    row = session.execute(select(*table).where(table.reference == document.reference)).one_or_none()
    if row is None:
        return store_documents(session, [document])
    here = row._asdict()
    said: dict[str, Any] = {"details": {}}
    if before and before.reference == document.reference:
        said = _as_row(before)
    others: dict[str, Any] = {
        column: None
        for column in ("series", "title", "ship", "place", "captain")
        if here[column] not in (None, said.get(column))
    }
    if others_date := here["date"] is not None and _dated(here) != _dated(said):
        others |= dict.fromkeys(("date", "year_from", "year_to"))
    details = {
        key: value
        for key, value in document.details.items()
        if here["details"].get(key) in (None, said["details"].get(key))
        and not (others_date and key in (EDTF, CALENDAR))
    }
    return store_documents(session, [replace(document, **others, details=details)])


def _dated(row: Mapping[str, Any]) -> list[Any]:
    """Return a row's date, and what was made of it."""
    columns = [row.get(column) for column in ("date", "year_from", "year_to")]
    return columns + [row["details"].get(key) for key in (EDTF, CALENDAR)]


def _brought_up(before: dict[str, Any], one: DocumentRecord) -> dict[str, Any]:
    """Return a row of the catalogue with what a record says of the document."""
    said = {column: value for column, value in _as_row(one).items() if value is not None}
    after = before | said
    if one.dated_for_machines and before["date"] is not None:
        after["date"] = before["date"]  # as it was written
    if one.date and (EDTF in one.details or not one.dated_for_machines):
        after |= {"year_from": one.year_from, "year_to": one.year_to}
    after["details"] = _kept(before["details"], one) | one.details
    return after


def _kept(details: dict[str, Any], one: DocumentRecord) -> dict[str, Any]:
    """Return the details that stay: what was made of an earlier date goes with that date."""
    made = (EDTF, CALENDAR) if one.date and not one.dated_for_machines else ()
    return {key: value for key, value in details.items() if key not in made}


def _as_row(one: DocumentRecord) -> dict[str, Any]:
    return {
        "reference": one.reference,
        "sort_key": sort_key(one.reference),
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
