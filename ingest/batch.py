"""Brings a folder of scans, or of crops, into an archive: page by page, resumable at any point.

A page is known by its master's place and content. For each file, in natural order of names:

- nothing about it has changed: nothing is done;
- its content has changed: its page is read again, proposals are replaced, people's marks stay;
- its content is that of a page whose master is gone: the master was moved, and the page follows;
- its content is that of a page whose master is still there: a copy, and a page of its own;
- it cannot be read: it goes to quarantine until it can.

Other processes read the files and write the crops; this one alone writes the catalogue, in the
order of the names, so that an interrupted run and its repetition end in the same rows.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from ingest.documents import Binding, bind_pages, read_documents, store_documents
from ingest.quarantine import write_quarantine
from ingest.reading import (
    Box,
    KeptMark,
    Propose,
    ReadImage,
    Reading,
    UnreadImage,
    file_stamp,
    read_file,
)
from ingest.segmentation import SEGMENTER, propose_marks
from ingest.sources import MAX_PIXELS, ImageFile, image_files, location_of, path_of, storable
from ingest.workers import in_order
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.files import UNFINISHED
from retrieval.catalogue.queries import counts
from retrieval.catalogue.tables import Failure, IdentityMark, Mark, Page, now

#: Where the marks of `ingest_crops` come from.
ORIGIN_OF_CROPS = "ingest"

#: Small files share a transaction: up to so many, and up to so many bytes.
_GROUP_FILES = 32
_GROUP_BYTES = 2_000_000

#: Files that are looked up in one statement.
_CHUNK = 400

#: A new proposal that covers a person's mark this well (intersection over union) is left out.
_SAME_REGION = 0.5


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
    no images. `marks`: marks made. `problems`: sentences about the documents file's claims.
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
    problems: tuple[str, ...] = ()


def ingest_pages(
    archive: Archive,
    sources: Sequence[Path],
    *,
    documents: Path | None = None,
    propose: Propose = propose_marks,
    segmenter: str = SEGMENTER,
    max_pixels: int = MAX_PIXELS,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> IngestReport:
    """Ingest scans of pages: each image becomes a page, each proposal of `propose` a mark.

    `sources` are folders and files; masters are only read. `documents` is a CSV file that says
    which document each page belongs to. `propose` is called in `workers` processes (default: as
    many as there are cores) and must be importable there. `progress` is called after each file.

    Raises ArchiveBusy when another ingest is running, MetadataError for the documents file,
    SourceError for a source that does not exist, all before anything is written. A file that
    cannot be read raises nothing: it is reported.
    """
    return _ingest(archive, sources, documents, propose, segmenter, max_pixels, workers, progress)


def ingest_crops(
    archive: Archive,
    sources: Sequence[Path],
    *,
    documents: Path | None = None,
    max_pixels: int = MAX_PIXELS,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> IngestReport:
    """Ingest images that are crops of marks: each is one page with one confirmed mark over it.

    The rest is as in `ingest_pages`.
    """
    return _ingest(archive, sources, documents, None, None, max_pixels, workers, progress)


@dataclass(frozen=True)
class _KnownPage:
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


@dataclass(frozen=True)
class _Known:
    """What the catalogue has on some files: pages by location and by source, failures by source."""

    by_location: dict[str, list[_KnownPage]]
    by_name: dict[str, list[_KnownPage]]
    failing: dict[str, str]  # source -> location


@dataclass(frozen=True)
class _File:
    """A file that has to be read, and what is known of it."""

    path: Path
    name: str
    size: int
    mtime_ns: int
    sha256: str | None  # None: it could not be read through
    kept: tuple[KeptMark, ...]


@dataclass
class _Tally:
    """Counts while the run lasts."""

    added: int = 0
    changed: int = 0
    moved: int = 0
    unchanged: int = 0
    duplicates: int = 0
    marks: int = 0
    done: int = 0


@dataclass
class _Run:
    """One run: where it writes, as what, and what it has met so far."""

    archive: Archive
    segmenter: str | None
    tally: _Tally = field(default_factory=_Tally)
    names: dict[str, str] = field(default_factory=dict)  # name -> location, given in this run
    followed: set[str] = field(default_factory=set)  # sources whose pages have moved in this run


def _ingest(
    archive: Archive,
    sources: Sequence[Path],
    documents: Path | None,
    propose: Propose | None,
    segmenter: str | None,
    max_pixels: int,
    workers: int | None,
    progress: Callable[[Progress], None] | None,
) -> IngestReport:
    described = read_documents(documents) if documents is not None else None
    listed = [image_files(source) for source in sources]
    by_path: dict[Path, ImageFile] = {}
    for found in itertools.chain.from_iterable(one.files for one in listed):
        by_path.setdefault(found.path, found)  # the first SOURCE that holds a file names it
    files = list(by_path.values())
    run = _Run(archive, segmenter)

    def done(name: str) -> None:
        run.tally.done += 1
        if progress is not None:
            progress(Progress(run.tally.done, len(files), name))

    work = functools.partial(
        _read, crops=archive.crops_folder, propose=propose, max_pixels=max_pixels
    )
    written, binding = 0, Binding(0, ())
    with archive.lock(), _swept_after_a_kill(archive):
        if described is not None:
            with archive.writing() as session:
                written = store_documents(session, described.documents)
        try:
            groups = _to_read(run, files, done)
            for group, readings in in_order(groups, work, _lost, workers or _cores()):
                with archive.writing() as session:
                    _record(run, session, group, readings)
                for file in group:
                    done(file.name)
            if described is not None:
                with archive.writing() as session:
                    binding = bind_pages(session, described)
        finally:
            _forget_absent_failures(archive, sources)
            failed = write_quarantine(archive)
    with archive.session() as session:
        state = counts(session)
    tally = run.tally
    return IngestReport(
        added=tally.added,
        changed=tally.changed,
        moved=tally.moved,
        unchanged=tally.unchanged,
        duplicates=tally.duplicates,
        failed=failed,
        skipped=sum(one.skipped for one in listed),
        marks=tally.marks,
        documents=written,
        bound=binding.pages,
        pages_without_document=state.pages_without_document,
        documents_without_pages=state.documents_without_pages,
        problems=binding.problems,
    )


# Which files are to be read ------------------------------------------------------------------


def _to_read(
    run: _Run, files: Sequence[ImageFile], done: Callable[[str], None]
) -> Iterator[list[_File]]:
    """Give the files that have to be read, in order and small ones together; settle the others."""
    for start in range(0, len(files), _CHUNK):
        chunk = files[start : start + _CHUNK]
        with run.archive.session() as session:
            known = _known(session, chunk)
        changed = []
        for file in chunk:
            pages = known.by_location.get(location_of(file.path), [])
            stamps = {(page.size, page.mtime_ns) for page in pages}
            stamp = file_stamp(file.path)
            if stamps == {stamp} and _are_right(run, pages, known):
                run.tally.unchanged += len(pages)
                done(file.name)
            else:
                changed.append((file, stamp))
        for group in _grouped(changed):
            unread = list(_unsettled(run, group, known, done))
            if unread:
                yield unread


def _grouped(
    files: Sequence[tuple[ImageFile, tuple[int, int]]],
) -> Iterator[list[tuple[ImageFile, tuple[int, int]]]]:
    """Put small files together, so that they share a trip to a worker and a transaction."""
    group: list[tuple[ImageFile, tuple[int, int]]] = []
    together = 0
    for file, stamp in files:
        if group and (len(group) == _GROUP_FILES or together + stamp[0] > _GROUP_BYTES):
            yield group
            group, together = [], 0
        group.append((file, stamp))
        together += stamp[0]
    if group:
        yield group


def _known(session: Session, files: Sequence[ImageFile]) -> _Known:
    locations = [location_of(file.path) for file in files]
    names = [file.name for file in files]
    by_location: dict[str, list[_KnownPage]] = defaultdict(list)
    by_name: dict[str, list[_KnownPage]] = defaultdict(list)
    for page in _pages_where(session, or_(Page.source.in_(names), Page.location.in_(locations))):
        by_location[page.location].append(page)
        by_name[page.source].append(page)
    failing = session.execute(
        select(Failure.source, Failure.location).where(
            or_(Failure.source.in_(names), Failure.location.in_(locations))
        )
    )
    return _Known(by_location, by_name, {source: location for source, location in failing})


def _unsettled(
    run: _Run,
    group: Sequence[tuple[ImageFile, tuple[int, int]]],
    known: _Known,
    done: Callable[[str], None],
) -> Iterator[_File]:
    """Give the files of the group that have to be read; the pages of the others are made right."""
    contents = [_sha256(file.path) for file, _ in group]
    with run.archive.session() as session:
        alike = _pages_where(session, Page.sha256.in_([one for one in contents if one]))
    for (file, stamp), sha256 in zip(group, contents, strict=True):
        location = location_of(file.path)
        pages = known.by_location.get(location, [])
        name = pages[0].source if pages else ""
        if not pages:
            name, pages = _place(run, file, location, sha256, known)
        run.names[name] = location
        if not pages:
            pages = _pages_of_a_moved_master(run, [page for page in alike if page.sha256 == sha256])
        if pages and {page.sha256 for page in pages} == {sha256}:
            _follow(run, pages, name, location, stamp)
            if _are_right(run, pages, known):
                if pages[0].location == location:
                    run.tally.unchanged += len(pages)
                else:
                    run.tally.moved += len(pages)
                done(file.name)
                continue
        yield _File(file.path, name, *stamp, sha256, _marks_to_cut_again(run, pages))


def _are_right(run: _Run, pages: Sequence[_KnownPage], known: _Known) -> bool:
    """Return whether the pages were ingested as this run does, and all their images were read."""
    as_wanted = all((page.segmenter is None) == (run.segmenter is None) for page in pages)
    return as_wanted and pages[0].source not in known.failing


def _place(
    run: _Run,
    file: ImageFile,
    location: str,
    sha256: str | None,
    known: _Known,
) -> tuple[str, list[_KnownPage]]:
    """Return the source of a file that no page lies at, and its pages if all were moved.

    The source is the path below SOURCE. Where another master has that already (two SOURCEs with
    an `img001.jpg` each), as many of the folders above SOURCE as tell them apart go before it.
    """
    for name in _names(file):
        if run.names.get(name, location) != location:
            continue
        if name == file.name:
            pages, failed_at = known.by_name.get(name, []), known.failing.get(name, location)
        else:
            with run.archive.session() as session:
                pages = _pages_where(session, Page.source == name)
                failed_at = (
                    session.scalar(select(Failure.location).where(Failure.source == name))
                    or location
                )
        if pages:
            gone = not any(_master_exists(page.location) for page in pages)
            if gone and {page.sha256 for page in pages} == {sha256}:
                return name, pages
        elif failed_at == location or not _master_exists(failed_at):
            return name, []
    raise AssertionError("the whole path of a file names no other")


def _names(file: ImageFile) -> Iterator[str]:
    yield file.name
    above = storable(file.path.as_posix()).removesuffix(file.name).strip("/")
    parts = above.split("/")
    for at in range(len(parts) - 1, -1, -1):
        yield "/".join([*parts[at:], file.name])
    for number in itertools.count(2):
        yield f"{above}/{file.name} ({number})"  # its place was another's, whose page is kept


def _pages_of_a_moved_master(run: _Run, alike: Sequence[_KnownPage]) -> list[_KnownPage]:
    """Return, of the pages with a file's content, those of one master that is gone."""
    for source in dict.fromkeys(page.source for page in alike):
        moved = [page for page in alike if page.source == source]
        if source not in run.followed and not any(_master_exists(one.location) for one in moved):
            run.followed.add(source)
            return moved
    return []


