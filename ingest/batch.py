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
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypedDict, Unpack

from ingest.discovery import files_to_read
from ingest.documents.binding import (
    Bound,
    Claimed,
    TakenPage,
    bind_pages,
    claims_met,
    sources_held,
)
from ingest.documents.reading import read_documents
from ingest.documents.record import DocumentsFile
from ingest.documents.storing import store_documents
from ingest.given import Given, in_quarantine, named, of_other_segmenters, try_again
from ingest.iiif.arrivals import arriving, sweep_masters, take_up
from ingest.iiif.cataloguing import Described, bind_canvases
from ingest.iiif.fetching import Courtesy, Web
from ingest.iiif.given_manifests import Asking
from ingest.known import CROPS
from ingest.listing import is_at_hand
from ingest.quarantine import (
    forget_absent_failures,
    healed_of,
    record_unread_manifests,
    sources_in_quarantine,
    write_quarantine,
)
from ingest.reading import (
    FileToRead,
    Propose,
    Reading,
    UnreadImage,
    read_file,
    reading_of_a_lost_file,
    reading_of_a_stuck_file,
)
from ingest.run import Run
from ingest.segmentation import SEGMENTER, propose_marks
from ingest.sources import MAX_PIXELS
from ingest.version import program_version
from ingest.workers import cores, in_order
from ingest.writing import write_readings
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.documents import references_without_page
from retrieval.catalogue.errors import ArchiveError, SourceError
from retrieval.catalogue.figures import counts
from retrieval.catalogue.files import UNFINISHED
from retrieval.catalogue.pages import sources_without_document
from retrieval.catalogue.resemblances import ResemblanceRow, resemblances

#: Gives what a run is given: with what fetches manifests, and is told of each.
GivenBy = Callable[[Web, Asking], Given]

#: Minutes that one image of a file may take to be read and searched, on a busy machine.
MAX_MINUTES = 10.0


@dataclass(frozen=True)
class Progress:
    """How far a run is: files done, files in all, and the last one's name.

    Before that: manifests asked for, manifests in all, and the place of the one that is now.
    """

    done: int
    total: int
    name: str


@dataclass(frozen=True)
class IngestReport:
    """What a run did, and the state it left the archive in.

    Of pages, one for each image of a file: `added`; `changed`, read again; `moved`, following their
    master; `unchanged`. `duplicates` of those added have the content of another page, `resembling`
    of those read look like another. `copies_replaced`: pages of copies that went, as the files of
    their originals are gone and these, `moved`, lie in theirs. `made_crops`: pages of those changed
    that were given as crops and are such now; `made_pages`: crops that are pages now. `bound`:
    pages that got another document, `bound_already` those that were given to the one they had;
    `taken` were another document's before. `pages_without_document`: in the archive.

    Of marks: `marks` were made; `marks_of_copies` that people judged or named on copies that went
    are the originals' now.

    Of images: `failed` stand in quarantine now, from this run or an earlier one, a row each, and a
    manifest counts as one; `fetched` masters of manifests. `canvases_without_image`: those of the
    manifests with none that is understood.

    Of files: `left` in quarantine without another try, as nothing about them has changed;
    `left_as_crops` in a run of pages that came in as crops and stay so; `left_as_pages` the other
    way round; `skipped` that are not images. `healed`: sources, and places of manifests, that left
    quarantine for good. `missing`: sources of pages on which marks were to be sought anew, and
    whose masters are not at hand. `away`: empty folders in which originals of copies were.

    Of documents: `documents` were written, new or described otherwise than before;
    `documents_without_pages`: in the archive. `reordered`: those whose pages a documents file put
    into another order. `manifests_without_image`: ids of those that give no image at all.
    `problems`: sentences about the claims of the documents files. `files_without_page`: names of
    those that claim pages, none of which was found; `files_unclear` of those that name several at
    once. Where such files were given, `sources_without_document` and `references_without_page` name
    what is left in the archive, in natural order.
    """

    added: int = 0
    changed: int = 0
    moved: int = 0
    unchanged: int = 0
    duplicates: int = 0
    copies_replaced: int = 0
    marks_of_copies: int = 0
    away: tuple[str, ...] = ()
    resembling: tuple[ResemblanceRow, ...] = ()
    failed: int = 0
    left: int = 0
    left_as_crops: int = 0
    left_as_pages: int = 0
    made_crops: int = 0
    made_pages: int = 0
    healed: int = 0
    skipped: int = 0
    canvases_without_image: int = 0
    manifests_without_image: tuple[str, ...] = ()
    marks: int = 0
    fetched: int = 0
    documents: int = 0
    bound: int = 0
    bound_already: int = 0
    taken: tuple[TakenPage, ...] = ()
    reordered: int = 0
    pages_without_document: int = 0
    documents_without_pages: int = 0
    sources_without_document: tuple[str, ...] = ()
    references_without_page: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    files_without_page: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    files_unclear: tuple[str, ...] = ()


