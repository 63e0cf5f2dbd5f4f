"""Which files have to be read: those that are new or changed; the others' pages are made right.

A page is known by its master's place and content, so that a file that was moved takes its page
along and one that was only touched is not read again.
"""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sqlalchemy import select

from ingest.copies import copies_at, empty_folder_above
from ingest.known import Known, KnownPage, known_of, master_exists
from ingest.listing import ImageFile, location_of
from ingest.reading import FileToRead, KeptMark
from ingest.run import Run
from ingest.stamp import Stamp, file_stamp
from ingest.whereabouts import (
    Master,
    Whereabouts,
    at_place,
    follow_masters,
    master_moved_to,
    masters_of,
    name_of,
    set_aside,
)
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.marks import judged_or_named
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.tables import Mark, Page

#: Small files share a transaction: up to so many, and up to so many bytes.
_GROUP_FILES = 32
_GROUP_BYTES = 2_000_000

#: Files that are looked up in one statement.
_AT_ONCE = 400


class Follow(Protocol):
    """What is done with pages whose masters were moved or touched, given as they are now.

    `copies` are the ids of pages that make room for them. Returns how many marks go over from these
    to their originals.
    """

    def __call__(self, pages: Sequence[KnownPage], copies: Sequence[int] = ()) -> int:
        """Have the pages follow; return how many marks were carried over."""


_Stamped = tuple[ImageFile, Stamp]


@dataclass(frozen=True)
class _Doubtful:
    """A file that may have to be read, and the pages in its place; `changed`: of other content."""

    file: ImageFile
    pages: Sequence[KnownPage]
    changed: bool


def files_to_read(
    run: Run, files: Sequence[ImageFile], follow: Follow | None = None
) -> Iterator[list[FileToRead]]:
    """Give the files that have to be read, in order and small ones together.

    The others are counted and done. Pages whose masters were moved or touched go to `follow`, by
    default into the catalogue. A file that could not be read, and would not be now, is left; so are
    crops, read or not, that are given as pages with a folder above theirs, and such pages as crops.
    """
    follow = follow or functools.partial(follow_masters, run.archive)
    stamps = {file: file_stamp(file.path) for file in files}
    found = Whereabouts(run.archive, shared=_shared(run.archive, stamps))
    doubtful, settled = _sifted(run, found, stamps, follow)
    _change_places(found, doubtful, follow)
    for chunk in in_parts([one.file for one in doubtful], _AT_ONCE):
        with run.archive.session() as session:
            known = known_of(session, chunk)
        for group in _grouped([(file, file_stamp(file.path)) for file in chunk]):
            unsettled = list(_unsettled(run, found, group, known, follow))
            if unsettled:
                yield unsettled
    _have_originals_follow(run, found, settled, follow)


def _shared(archive: Archive, stamps: Mapping[ImageFile, Stamp]) -> frozenset[Stamp]:
    """Return the stamps that several of the files have, unless all are known to be of one content.

    Such a stamp does not tell which of the files is which.
    """
    times = Counter(stamps.values())
    several = [file for file, stamp in stamps.items() if times[stamp] > 1]
    contents: dict[Stamp, set[str]] = defaultdict(set)
    for some in in_parts(several):
        places = [location_of(file.path) for file in some]
        statement = select(Page.location, Page.sha256).where(Page.location.in_(places)).distinct()
        with archive.session() as session:
            known = {location: sha256 for location, sha256 in session.execute(statement)}
        for file, location in zip(some, places, strict=True):
            contents[stamps[file]].add(known.get(location, location))
    return frozenset(stamp for stamp, those in contents.items() if len(those) > 1)


