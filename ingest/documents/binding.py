"""Which page belongs to which document: claims of a file meet the pages that were ingested."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ingest.documents.record import DocumentsFile, PageClaim
from ingest.listing import ImageFile, location_of, path_of, storable
from ingest.path_ends import PathEnds
from retrieval.catalogue.naming import agreeing, composed, path_parts
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.tables import Document, Page

#: Sources that are fetched at a time where all are looked through.
_FETCH = 10_000

#: A source, and one image of its file or all of them.
Meant = tuple[str, int | None]


@dataclass(frozen=True)
class Claimed:
    """How the claims met the pages.

    `owners` are the claims that have the pages, in their order and by their sources and the image
    of the file that is meant, None for all of which no claim speaks alone;
    `problems` one sentence for each claim that failed. `unmet` names the files that claim pages,
    none of which was found; `unclear` those of them of which a claim may mean several pages.
    """

    owners: Mapping[Meant, PageClaim]
    problems: tuple[str, ...]
    unmet: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()


class Held(NamedTuple):
    """A source that the archive has, where its master lies, the SHA-256 of this and which of its
    images it is, if known."""

    source: str
    location: str
    sha256: str | None
    frame: int | None = None


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


def bind_pages(session: Session, owners: Mapping[Meant, PageClaim]) -> Bound:
    """Give each claimed page to its document, whose pages are numbered from 1; return what changed.

    `owners` are as `claims_met` gives them. What the document has already and nothing claims stays
    in its place, and new pages go before the next that is claimed and there, or to the end. Every
    image of a multi-page file goes to the document, one after another, but for those that are
    claimed alone. What another document loses leaves no gap there; one whose pages stay in their
    order keeps their numbers. Call `store_documents` first.
    """
    documents: dict[str, int] = {}
    for some in in_parts(sorted({claim.reference for claim in owners.values()})):
        of_these = select(Document.reference, Document.id).where(Document.reference.in_(some))
        documents |= {reference: document for reference, document in session.execute(of_these)}
    pages: dict[Meant, list[int]] = defaultdict(list)
    places: dict[int, tuple[int | None, int]] = {}
    statement = select(Page.source, Page.frame, Page.id, Page.document_id, Page.ordinal)
    for sources in in_parts(list(dict.fromkeys(source for source, _ in owners))):
        claimed_here = statement.where(Page.source.in_(sources)).order_by(Page.frame)
        for source, frame, page, document, ordinal in session.execute(claimed_here):
            meant: Meant = (source, frame) if (source, frame) in owners else (source, None)
            pages[meant].append(page)
            if meant in owners:
                places[page] = document, ordinal
    touched = {*documents.values(), *(document for document, _ in places.values() if document)}
    for some_documents in in_parts(sorted(touched)):
        theirs = statement.where(Page.document_id.in_(some_documents))
        for _, _, page, document, ordinal in session.execute(theirs):
            places[page] = document, ordinal
    claimed: dict[int, list[int]] = defaultdict(list)
    for meant, claim in owners.items():
        claimed[documents[claim.reference]] += pages[meant]
    owner_of = {page: document for document, ours in claimed.items() for page in ours}
    standing: dict[int | None, list[int]] = defaultdict(list)
    for page, (document, _) in sorted(places.items(), key=lambda one: (one[1][1], one[0])):
        standing[document].append(page)
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
    moved = frozenset(page for page, document in owner_of.items() if places[page][0] != document)
    formerly = {page: document for page in moved if (document := places[page][0]) is not None}
    return Bound(moved, frozenset(owner_of) - moved, _taken(session, formerly), reordered)


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


def sources_held(session: Session) -> Iterator[Held]:
    """Give all sources of the catalogue, in their order; one for each image of their files."""
    statement = select(Page.source, Page.location, Page.sha256, Page.frame)
    statement = statement.order_by(Page.source, Page.frame)
    for row in session.execute(statement.execution_options(yield_per=_FETCH)):
        yield Held(*row)


def claims_met(
    held: Iterable[Held],
    files: Sequence[DocumentsFile],
    given: Sequence[ImageFile] = (),
) -> Claimed:
    """Find the page that each claim means, among those `held`: asked for only where there are any.

    A claim meets the page that it names: by the SHA-256 of its file, where the name is the same;
    else by its path below the SOURCE of this run, which names the files `given`; else by its
    source, or as much of its end as only one page has; else by the SHA-256 alone; never by a page's
    position, and never a file that was not ingested. An address that another system uses
    meets the one page whose path agrees with it furthest from the end. Of claims that meet one
    page for different documents, that which agrees with it furthest has it.
    """
    claims = [(number, claim) for number, file in enumerate(files) for claim in file.claims]
    finder = _Finder(*_called_as_claimed([claim for _, claim in claims], held, given))
    meetings: dict[Meant, list[_Meeting]] = defaultdict(list)
    problems: dict[int, str] = {}  # by the place of the claim
    met: set[int] = set()
    unclear: set[int] = set()
    for at, (number, claim) in enumerate(claims):
        found = finder.find(claim)
        frames = finder.frames_of(found[0]) if len(found) == 1 else frozenset()
        if claim.frame is not None and frames and claim.frame not in frames:
            problems[at] = (
                f"the archive has no page {claim.frame + 1} of {found[0]!r}, but {len(frames)} in "
                "all."
            )
        elif len(found) == 1:
            agreement = finder.agreement(claim, found[0])
            meant = found[0], None if frames == {0} else claim.frame
            meetings[meant].append(_Meeting(at, files[number], claim, agreement))
            met.add(number)
        elif found:
            unclear.add(number)
            some = tuple(found[:2])
            paths = finder.paths_apart(some) if not claim.names else None
            problems[at] = (
                f"{claim.source!r} matches {len(found)} pages, such as {found[0]!r} and "
                f"{found[1]!r}: write more of its path"
                + (f", {paths[0]!r} or {paths[1]!r}." if paths and paths != some else ".")
            )
        else:
            problems[at] = f"no page {claim.source!r} has been ingested."
    owners: list[tuple[int, Meant, PageClaim]] = []
    for meant, claimed in meetings.items():
        owner, failed = _owner_of(meant, claimed, len(finder.frames_of(meant[0])))
        problems |= failed
        if owner is not None:
            owners.append((owner.at, meant, owner.claim))
    return Claimed(
        {meant: claim for _, meant, claim in sorted(owners, key=lambda one: one[0])},
        tuple(
            f"{files[number].name}, line {claim.line}: {problems[at]}"
            for at, (number, claim) in enumerate(claims)
            if at in problems
        ),
        tuple(file.name for number, file in enumerate(files) if file.claims and number not in met),
        tuple(files[number].name for number in sorted(unclear - met)),
    )


def _called_as_claimed(
    claims: Sequence[PageClaim], held: Iterable[Held], given: Sequence[ImageFile]
) -> tuple[list[Held], list[ImageFile]]:
    """Return the sources that a claim may mean, and the files that it may.

    They are called as a file that is claimed, whatever the folders, or have its content: few of an
    archive's, perhaps.
    """
    called = {_called(name) for claim in claims for name in _names(claim)}
    if not called:
        return [], []
    contents = {claim.sha256 for claim in claims}
    at_hand = {location_of(file.path): file for file in given}
    ours = {
        location
        for location, file in at_hand.items()
        if _called(file.name) in called or _called(file.path.name) in called
    }
    meant = [
        one
        for one in held
        if _called(one.source) in called
        or _called(_path(one.location)) in called
        or one.location in ours
        or one.sha256 in contents
    ]
    ours.update(one.location for one in meant)
    return meant, [file for location, file in at_hand.items() if location in ours]


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


def _owner_of(
    meant: Meant, claimed: Sequence[_Meeting], images: int
) -> tuple[_Meeting | None, dict[int, str]]:
    """Return which of the claims has the page; what is to be said of each other, by its place.

    It is the one that agrees with the page further than those of other documents; of several with
    one and the same path the first; else none. `images` are those of the file.
    """
    source, frame = meant
    called = repr(source) if frame is None else f"{source!r}, image {frame + 1},"
    tells_apart = ""
    if frame is None and images > 1:
        tells_apart = (
            f" Say which of its {images} images a row describes in a column 'page in file'."
        )
    furthest = max(one.agreement.rank for one in claimed)
    owner, *others = [one for one in claimed if one.agreement.rank == furthest]
    rivals = [one for one in others if one.claim.reference != owner.claim.reference]
    problems: dict[int, str] = {}
    if any(one.agreement.path != owner.agreement.path for one in rivals):
        for one in claimed:
            rival = owner if one.claim.reference != owner.claim.reference else rivals[0]
            problems[one.at] = (
                f"the page {called} fits {rival.claim.reference} on {_line(rival, one)} equally "
                f"well, so it was assigned to neither: write more of its path."
            )
        return None, problems
    for one in claimed:
        if one.claim.reference != owner.claim.reference:
            alike = one.agreement.rank == furthest
            problems[one.at] = (
                f"the page {called} was assigned to {owner.claim.reference} on {_line(owner, one)}"
                + ("; it stays there." if alike else ", whose path matches it better.")
                + tells_apart
            )
    return owner, problems


def _line(other: _Meeting, one: _Meeting) -> str:
    """Return where the other claim stands, as it is said beside one."""
    of_file = f" of {other.file.name}" if other.file is not one.file else ""
    return f"line {other.claim.line}{of_file}"


class _Finder:
    """Finds the ingested sources that a claim may mean."""

    def __init__(self, held: Sequence[Held], given: Sequence[ImageFile]) -> None:
        self._locations = {one.source: one.location for one in held}
        sources = {location: source for source, location in self._locations.items()}
        self._by_content: dict[str | None, dict[str, None]] = defaultdict(dict)
        self._frames: dict[str, set[int]] = defaultdict(set)
        for one in held:
            self._by_content[one.sha256].setdefault(one.source)
            if one.frame is not None:
                self._frames[one.source].add(one.frame)
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
        self._paths = {source: _path(location) for source, location in self._locations.items()}
        self._order = {source: at for at, source in enumerate(self._locations)}
        self._by_source = PathEnds((source, source) for source in self._locations)
        self._by_place = PathEnds(self._paths.items())
        # As many claims as there are volumes come to the same: "f. 1r" of another.
        self._named_by = functools.cache(self._sources_named)
        self._like = functools.cache(self._sources_like)
        self._written_for = functools.cache(self._path_for)

    def find(self, claim: PageClaim) -> list[str]:
        """Return the one source that is meant, or several when it may be any of them."""
        found = self._found(claim)
        return [] if len(found) == 1 and found[0] in self._unread else found

    def frames_of(self, source: str) -> Set[int]:
        """Return which images of a source's file are there; none where it was not read yet."""
        return self._frames.get(source, frozenset())

    def paths_apart(self, sources: Iterable[str]) -> tuple[str, ...] | None:
        """Return for each source a path that means it alone; None where one has none."""
        paths = tuple(self._written_for(source) for source in sources)
        return tuple(path for path in paths if path) if all(paths) else None

    def _path_for(self, source: str) -> str:
        """Return the source, or as much of its master's path as it takes to mean this alone."""
        parts = self._paths[source].split("/")
        ends = ("/".join(parts[at:]) for at in range(len(parts) - 1, 0, -1))
        longer = (end for end in ends if len(end) > len(source))
        return next(
            (
                path
                for path in (source, *longer)
                if self._found_by_name(PageClaim(path, "", 0)) == [source]
            ),
            "",
        )

    def agreement(self, claim: PageClaim, source: str) -> _Agreement:
        """Return how far the likeliest of a claim's paths agrees with a source or its place."""
        agreed = []
        for name in _names(claim):
            parts = path_parts(name)
            number = self._agreeing(source, parts)
            agreed.append(_Agreement(number, number == len(parts), tuple(parts)))
        return max(agreed, key=lambda one: one.rank)

    def _found(self, claim: PageClaim) -> list[str]:
        """Return what has the content that is claimed, if it is called so; else what is.

        Of copies that whose path agrees furthest; what has another name, where nothing has this.
        """
        alike = self._of_content(claim)
        if len(alike) == 1 and self.agreement(claim, alike[0]).parts:
            return alike
        found = self._found_by_name(claim)
        return [source for source in found if source in alike] or found or alike

    def _of_content(self, claim: PageClaim) -> list[str]:
        alike = list(self._by_content[claim.sha256]) if claim.sha256 else []
        for name in _names(claim):
            if name in alike:
                return [name]
            for nearest in self._nearing(path_parts(name)):
                if near := [source for source in alike if source in nearest]:
                    return near
        return alike

    def _found_by_name(self, claim: PageClaim) -> list[str]:
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
        exactly = written if written in self._locations else None
        return self._named_by(exactly, self._known_end(written))

    def _ending_like(self, written: str) -> list[str]:
        return self._like(self._known_end(written))

    def _known_end(self, written: str) -> tuple[str, ...]:
        """Return as much of a path's end as that of any source or its place is; () for none.

        Where more is written, "" stands before it, which is not part of any path.
        """
        parts = path_parts(written)
        for at in range(len(parts) if ".." not in parts else 0):
            end = parts[at:]
            if self._by_source.ending_in(end) or self._by_place.ending_in(end):
                return ("", *end) if at else tuple(end)
        return ()

    def _sources_named(self, exactly: str | None, parts: tuple[str, ...]) -> list[str]:
        """Return the source that is `exactly` the one written, or those whose path, or the end of
        it, is.

        A path is below some SOURCE: pages of other folders that it fits as well may be meant, too.
        """
        if exactly is not None:
            found = [exactly]
        else:
            found = self._in_order(self._by_source.ending_alike(parts)) if parts else []
        if len(found) == 1 and (folder := self._folder(found[0])):
            far = agreeing(path_parts(found[0]), parts)
            found += self._in_order(
                source
                for source in self._by_source.ending_in(parts[-far:])
                if source != found[0]
                and self._folder(source)
                and not self._paths[source].startswith(folder)
            )
        for nearest in self._nearing(parts) if len(found) > 1 else ():
            if furthest := [source for source in found if source in nearest]:
                return furthest
        return found

    def _sources_like(self, parts: tuple[str, ...]) -> list[str]:
        """Return the sources of that name whose folders agree with the written ones furthest.

        Of several those of this run: what is given with a folder is about that folder.
        """
        of_that_name = set(self._by_source.ending_in(parts[-1:])) if parts else set()
        for nearest in self._nearing(parts):
            if found := self._in_order(nearest & of_that_name):
                return [source for source in found if source in self._of_this_run] or found
        return []

    def _nearing(self, parts: Sequence[str]) -> Iterator[set[str]]:
        """Give those that a path agrees with, or the places of whose masters: in all its parts,
        in all but the first, and so on."""
        for at in range(len(parts)):
            end = parts[at:]
            yield {*self._by_source.ending_in(end), *self._by_place.ending_in(end)}

    def _in_order(self, sources: Iterable[str]) -> list[str]:
        return sorted(sources, key=self._order.__getitem__)

    def _agreeing(self, source: str, parts: Sequence[str]) -> int:
        return max(
            agreeing(path_parts(source), parts), agreeing(path_parts(self._paths[source]), parts)
        )

    def _folder(self, source: str) -> str:
        """Return the folder that a source is the path below; "" where it is named otherwise."""
        path = self._paths[source]
        return path.removesuffix(source) if path.endswith(f"/{source}") else ""


def _names(claim: PageClaim) -> list[str]:
    """Return the paths that a claim may mean, written as those of sources are."""
    return [
        composed(name).replace("\\", "/").removeprefix("./")
        for name in claim.names or [claim.source]
    ]


def _path(location: str) -> str:
    if not location.startswith("file://"):
        return storable(location)  # as it is: an archive may have millions
    return storable(path_of(location).as_posix())


def _called(path: str) -> str:
    """Return what the file of a path is called, as `path_parts` has it; "" for none."""
    return next(reversed(path_parts(path)), "")
