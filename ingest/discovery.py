"""Which files have to be read: those that are new or changed; the others' pages are made right.

A page is known by its master's place and content, so that a file that was moved takes its page
along and one that was only touched is not read again.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select, update

from ingest.known import (
    Known,
    KnownPage,
    known_of,
    master_exists,
    outlives_its_image,
    pages_where,
)
from ingest.listing import ImageFile, location_of, storable
from ingest.reading import FileToRead, KeptMark, file_digest, file_stamp
from ingest.run import Run
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.tables import Failure, Mark, Page

#: Small files share a transaction: up to so many, and up to so many bytes.
_GROUP_FILES = 32
_GROUP_BYTES = 2_000_000

#: Files that are looked up in one statement.
_AT_ONCE = 400

#: What is done with pages whose master has this name, location and stamp now.
Follow = Callable[[Sequence[KnownPage], str, str, tuple[int, int]], None]

_Stamped = tuple[ImageFile, tuple[int, int]]  # a file and its `file_stamp`


@dataclass(frozen=True)
class _Taken:
    """What is not to be had twice in one run."""

    names: dict[str, str] = field(default_factory=dict)  # a source's name -> the file's location
    moved: set[str] = field(default_factory=set)  # sources whose pages have followed a file


def files_to_read(
    run: Run, files: Sequence[ImageFile], follow: Follow | None = None
) -> Iterator[list[FileToRead]]:
    """Give the files that have to be read, in order and small ones together.

    The others are counted and done. Where their pages' masters lie now goes to `follow`, by
    default into the catalogue. A file that could not be read, and would not be now, is left.
    """
    follow = follow or functools.partial(_follow, run)
    taken = _Taken()
    for chunk in in_parts(files, _AT_ONCE):
        with run.archive.session() as session:
            known = known_of(session, chunk)
        suspected: list[_Stamped] = []
        for file in chunk:
            pages = known.by_location.get(location_of(file.path), [])
            stamp = file_stamp(file.path)
            failure = known.failing_at.get(location_of(file.path))
            left = failure is not None and failure.stands(stamp, run.under)
            same = {(page.size, page.mtime_ns) for page in pages} == {stamp}
            if (left or same) and _are_right(run, pages, None if left else known):
                run.counts.unchanged += len(pages) if same else 0
                run.counts.left += left
                run.done(file.name)
            else:
                suspected.append((file, stamp))
        for group in _grouped(suspected):
            unsettled = list(_unsettled(run, taken, group, known, follow))
            if unsettled:
                yield unsettled


def _grouped(files: Sequence[_Stamped]) -> Iterator[list[_Stamped]]:
    """Put small files together, so that they share a trip to a worker and a transaction."""
    group: list[_Stamped] = []
    together = 0
    for file, stamp in files:
        if group and (len(group) == _GROUP_FILES or together + stamp[0] > _GROUP_BYTES):
            yield group
            group, together = [], 0
        group.append((file, stamp))
        together += stamp[0]
    if group:
        yield group


def _unsettled(
    run: Run, taken: _Taken, group: Sequence[_Stamped], known: Known, follow: Follow
) -> Iterator[FileToRead]:
    """Give the files of the group whose content has no page yet, or not the right one."""
    contents = [file_digest(file.path) for file, _ in group]
    with run.archive.session() as session:
        alike = pages_where(session, Page.sha256.in_([one for one in contents if one]))
    for (file, stamp), sha256 in zip(group, contents, strict=True):
        location = location_of(file.path)
        if pages := known.by_location.get(location, []):
            name = pages[0].source
        else:
            name, pages = _name_and_pages(run, taken, file, sha256, known)
        taken.names[name] = location
        if not pages:
            pages = _pages_of_a_moved_master(
                taken, [page for page in alike if page.sha256 == sha256]
            )
        if pages and {page.sha256 for page in pages} == {sha256}:
            follow(pages, name, location, stamp)
            if _are_right(run, pages, known):
                if pages[0].location == location:
                    run.counts.unchanged += len(pages)
                else:
                    run.counts.moved += len(pages)
                run.done(file.name)
                continue
        yield FileToRead(file.path, name, *stamp, sha256, _marks_to_cut_again(run, pages))


def _are_right(run: Run, pages: Sequence[KnownPage], known: Known | None) -> bool:
    """Return whether the pages were ingested as this run does, and all their images were read.

    `known` is None where it is known that the others cannot be.
    """
    taken_in = all(map(run.has_taken_in, pages))
    return taken_in and (known is None or pages[0].source not in known.failing)


def _name_and_pages(
    run: Run, taken: _Taken, file: ImageFile, sha256: str | None, known: Known
) -> tuple[str, list[KnownPage]]:
    """Return the source of a file that no page lies at, and its pages if all were moved.

    The source is the path below SOURCE. Where another master has that already (two SOURCEs with
    an `img001.jpg` each), as many of the folders above SOURCE as tell them apart go before it.
    """
    location = location_of(file.path)
    for name in _names(file):
        if taken.names.get(name, location) != location:
            continue
        if name == file.name:
            pages, failure = known.by_source.get(name, []), known.failing.get(name)
            failed_at = failure.location if failure else location
        else:
            with run.archive.session() as session:
                pages = pages_where(session, Page.source == name)
                failed_at = (
                    session.scalar(select(Failure.location).where(Failure.source == name))
                    or location
                )
        if pages:
            gone = not any(master_exists(page.location) for page in pages)
            if gone and {page.sha256 for page in pages} == {sha256}:
                return name, pages
        elif failed_at == location or not master_exists(failed_at):
            return name, []
    raise AssertionError("the names of a file never end")


def _names(file: ImageFile) -> Iterator[str]:
    """Give the names a file may have, the one that is wanted first, without end."""
    yield file.name
    above = storable(file.path.as_posix()).removesuffix(file.name).strip("/")
    parts = above.split("/")
    for at in range(len(parts) - 1, -1, -1):
        yield "/".join([*parts[at:], file.name])
    for number in itertools.count(2):
        yield f"{above}/{file.name} ({number})"  # its place was another's, whose page is kept


def _pages_of_a_moved_master(taken: _Taken, alike: Sequence[KnownPage]) -> list[KnownPage]:
    """Return, of the pages with a file's content, those of one master that is gone."""
    for source in dict.fromkeys(page.source for page in alike):
        pages = [page for page in alike if page.source == source]
        if source not in taken.moved and not any(master_exists(one.location) for one in pages):
            taken.moved.add(source)
            return pages
    return []


def _follow(
    run: Run, pages: Sequence[KnownPage], name: str, location: str, stamp: tuple[int, int]
) -> None:
    """Note where the pages' master lies now, and when it was last written."""
    with run.archive.writing() as session:
        session.execute(
            update(Page)
            .where(Page.id.in_([page.id for page in pages]))
            .values(source=name, location=location, size=stamp[0], mtime_ns=stamp[1])
        )


def _marks_to_cut_again(run: Run, pages: Sequence[KnownPage]) -> tuple[KeptMark, ...]:
    if not pages:
        return ()
    found = {page.id: page for page in pages}
    with run.archive.session() as session:
        rows = session.execute(
            select(Mark.id, Mark.page_id, Mark.x, Mark.y, Mark.width, Mark.height)
            .where(Mark.page_id.in_(found), outlives_its_image(as_crops=run.as_crops))
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