def _sifted(
    run: Run, found: Whereabouts, stamps: Mapping[ImageFile, Stamp], follow: Follow
) -> tuple[list[_Doubtful], list[ImageFile]]:
    """Return the files that are not what the catalogue has in their places, or not in full.

    And those that are what it has there, as they were or touched alone.
    """
    doubtful: list[_Doubtful] = []
    settled: list[ImageFile] = []
    for chunk in in_parts(list(stamps), _AT_ONCE):
        with run.archive.session() as session:
            known = known_of(session, chunk)
        for file in chunk:
            location = location_of(file.path)
            pages = known.by_location.get(location, [])
            stamp = stamps[file]
            failure = known.failing_at.get(location)
            left = failure is not None and failure.stands(stamp, run.under)
            untouched = {page.stamp for page in pages} == {stamp}
            same = untouched and stamp not in found.shared
            changed = False
            if pages and not same and not left:
                sha256 = found.digest(file.path, stamp)
                contents = {page.sha256 for page in pages}
                if (same := contents == {sha256}) and not untouched:
                    follow(at_place(pages, pages[0].source, location, sha256, stamp))
                changed = sha256 not in contents
            if run.leaves_as_it_came(file.path, pages):
                run.counts.unchanged += len(pages) if same else 0
                run.count_left_as_it_came()
                settled += [file] if same else []
                run.done(file.name)
            elif (left or same) and _are_right(run, pages, None if left else known):
                run.counts.unchanged += len(pages) if same else 0
                run.counts.left += left
                settled += [file] if same else []
                run.done(file.name)
            else:
                doubtful.append(_Doubtful(file, pages, changed))
    return doubtful, settled


def _change_places(found: Whereabouts, doubtful: Sequence[_Doubtful], follow: Follow) -> None:
    """Have pages follow the masters that lie where others lay, and those whose place was taken.

    All of them before any file is read: what a place held may have gone to one further on.
    """
    gone = [page for one in doubtful if one.changed for page in one.pages]
    if not gone:
        return
    sizes = {page.size for page in gone}
    stamps = {one.file: file_stamp(one.file.path) for one in doubtful}
    contents = {
        one.file: found.digest(one.file.path, stamps[one.file])
        for one in doubtful
        if one.changed or (not one.pages and stamps[one.file].size in sizes)
    }
    with found.archive.session() as session:
        masters = masters_of(session, [sha256 for sha256 in contents.values() if sha256])
    following = {
        file: master
        for file, sha256 in contents.items()
        if (master := master_moved_to(found, file, masters.get(sha256 or "", [])))
    }
    if not following:
        return
    now: list[KnownPage] = []
    for one in doubtful:
        if one.changed and one.file in following and found.unmoved(one.pages):
            now += set_aside(found, one.pages)
        if one.changed and not found.unmoved(one.pages):
            location, name = location_of(one.file.path), one.pages[0].source
            found.vacated[location], found.names[name] = name, location
    for some in in_parts(list(following), _AT_ONCE):
        with found.archive.session() as session:
            known = known_of(session, some)
        for file in some:
            name, location = name_of(found, file, known), location_of(file.path)
            master = following[file]
            pages = at_place(master.pages, name, location, contents[file], stamps[file])
            found.followed[location] = replace(master, pages=pages)
            found.names[name] = location
            now += pages
    follow(now)


def _grouped(files: Sequence[_Stamped]) -> Iterator[list[_Stamped]]:
    """Put small files together, so that they share a trip to a worker and a transaction."""
    group: list[_Stamped] = []
    together = 0
    for file, stamp in files:
        if group and (len(group) == _GROUP_FILES or together + stamp.size > _GROUP_BYTES):
            yield group
            group, together = [], 0
        group.append((file, stamp))
        together += stamp.size
    if group:
        yield group


