"""Brings a folder of scans, or of crops, into an archive: page by page, resumable at any point.

A page is known by its master's place and content. For each file, in natural order of names:

- nothing about it has changed: nothing is done;
- its content has changed, and what it was lies nowhere else: its page is read again, proposals are
  replaced, people's marks stay;
- its content is that of a page whose master is not where it was: the master was moved, and the
  page follows, also to where another lay, whose page then follows its own or is set aside;
- its content is that of a page whose master is still there: a copy, and a page of its own; when
  that master is gone, its page follows to the copy's file, and the copy's page goes;
- it cannot be read: it goes to quarantine, and is left there until it, the limits or the version
  of the program have changed, or somebody wants it tried again;
- its page looks like another: both stay, and it is said.

`ingest.discovery` finds out which it is, other processes read the files and write the crops
(`ingest.reading`); this one alone writes the catalogue (`ingest.writing`), in the order of the
names, so that an interrupted run and its repetition end in the same rows.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from ingest.discovery import files_to_read
from ingest.documents.binding import Bound, bind_pages
from ingest.documents.claimed_pages import sources_held
from ingest.documents.claims import Claimed, claims_met
from ingest.documents.reading import read_documents
from ingest.documents.record import DocumentsFile
from ingest.documents.storing import store_documents
from ingest.given import Given, from_sources, in_quarantine, of_other_segmenters, try_again
from ingest.iiif.arrivals import arriving, sweep_masters, take_up
from ingest.iiif.cataloguing import Described, bind_canvases
from ingest.iiif.fetching import Web
from ingest.iiif.given_manifests import Asking
from ingest.listing import is_at_hand
from ingest.manner import Manner, Progress
from ingest.quarantine import (
    forget_absent_failures,
    healed_of,
    record_unread_manifests,
    sources_in_quarantine,
    write_quarantine,
)
from ingest.reading import (
    FileToRead,
    Reading,
    UnreadImage,
    read_file,
    reading_of_a_lost_file,
    reading_of_a_stuck_file,
)
from ingest.report import IngestReport
from ingest.run import Counts, Run, tried_under
from ingest.segmentation import STROKES, Segmenter
from ingest.unused_crops import remove_unused_crops
from ingest.workers import cores, in_order
from ingest.writing import write_readings
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.documents import references_without_page
from retrieval.catalogue.errors import ArchiveError, SourceError
from retrieval.catalogue.figures import documents_without_pages, pages_without_document
from retrieval.catalogue.files import UNFINISHED, disk_errors_said
from retrieval.catalogue.pages import sources_without_document
from retrieval.catalogue.resemblances import resemblances

#: Gives what a run is given: with what fetches manifests, and is told of each.
GivenBy = Callable[[Web, Asking], Given]


def ingest_pages(
    archive: Archive,
    sources: Sequence[Path | str],
    segmenter: Segmenter = STROKES,
    manner: Manner = Manner(),
) -> IngestReport:
    """Ingest scans of pages: each image becomes a page, each proposal of `segmenter` a mark.

    `sources` are folders and files, whose masters are only read, and IIIF manifests: addresses or
    JSON files, which describe a document each, and whose images are fetched into the archive.
    `segmenter` proposes in other processes and must be importable there.

    Raises ArchiveBusy when another ingest is running, MetadataError for a documents file,
    SourceError for a source that does not exist, and either for a manifest that is the only
    source, all before anything is written. A file that cannot be read raises nothing: it is
    reported, as is one manifest of several sources. A folder that goes away meanwhile raises
    SourceError, a disk that is full ArchiveError: what was done until then is kept, and the next
    run goes on.
    """
    given_by = functools.partial(from_sources, archive, sources)
    return _ingest(archive, given_by, segmenter, manner)


def ingest_crops(
    archive: Archive, sources: Sequence[Path | str], manner: Manner = Manner()
) -> IngestReport:
    """Ingest images that are crops of marks: each is one page with one confirmed mark over it.

    The rest is as in `ingest_pages`.
    """
    return _ingest(archive, functools.partial(from_sources, archive, sources), None, manner)


def retry_quarantined(
    archive: Archive, segmenter: Segmenter = STROKES, manner: Manner = Manner()
) -> IngestReport:
    """Ingest exactly what stands in quarantine, whether or not it has changed.

    Each file as what it was tried: as crops what was given so, all else as pages. Files that are
    not at hand now stay there as they are. The rest is as in `ingest_pages`.
    """
    given_by = functools.partial(in_quarantine, archive)
    return _ingest(archive, given_by, segmenter, manner)


def resegment_pages(
    archive: Archive, segmenter: Segmenter = STROKES, manner: Manner = Manner()
) -> IngestReport:
    """Seek marks anew on the pages whose marks another segmenter proposed.

    What a person has looked at stays. Pages whose masters are not at hand keep what they have. The
    rest is as in `ingest_pages`.
    """
    return _ingest(
        archive,
        lambda web, asking: of_other_segmenters(archive, segmenter.name),
        segmenter,
        manner,
        resegments=True,
    )


def _ingest(
    archive: Archive,
    given_by: GivenBy,
    segmenter: Segmenter | None,
    manner: Manner,
    *,
    resegments: bool = False,
) -> IngestReport:
    described = [read_documents(path) for path in manner.documents]
    max_pixels, max_minutes = manner.max_pixels, manner.max_minutes
    # Held before anything is walked or fetched, which may take long.
    with archive.lock(), contextlib.closing(Web(manner.courtesy)) as web:
        given = given_by(web, _asking(manner.progress))
        name = segmenter.name if segmenter is not None else None
        under = tried_under(name, max_pixels, max_minutes)
        done = _counted(given, manner.progress)
        counts = Counts(skipped=given.skipped, canvases_without_image=given.blank)
        run = Run(archive, name, done, under, resegments, given.themselves, counts=counts)
        read = functools.partial(read_file, crops=archive.crops_folder, max_pixels=max_pixels)
        with _swept_after_a_kill(archive):
            before = sources_in_quarantine(archive)
            record_unread_manifests(archive, given.asked, given.unread)
            if given.tried_again:
                try_again(archive, given)
            by_manifests, written = _describe(archive, given, described)
            try:
                groups = _groups_to_read(run, web, given, max_pixels)
                propose = segmenter.propose if segmenter is not None else None
                read_so = functools.partial(read, propose=propose)
                _read_and_write(run, groups, read_so, manner.workers, max_minutes)
                as_crops = tried_under(None, max_pixels, max_minutes)
                run_of_crops = replace(run, segmenter=None, under=as_crops)
                groups = files_to_read(run_of_crops, given.crops)
                read_so = functools.partial(read, propose=None)
                _read_and_write(run_of_crops, groups, read_so, manner.workers, max_minutes)
                bound, claimed = _bind(archive, given, by_manifests, described)
            except BaseException:
                with contextlib.suppress(ArchiveError):  # what ended the run is what is to be said
                    write_quarantine(archive)
                raise
            forget_absent_failures(archive, given.roots)
            failed = write_quarantine(archive)
            # Last: no process is left that wants one of them for a mark not yet in the catalogue.
            remove_unused_crops(archive)
    with archive.session() as session:
        documentless, bare = pages_without_document(session), documents_without_pages(session)
        resembling = resemblances(session, run.written)
        unbound = tuple(sources_without_document(session)) if described else ()
        pageless = tuple(references_without_page(session)) if described else ()
    return IngestReport(
        **asdict(run.counts),
        away=tuple(sorted(run.away)),
        resembling=tuple(resembling),
        failed=failed,
        healed=healed_of(archive, before) + len(before & given.asked - given.unread.keys()),
        unlisted=given.unlisted,
        manifests_without_image=given.without_image,
        documents=written,
        bound=len(bound.moved),
        bound_already=len(bound.stayed),
        taken=bound.taken,
        reordered=bound.reordered,
        pages_without_document=documentless,
        documents_without_pages=bare,
        sources_without_document=unbound,
        references_without_page=pageless,
        problems=(
            *(said for one in described for said in one.problems),
            *claimed.problems,
        ),
        files_without_page=claimed.unmet,
        missing=given.missing,
        files_unclear=claimed.unclear,
    )


def _asking(progress: Callable[[Progress], None] | None) -> Asking:
    """Return a callback that reports to `progress` which manifest is being asked for."""

    def asking(done: int, total: int, place: str) -> None:
        if progress is not None:
            progress(Progress(done, total, place))

    return asking


def _counted(given: Given, progress: Callable[[Progress], None] | None) -> Callable[[str], None]:
    """Return a callback that reports each finished file, by its name, to `progress`."""
    files = len(given.files) + len(given.crops)
    expected = files + sum(len(wanted) for _, wanted in given.manifests)
    so_far = itertools.count(1)

    def done(name: str) -> None:
        if progress is not None:
            progress(Progress(next(so_far), expected, name))

    return done


def _describe(
    archive: Archive, given: Given, described: Sequence[DocumentsFile]
) -> tuple[list[Described], int]:
    """Tell the catalogue what manifests and documents files describe.

    Return the documents of the manifests, and how many documents were written in all.
    """
    by_manifests: list[Described] = []
    written = 0
    for one, wanted in given.manifests:
        by_manifest, changed = take_up(archive, one, wanted)
        by_manifests.append(by_manifest)
        written += changed
    if described:
        with archive.writing() as session:
            for file in described:
                written += store_documents(session, file.documents)
    return by_manifests, written


def _groups_to_read(
    run: Run, web: Web, given: Given, max_pixels: int
) -> Iterator[list[FileToRead]]:
    """Give the files that have to be read, and then the masters of manifests as they arrive."""
    yield from files_to_read(run, given.files)
    for one, wanted in given.manifests:
        for arrived in arriving(run, web, one, wanted, max_pixels):
            yield from files_to_read(run, arrived)


def _read_and_write(
    run: Run,
    groups: Iterator[list[FileToRead]],
    read: Callable[[FileToRead], Reading],
    workers: int | None,
    max_minutes: float,
) -> None:
    """Have the groups read in other processes; write what was read of each, in their order."""
    all_read = in_order(
        groups,
        read,
        reading_of_a_lost_file,
        functools.partial(reading_of_a_stuck_file, minutes=max_minutes),
        cores() if workers is None else workers,
        60 * max_minutes,
    )
    # Closed here, so that no process still writes when what ended the run is said.
    with contextlib.closing(all_read):
        for group, readings in all_read:
            _check_at_hand(group, readings)
            with run.archive.writing() as session:
                write_readings(run, session, group, readings)
            for file in group:
                run.done(file.name)


def _bind(
    archive: Archive,
    given: Given,
    by_manifests: Sequence[Described],
    described: Sequence[DocumentsFile],
) -> tuple[Bound, Claimed]:
    """Give pages to the documents that manifests and documents files say they belong to.

    Return which, and how the claims of the documents files met them. What a manifest of this run
    gave and a file has otherwise was never another document's.
    """
    claimed = Claimed({}, ())
    if described:  # found out before the catalogue is kept from others
        with archive.session() as session:
            claimed = claims_met(sources_held(session), described, given.below_roots)
    moved: set[int] = set()
    stayed: set[int] = set()
    for by_manifest in by_manifests:
        with archive.writing() as session:
            of_manifest = bind_canvases(session, archive.masters_folder, by_manifest)
        moved |= of_manifest.moved
        stayed |= of_manifest.stayed
    of_files = Bound()
    if described:
        with archive.writing() as session:
            of_files = bind_pages(session, claimed.owners)
    taken = tuple(one for one in of_files.taken if one.page not in moved)
    moved |= of_files.moved
    stayed |= of_files.stayed
    return Bound(frozenset(moved), frozenset(stayed - moved), taken, of_files.reordered), claimed


def _check_at_hand(group: Sequence[FileToRead], readings: Sequence[Reading]) -> None:
    """Raise SourceError where files cannot be opened because their folder has gone away."""
    folders = {
        file.path.parent
        for file, reading in zip(group, readings, strict=True)
        if any(isinstance(image, UnreadImage) and image.passing for image in reading.images)
    }
    for folder in sorted(folders):
        if not is_at_hand(folder):
            raise SourceError(
                f"{folder} became unavailable while it was being ingested.",
                "Its pages in the archive were not changed. When the disk or network share is "
                "back, run the same command again: it continues where it stopped.",
            )


@contextlib.contextmanager
def _swept_after_a_kill(archive: Archive) -> Iterator[None]:
    """Remove the unfinished files that a killed run left in the archive, and this one's in the end.

    While a run goes on, and after one that was killed, `.ingesting` says so.
    """
    running = archive.folder / ".ingesting"
    with disk_errors_said(archive.folder):
        if running.exists():
            _remove_unfinished(archive)
            sweep_masters(archive)
        running.touch()
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):  # if not now, the next run does
            _remove_unfinished(archive)
        raise
    running.unlink(missing_ok=True)


def _remove_unfinished(archive: Archive) -> None:
    for unfinished in (
        *archive.folder.glob(f"{UNFINISHED}*"),
        *archive.crops_folder.glob(f"*/{UNFINISHED}*"),
    ):
        unfinished.unlink(missing_ok=True)
