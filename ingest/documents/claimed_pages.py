"""Which ingested page a claim of a documents file means, by what the claim calls it.

The rules are laxer than those for a file of marks (`ingest.annotations.matching` says why). The
folder that is given with the file decides first; an address of another system means the page whose
path agrees with it furthest; and of several claims on one page the one that agrees furthest has it,
so that `agreement` says how far. Both stand on `retrieval.catalogue.source_names`.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from ingest.documents.record import PageClaim
from ingest.listing import ImageFile, location_of, path_of, storable
from retrieval.catalogue.source_names import PathEnds, agreeing, composed, path_parts
from retrieval.catalogue.tables import Page

#: Sources that are fetched at a time where all are looked through.
_FETCH = 10_000


class Held(NamedTuple):
    """A source that the archive has, where its master lies, the SHA-256 of this and which of its
    images it is, if known."""

    source: str
    location: str
    sha256: str | None
    frame: int | None = None


def sources_held(session: Session) -> Iterator[Held]:
    """Give all sources of the catalogue, in their order; one for each image of their files."""
    statement = select(Page.source, Page.location, Page.sha256, Page.frame)
    statement = statement.order_by(Page.source, Page.frame)
    for row in session.execute(statement.execution_options(yield_per=_FETCH)):
        yield Held(*row)


def called_as_claimed(
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
class Agreement:
    """How far a written path agrees with a page: parts, counted from the end, and if all of it."""

    parts: int
    whole: bool
    path: tuple[str, ...]

    @property
    def rank(self) -> tuple[int, bool]:
        """A key to sort by: what agrees furthest comes last."""
        return self.parts, self.whole


class ClaimedPages:
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

    def agreement(self, claim: PageClaim, source: str) -> Agreement:
        """Return how far the likeliest of a claim's paths agrees with a source or its place."""
        agreed = []
        for name in _names(claim):
            parts = path_parts(name)
            number = self._agreeing(source, parts)
            agreed.append(Agreement(number, number == len(parts), tuple(parts)))
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
        if len(alike) < 2:
            return alike
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