def _follow(
    run: _Run, pages: Sequence[_KnownPage], name: str, location: str, stamp: tuple[int, int]
) -> None:
    """Note where the pages' master lies now, and when it was last written."""
    with run.archive.writing() as session:
        session.execute(
            update(Page)
            .where(Page.id.in_([page.id for page in pages]))
            .values(source=name, location=location, size=stamp[0], mtime_ns=stamp[1])
        )


def _marks_to_cut_again(run: _Run, pages: Sequence[_KnownPage]) -> tuple[KeptMark, ...]:
    if not pages:
        return ()
    found = {page.id: page for page in pages}
    with run.archive.session() as session:
        rows = session.execute(
            select(Mark.id, Mark.page_id, Mark.x, Mark.y, Mark.width, Mark.height)
            .where(Mark.page_id.in_(found), _outlives_its_image(run))
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


def _outlives_its_image(run: _Run) -> ColumnElement[bool]:
    """Return the condition on a mark that a person has looked at: such marks stay."""
    in_identity = exists().where(IdentityMark.mark_id == Mark.id)
    looked_at = Mark.status != "proposed"
    if run.segmenter is not None:  # the page was ingested as a crop before, and is no crop now
        looked_at = and_(looked_at, Mark.origin != ORIGIN_OF_CROPS)
    return or_(looked_at, in_identity)


def _pages_where(session: Session, condition: ColumnElement[bool]) -> list[_KnownPage]:
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
    return [_KnownPage(**row._asdict()) for row in rows]


def _master_exists(location: str) -> bool:
    return ("://" in location and not location.startswith("file://")) or path_of(location).exists()


def _sha256(path: Path) -> str | None:
    """Return the SHA-256 of the file's bytes; None when they cannot be read."""
    try:
        if not path.is_file():  # reading a pipe would wait for its writer
            return None
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None


# What was read, into the catalogue -----------------------------------------------------------


def _read(file: _File, *, crops: Path, propose: Propose | None, max_pixels: int) -> Reading:
    return read_file(file.path, file.kept, crops=crops, propose=propose, max_pixels=max_pixels)


def _lost(file: _File) -> Reading:
    """Return what is known of a file whose reading ended the process that read it."""
    return Reading(
        images=(
            UnreadImage(
                0,
                "The process that read it broke down: the file is damaged, or needs more memory "
                "than there is.",
                "Open and save it with an image editor, or save it smaller.",
            ),
        ),
        stamp=None,
    )


def _record(
    run: _Run, session: Session, group: Sequence[_File], readings: Sequence[Reading]
) -> None:
    """Bring the files' pages, marks and failures to what was read of them."""
    names = [file.name for file in group]
    before: dict[str, dict[int, _KnownPage]] = defaultdict(dict)
    for page in _pages_where(session, Page.source.in_(names)):
        before[page.source][page.frame] = page
    failing = set(session.scalars(select(Failure.source).where(Failure.source.in_(names))))
    new: list[tuple[_File, ReadImage]] = []
    for file, reading in zip(group, readings, strict=True):
        read, unread = _as_read(file, reading)
        if unread or file.name in failing:
            _record_failures(session, file, unread)
        pages = before[file.name]
        for image in read:
            if (known := pages.pop(image.frame, None)) is None:
                new.append((file, image))
            else:
                _add_pages(run, session, new)  # first: ids follow the order of the files
                new = []
                _renew_page(run, session, file, image, known)
        if not unread:
            for page in pages.values():  # the file holds fewer images than it did
                _give_up(run, session, file, page)
    _add_pages(run, session, new)


def _as_read(file: _File, reading: Reading) -> tuple[list[ReadImage], list[UnreadImage]]:
    read = [image for image in reading.images if isinstance(image, ReadImage)]
    unread = [image for image in reading.images if isinstance(image, UnreadImage)]
    if read and (file.sha256 is None or reading.stamp != (file.size, file.mtime_ns)):
        return [], [UnreadImage(0, "It changed while it was being read.", "Ingest it again.")]
    return read, unread


def _add_pages(run: _Run, session: Session, new: Sequence[tuple[_File, ReadImage]]) -> None:
    if not new:
        return
    rows = [
        {"source": file.name, "frame": image.frame, **_page_values(run, file, image)}
        for file, image in new
    ]
    originals = _originals(session, [row["sha256"] for row in rows])
    ids = session.scalars(insert(Page).returning(Page.id, sort_by_parameter_order=True), rows).all()
    copies = []
    for page, row in zip(ids, rows, strict=True):
        original = originals.setdefault((row["sha256"], row["frame"]), page)
        if original != page:
            copies.append({"id": page, "duplicate_of": original})
    if copies:
        session.execute(update(Page), copies)
    marks = [
        mark
        for page, (_, image) in zip(ids, new, strict=True)
        for mark in _new_marks(run, page, image, [])
    ]
    if marks:
        session.execute(insert(Mark), marks)
    run.tally.added += len(rows)
    run.tally.duplicates += len(copies)
    run.tally.marks += len(marks)


def _renew_page(
    run: _Run, session: Session, file: _File, image: ReadImage, page: _KnownPage
) -> None:
    """Put the image that was read in the place of the page's old one."""
    assert file.sha256 is not None
    if page.sha256 == file.sha256 and (page.segmenter is None) == (run.segmenter is None):
        run.tally.unchanged += 1
        return
    values = _page_values(run, file, image) | {"ingested_at": now()}
    if page.sha256 != file.sha256:
        _release_copies(session, page.id)
        original = _originals(session, [file.sha256]).get((file.sha256, image.frame))
        values["duplicate_of"] = original if original != page.id else None
    session.execute(update(Page).where(Page.id == page.id).values(**values))
    kept = _renew_marks(run, session, page, image)
    marks = _new_marks(run, page.id, image, kept)
    if marks:
        session.execute(insert(Mark), marks)
    run.tally.changed += 1
    run.tally.marks += len(marks)


def _page_values(run: _Run, file: _File, image: ReadImage) -> dict[str, Any]:
    return {
        "location": location_of(file.path),
        "width": image.width,
        "height": image.height,
        "sha256": file.sha256,
        "size": file.size,
        "mtime_ns": file.mtime_ns,
        "segmenter": run.segmenter,
    }


def _originals(session: Session, contents: Sequence[str]) -> dict[tuple[str, int], int]:
    """Return the first page, itself no copy, that has each content and frame."""
    rows = session.execute(
        select(Page.sha256, Page.frame, func.min(Page.id))
        .where(Page.sha256.in_(contents), Page.duplicate_of.is_(None))
        .group_by(Page.sha256, Page.frame)
    )
    return {(sha256, frame): page for sha256, frame, page in rows}


def _new_marks(
    run: _Run,
    page: int,
    image: ReadImage,
    kept: Sequence[Row[int, int, int, int, int, str]],
) -> list[dict[str, Any]]:
    """Return the rows of the marks cut from the image, but for those that are there already."""
    if run.segmenter is None and any(row.origin == ORIGIN_OF_CROPS for row in kept):
        return []
    return [
        {
            "page_id": page,
            "x": cut.box[0],
            "y": cut.box[1],
            "width": cut.box[2],
            "height": cut.box[3],
            "status": "confirmed" if run.segmenter is None else "proposed",
            "score": cut.score,
            "origin": run.segmenter or ORIGIN_OF_CROPS,
            "crop": cut.crop,
        }
        for cut in image.cuts
        if run.segmenter is None
        or all(
            _overlap(cut.box, (row.x, row.y, row.width, row.height)) < _SAME_REGION for row in kept
        )
    ]


def _renew_marks(
    run: _Run, session: Session, page: _KnownPage, image: ReadImage
) -> list[Row[int, int, int, int, int, str]]:
    """Delete the page's proposals, put people's marks on the new image, and return these."""
    session.execute(delete(Mark).where(Mark.page_id == page.id, ~_outlives_its_image(run)))
    across, down = image.width / page.width, image.height / page.height
    polygons = {
        mark: polygon
        for mark, polygon in session.execute(
            select(Mark.id, Mark.polygon).where(
                Mark.page_id == page.id, Mark.id.in_([cut.mark for cut in image.recuts])
            )
        )
    }
    changed = [
        {
            "id": cut.mark,
            "x": cut.box[0],
            "y": cut.box[1],
            "width": cut.box[2],
            "height": cut.box[3],
            "crop": cut.crop,
            "polygon": polygon and [[round(x * across), round(y * down)] for x, y in polygon],
        }
        for cut in image.recuts
        if cut.mark in polygons
        for polygon in [polygons[cut.mark]]
    ]
    if changed:
        session.execute(update(Mark), changed)
    return list(
        session.execute(
            select(Mark.id, Mark.x, Mark.y, Mark.width, Mark.height, Mark.origin).where(
                Mark.page_id == page.id
            )
        )
    )


def _release_copies(session: Session, page: int) -> None:
    """Make the first of the page's copies the original of the others: the page has changed."""
    copies = list(
        session.scalars(select(Page.id).where(Page.duplicate_of == page).order_by(Page.id))
    )
    if not copies:
        return
    session.execute(update(Page).where(Page.id == copies[0]).values(duplicate_of=None))
    session.execute(update(Page).where(Page.id.in_(copies[1:])).values(duplicate_of=copies[0]))


def _give_up(run: _Run, session: Session, file: _File, page: _KnownPage) -> None:
    """Delete a page whose image is gone from its file; one with people's marks is kept."""
    session.execute(delete(Mark).where(Mark.page_id == page.id, ~_outlives_its_image(run)))
    _release_copies(session, page.id)
    if session.scalar(select(exists().where(Mark.page_id == page.id))):
        session.execute(
            update(Page)
            .where(Page.id == page.id)
            .values(sha256=file.sha256, size=file.size, mtime_ns=file.mtime_ns)
        )
    else:
        session.execute(delete(Page).where(Page.id == page.id))


def _record_failures(session: Session, file: _File, unread: Sequence[UnreadImage]) -> None:
    """Make the unread images the file's only failures; rows that say the same are left alone."""
    before = {
        row.frame: row
        for row in session.execute(
            select(
                Failure.id,
                Failure.frame,
                Failure.location,
                Failure.size,
                Failure.mtime_ns,
                Failure.reason,
                Failure.advice,
            ).where(Failure.source == file.name)
        )
    }
    for image in unread:
        values = {
            "location": location_of(file.path),
            "size": file.size,
            "mtime_ns": file.mtime_ns,
            "reason": image.reason,
            "advice": image.advice,
        }
        row = before.pop(image.frame, None)
        if row is None:
            session.execute(insert(Failure).values(source=file.name, frame=image.frame, **values))
        elif any(getattr(row, key) != value for key, value in values.items()):
            session.execute(
                update(Failure).where(Failure.id == row.id).values(**values, failed_at=now())
            )
    if before:
        session.execute(delete(Failure).where(Failure.id.in_([row.id for row in before.values()])))


def _forget_absent_failures(archive: Archive, sources: Sequence[Path]) -> None:
    """Take out of quarantine what was deleted from the sources since."""
    roots = [source.resolve() for source in sources]
    with archive.writing() as session:
        absent = [
            failure
            for failure, location in session.execute(select(Failure.id, Failure.location))
            if not _master_exists(location)
            and any(path_of(location).is_relative_to(root) for root in roots)
        ]
        for start in range(0, len(absent), _CHUNK):
            chunk = absent[start : start + _CHUNK]
            session.execute(delete(Failure).where(Failure.id.in_(chunk)))


def _overlap(one: Box, other: Box) -> float:
    """Return the intersection of two boxes over their union."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if across <= 0 or down <= 0:
        return 0.0
    return across * down / (one[2] * one[3] + other[2] * other[3] - across * down)


# Around a run --------------------------------------------------------------------------------


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
    """Return the cores this process may use, two at least: a worker can die, this process not."""
    if hasattr(os, "sched_getaffinity"):
        return max(2, len(os.sched_getaffinity(0)))
    return max(2, os.cpu_count() or 2)
