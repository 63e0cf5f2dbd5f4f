"""Quarantine: the inputs that could not be read, in the catalogue and as `quarantine.csv`."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence, Set
from pathlib import Path

from sqlalchemy import ColumnElement, delete, exists, insert, or_, select, update
from sqlalchemy.orm import Session

from ingest.csv_text import as_shown
from ingest.iiif.fetching import is_address
from ingest.known import master_exists
from ingest.listing import is_at_hand, location_of, path_of
from ingest.reading import FileToRead, UnreadImage
from ingest.stamp import Stamp, file_stamp
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import InputError, SourceError
from retrieval.catalogue.files import disk_errors_said, write_atomically
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.tables import Failure, Page, now

COLUMNS = ("source", "frame", "location", "reason", "advice", "bytes", "failed_at")


def failing_among(session: Session, files: Sequence[FileToRead]) -> set[str]:
    """Return the sources of those files that have images in quarantine, whatever named there."""
    places = {location_of(file.path): file.name for file in files}
    rows = session.execute(
        select(Failure.source, Failure.location).where(
            or_(Failure.source.in_(places.values()), Failure.location.in_(places))
        )
    )
    return {places.get(location, source) for source, location in rows}


def record_failures(
    session: Session, file: FileToRead, unread: Sequence[UnreadImage], under: str, as_crops: bool
) -> None:
    """Make the unread images the file's only failures; rows that say the same are left alone.

    `under` says the limits and the version they were tried under, `as_crops` as what.
    """
    location = location_of(file.path)
    # An earlier version gave a file another name when it was given by another SOURCE.
    session.execute(
        delete(Failure).where(Failure.location == location, Failure.source != file.name)
    )
    _record(session, file.name, location, file.stamp, unread, under, as_crops)


def record_not_fetched(session: Session, source: str, address: str, error: SourceError) -> None:
    """Make it the only failure of `source` that its master could not be had from `address`."""
    unread = UnreadImage(0, error.reason, error.advice, passing=True)
    _record(session, source, address, Stamp(0, 0), [unread])


def forget_not_fetched(session: Session, source: str) -> None:
    """Take the source out of quarantine if it is there for a master that could not be had."""
    session.execute(delete(Failure).where(Failure.source == source, _on_the_web()))


def forget_not_fetched_at(session: Session, addresses: Set[str]) -> None:
    """Take out of quarantine what could not be had from one of the addresses."""
    forgotten = [
        failure
        for failure, location in session.execute(
            select(Failure.id, Failure.location).where(_on_the_web())
        )
        if location in addresses
    ]
    for chunk in in_parts(forgotten):
        session.execute(delete(Failure).where(Failure.id.in_(chunk)))


def record_unread_manifests(
    archive: Archive, asked: Set[str], unread: Mapping[str, InputError]
) -> None:
    """Record which of the manifests asked for could not be fetched or are not manifests.

    A manifest stands in quarantine under its place, which is not a page's name.
    """
    with archive.writing() as session:
        for place, error in unread.items():
            stamp = Stamp(0, 0) if is_address(place) else file_stamp(path_of(place))
            image = UnreadImage(0, error.reason, error.advice, passing=True)
            _record(session, place, place, stamp, [image])
        for chunk in in_parts(sorted(asked - unread.keys())):
            session.execute(delete(Failure).where(Failure.source.in_(chunk)))


def _on_the_web() -> ColumnElement[bool]:
    return or_(Failure.location.startswith("http://"), Failure.location.startswith("https://"))


def _record(
    session: Session,
    source: str,
    location: str,
    stamp: Stamp,
    unread: Sequence[UnreadImage],
    under: str | None = None,
    as_crops: bool = False,
) -> None:
    before = {
        row.frame: row
        for row in session.execute(
            select(
                Failure.id,
                Failure.frame,
                Failure.location,
                Failure.size,
                Failure.mtime_ns,
                Failure.reason,
                Failure.advice,
                Failure.tried,
                Failure.as_crops,
            ).where(Failure.source == source)
        )
    }
    for image in unread:
        values = {
            "location": location,
            "size": stamp.size,
            "mtime_ns": stamp.mtime_ns,
            "reason": image.reason,
            "advice": image.advice,
            "tried": None if image.passing else under,
            "as_crops": as_crops,
        }
        row = before.pop(image.frame, None)
        if row is None:
            session.execute(insert(Failure).values(source=source, frame=image.frame, **values))
        elif any(getattr(row, key) != value for key, value in values.items()):
            session.execute(
                update(Failure).where(Failure.id == row.id).values(**values, failed_at=now())
            )
    if before:
        session.execute(delete(Failure).where(Failure.id.in_([row.id for row in before.values()])))


def forget_absent_failures(archive: Archive, sources: Sequence[Path]) -> None:
    """Take out of quarantine what was deleted from the sources since, as far as these are there.

    What could not be read of a file that has pages stays, as these do: it may come back.
    """
    roots = [source.resolve() for source in sources if is_at_hand(source)]
    has_pages = exists().where(Page.location == Failure.location, Page.size == Failure.size)
    with archive.writing() as session:
        absent = [
            failure
            for failure, location in session.execute(
                select(Failure.id, Failure.location).where(~has_pages)
            )
            if any(path_of(location).is_relative_to(root) for root in roots)
            and not master_exists(location)
        ]
        for chunk in in_parts(absent):
            session.execute(delete(Failure).where(Failure.id.in_(chunk)))


def write_quarantine(archive: Archive) -> int:
    """Write the archive's `quarantine.csv` from its failures; return how many there are.

    The file is replaced in one step; without failures it holds its header alone. Raises
    ArchiveError where it cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    count = 0
    with archive.session() as session:
        for row in session.execute(
            select(
                Failure.source,
                Failure.frame,
                Failure.location,
                Failure.reason,
                Failure.advice,
                Failure.size,
                Failure.failed_at,
            ).order_by(Failure.source, Failure.frame)
        ):
            # Names of files and reasons are as others would have them: no spreadsheet runs them.
            cells = [as_shown(one) if isinstance(one, str) else one for one in row[:-1]]
            writer.writerow([*cells, row.failed_at.isoformat(timespec="seconds")])
            count += 1
    path = archive.folder / "quarantine.csv"
    with disk_errors_said(path):
        write_atomically(path, text.getvalue().encode())
    return count


def sources_in_quarantine(archive: Archive) -> set[str]:
    """Return the sources of which an image could not be read or had."""
    with archive.session() as session:
        return set(session.scalars(select(Failure.source)))


def healed_of(archive: Archive, before: Set[str]) -> int:
    """Return how many of the sources that were in quarantine before are pages in full now."""
    healed = sorted(before - sources_in_quarantine(archive))
    with archive.session() as session:
        return sum(
            len(set(session.scalars(select(Page.source).where(Page.source.in_(chunk)))))
            for chunk in in_parts(healed)
        )
