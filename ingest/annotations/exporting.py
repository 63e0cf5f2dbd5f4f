"""The marks of an archive, written to files."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TextIO

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ingest.annotations.annotation import MAX_REGIONS, MAX_REGIONS_OF_AN_IMAGE, AnnotatedImage
from ingest.annotations.formats import Format
from ingest.annotations.marks_csv import rows_text
from ingest.annotations.wanted import (
    EVERYTHING,
    Wanted,
    columns_in,
    marks_in_parts,
    marks_wanted,
    number_of_marks,
    number_of_pages,
    pages_in_parts,
    pages_wanted,
)
from ingest.csv_text import row_text
from ingest.file_names import LONGEST_NAME, beginning
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import RequestError
from retrieval.catalogue.files import (
    check_is_outside,
    output_refused_said,
    where_links_lead,
    write_atomically,
    write_texts,
)
from retrieval.catalogue.metadata import MAX_BYTES
from retrieval.catalogue.tables import Mark, Page
from retrieval.progress import Report, nobody

#: Of the bytes of a name, what is left for the number of a further file of one name: " (99999999)".
_NUMBER = 11


@dataclass(frozen=True)
class ExportReport:
    """What was written: marks, the pages that they are on or could be on, and files.

    `remarks` are sentences on what `annotate import` would refuse of it.
    """

    marks: int
    pages: int
    files: int
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Job:
    """What is written, and how: of an archive's marks those wanted, each file behind `head`."""

    session: Session
    form: Format
    wanted: Wanted
    head: str
    progress: Report


def export_text(
    archive: Archive,
    form: Format,
    stream: TextIO,
    wanted: Wanted = EVERYTHING,
    *,
    head: str = "",
    progress: Report = nobody,
) -> ExportReport:
    """Write the archive's marks to `stream` as one text behind `head`, part by part.

    Raises RequestError, before anything is written, if the format is a file an image.
    """
    if form.a_file_an_image:
        raise RequestError("This format writes one file per page: give a folder with --output.")
    size = 0
    with archive.session() as session:
        job = _Job(session, form, wanted, head, progress)
        for text in _texts(job):
            stream.write(text)
            size += len(text.encode())
        return _report(job, size)


def export_file(
    archive: Archive,
    form: Format,
    output: Path,
    wanted: Wanted = EVERYTHING,
    *,
    head: str = "",
    progress: Report = nobody,
) -> ExportReport:
    """Write the archive's marks to the file `output`, whole or not at all.

    Into a folder, one file a page, if `output` is one or the format is a file an image. Each file
    begins with `head`. Raises RequestError where nothing can be written, and, before anything is,
    where it would be in the archive's folder, or a file a page of a format that has none.
    """
    check_is_outside(output, archive.folder)
    if output.is_dir() and not form.by_page:
        raise RequestError(
            f"{output} is a folder, but this format writes one file for all pages: give a file "
            "name in it."
        )
    target = where_links_lead(output)
    with output_refused_said(output), archive.session() as session:
        job = _Job(session, form, wanted, head, progress)
        if form.a_file_an_image or target.is_dir():
            _write_folder(job, target)
            return _report(job, None)
        return _report(job, write_texts(target, _texts(job)))


def _texts(job: _Job) -> Iterator[str]:
    """Give the text of a format part by part."""
    if job.head:
        yield job.head
    done = 0
    if job.form.columns:
        columns = columns_in(job.session, job.form.columns, job.wanted)
        yield row_text(columns)
        total = number_of_marks(job.session, job.wanted)
        for some in marks_in_parts(job.session, job.wanted):
            yield rows_text(some, columns)
            done += len(some)
            job.progress(done, total)
        return
    yield from job.form.write(_images(job))


def _images(job: _Job) -> Iterator[AnnotatedImage]:
    """Give the pages with their marks as they are read, and say how far it is."""
    done, total = 0, number_of_pages(job.session, job.wanted)
    for some in pages_in_parts(job.session, job.wanted):
        yield from some
        done += len(some)
        job.progress(done, total)


