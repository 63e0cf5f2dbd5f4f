"""What a run would do, without doing it: nothing is written, not even the archive's folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from ingest.reading import FileToRead
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


@dataclass
class _Files:
    """What a run would make of the files it goes through, and of the pages that follow theirs."""

    unreadable: list[Unreadable]
    new: dict[str, Held] = field(default_factory=dict)
    copies: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    moved: dict[int, tuple[str, str]] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    _seen: set[str] = field(default_factory=set)

    def follow(self, pages: Sequence[KnownPage], copies: Sequence[int] = ()) -> int:
        """Leave the pages where the catalogue has them, but note where they would go."""
        self.moved.update({page.id: (page.source, page.location) for page in pages})
        self.gone.update(copies)
        return 0

    def note(self, run: Run, files: Sequence[FileToRead]) -> None:
        """Note what reading these files would make of them, and count what would turn."""
        contents = {one.sha256 for one in files if one.sha256}
        with run.archive.session() as session:
            pages = pages_where(session, Page.sha256.in_(contents))
            known = {page.sha256 for page in pages if run.is_of_its_kind(page)}
        for one in files:
            if reason := _why_not(one.path):
                self.unreadable.append(Unreadable(one.name, reason))
            elif one.known:
                self.changed.append(one.name)
                run.counts.made_crops += one.turned and run.as_crops
                run.counts.made_pages += one.turned and not run.as_crops
            else:
                self.new[one.name] = Held(one.name, location_of(one.path), one.sha256)
                if one.sha256 in known or one.sha256 in self._seen:
                    self.copies.append(one.name)
            self._seen.add(one.sha256 or "")


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
    given = _given(archive, sources, manner)
    run = _run(archive, given, manner, as_crops=as_crops, any_limits=sources is None)
    here, to_fetch = _files_and_missing(archive, given)
    files = _Files([Unreadable(place, error.reason) for place, error in given.unread.items()])
    for kind, some in ((run, here), (replace(run, segmenter=None), given.crops)):
        for group in files_to_read(kind, some, files.follow):
            files.note(kind, group)
    unfetched = {name: Held(name, address, None) for name, address in to_fetch}
    held = _held(archive, files, files.new | unfetched)
    claimed = claims_met(held, described, given.below_roots)
    names = {page: name for page, (name, _) in files.moved.items() if page not in files.gone}
    with archive.session() as session:
        assigned = would_be_bound(session, claimed.owners, names)
    return Rehearsal(
        **run.counts.foreseeable(),
        new=len(files.new),
        copies=tuple(files.copies),
        changed=tuple(files.changed),
        unreadable=tuple(files.unreadable),
        to_fetch=len(to_fetch),
        unlisted=given.unlisted,
        manifests_without_image=given.without_image,
        documents=len({one.reference for file in described for one in file.documents}),
        would_bind=len({claim.reference for claim in claimed.owners.values()}),
        assigned=assigned,
        problems=(*(said for file in described for said in file.problems), *claimed.problems),
    )


def _given(archive: Archive, sources: Sequence[Path | str] | None, manner: Manner) -> Given:
    """Return what a run of `sources` would be given; None: of what stands in quarantine."""
    web = Web(manner.courtesy)
    try:
        if sources is None:
            return in_quarantine(archive, web, _unsaid)
        return from_sources(archive, sources, web, _unsaid)
    finally:
        web.close()


def _run(
    archive: Archive, given: Given, manner: Manner, *, as_crops: bool, any_limits: bool
) -> Run:
    """Return the run that is rehearsed: it may try what failed, if under any limits or others."""
    segmenter = None if as_crops else SEGMENTER
    under = "" if any_limits else tried_under(segmenter, manner.max_pixels, manner.max_minutes)
    counts = Counts(skipped=given.skipped, canvases_without_image=given.blank)
    themselves = given.themselves
    return Run(archive, segmenter, lambda _: None, under, themselves=themselves, counts=counts)


def _held(archive: Archive, files: _Files, new: Mapping[str, Held]) -> Iterator[Held]:
    """Give the sources that the archive would have, those of its pages of today first."""
    with archive.session() as session:
        statement = select(Page.id, Page.source, Page.location, Page.sha256, Page.frame)
        statement = statement.order_by(Page.source, Page.frame)
        rows = session.execute(statement.execution_options(yield_per=10_000))
        read_again = set(files.changed)  # nobody knows yet how many images these have
        for page, source, location, sha256, frame in rows:
            known = None if source in read_again else frame
            one = Held(*files.moved.get(page, (source, location)), sha256, known)
            if one.source not in new and page not in files.gone:
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
