"""What is taken out of an archive: inputs in quarantine, pages, documents that have no page.

Nothing is held against it: what is given again comes in again. Masters outside the archive are
only read, here as everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, delete, exists, false, func, or_, select, update
from sqlalchemy.orm import Session

from ingest.copies import release_copies
from ingest.csv_text import as_said
from ingest.known import KnownPage, pages_where
from ingest.listing import path_of, storable
from ingest.quarantine import write_quarantine
from ingest.resemblance import Fingerprints, release
from ingest.unused_crops import discard_crops, remove_unused_crops
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import RequestError
from retrieval.catalogue.files import disk_errors_said
from retrieval.catalogue.marks import judged_or_named
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.prefixes import begins_with
from retrieval.catalogue.references import normalise_reference, sort_key
from retrieval.catalogue.tables import (
    Document,
    Failure,
    Group,
    GroupMark,
    Identity,
    IdentityMark,
    Mark,
    Page,
)


@dataclass(frozen=True)
class Forgotten:
    """What was taken out of an archive, or would be, and what of that which was named stays in.

    Numbers: `forgotten` (rows of the quarantine), `pages` and the `marks` on them, `documents`, and
    `masters`, images of IIIF servers that were deleted. `judged`: sources that were kept, as people
    judged, drew or named marks on them; `beside`: those of which rows of the quarantine alone were
    taken out. `pageless`: references of the documents that have lost their last page.
    """

    forgotten: int = 0
    pages: int = 0
    marks: int = 0
    documents: int = 0
    masters: int = 0
    judged: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    pageless: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Meant:
    """Ids of what is named: rows of the quarantine, pages, documents."""

    failures: frozenset[int] = frozenset()
    pages: frozenset[int] = frozenset()
    documents: frozenset[int] = frozenset()
    beside: frozenset[str] = frozenset()

    def __or__(self, other: _Meant) -> _Meant:
        return _Meant(
            self.failures | other.failures,
            self.pages | other.pages,
            self.documents | other.documents,
            self.beside | other.beside,
        )


@dataclass(frozen=True)
class _Going:
    """What goes: ids as in `_Meant`, and the masters that were fetched; sources that are said."""

    failures: frozenset[int]
    pages: tuple[int, ...]
    documents: frozenset[int]
    masters: tuple[Path, ...]
    judged: frozenset[str]
    beside: frozenset[str]


def forget(archive: Archive, names: Sequence[str], *, even_judged: bool = False) -> Forgotten:
    """Take what is named out of the archive; the caller holds the lock.

    A name is that of a row of the quarantine (a source or a location), else of a file that is in
    or of a folder of such files, as sources or locations have them, else the reference of a
    document without pages. Files with a mark that a person judged, drew or named stay whole, unless
    `even_judged`. Of pages that go, the first copy becomes the original of the others. Images that
    were fetched into the archive are deleted, and so are the pictures of the marks that go.

    Raises RequestError, and forgets nothing, when a name is not one of these; ArchiveError
    when the disk refuses.
    """
    with archive.writing() as session:
        going = _going(session, archive, names, even_judged)
        done = _reported(session, going)
        discard_crops(session, _crops(session, going.pages))
        _delete(session, Failure, going.failures)
        _delete_pages(session, going.pages)
        _delete(session, Document, going.documents)
    with disk_errors_said(archive.masters_folder):
        for master in going.masters:
            master.unlink()
    remove_unused_crops(archive)
    write_quarantine(archive)
    return done


def rehearse_forgetting(
    archive: Archive, names: Sequence[str], *, even_judged: bool = False
) -> Forgotten:
    """Return what `forget` would take out; nothing is written. Raises RequestError as that does."""
    with archive.session() as session:
        return _reported(session, _going(session, archive, names, even_judged))


def _going(session: Session, archive: Archive, names: Sequence[str], even_judged: bool) -> _Going:
    meant = _Meant()
    for name in names:
        meant |= _meant(session, name, archive.folder)
    pages = _pages(session, sorted(meant.pages))
    judged = set() if even_judged else _judged(session, pages)
    going = [page for page in pages if page.source not in judged]
    return _Going(
        meant.failures,
        tuple(page.id for page in going),
        meant.documents,
        _masters(archive, {page.location for page in going}),
        frozenset(judged),
        meant.beside,
    )


def _reported(session: Session, going: _Going) -> Forgotten:
    """Return what is to be said of what goes, while it is still there."""
    marks = 0
    lost: Counter[int] = Counter()
    for some in in_parts(going.pages):
        of_these = select(func.count()).select_from(Mark).where(Mark.page_id.in_(some))
        marks += session.scalar(of_these) or 0
        documents = select(Page.document_id).where(Page.id.in_(some))
        lost.update(one for one in session.scalars(documents) if one is not None)
    pageless: list[str] = []
    for some in in_parts(sorted(lost)):
        held = select(Document.id, Document.reference, func.count()).join(Page)
        rows = session.execute(held.where(Document.id.in_(some)).group_by(Document.id))
        pageless += [reference for one, reference, pages in rows if pages == lost[one]]
    return Forgotten(
        forgotten=len(going.failures),
        pages=len(going.pages),
        marks=marks,
        documents=len(going.documents),
        masters=len(going.masters),
        judged=tuple(sorted(going.judged, key=sort_key)),
        beside=tuple(sorted(going.beside, key=sort_key)),
        pageless=tuple(sorted(pageless, key=sort_key)),
    )


def _meant(session: Session, name: str, folder: Path) -> _Meant:
    written = {name, as_said(name), storable(name)}
    failures = _ids(session, Failure, _is_called(Failure, written))
    pages = _ids(session, Page, _is_called(Page, written))
    if failures:
        beside = session.scalars(select(Page.source).where(Page.id.in_(pages)).distinct())
        return _Meant(failures, beside=frozenset(beside))
    pages |= _ids(session, Page, _lies_below(Page, written))
    failures = _ids(session, Failure, _lies_below(Failure, written))
    if pages or failures:
        return _Meant(failures, pages)
    reference = normalise_reference(name)
    document = session.scalar(select(Document.id).where(Document.reference == reference))
    if document is None:
        raise RequestError(
            f"Nothing in {folder} is named {name!r}. Give a file or folder as in the column "
            "source of quarantine.csv or `prizemarks export --format csv`, or its full path; or "
            "the reference of a document without pages."
        )
    held = session.scalars(select(Page.source).where(Page.document_id == document).limit(1)).all()
    if held:
        raise RequestError(
            f"The document {reference!r} has pages, such as {held[0]!r}: remove these first, each "
            "by its name or all by their folder."
        )
    return _Meant(documents=frozenset([document]))


def _ids(
    session: Session, table: type[Page] | type[Failure], condition: ColumnElement[bool]
) -> frozenset[int]:
    return frozenset(session.scalars(select(table.id).where(condition)))


def _is_called(table: type[Page] | type[Failure], written: set[str]) -> ColumnElement[bool]:
    return or_(table.source.in_(written), table.location.in_(written))


def _lies_below(table: type[Page] | type[Failure], written: set[str]) -> ColumnElement[bool]:
    folders = {f"{name.rstrip('/')}/" for name in written} - {"/"}  # of a name left empty
    return or_(
        false(),
        *(begins_with(table.source, folder) for folder in folders),
        *(begins_with(table.location, folder) for folder in folders),
    )


def _pages(session: Session, ids: Sequence[int]) -> list[KnownPage]:
    return [page for some in in_parts(ids) for page in pages_where(session, Page.id.in_(some))]


def _judged(session: Session, pages: Sequence[KnownPage]) -> set[str]:
    """Return the sources of the pages that have a mark that a person judged, drew or named."""
    sources: set[str] = set()
    for some in in_parts(sorted({page.source for page in pages})):
        looked_at = exists().where(Mark.page_id == Page.id, judged_or_named(as_crops=False))
        sources.update(session.scalars(select(Page.source).where(Page.source.in_(some), looked_at)))
    return sources


def _crops(session: Session, pages: Sequence[int]) -> set[str]:
    """Return the pictures of the pages' marks, by their SHA-256."""
    crops: set[str] = set()
    for some in in_parts(pages):
        crops.update(session.scalars(select(Mark.crop).where(Mark.page_id.in_(some))))
    return crops


