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
    meets the one page whose path agrees with it furthest from the end. Of claims that meet one
    page for different documents, that which agrees with it furthest has it. Every image of a
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
    meetings: dict[str, list[_Meeting]] = defaultdict(list)
    problems: dict[int, str] = {}  # by the place of the claim
    met: set[int] = set()
    claims = [(number, claim) for number, file in enumerate(files) for claim in file.claims]
    for at, (number, claim) in enumerate(claims):
        found = finder.find(claim)
        if len(found) == 1:
            agreement = finder.agreement(claim, found[0])
            meetings[found[0]].append(_Meeting(at, files[number], claim, agreement))
            met.add(number)
        elif found:
            problems[at] = (
                f"{claim.source!r} may be any of {len(found)} pages, such as {found[0]!r} and "
                f"{found[1]!r}: write more of its path."
            )
        else:
            problems[at] = f"no page {claim.source!r} has been ingested."
    owners: list[tuple[int, str, PageClaim]] = []
    for source, claimed in meetings.items():
        owner, failed = _owner_of(source, claimed)
        problems |= failed
        if owner is not None:
            owners.append((owner.at, source, owner.claim))
    return (
        {source: claim for _, source, claim in sorted(owners, key=lambda one: one[0])},
        [
            f"{files[number].name}, line {claim.line}: {problems[at]}"
            for at, (number, claim) in enumerate(claims)
            if at in problems
        ],
        [file.name for number, file in enumerate(files) if file.claims and number not in met],
    )


@dataclass(frozen=True)
class _Agreement:
    """How far a written path agrees with a page: parts, counted from the end, and if all of it."""

    parts: int
    whole: bool
    path: tuple[str, ...]

    @property
    def rank(self) -> tuple[int, bool]:
        return self.parts, self.whole


@dataclass(frozen=True)
class _Meeting:
    """A claim that means one page alone: its place among all claims, and how far they agree."""

    at: int
    file: DocumentsFile
    claim: PageClaim
    agreement: _Agreement


def _owner_of(source: str, claimed: Sequence[_Meeting]) -> tuple[_Meeting | None, dict[int, str]]:
    """Return which of the claims has the page; what is to be said of each other, by its place.

    It is the one that agrees with the page further than those of other documents; of several with
    one and the same path the first; else none.
    """
    furthest = max(one.agreement.rank for one in claimed)
    owner, *others = [one for one in claimed if one.agreement.rank == furthest]
    rivals = [one for one in others if one.claim.reference != owner.claim.reference]
    problems: dict[int, str] = {}
    if any(one.agreement.path != owner.agreement.path for one in rivals):
        for one in claimed:
            rival = owner if one.claim.reference != owner.claim.reference else rivals[0]
            problems[one.at] = (
                f"the page {source!r} may be that of {rival.claim.reference} on "
                f"{_line(rival, one)} just as well, so that none was given it: write more of its "
                "path."
            )
        return None, problems
    for one in claimed:
        if one.claim.reference != owner.claim.reference:
            alike = one.agreement.rank == furthest
            problems[one.at] = (
                f"the page {source!r} was given to {owner.claim.reference} on {_line(owner, one)}"
                + ("; it stays there." if alike else ", whose path agrees with it further.")
            )
    return owner, problems


def _line(other: _Meeting, one: _Meeting) -> str:
    """Return where the other claim stands, as it is said beside one."""
    of_file = f" of {other.file.name}" if other.file is not one.file else ""
    return f"line {other.claim.line}{of_file}"


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

    def agreement(self, claim: PageClaim, source: str) -> _Agreement:
        """Return how far the likeliest of a claim's paths agrees with a source or its place."""
        agreed = []
        for name in _names(claim):
            parts = path_parts(name)
            number = self._agreeing(source, parts)
            agreed.append(_Agreement(number, number == len(parts), tuple(parts)))
        return max(agreed, key=lambda one: one.rank)

    def _found(self, claim: PageClaim) -> list[str]:
        names = _names(claim)
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
        agreed = {source: self._agreeing(source, parts) for source in sources}
        furthest = max(agreed.values())
        return [source for source, number in agreed.items() if number == furthest]

    def _agreeing(self, source: str, parts: Sequence[str]) -> int:
        return max(
            agreeing(path_parts(source), parts), agreeing(path_parts(self._path(source)), parts)
        )

    def _with_name(self, parts: Sequence[str]) -> list[str]:
        return [] if not parts or ".." in parts else self._by_name.get(parts[-1], [])

    def _folder(self, source: str) -> str:
        """Return the folder that a source is the path below; "" where it is named otherwise."""
        path = self._path(source)
        return path.removesuffix(source) if path.endswith(f"/{source}") else ""

    def _path(self, source: str) -> str:
        return storable(path_of(self._locations[source]).as_posix())


def _names(claim: PageClaim) -> list[str]:
    """Return the paths that a claim may mean, written as those of sources are."""
    return [
        composed(name).replace("\\", "/").removeprefix("./")
        for name in claim.names or [claim.source]
    ]
