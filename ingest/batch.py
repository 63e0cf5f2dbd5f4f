"""Brings a folder of scans, or of crops, into an archive: page by page, resumable at any point.

A page is known by its master's place and content. For each file, in natural order of names:

- nothing about it has changed: nothing is done;
- its content has changed: its page is read again, proposals are replaced, people's marks stay;
- its content is that of a page whose master is gone: the master was moved, and the page follows;
- its content is that of a page whose master is still there: a copy, and a page of its own;
- it cannot be read: it goes to quarantine until it can.

`ingest.discovery` finds out which it is, other processes read the files and write the crops
(`ingest.reading`); this one alone writes the catalogue (`ingest.writing`), in the order of the
names, so that an interrupted run and its repetition end in the same rows.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ingest.discovery import files_to_read
from ingest.documents.binding import Binding, bind_pages
from ingest.documents.reading import read_documents
from ingest.documents.storing import store_documents
from ingest.quarantine import forget_absent_failures, write_quarantine
from ingest.reading import Propose, read_file, reading_of_a_lost_file, reading_of_a_stuck_file
from ingest.run import Run
from ingest.segmentation import SEGMENTER, propose_marks
from ingest.sources import MAX_PIXELS, ImageFile, image_files
from ingest.workers import in_order
from ingest.writing import write_readings
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.files import UNFINISHED
from retrieval.catalogue.queries import (
    counts,
    references_without_page,
    sources_without_document,
)

#: Minutes that one image of a file may take to be read and searched, on a busy machine.
MAX_MINUTES = 10.0


@dataclass(frozen=True)
class Progress:
    """How far a run is: files done, files in all, and the last one's name."""

    done: int
    total: int
    name: str


@dataclass(frozen=True)
class IngestReport:
    """What a run did, and the state it left the archive in.

    Pages: `added`, `changed` (read again), `moved` and `unchanged`; `duplicates` of those added
    have the content of another page. `failed`: inputs in quarantine. `skipped`: files that are
    no images. `marks`: marks made. `problems`: sentences about the claims of the documents files.
    Where such files were given, `sources_without_document` and `references_without_page` name
    what is left in the archive, in natural order.
    """

    added: int = 0
    changed: int = 0
    moved: int = 0
    unchanged: int = 0
    duplicates: int = 0
    failed: int = 0
    skipped: int = 0
    marks: int = 0
    documents: int = 0
    bound: int = 0
    pages_without_document: int = 0
    documents_without_pages: int = 0
    sources_without_document: tuple[str, ...] = ()
    references_without_page: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def ingest_pages(
    archive: Archive,
    sources: Sequence[Path],
    *,
    documents: Sequence[Path] = (),
    propose: Propose = propose_marks,
    segmenter: str = SEGMENTER,
    max_pixels: int = MAX_PIXELS,
    max_minutes: float = MAX_MINUTES,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> IngestReport:
    """Ingest scans of pages: each image becomes a page, each proposal of `propose` a mark.

    `sources` are folders and files; masters are only read. `documents` are files that say which
    document each page belongs to (see `read_documents`); of two that describe one document, the
    later one's word goes. `propose` is called in `workers` processes (default: as many as there
    are cores; 0: in this one) and must be importable there. A file of which one image takes them
    more than `max_minutes` is given up. `progress` is called after each file.

    Raises ArchiveBusy when another ingest is running, MetadataError for a documents file,
    SourceError for a source that does not exist, all before anything is written. A file that
    cannot be read raises nothing: it is reported.
    """
    return _ingest(
        archive,
        sources,
        documents,
        propose,
        segmenter,
        max_pixels,
        max_minutes,
        workers,
        progress,
    )


def ingest_crops(
    archive: Archive,
    sources: Sequence[Path],
    *,
    documents: Sequence[Path] = (),
    max_pixels: int = MAX_PIXELS,
    max_minutes: float = MAX_MINUTES,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> IngestReport:
    """Ingest images that are crops of marks: each is one page with one confirmed mark over it.

    The rest is as in `ingest_pages`.
    """
    return _ingest(
        archive, sources, documents, None, None, max_pixels, max_minutes, workers, progress
    )


def _ingest(
    archive: Archive,
    sources: Sequence[Path],
    documents: Sequence[Path],
    propose: Propose | None,
    segmenter: str | None,
    max_pixels: int,
    max_minutes: float,
    workers: int | None,
    progress: Callable[[Progress], None] | None,
) -> IngestReport:
    described = [read_documents(path) for path in documents]
    listed = [image_files(source) for source in sources]
    by_path: dict[Path, ImageFile] = {}
    for found in itertools.chain.from_iterable(one.files for one in listed):
        by_path.setdefault(found.path, found)  # the first SOURCE that holds a file names it
    files = list(by_path.values())
    so_far = itertools.count(1)

    def done(name: str) -> None:
        if progress is not None:
            progress(Progress(next(so_far), len(files), name))

    run = Run(archive, segmenter, done)
    read = functools.partial(
        read_file, crops=archive.crops_folder, propose=propose, max_pixels=max_pixels
    )
    written, binding = 0, Binding(0, ())
    with archive.lock(), _swept_after_a_kill(archive):
        if described:
            with archive.writing() as session:
                for one in described:
                    written += store_documents(session, one.documents)
        try:
            groups = files_to_read(run, files)
            for group, readings in in_order(
                groups,
                read,
                reading_of_a_lost_file,
                functools.partial(reading_of_a_stuck_file, minutes=max_minutes),
                _cores() if workers is None else workers,
                60 * max_minutes,
            ):
                with archive.writing() as session:
                    write_readings(run, session, group, readings)
                for file in group:
                    done(file.name)
            if described:
                with archive.writing() as session:
                    binding = bind_pages(session, described)
        finally:
            forget_absent_failures(archive, sources)
            failed = write_quarantine(archive)
    with archive.session() as session:
        state = counts(session)
        unbound = tuple(sources_without_document(session)) if described else ()
        pageless = tuple(references_without_page(session)) if described else ()
    return IngestReport(
        **asdict(run.counts),
        failed=failed,
        skipped=sum(one.skipped for one in listed),
        documents=written,
        bound=binding.pages,
        pages_without_document=state.pages_without_document,
        documents_without_pages=state.documents_without_pages,
        sources_without_document=unbound,
        references_without_page=pageless,
        problems=(*(said for one in described for said in one.problems), *binding.problems),
    )


@contextlib.contextmanager
def _swept_after_a_kill(archive: Archive) -> Iterator[None]:
    """Remove the unfinished files that a killed run left among the crops; remember this run."""
    running = archive.folder / ".ingesting"
    if running.exists():
        for unfinished in archive.crops_folder.glob(f"*/{UNFINISHED}*"):
            unfinished.unlink(missing_ok=True)
    running.touch()
    yield
    running.unlink(missing_ok=True)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
