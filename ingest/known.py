"""What the catalogue knows of files before they are read: their pages and failures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from ingest.listing import ImageFile, location_of, path_of
from ingest.stamp import Stamp
from retrieval.catalogue.tables import Failure, Page


@dataclass(frozen=True)
class KnownPage:
    """A page as the catalogue has it."""

    id: int
    source: str
    location: str
    frame: int
    width: int
    height: int
    sha256: str
    size: int
    mtime_ns: int
    segmenter: str | None

    @property
    def stamp(self) -> Stamp:
        """The stamp of its master when this was read."""
        return Stamp(self.size, self.mtime_ns)


@dataclass(frozen=True)
class KnownFailure:
    """A file in quarantine: what it was like, and under which limits all its images failed."""

    source: str
    location: str
    size: int
    mtime_ns: int
    tried: str | None

    def stands(self, stamp: Stamp, under: str) -> bool:
        """Return whether nothing that decides it has changed since: it would fail again."""
        return self.tried == under and stamp == (self.size, self.mtime_ns)

    def is_of(self, pages: Sequence[KnownPage]) -> bool:
        """Return whether an image of these pages' master failed, not what came in its place."""
        return self.location == pages[0].location and self.size in {page.size for page in pages}


@dataclass(frozen=True)
class Known:
    """What the catalogue has on some files: pages and failures, by location and by source."""

    by_location: dict[str, list[KnownPage]]
    by_source: dict[str, list[KnownPage]]
    failing: dict[str, KnownFailure]
    failing_at: dict[str, KnownFailure]


def known_of(session: Session, files: Sequence[ImageFile]) -> Known:
    """Return what the catalogue has at the places of the files, and under their names."""
    locations = [location_of(file.path) for file in files]
    names = [file.name for file in files]
    by_location: dict[str, list[KnownPage]] = defaultdict(list)
    by_source: dict[str, list[KnownPage]] = defaultdict(list)
    for page in pages_where(session, or_(Page.source.in_(names), Page.location.in_(locations))):
        by_location[page.location].append(page)
        by_source[page.source].append(page)
    failing = failures_where(
        session, or_(Failure.source.in_(names), Failure.location.in_(locations))
    )
    return Known(by_location, by_source, failing, {one.location: one for one in failing.values()})


def failures_where(session: Session, condition: ColumnElement[bool]) -> dict[str, KnownFailure]:
    """Return the files in quarantine that meet the condition, by their sources."""
    failing: dict[str, KnownFailure] = {}
    for row in session.execute(
        select(
            Failure.source, Failure.location, Failure.size, Failure.mtime_ns, Failure.tried
        ).where(condition)
    ):
        failure = KnownFailure(**row._asdict())
        if (other := failing.get(failure.source)) and other.tried != failure.tried:
            failure = replace(failure, tried=None)  # one of its images may be read now
        failing[failure.source] = failure
    return failing


def pages_where(session: Session, condition: ColumnElement[bool]) -> list[KnownPage]:
    """Return the pages that meet the condition, in the order of their ids."""
    rows = session.execute(
        select(
            Page.id,
            Page.source,
            Page.location,
            Page.frame,
            Page.width,
            Page.height,
            Page.sha256,
            Page.size,
            Page.mtime_ns,
            Page.segmenter,
        )
        .where(condition)
        .order_by(Page.id)
    )
    return [KnownPage(**row._asdict()) for row in rows]


def master_exists(location: str) -> bool:
    """Return whether a page's master lies where it was.

    One on the web is taken to, and one of which the system does not say: its folder may not be
    entered, or its share does not answer.
    """
    if "://" in location and not location.startswith("file://"):
        return True
    try:
        path_of(location).stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):  # a path with a NUL is not valid
        return False
    except OSError:
        return True
    return True
