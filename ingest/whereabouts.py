"""Where masters lie now: the pages that follow a file, and the names that files have for good.

The content of a file says whose master it is, its place and its name do not: files are numbered
anew, and change names with one another.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath, PurePosixPath

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from ingest.copies import take_over
from ingest.file_names import LONGEST_NAME, beginning
from ingest.known import (
    Known,
    KnownFailure,
    KnownPage,
    failures_where,
    master_exists,
    pages_where,
)
from ingest.listing import ImageFile, location_of, path_of, storable
from ingest.reading import file_digest
from ingest.stamp import Stamp, file_stamp
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.parts import MOST, in_parts
from retrieval.catalogue.tables import Failure, Page


@dataclass(frozen=True)
class Master:
    """The pages of one master, and what of it could not be read."""

    pages: Sequence[KnownPage]
    failure: KnownFailure | None


@dataclass(frozen=True)
class Whereabouts:
    """What a run has found out about places and names; in a rehearsal the catalogue never shows it.

    `shared`: stamps that do not tell which of the files that have them is which. `names`: of which
    file, by its location, a source's name is. `moved`: pages that have followed a file or made room
    for others. `followed`: masters that lie now where others did before. `vacated`: the names of
    the places that pages have left.
    """

    archive: Archive
    shared: frozenset[Stamp]
    names: dict[str, str] = field(default_factory=dict)
    moved: set[int] = field(default_factory=set)
    followed: dict[str, Master] = field(default_factory=dict)  # by location
    vacated: dict[str, str] = field(default_factory=dict)  # by location
    _digests: dict[tuple[Path, Stamp], str | None] = field(default_factory=dict)

    def digest(self, path: Path, stamp: Stamp) -> str | None:
        """Return the `file_digest` of a file that is as `stamp` says; it is read once."""
        if (path, stamp) not in self._digests:
            self._digests[path, stamp] = file_digest(path)
        return self._digests[path, stamp]

    def unmoved(self, pages: Sequence[KnownPage]) -> list[KnownPage]:
        """Return those of the pages that are still where the catalogue had them."""
        return [page for page in pages if page.id not in self.moved]


def masters_of(session: Session, contents: Sequence[str]) -> dict[str, list[Master]]:
    """Return the masters that have each of the contents, oldest first."""
    masters: dict[str, dict[int, KnownPage]] = {}
    failing: dict[str, KnownFailure] = {}
    for some in in_parts(contents):
        of_these = select(Page.source).where(Page.sha256.in_(some))
        for page in pages_where(session, Page.source.in_(of_these)):
            masters.setdefault(page.source, {})[page.id] = page
        failing |= failures_where(session, Failure.source.in_(of_these))
    by_content: dict[str, list[Master]] = {}
    for source, by_id in masters.items():
        pages, failure = list(by_id.values()), failing.get(source)
        master = Master(pages, failure if failure and failure.is_of(pages) else None)
        for sha256 in {page.sha256 for page in pages}:
            by_content.setdefault(sha256, []).append(master)
    return by_content


def master_moved_to(
    found: Whereabouts, file: ImageFile, masters: Sequence[Master]
) -> Master | None:
    """Return, of masters with the file's content, one that is not where it was; None: all are.

    It is the file from now on. Of several such masters, one of the file's name is taken.
    """
    lost = [
        master
        for master in masters
        if master.pages[0].id not in found.moved and not _lies_there(found, master.pages)
    ]
    if not lost:
        return None
    path = storable(file.path.as_posix())
    master = min(lost, key=lambda one: not path.endswith(f"/{one.pages[0].source}"))
    found.moved.update(page.id for page in master.pages)
    return master


def _lies_there(found: Whereabouts, pages: Sequence[KnownPage]) -> bool:
    """Return whether the pages' master lies where the catalogue has it, not something else."""
    if not master_exists(pages[0].location):
        return False
    path = path_of(pages[0].location)
    stamp = file_stamp(path)
    if stamp not in found.shared and any(page.stamp == stamp for page in pages):
        return True
    sha256 = found.digest(path, stamp)
    return sha256 is None or any(page.sha256 == sha256 for page in pages)


def at_place(
    pages: Sequence[KnownPage], name: str, location: str, sha256: str | None, stamp: Stamp
) -> list[KnownPage]:
    """Return the pages as they are when a file of this name, place, content and stamp is theirs."""
    return [
        replace(page, source=name, location=location)
        if page.sha256 != sha256  # its image could not be read again: it is still to be
        else replace(page, source=name, location=location, size=stamp.size, mtime_ns=stamp.mtime_ns)
        for page in pages
    ]


