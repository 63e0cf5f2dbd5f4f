"""What a run would do, without doing it: nothing is written, not even the archive's folder."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import select

from ingest.discovery import files_to_read
from ingest.documents.binding import AssignedPage, would_be_bound
from ingest.documents.claimed_pages import Held
from ingest.documents.claims import claims_met
from ingest.documents.reading import read_documents
from ingest.given import Given, from_sources, in_quarantine
from ingest.iiif.cataloguing import name_pages
from ingest.iiif.fetching import Web
from ingest.iiif.masters import folder_of, masters_in
from ingest.known import KnownPage, pages_where
from ingest.listing import ImageFile, location_of
from ingest.manner import Manner
from ingest.run import Counts, Foreseeable, Run, tried_under
from ingest.segmentation import SEGMENTER
from ingest.sources import HEAD, suffix_of
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import NotAnImage
from retrieval.catalogue.tables import Page


@dataclass(frozen=True)
class Unreadable:
    """What would go to quarantine and why: by its first bytes, or as it cannot be opened or had."""

    source: str
    reason: str


@dataclass(kw_only=True)
class Rehearsal(Foreseeable):
    """What a run would do. `IngestReport` says what the inherited counts mean.

    Files: `new` ones would be read, among them `copies` of a page or of each other; `changed`
    ones would be read again; `unreadable` ones, and manifests, would go to quarantine, and further
    ones may once they are decoded. `unlisted`: folders that may not be listed, and would be passed
    over. `to_fetch`: images of manifests; `manifests_without_image` (ids) have none that is
    understood. `documents` are described by the documents files, `would_bind` of them would have a
    page; `assigned` are the pages of today that would get another document. `problems`: sentences
    about their claims.
    """

    new: int
    copies: tuple[str, ...]
    changed: tuple[str, ...]
    unreadable: tuple[Unreadable, ...]
    to_fetch: int
    unlisted: tuple[str, ...]
    manifests_without_image: tuple[str, ...]
    documents: int
    would_bind: int
    assigned: tuple[AssignedPage, ...]
    problems: tuple[str, ...]


def rehearse(
    archive: Archive,
    sources: Sequence[Path | str] | None,
    manner: Manner = Manner(),
    *,
    as_crops: bool = False,
) -> Rehearsal:
    """Return what an ingest of `sources` would do; None: of what stands in quarantine.

    Without any, what the documents files alone would do.

    The archive may be one that cannot be written (`archive_as_it_stands`). Files that are new or
    changed are read once for their digest; nothing is decoded. Manifests are fetched, their
    images are not. Raises what `ingest_pages` raises before it writes.
    """
    described = [read_documents(path) for path in manner.documents]
    web = Web(manner.courtesy)
    try:
        if sources is None:
            given = in_quarantine(archive, web, _unsaid)
        else:
            given = from_sources(archive, sources, web, _unsaid)
    finally:
        web.close()
    segmenter = None if as_crops else SEGMENTER
    # What stands in quarantine is to be tried under any limits.
    under = ""
    if sources is not None:
        under = tried_under(segmenter, manner.max_pixels, manner.max_minutes)
    counts = Counts(skipped=given.skipped, canvases_without_image=given.blank)
    themselves = given.themselves
    run = Run(archive, segmenter, lambda _: None, under, themselves=themselves, counts=counts)
    files, to_fetch = _files_and_missing(archive, given)
    new: dict[str, Held] = {}
    copies: list[str] = []
    changed: list[str] = []
    unreadable = [Unreadable(place, error.reason) for place, error in given.unread.items()]
    seen: set[str] = set()
    moved: dict[int, tuple[str, str]] = {}
    gone: set[int] = set()

    def follow(pages: Sequence[KnownPage], copies: Sequence[int] = ()) -> int:
        """Leave the pages where the catalogue has them, but note where they would go."""
        moved.update({page.id: (page.source, page.location) for page in pages})
        gone.update(copies)
        return 0

    again = replace(run, segmenter=None)
    for kind, group in itertools.chain(
        zip(itertools.repeat(run), files_to_read(run, files, follow), strict=False),
        zip(itertools.repeat(again), files_to_read(again, given.crops, follow), strict=False),
    ):
        contents = {one.sha256 for one in group if one.sha256}
        with archive.session() as session:
            known = {
                page.sha256
                for page in pages_where(session, Page.sha256.in_(contents))
                if kind.is_of_its_kind(page)
            }
        for one in group:
            if reason := _why_not(one.path):
                unreadable.append(Unreadable(one.name, reason))
            elif one.known:
                changed.append(one.name)
                counts.made_crops += one.turned and run.as_crops
                counts.made_pages += one.turned and not run.as_crops
            else:
                new[one.name] = Held(one.name, location_of(one.path), one.sha256)
                if one.sha256 in known or one.sha256 in seen:
                    copies.append(one.name)
            seen.add(one.sha256 or "")
    held = _held(archive, moved, gone, new | {name: Held(name, at, None) for name, at in to_fetch})
    claimed = claims_met(held, described, given.below_roots)
    names = {page: source for page, (source, _) in moved.items() if page not in gone}
    with archive.session() as session:
        assigned = would_be_bound(session, claimed.owners, names)
    return Rehearsal(
        **counts.foreseeable(),
        new=len(new),
        copies=tuple(copies),
        changed=tuple(changed),
        unreadable=tuple(unreadable),
        to_fetch=len(to_fetch),
        unlisted=given.unlisted,
        manifests_without_image=given.without_image,
        documents=len({one.reference for file in described for one in file.documents}),
        would_bind=len({claim.reference for claim in claimed.owners.values()}),
        assigned=assigned,
        problems=(*(said for file in described for said in file.problems), *claimed.problems),
    )


def _held(
    archive: Archive,
    moved: Mapping[int, tuple[str, str]],
    gone: Set[int],
    new: Mapping[str, Held],
) -> Iterator[Held]:
    """Give the sources that the archive would have, those of its pages of today first."""
    with archive.session() as session:
        statement = select(Page.id, Page.source, Page.location, Page.sha256)
        rows = session.execute(statement.execution_options(yield_per=10_000))
        for page, source, location, sha256 in rows:
            one = Held(*moved.get(page, (source, location)), sha256)
            if one.source not in new and page not in gone:
                yield one
    yield from new.values()


def _unsaid(done: int, total: int, place: str) -> None:
    """Show no progress: a rehearsal asks for manifests in silence."""


def _files_and_missing(
    archive: Archive, given: Given
) -> tuple[list[ImageFile], list[tuple[str, str]]]:
    """Return the files that are here, masters of manifests too, and what is not yet.

    Of the latter the names that their pages would have, and the addresses.
    """
    files, missing = list(given.files), []
    taken: set[str] = set()
    for one, wanted in given.manifests:
        folder = folder_of(archive.masters_folder, one.manifest)
        here = masters_in(folder)
        with archive.session() as session:
            names = name_pages(session, one.manifest, wanted, folder, taken)
        taken.update(names.values())
        files += [ImageFile(here[it.key], names[it.key]) for it in wanted if it.key in here]
        missing += [(names[it.key], it.address) for it in wanted if it.key not in here]
    return files, missing


def _why_not(path: Path) -> str:
    """Return why a file would go to quarantine, as far as its first bytes tell; "" if not."""
    try:
        if not path.is_file():
            return "It is not a regular file."
        with path.open("rb") as stream:
            suffix_of(stream.read(HEAD))
    except NotAnImage as error:
        return error.reason
    except OSError as error:
        return f"It cannot be opened: {error.strerror or error}."
    return ""