def _write_folder(job: _Job, folder: Path) -> None:
    plain = pages_wanted(job.wanted).with_only_columns(Page.source, Page.frame).order_by(Page.id)
    named = [AnnotatedImage((source,), frame=frame) for source, frame in job.session.execute(plain)]
    names = (name for name, _ in file_names(named, job.form.suffix))
    images = itertools.chain.from_iterable(pages_in_parts(job.session, job.wanted))
    for done, (name, image) in enumerate(zip(names, images, strict=True), start=1):
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise RequestError(f"{path} leads out of {folder}: choose an empty folder.")
        write_atomically(path, f"{job.head}{job.form.text([image])}".encode())
        job.progress(done, len(named))


def _report(job: _Job, size: int | None) -> ExportReport:
    """Return what was written: a text of `size` bytes, or, where that is None, a file a page."""
    marks = number_of_marks(job.session, job.wanted)
    pages = number_of_pages(job.session, job.wanted)
    remarks: list[str] = []
    if job.form.comes_back:
        if size is not None:
            remarks += _beyond_a_file(size, marks)
        remarks += _crowded(job.session, job.wanted)
    return ExportReport(marks, pages, 1 if size is not None else pages, tuple(remarks))


def _beyond_a_file(size: int, marks: int) -> Iterator[str]:
    """Give a sentence where a file of so many bytes and marks is more than import takes back."""
    over = [
        f"{number:,} {what} (at most {most:,})"
        for number, most, what in ((size, MAX_BYTES, "bytes"), (marks, MAX_REGIONS, "marks"))
        if number > most
    ]
    if over:
        yield (
            f"This is more than `annotate import` accepts in one file: {' and '.join(over)}. Give "
            "an existing folder as --output for one file per page, or leave out marks with "
            "--where or --status."
        )


def _crowded(session: Session, wanted: Wanted) -> Iterator[str]:
    """Give a sentence where a page has more marks than import takes back."""
    crowded = (
        marks_wanted(wanted)
        .with_only_columns(Mark.page_id)
        .group_by(Mark.page_id)
        .having(func.count() > MAX_REGIONS_OF_AN_IMAGE)
    )
    sources = session.scalars(select(Page.source).where(Page.id.in_(crowded)).order_by(Page.id))
    if found := sources.all():
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        yield (
            f"{found[0]!r}{more}: `annotate import` refuses files with more than "
            f"{MAX_REGIONS_OF_AN_IMAGE:,} marks on one page. Leave some out with --status."
        )


def file_names(
    images: Sequence[AnnotatedImage], suffix: str
) -> Iterable[tuple[str, AnnotatedImage]]:
    """Give a path for each image, as its source is called; none leaves the folder, none is twice.

    The image's own suffix goes, unless that makes two alike; a further image of a file has its
    number.
    """
    plain = [_plain_name(image) for image in images]
    stems = [str(PurePosixPath(name).with_suffix("")) for name in plain]
    owners: dict[str, set[str]] = defaultdict(set)
    for stem, image in zip(stems, images, strict=True):
        owners[stem.casefold()].add(image.source)
    room = LONGEST_NAME - len(suffix)
    taken: set[str] = set()
    numbers: dict[str, int] = {}  # the last one of each name
    for image, name, stem in zip(images, plain, stems, strict=True):
        wanted = stem if len(owners[stem.casefold()]) == 1 else name
        frame = f".{image.frame + 1}" if image.frame else ""
        chosen = _shortened(wanted, room - len(frame)) + frame
        if chosen.casefold() in taken:  # systems that know no case are met as well
            numbered = _shortened(wanted, room - len(frame) - _NUMBER) + frame
            number = numbers.get(numbered.casefold(), 1)
            while chosen.casefold() in taken:
                number += 1
                chosen = f"{numbered} ({number})"
            numbers[numbered.casefold()] = number
        taken.add(chosen.casefold())
        yield chosen + suffix, image


def _plain_name(image: AnnotatedImage) -> str:
    parts = [
        re.sub(r'[\x00-\x1f\x7f<>:"|?*\\]', "_", part).rstrip(". ")
        for part in image.source.split("/")
    ]
    parts = [part for part in parts if part.strip(". ")]
    # A name that begins with a point would be hidden.
    return "/".join(f"_{part}" if part.startswith(".") else part for part in parts) or "page"


def _shortened(path: str, room: int) -> str:
    """Return the path with the beginning of each name in it, of the last at most `room` bytes."""
    *folders, last = path.split("/")
    above = [beginning(folder, LONGEST_NAME) for folder in folders]
    return "/".join([*above, beginning(last, room)])