class Manner(TypedDict, total=False):
    """How a run goes about its work.

    `documents` are files that say which document each page belongs to (see `read_documents`); of
    two that describe one document, the later one's word goes, and theirs before a manifest's. An
    image of more than `max_pixels` goes to quarantine, and so does a file of which one image takes
    more than `max_minutes`. Files are read in `workers` processes (None: as many as there are
    cores; 0: in this one). Servers of manifests are treated with `courtesy`. `progress` is called
    before each manifest and after each file.
    """

    documents: Sequence[Path]
    max_pixels: int
    max_minutes: float
    workers: int | None
    courtesy: Courtesy
    progress: Callable[[Progress], None] | None


def ingest_pages(
    archive: Archive,
    sources: Sequence[Path | str],
    *,
    propose: Propose = propose_marks,
    segmenter: str = SEGMENTER,
    **manner: Unpack[Manner],
) -> IngestReport:
    """Ingest scans of pages: each image becomes a page, each proposal of `propose` a mark.

    `sources` are folders and files, whose masters are only read, and IIIF manifests: addresses or
    JSON files, which describe a document each, and whose images are fetched into the archive.
    `propose` is called in other processes and must be importable there.

    Raises ArchiveBusy when another ingest is running, MetadataError for a documents file,
    SourceError for a source that does not exist, and either for a manifest that is the only
    source, all before anything is written. A file that cannot be read raises nothing: it is
    reported, as is one manifest of several sources. A folder that goes away meanwhile raises
    SourceError, a disk that is full ArchiveError: what was done until then is kept, and the next
    run goes on.
    """
    given_by = functools.partial(named, archive, sources)
    return _ingest(archive, given_by, propose, segmenter, **manner)


def ingest_crops(
    archive: Archive, sources: Sequence[Path | str], **manner: Unpack[Manner]
) -> IngestReport:
    """Ingest images that are crops of marks: each is one page with one confirmed mark over it.

    The rest is as in `ingest_pages`.
    """
    return _ingest(archive, functools.partial(named, archive, sources), None, None, **manner)


def retry_quarantined(
    archive: Archive,
    *,
    propose: Propose = propose_marks,
    segmenter: str = SEGMENTER,
    **manner: Unpack[Manner],
) -> IngestReport:
    """Ingest exactly what stands in quarantine, whether or not it has changed.

    Each file as what it was tried: as crops what was given so, all else as pages. Files that are
    not at hand now stay there as they are. The rest is as in `ingest_pages`.
    """
    given_by = functools.partial(in_quarantine, archive)
    return _ingest(archive, given_by, propose, segmenter, **manner)


def resegment_pages(
    archive: Archive,
    *,
    propose: Propose = propose_marks,
    segmenter: str = SEGMENTER,
    **manner: Unpack[Manner],
) -> IngestReport:
    """Seek marks anew on the pages whose marks another segmenter proposed.

    What a person has looked at stays. Pages whose masters are not at hand keep what they have. The
    rest is as in `ingest_pages`.
    """
    return _ingest(
        archive,
        lambda web, asking: of_other_segmenters(archive, segmenter),
        propose,
        segmenter,
        resegments=True,
        **manner,
    )