def _delete(
    session: Session, table: type[Failure] | type[Page] | type[Document], ids: Collection[int]
) -> None:
    for some in in_parts(sorted(ids)):
        session.execute(delete(table).where(table.id.in_(some)))


def _delete_pages(session: Session, pages: Sequence[int]) -> None:
    """Delete pages, their marks and what hangs on these."""
    if not pages:  # as where inputs are taken out of quarantine alone
        return
    marks: list[int] = []
    for some in in_parts(pages):
        session.execute(
            update(Page).where(Page.id.in_(some)).values(duplicate_of=None, fingerprint=None)
        )
        marks += session.scalars(select(Mark.id).where(Mark.page_id.in_(some)))
    fingerprints = Fingerprints()
    fingerprints.load(session)  # of what stays alone: it is not compared with what goes
    for page in pages:
        release_copies(session, fingerprints, page)
    release(session, fingerprints, pages)
    identities: set[int] = set()
    groups: set[int] = set()
    for some in in_parts(marks):
        identities.update(
            session.scalars(
                select(IdentityMark.identity_id).where(IdentityMark.mark_id.in_(some)).distinct()
            )
        )
        groups.update(
            session.scalars(
                select(GroupMark.group_id).where(GroupMark.mark_id.in_(some)).distinct()
            )
        )
        session.execute(delete(Mark).where(Mark.id.in_(some)))
    _delete(session, Page, pages)
    for some in in_parts(sorted(identities)):
        bare = ~exists().where(IdentityMark.identity_id == Identity.id)
        session.execute(delete(Identity).where(Identity.id.in_(some), bare))
    for some in in_parts(sorted(groups)):
        empty = ~exists().where(GroupMark.group_id == Group.id)
        session.execute(delete(Group).where(Group.id.in_(some), empty))


def _masters(archive: Archive, locations: set[str]) -> tuple[Path, ...]:
    """Return those of the masters that the archive fetched itself."""
    paths = (path_of(location) for location in sorted(locations))
    return tuple(
        path for path in paths if path.is_relative_to(archive.masters_folder) and path.is_file()
    )