def set_aside(found: Whereabouts, pages: Sequence[KnownPage]) -> list[KnownPage]:
    """Return pages as they make room for those of the master that lies in their master's place.

    Their own lies nowhere. They wait for it where nothing lies, under a name of their own.
    """
    path, source = path_of(pages[0].location), PurePosixPath(pages[0].source)
    for number in itertools.count(1):
        said = "replaced" if number == 1 else f"replaced {number}"
        place = path.with_name(_called(path, said))
        name = source.with_name(_called(source, said)).as_posix()
        with found.archive.session() as session:
            used = session.scalar(select(Page.id).where(Page.source == name).limit(1))
        if used is None and name not in found.names and not place.exists():
            break
    found.moved.update(page.id for page in pages)
    found.names[name] = location_of(place)
    return [replace(page, source=name, location=location_of(place)) for page in pages]


def _called(path: PurePath, said: str) -> str:
    """Return the name of a file with `said` after its stem, cut to what a file may be called."""
    said = f" ({said})"
    room = LONGEST_NAME - len(said)
    suffix = beginning(path.suffix, room)
    return f"{beginning(path.stem, room - len(os.fsencode(suffix)))}{said}{suffix}"


def follow_masters(archive: Archive, pages: Sequence[KnownPage], copies: Sequence[int] = ()) -> int:
    """Note where the pages' masters lie now, what they are called, and when they were written.

    What could not be read of them follows, too. The pages of `copies` make room for their
    originals; return how many marks of theirs go over to these (`copies.take_over`).
    """
    with archive.writing() as session:
        _have_failures_follow(session, pages)
        carried = take_over(session, copies)
        # Names may go round: each is given up before any is taken. None begins with a "/".
        session.execute(update(Page), [{"id": page.id, "source": f"/{page.id}"} for page in pages])
        session.execute(
            update(Page),
            [
                {
                    "id": page.id,
                    "source": page.source,
                    "location": page.location,
                    "size": page.size,
                    "mtime_ns": page.mtime_ns,
                }
                for page in pages
            ],
        )
    return carried


def _have_failures_follow(session: Session, pages: Sequence[KnownPage]) -> None:
    """Have what could not be read of masters follow them, before their `pages` do.

    What stood in quarantine for the names and places that they take is not there any more.
    """
    now = {page.id: page for page in pages}
    before: dict[str, list[KnownPage]] = {}
    for some in in_parts(list(now)):
        for page in pages_where(session, Page.id.in_(some)):
            if (page.source, page.location) != (now[page.id].source, now[page.id].location):
                before.setdefault(page.source, []).append(page)
    following: dict[str, KnownPage] = {}  # by the name that their failures have meanwhile
    for names in in_parts(list(before)):
        for source, failure in failures_where(session, Failure.source.in_(names)).items():
            if failure.is_of(before[source]):
                page = before[source][0]
                following[f"/{page.id}"] = now[page.id]
                session.execute(
                    update(Failure).where(Failure.source == source).values(source=f"/{page.id}")
                )
    taken = [now[some[0].id] for some in before.values()]
    for part in in_parts(taken, MOST // 2):
        session.execute(
            delete(Failure).where(
                or_(
                    Failure.source.in_([page.source for page in part]),
                    Failure.location.in_([page.location for page in part]),
                ),
                Failure.source.not_in(following),
            )
        )
    for meanwhile, page in following.items():
        session.execute(
            update(Failure)
            .where(Failure.source == meanwhile)
            .values(
                source=page.source,
                location=page.location,
                size=page.size,
                mtime_ns=page.mtime_ns,
            )
        )


def name_of(found: Whereabouts, file: ImageFile, known: Known) -> str:
    """Return the source of a file that no page lies at, or whose pages were moved there.

    It is the name that its place has had, also in quarantine, else the path below SOURCE. Where
    another master has that already (two SOURCEs with an `img001.jpg` each), as many of the folders
    above SOURCE as tell them apart go before it.
    """
    location = location_of(file.path)
    if name := found.vacated.get(location):
        return name
    failed = known.failing_at.get(location)
    for name in itertools.chain([failed.source] if failed else [], _names(file)):
        if found.names.get(name, location) != location:
            continue
        if name == file.name:
            pages, failure = known.by_source.get(name, []), known.failing.get(name)
            failed_at = failure.location if failure else location
        else:
            with found.archive.session() as session:
                pages = pages_where(session, Page.source == name)
                failed_at = (
                    session.scalar(select(Failure.location).where(Failure.source == name))
                    or location
                )
        if not found.unmoved(pages) and (failed_at == location or not master_exists(failed_at)):
            return name
    raise AssertionError("no free name for a file")


def _names(file: ImageFile) -> Iterator[str]:
    """Give the names a file may have, the one that is wanted first, without end."""
    yield file.name
    above = storable(file.path.as_posix()).removesuffix(file.name).strip("/")
    parts = above.split("/")
    for at in range(len(parts) - 1, -1, -1):
        yield "/".join([*parts[at:], file.name])
    for number in itertools.count(2):
        yield f"{above}/{file.name} ({number})"  # its place was another's, whose page is kept