def _ingest(
    archive: Archive,
    given_by: GivenBy,
    propose: Propose | None,
    segmenter: str | None,
    *,
    resegments: bool = False,
    documents: Sequence[Path] = (),
    max_pixels: int = MAX_PIXELS,
    max_minutes: float = MAX_MINUTES,
    workers: int | None = None,
    courtesy: Courtesy = Courtesy(),
    progress: Callable[[Progress], None] | None = None,
) -> IngestReport:
    described = [read_documents(path) for path in documents]
    with contextlib.closing(Web(courtesy)) as web:
        given = given_by(web, _asking(progress))
        under = tried_under(segmenter, max_pixels, max_minutes)
        done = _counted(given, progress)
        run = Run(archive, segmenter, done, under, resegments, given.themselves)
        read = functools.partial(read_file, crops=archive.crops_folder, max_pixels=max_pixels)
        with archive.lock(), _swept_after_a_kill(archive):
            before = sources_in_quarantine(archive)
            record_unread_manifests(archive, given.asked, given.unread)
            if given.tried_again:
                try_again(archive, given)
            by_manifests, written = _describe(archive, given, described)
            try:
                groups = _groups_to_read(run, web, given, max_pixels)
                read_so = functools.partial(read, propose=propose)
                _read_and_write(run, groups, read_so, workers, max_minutes)
                as_crops = tried_under(None, max_pixels, max_minutes)
                run_of_crops = replace(run, segmenter=None, under=as_crops)
                groups = files_to_read(run_of_crops, given.crops)
                read_so = functools.partial(read, propose=None)
                _read_and_write(run_of_crops, groups, read_so, workers, max_minutes)
                bound, claimed = _bind(archive, given, by_manifests, described)
            except BaseException:
                with contextlib.suppress(ArchiveError):  # what ended the run is what is to be said
                    write_quarantine(archive)
                raise
            forget_absent_failures(archive, given.roots)
            failed = write_quarantine(archive)
    with archive.session() as session:
        state = counts(session)
        resembling = resemblances(session, run.written)
        unbound = tuple(sources_without_document(session)) if described else ()
        pageless = tuple(references_without_page(session)) if described else ()
    return IngestReport(
        **asdict(run.counts),
        away=tuple(sorted(run.away)),
        resembling=tuple(resembling),
        failed=failed,
        healed=healed_of(archive, before) + len(before & given.asked - given.unread.keys()),
        skipped=given.skipped,
        canvases_without_image=given.blank,
        manifests_without_image=given.without_image,
        documents=written,
        bound=len(bound.moved),
        bound_already=len(bound.stayed),
        taken=bound.taken,
        reordered=bound.reordered,
        pages_without_document=state.pages_without_document,
        documents_without_pages=state.documents_without_pages,
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
    """Return what is told which manifest is asked for, and tells `progress`."""

    def asking(done: int, total: int, place: str) -> None:
        if progress is not None:
            progress(Progress(done, total, place))

    return asking


def _counted(given: Given, progress: Callable[[Progress], None] | None) -> Callable[[str], None]:
    """Return what is told the name of each file that is done, and tells `progress`."""
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


def tried_under(segmenter: str | None, max_pixels: int, max_minutes: float) -> str:
    """Return what decides, beside a file itself, whether it can be read."""
    limits = f"{max_pixels} pixels, {max_minutes:g} minutes"
    kind = f", {segmenter}" if segmenter is not None else CROPS
    return f"{limits}, prizemarks {program_version()}{kind}"[:128]


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
    try:
        if running.exists():
            _remove_unfinished(archive)
            sweep_masters(archive)
        running.touch()
    except OSError as error:
        raise ArchiveError(
            f"{archive.folder} cannot be written to: {error.strerror or error}. Check that the "
            "disk is available, has free space and is writable."
        ) from error
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
