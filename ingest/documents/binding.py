"""Which page belongs to which document: claims of a file meet the pages that were ingested."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ingest.documents.record import DocumentsFile, PageClaim
from retrieval.catalogue.naming import agreeing, end_alike, path_parts
from retrieval.catalogue.tables import Document, Page


@dataclass(frozen=True)
class Binding:
    """How the claims met the pages: pages claimed, and one sentence for each claim that failed."""

    pages: int
    problems: tuple[str, ...]


def bind_pages(session: Session, files: Sequence[DocumentsFile]) -> Binding:
    """Give each claimed page to its document, numbered in the order of the claims from 1.

    A claim meets the page whose source it names: the path below SOURCE, or as much of its end
    as only one page has; never a page's position, and never a file that was not ingested. An
    address that another system uses meets the one page whose path agrees with it furthest from
    the end. Every image of a multi-page file goes to the document, one after another. Call
    `store_documents` first.
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
    next_ordinal: dict[str, int] = defaultdict(lambda: 1)
    changed: list[dict[str, int]] = []
    owners, problems = claims_met(pages, files)
    bound = 0
    for source, claim in owners.items():
        for page, document, ordinal in pages[source]:
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


def claims_met(
    sources: Mapping[str, object], files: Sequence[DocumentsFile]
) -> tuple[dict[str, PageClaim], list[str]]:
    """Return the claim that has each source, in their order; a sentence for each that failed."""
    finder = _Finder(sources)
    owners: dict[str, tuple[DocumentsFile, PageClaim]] = {}
    problems: list[str] = []
    for file, claim in [(one, claim) for one in files for claim in one.claims]:
        found = finder.find(claim)
        where = f"{file.name}, line {claim.line}:"
        if len(found) != 1:
            problems.append(
                f"{where} no page {claim.source!r} has been ingested."
                if not found
                else f"{where} {claim.source!r} may be any of {len(found)} pages, such as "
                f"{found[0]!r} and {found[1]!r}: write its path below the source folder."
            )
            continue
        giver, owner = owners.setdefault(found[0], (file, claim))
        if owner.reference != claim.reference:
            line = f"line {owner.line}" + (f" of {giver.name}" if giver is not file else "")
            problems.append(
                f"{where} the page {found[0]!r} was given to {owner.reference} on {line}; "
                "it stays there."
            )
    return {source: claim for source, (_, claim) in owners.items()}, problems


class _Finder:
    """Finds the ingested sources that a claim may mean."""

    def __init__(self, sources: Mapping[str, object]) -> None:
        self._sources = sources
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for source in sources:
            self._by_name[source.rsplit("/", 1)[-1].casefold()].append(source)

    def find(self, claim: PageClaim) -> list[str]:
        """Return the one source that is meant, or several when it may be any of them."""
        if not claim.names:
            return self._named(claim.source)
        several: list[str] = []
        for search in (self._named, self._ending_like):
            for name in claim.names:
                found = search(name)
                if len(found) == 1:
                    return found
                several = several or found
        return several

    def _named(self, written: str) -> list[str]:
        """Return the sources whose path, or the end of it, is the one written."""
        plain = written.replace("\\", "/").removeprefix("./")
        if plain in self._sources:
            return [plain]
        parts = path_parts(plain)
        return [
            source
            for source in self._with_name(parts)
            if (ours := path_parts(source)) and end_alike(ours, parts)
        ]

    def _ending_like(self, written: str) -> list[str]:
        """Return the sources of that name whose folders agree with the written ones furthest."""
        parts = path_parts(written)
        alike = {source: agreeing(path_parts(source), parts) for source in self._with_name(parts)}
        furthest = max(alike.values(), default=0)
        return [source for source, number in alike.items() if number == furthest]

    def _with_name(self, parts: Sequence[str]) -> list[str]:
        return [] if not parts or ".." in parts else self._by_name.get(parts[-1], [])
