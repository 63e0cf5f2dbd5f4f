"""Which page belongs to which document: claims that have met pages, into the catalogue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ingest.documents.claims import Meant
from ingest.documents.record import PageClaim
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.tables import Document, Page


@dataclass(frozen=True)
class TakenPage:
    """A page, by its id and name, that a document had `before` and another has `now`."""

    page: int
    source: str
    frame: int
    before: str
    now: str


@dataclass(frozen=True)
class Bound:
    """Pages that were given to documents, by their ids.

    `moved` got another document, `stayed` had it; `taken` are those of `moved` that were another
    document's. `reordered` counts the documents whose pages follow another order than before.
    """

    moved: frozenset[int] = frozenset()
    stayed: frozenset[int] = frozenset()
    taken: tuple[TakenPage, ...] = ()
    reordered: int = 0


@dataclass(frozen=True)
class AssignedPage:
    """A page that would get the document `now`; `before`: the one it has, if any."""

    source: str
    frame: int
    before: str | None
    now: str


class _Place(NamedTuple):
    """The document a page has, and the number that it has there."""

    document: int | None
    ordinal: int


def bind_pages(session: Session, owners: Mapping[Meant, PageClaim]) -> Bound:
    """Give each claimed page to its document, whose pages are numbered from 1; return what changed.

    `owners` are as `claims_met` gives them. What the document has already and nothing claims stays
    in its place, and new pages go before the next that is claimed and there, or to the end. Every
    image of a multi-page file goes to the document, one after another, but for those that are
    claimed alone. What another document loses leaves no gap there; one whose pages stay in their
    order keeps their numbers. Call `store_documents` first.
    """
    documents = _ids(session, {claim.reference for claim in owners.values()})
    pages, places = _claimed(session, owners)
    touched = {
        *documents.values(),
        *(place.document for place in places.values() if place.document),
    }
    places |= _places_in(session, touched)
    claimed: dict[int, list[int]] = defaultdict(list)
    for meant, claim in owners.items():
        claimed[documents[claim.reference]] += pages[meant]
    owner_of = {page: document for document, ours in claimed.items() for page in ours}
    standing: dict[int | None, list[int]] = defaultdict(list)
    for page, place in sorted(places.items(), key=lambda one: (one[1].ordinal, one[0])):
        standing[place.document].append(page)
    changed: list[dict[str, int]] = []
    reordered = 0
    for document in touched:
        before = standing[document]
        there = [page for page in before if owner_of.get(page, document) == document]
        after = _in_order(there, claimed[document])
        if after == before:
            continue
        of_both = set(there)
        reordered += [page for page in after if page in of_both] != there
        changed += [
            {"id": page, "document_id": document, "ordinal": ordinal}
            for ordinal, page in enumerate(after, start=1)
            if places[page] != (document, ordinal)
        ]
    if changed:
        session.execute(update(Page), changed)
    moved = frozenset(
        page for page, document in owner_of.items() if places[page].document != document
    )
    formerly = {page: had for page in moved if (had := places[page].document) is not None}
    return Bound(moved, frozenset(owner_of) - moved, _taken(session, formerly), reordered)


def would_be_bound(
    session: Session, owners: Mapping[Meant, PageClaim], names: Mapping[int, str]
) -> tuple[AssignedPage, ...]:
    """Return the pages to which `bind_pages` would give another document, by their names.

    `names` are what pages, by their ids, would be called by then that are called otherwise now.
    """
    statement = select(Page.id, Page.source, Page.frame, Document.reference).outerjoin(Document)
    sources = dict.fromkeys(source for source, _ in owners)
    rows = [
        row
        for column, values in ((Page.source, list(sources)), (Page.id, list(names)))
        for some in in_parts(values)
        for row in session.execute(statement.where(column.in_(some)))
    ]
    found: set[AssignedPage] = set()
    for page, source, frame, before in rows:
        called = names.get(page, source)
        claim = owners.get((called, frame)) or owners.get((called, None))
        if claim is not None and claim.reference != before:
            found.add(AssignedPage(called, frame, before, claim.reference))
    return tuple(sorted(found, key=lambda one: (one.source, one.frame)))


def _ids(session: Session, references: Iterable[str]) -> dict[str, int]:
    """Return the ids of the documents by their references."""
    documents: dict[str, int] = {}
    for some in in_parts(sorted(references)):
        of_these = select(Document.reference, Document.id).where(Document.reference.in_(some))
        documents |= {reference: document for reference, document in session.execute(of_these)}
    return documents


def _claimed(
    session: Session, owners: Mapping[Meant, PageClaim]
) -> tuple[dict[Meant, list[int]], dict[int, _Place]]:
    """Return the images of each source that is claimed, in their order, and where they stand."""
    pages: dict[Meant, list[int]] = defaultdict(list)
    places: dict[int, _Place] = {}
    statement = select(Page.source, Page.frame, Page.id, Page.document_id, Page.ordinal)
    for some in in_parts(list(dict.fromkeys(source for source, _ in owners))):
        of_these = statement.where(Page.source.in_(some)).order_by(Page.frame)
        for source, frame, page, document, ordinal in session.execute(of_these):
            meant: Meant = (source, frame) if (source, frame) in owners else (source, None)
            if meant in owners:
                pages[meant].append(page)
                places[page] = _Place(document, ordinal)
    return pages, places


def _places_in(session: Session, documents: Iterable[int]) -> dict[int, _Place]:
    """Return where the pages of the documents stand."""
    places: dict[int, _Place] = {}
    for some in in_parts(sorted(documents)):
        of_these = select(Page.id, Page.document_id, Page.ordinal).where(Page.document_id.in_(some))
        for page, document, ordinal in session.execute(of_these):
            places[page] = _Place(document, ordinal)
    return places


def _taken(session: Session, formerly: Mapping[int, int]) -> tuple[TakenPage, ...]:
    """Return the pages that had other documents, by these, in the order of their names."""
    references: dict[int, str] = {}
    for some in in_parts(sorted(set(formerly.values()))):
        of_these = select(Document.id, Document.reference).where(Document.id.in_(some))
        references |= {document: reference for document, reference in session.execute(of_these)}
    taken: list[TakenPage] = []
    for some in in_parts(sorted(formerly)):
        now = select(Page.id, Page.source, Page.frame, Document.reference).join(Document)
        for page, source, frame, reference in session.execute(now.where(Page.id.in_(some))):
            taken.append(TakenPage(page, source, frame, references[formerly[page]], reference))
    return tuple(sorted(taken, key=lambda one: (one.source, one.frame)))


def _in_order(there: Sequence[int], claimed: Sequence[int]) -> list[int]:
    """Return the pages that a document has and those claimed for it, in their order."""
    pages: list[int] = []
    claims = iter(claimed)
    of_both = set(there) & set(claimed)
    for page in there:
        if page not in of_both:
            pages.append(page)
            continue
        for claim in claims:
            pages.append(claim)
            if claim in of_both:
                break
    return [*pages, *claims]
