"""Which page belongs to which document: claims of a file meet the pages that were ingested."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ingest.documents.record import DocumentsFile, PageClaim
from ingest.listing import ImageFile, location_of, path_of, storable
from retrieval.catalogue.naming import agreeing, composed, end_alike, path_parts
from retrieval.catalogue.tables import Document, Page


@dataclass(frozen=True)
class Binding:
    """How the claims met the pages: pages claimed, and one sentence for each claim that failed.

    `unmet` names the files that claim pages, none of which was found.
    """

    pages: int
    problems: tuple[str, ...]
    unmet: tuple[str, ...] = ()


def bind_pages(
    session: Session, files: Sequence[DocumentsFile], given: Sequence[ImageFile] = ()
) -> Binding:
    """Give each claimed page to its document, whose pages are numbered from 1.

    They follow the order of the claims. What the document has already and nothing claims stays in
    its place, and new pages go before the next that is claimed and there, or to the end.

    A claim meets the page that it names: by its path below the SOURCE of this run, which names
    the files `given`; else by its source, or as much of its end as only one page has; never by a
    page's position, and never a file that was not ingested. An address that another system uses
    meets the one page whose path agrees with it furthest from the end. Every image of a
    multi-page file goes to the document, one after another. Call `store_documents` first.
    """
    documents = {
        reference: document
        for reference, document in session.execute(select(Document.reference, Document.id))
    }
    pages: dict[str, list[int]] = defaultdict(list)
    locations: dict[str, str] = {}
    places: dict[int, tuple[int | None, int]] = {}
    for source, location, page, document, ordinal in session.execute(
        select(Page.source, Page.location, Page.id, Page.document_id, Page.ordinal).order_by(
            Page.source, Page.frame
        )
    ):
        pages[source].append(page)
        locations[source] = location
        places[page] = document, ordinal
    owners, problems, unmet = claims_met(locations, files, given)
    claimed: dict[int, list[int]] = defaultdict(list)
    for source, claim in owners.items():
        claimed[documents[claim.reference]] += pages[source]
    owner_of = {page: document for document, ours in claimed.items() for page in ours}
    there: dict[int | None, list[int]] = defaultdict(list)
    for page, (document, _) in sorted(places.items(), key=lambda one: (one[1][1], one[0])):
        if owner_of.get(page, document) == document:
            there[document].append(page)
    changed = [
        {"id": page, "document_id": document, "ordinal": ordinal}
        for document, ours in claimed.items()
        for ordinal, page in enumerate(_in_order(there[document], ours), start=1)
        if places[page] != (document, ordinal)
    ]
    if changed:
        session.execute(update(Page), changed)
    return Binding(sum(map(len, claimed.values())), tuple(problems), tuple(unmet))


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


def claims_met(
    locations: Mapping[str, str], files: Sequence[DocumentsFile], given: Sequence[ImageFile]
) -> tuple[dict[str, PageClaim], list[str], list[str]]:
    """Return the claim that has each source, in their order; a sentence for each that failed; and
    the names of the files that claim pages, none of which was found.

    `locations` are those of the sources' masters, `given` are the files of this run.
    """
    finder = _Finder(locations, given)
    owners: dict[str, tuple[DocumentsFile, PageClaim]] = {}
    problems: list[str] = []
    met: set[int] = set()
    for at, file, claim in [
        (at, one, claim) for at, one in enumerate(files) for claim in one.claims
    ]:
        found = finder.find(claim)
        where = f"{file.name}, line {claim.line}:"
        if len(found) != 1:
            problems.append(
                f"{where} no page {claim.source!r} has been ingested."
                if not found
                else f"{where} {claim.source!r} may be any of {len(found)} pages, such as "
                f"{found[0]!r} and {found[1]!r}: write more of its path."
            )
            continue
        met.add(at)
        giver, owner = owners.setdefault(found[0], (file, claim))
        if owner.reference != claim.reference:
            line = f"line {owner.line}" + (f" of {giver.name}" if giver is not file else "")
            problems.append(
                f"{where} the page {found[0]!r} was given to {owner.reference} on {line}; "
                "it stays there."
            )
    unmet = [file.name for at, file in enumerate(files) if file.claims and at not in met]
    return {source: claim for source, (_, claim) in owners.items()}, problems, unmet


class _Finder:
    """Finds the ingested sources that a claim may mean."""

    def __init__(self, locations: Mapping[str, str], given: Sequence[ImageFile]) -> None:
        self._locations = dict(locations)
        sources = {location: source for source, location in locations.items()}
        self._unread: set[str] = set()  # what a claim on a file means that has no page
        self._given: dict[str, list[str]] = defaultdict(list)  # by the path below SOURCE
        for file in given:
            location = location_of(file.path)
            if (source := sources.get(location)) is None:
                source = storable(file.path.as_posix()).lstrip("/")
                self._unread.add(source)
                self._locations[source] = location
            self._given[file.name].append(source)
        self._of_this_run = {source for ours in self._given.values() for source in ours}
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for source in self._locations:
            self._by_name[source.rsplit("/", 1)[-1].casefold()].append(source)

    def find(self, claim: PageClaim) -> list[str]:
        """Return the one source that is meant, or several when it may be any of them."""
        found = self._found(claim)
        return [] if len(found) == 1 and found[0] in self._unread else found

    def _found(self, claim: PageClaim) -> list[str]:
        names = [
            composed(name).replace("\\", "/").removeprefix("./")
            for name in claim.names or [claim.source]
        ]
        if ours := [self._given[name] for name in names if name in self._given]:
            return next((found for found in ours if len(found) == 1), ours[0])
        if not claim.names:
            return self._named(names[0])
        several: list[str] = []
        for search in (self._named, self._ending_like):
            for name in names:
                found = search(name)
                if len(found) == 1:
                    return found
                several = several or found
        return several

    def _named(self, written: str) -> list[str]:
        """Return the sources whose path, or the end of it, is the one written.

        A path is below some SOURCE: pages of other folders that it fits as well may be meant, too.
        """
        parts = path_parts(written)
        alike = self._with_name(parts)
        if written in self._locations:
            found = [written]
        else:
            found = [source for source in alike if end_alike(path_parts(source), parts)]
        if len(found) == 1 and (folder := self._folder(found[0])):
            far = agreeing(path_parts(found[0]), parts)
            found += [
                source
                for source in alike
                if source != found[0]
                and agreeing(path_parts(source), parts) >= far
                and self._folder(source)
                and not self._path(source).startswith(folder)
            ]
        return self._furthest(found, parts)

    def _ending_like(self, written: str) -> list[str]:
        """Return the sources of that name whose folders agree with the written ones furthest.

        Of several those of this run: what is given with a folder is about that folder.
        """
        parts = path_parts(written)
        found = self._furthest(self._with_name(parts), parts)
        return [source for source in found if source in self._of_this_run] or found

    def _furthest(self, sources: Sequence[str], parts: Sequence[str]) -> list[str]:
        """Return those whose source, or the place of its master, agrees with a path furthest."""
        if len(sources) < 2:
            return list(sources)
        agreed = {
            source: max(
                agreeing(path_parts(source), parts), agreeing(path_parts(self._path(source)), parts)
            )
            for source in sources
        }
        furthest = max(agreed.values())
        return [source for source, number in agreed.items() if number == furthest]

    def _with_name(self, parts: Sequence[str]) -> list[str]:
        return [] if not parts or ".." in parts else self._by_name.get(parts[-1], [])

    def _folder(self, source: str) -> str:
        """Return the folder that a source is the path below; "" where it is named otherwise."""
        path = self._path(source)
        return path.removesuffix(source) if path.endswith(f"/{source}") else ""

    def _path(self, source: str) -> str:
        return storable(path_of(self._locations[source]).as_posix())