def _unsettled(
    run: Run, found: Whereabouts, group: Sequence[_Stamped], known: Known, follow: Follow
) -> Iterator[FileToRead]:
    """Give the files of the group whose content has no page yet, or not the right one."""
    contents = [found.digest(file.path, stamp) for file, stamp in group]
    with run.archive.session() as session:
        masters = masters_of(session, [one for one in contents if one])
    for (file, stamp), sha256 in zip(group, contents, strict=True):
        location = location_of(file.path)
        pages: Sequence[KnownPage] = found.unmoved(known.by_location.get(location, []))
        if moved := found.followed.get(location):
            pages = moved.pages
        elif not pages and (moved := master_moved_to(found, file, masters.get(sha256 or "", []))):
            name = name_of(found, file, known)
            pages = at_place(moved.pages, name, location, sha256, stamp)
            follow(pages)
        name = pages[0].source if pages else name_of(found, file, known)
        found.names[name] = location
        if moved and run.leaves_as_it_came(file.path, pages):
            run.counts.moved += len(pages)
            run.count_left_as_it_came()
            run.done(file.name)
            continue
        if moved and {page.sha256 for page in pages} == {sha256} and _is_right(run, moved):
            run.counts.moved += len(pages)
            run.counts.left += moved.failure is not None
            run.done(file.name)
            continue
        kept = _marks_to_cut_again(run, pages)
        other = not all(map(run.is_of_its_kind, pages))
        yield FileToRead(file.path, name, *stamp, sha256, kept, bool(pages), other)


def _have_originals_follow(
    run: Run, found: Whereabouts, settled: Sequence[ImageFile], follow: Follow
) -> None:
    """Have originals whose masters are gone lie in the files of copies, whose pages go.

    Last: where the master of one was moved, its page has followed it by now.
    """
    for some in in_parts(settled, _AT_ONCE):
        files = {location_of(file.path): file for file in some}
        with run.archive.session() as session:
            copies = [
                copy
                for copy in copies_at(session, list(files))
                if not master_exists(copy.originals[0].location)
            ]
            known = known_of(session, [files[copy.pages[0].location] for copy in copies])
        now: list[KnownPage] = []
        going: list[int] = []
        for copy in copies:
            location, both = copy.pages[0].location, (*copy.pages, *copy.originals)
            if len(found.unmoved(both)) < len(both):
                continue
            if empty := empty_folder_above(copy.originals[0].location):
                run.away.add(str(empty))
                continue
            found.moved.update(page.id for page in both)
            name = name_of(found, files[location], known)
            found.names[name] = location
            first = copy.pages[0]
            now += at_place(copy.originals, name, location, first.sha256, first.stamp)
            going += [page.id for page in copy.pages]
            run.counts.unchanged -= len(copy.pages)
            run.counts.moved += len(copy.originals)
        if going:
            run.counts.copies_replaced += len(going)
            run.counts.marks_of_copies += follow(now, going)


def _are_right(run: Run, pages: Sequence[KnownPage], known: Known | None) -> bool:
    """Return whether the pages were ingested as this run does, and all their images were read.

    `known` is None where it is known that the others cannot be.
    """
    taken_in = all(map(run.has_taken_in, pages))
    return taken_in and (
        known is None
        or (pages[0].source not in known.failing and pages[0].location not in known.failing_at)
    )


def _is_right(run: Run, moved: Master) -> bool:
    """Return whether the master was ingested as this run does, as far as it could be read."""
    taken_in = all(map(run.has_taken_in, moved.pages))
    return taken_in and (moved.failure is None or moved.failure.tried == run.under)


def _marks_to_cut_again(run: Run, pages: Sequence[KnownPage]) -> tuple[KeptMark, ...]:
    if not pages:
        return ()
    found = {page.id: page for page in pages}
    with run.archive.session() as session:
        rows = session.execute(
            select(Mark.id, Mark.page_id, Mark.x, Mark.y, Mark.width, Mark.height)
            .where(Mark.page_id.in_(found), judged_or_named(as_crops=run.as_crops))
            .order_by(Mark.id)
        ).all()
    return tuple(
        KeptMark(
            mark=row.id,
            frame=found[row.page_id].frame,
            box=(row.x, row.y, row.width, row.height),
            page=(found[row.page_id].width, found[row.page_id].height),
        )
        for row in rows
    )
