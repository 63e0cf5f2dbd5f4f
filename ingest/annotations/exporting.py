"""The marks of an archive, out of the catalogue and into files."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, TextIO

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from ingest.annotations.annotation import (
    MAX_REGIONS,
    MAX_REGIONS_OF_AN_IMAGE,
    STATUSES,
    AnnotatedImage,
    Annotation,
    Canvas,
)
from ingest.annotations.formats import Format
from ingest.annotations.marks_csv import columns_written, rows_text
from ingest.annotations.web_annotation import BASE
from ingest.csv_text import row_text
from ingest.file_names import LONGEST_NAME, beginning
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.canvases import canvas_row, kept_address
from retrieval.catalogue.documents import Filters, document_conditions
from retrieval.catalogue.errors import RequestError
from retrieval.catalogue.files import (
    check_is_outside,
    output_refused_said,
    write_atomically,
    write_texts,
)
from retrieval.catalogue.identities import words_on
from retrieval.catalogue.metadata import MAX_BYTES
from retrieval.catalogue.parts import MOST
from retrieval.catalogue.tables import Document, Identity, IdentityMark, Mark, Page, in_utc
from retrieval.progress import Report, nobody

_ANY_DOCUMENT = Filters()
_DOCUMENT = ("reference", "title", "date", "year_from", "ship", "place", "captain")

#: Of the bytes of a name, what is left for the number of a further file of one name: " (99999999)".
_NUMBER = 11


@dataclass(frozen=True)
class Wanted:
    """Which marks are written: of these statuses, on pages whose document fits, of the identity.

    `identity` is its name; None asks for marks of any and of none.
    Pages that have no such mark are written all the same: marks may be drawn on them.
    """

    statuses: frozenset[str] = frozenset(STATUSES)
    where: Filters = _ANY_DOCUMENT
    identity: str | None = None


@dataclass(frozen=True)
class ExportReport:
    """What was written: marks, the pages that they are on or could be on, and files.

    `remarks` are sentences on what `annotate import` would refuse of it.
    """

    marks: int
    pages: int
    files: int
    remarks: tuple[str, ...] = ()


EVERYTHING = Wanted()


def pages_in_parts(session: Session, wanted: Wanted = EVERYTHING) -> Iterator[list[AnnotatedImage]]:
    """Give every page in order of id, with its marks, in order of id as well, part by part."""
    pages = _pages(wanted).with_only_columns(Page.id).order_by(Page.id)
    for some in session.scalars(pages.execution_options(yield_per=MOST)).partitions():
        images = _images(session, some)
        marks: dict[int, list[Annotation]] = defaultdict(list)
        statement = _marks(wanted).where(Mark.page_id.in_(some)).order_by(Mark.id)
        for rows in session.execute(statement.execution_options(yield_per=MOST)).partitions():
            for page, mark in _annotations(session, rows):
                marks[page].append(mark)
        yield [replace(images[page], annotations=tuple(marks[page])) for page in some]


def marks_in_parts(session: Session, wanted: Wanted = EVERYTHING) -> Iterator[list[AnnotatedImage]]:
    """Give every mark in order of id, part by part: its page with no other mark."""
    statement = _marks(wanted).order_by(Mark.id)
    for rows in session.execute(statement.execution_options(yield_per=MOST)).partitions():
        images = _images(session, list({row.page_id for row in rows}))
        yield [
            replace(images[page], annotations=(mark,)) for page, mark in _annotations(session, rows)
        ]


def _pages(wanted: Wanted) -> Select[*tuple[Any, ...]]:
    return (
        select(Page)
        .outerjoin(Document, Page.document_id == Document.id)
        .where(*document_conditions(wanted.where))
    )


def _marks(wanted: Wanted) -> Select[*tuple[Any, ...]]:
    statement: Select[*tuple[Any, ...]] = select(
        Mark.id, Mark.page_id, Mark.x, Mark.y, Mark.width, Mark.height, Mark.polygon, Mark.status,
        Mark.score, Mark.realism, Mark.origin, Mark.created_at,
    )  # fmt: skip
    if wanted.where != _ANY_DOCUMENT:
        statement = statement.where(Mark.page_id.in_(_pages(wanted).with_only_columns(Page.id)))
    if wanted.statuses != EVERYTHING.statuses:
        statement = statement.where(Mark.status.in_(sorted(wanted.statuses)))
    if wanted.identity is not None:
        of_it = select(IdentityMark.mark_id).join(Identity).where(Identity.name == wanted.identity)
        statement = statement.where(Mark.id.in_(of_it))
    return statement


def _annotations(session: Session, rows: Sequence[Row[Any]]) -> list[tuple[int, Annotation]]:
    """Return the marks of rows of `_marks`, each after its page's id."""
    words = words_on(session, [row.id for row in rows])
    return [
        (
            row.page_id,
            Annotation(
                box=(row.x, row.y, row.width, row.height),
                polygon=tuple((x, y) for x, y in row.polygon) if row.polygon else None,
                status=row.status,
                score=row.score,
                realism=row.realism,
                origin=row.origin,
                mark=row.id,
                created=in_utc(row.created_at),
                identities=tuple(words.get(row.id, ())),
            ),
        )
        for row in rows
    ]


def _images(session: Session, pages: Sequence[int]) -> dict[int, AnnotatedImage]:
    """Return the named pages, `MOST` at most, by id and without marks."""
    statement = select(
        Page.id, Page.document_id, Page.source, Page.frame, Page.ordinal,
        Page.width, Page.height, Page.sha256, Page.size, Page.ingested_at, Page.details,
    ).where(Page.id.in_(pages))  # fmt: skip
    rows = session.execute(statement).all()
    documents = {
        row.id: {name: getattr(row, name) for name in _DOCUMENT}
        for row in session.execute(
            select(Document.id, *(getattr(Document, name) for name in _DOCUMENT)).where(
                Document.id.in_({row.document_id for row in rows})
            )
        )
    }
    return {
        row.id: AnnotatedImage(
            names=(row.source,),
            frame=row.frame,
            width=row.width,
            height=row.height,
            sha256=row.sha256,
            size=row.size,
            page=row.id,
            ordinal=row.ordinal,
            ingested=in_utc(row.ingested_at),
            document=documents.get(row.document_id),
            canvas=_canvas(row.details or {}),
            described=canvas_row(row.details or {}),
        )
        for row in rows
    }


def _canvas(details: Mapping[str, Any]) -> Canvas | None:
    """Return the canvas that a page was fetched from, as its manifest described it."""
    name, image, service = (kept_address(details, key) for key in ("canvas", "image", "service"))
    width, height = details.get("width") or 0, details.get("height") or 0
    if name is None or min(width, height) < 1:
        return None
    attribution, rights = details.get("attribution"), details.get("rights")
    return Canvas(name, width, height, attribution, rights, image, service)


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
    base: str = BASE,
    head: str = "",
    progress: Report = nobody,
) -> ExportReport:
    """Write the archive's marks to `stream` as one text behind `head`; a table as it is read.

    Raises RequestError, before anything is written, if the format is a file an image.
    """
    if form.a_file_an_image:
        raise RequestError("This format writes one file per page: give a folder with --output.")
    form = form.at(_as_base(base))
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
    base: str = BASE,
    head: str = "",
    progress: Report = nobody,
) -> ExportReport:
    """Write the archive's marks to the file `output`, whole or not at all.

    Into a folder, one file a page, if `output` is one or the format is a file an image. Each file
    begins with `head`. Raises RequestError where nothing can be written, and, before anything is,
    where it would be in the archive's folder, or a file a page of a format that has none.
    """
    form = form.at(_as_base(base))
    check_is_outside(output, archive.folder)
    if output.is_dir() and not form.by_page:
        raise RequestError(
            f"{output} is a folder, but this format writes one file for all pages: give a file "
            "name in it."
        )
    output = output.absolute()
    with output_refused_said(output), archive.session() as session:
        job = _Job(session, form, wanted, head, progress)
        if form.a_file_an_image or output.is_dir():
            _write_folder(job, output)
            return _report(job, None)
        return _report(job, write_texts(output, _texts(job)))


def _texts(job: _Job) -> Iterator[str]:
    """Give the text of a format part by part: a table's of some marks, any other's as a whole."""
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
    total = _number_of(job.session, _pages(job.wanted))
    images: list[AnnotatedImage] = []
    for some in pages_in_parts(job.session, job.wanted):
        images += some
        job.progress(len(images), total)
    yield job.form.write(images)


def _write_folder(job: _Job, folder: Path) -> None:
    plain = _pages(job.wanted).with_only_columns(Page.source, Page.frame).order_by(Page.id)
    named = [AnnotatedImage((source,), frame=frame) for source, frame in job.session.execute(plain)]
    names = (name for name, _ in file_names(named, job.form.suffix))
    images = itertools.chain.from_iterable(pages_in_parts(job.session, job.wanted))
    for done, (name, image) in enumerate(zip(names, images, strict=True), start=1):
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise RequestError(f"{path} leads out of {folder}: choose an empty folder.")
        write_atomically(path, f"{job.head}{job.form.write([image])}".encode())
        job.progress(done, len(named))


def columns_in(session: Session, columns: Sequence[str], wanted: Wanted) -> tuple[str, ...]:
    """Return a table's columns, with those that follow where the marks have anything in them."""
    return columns_written(
        columns,
        realism=_any_realism(session, wanted),
        canvases=_any_canvas(session, wanted),
        identities=_any_identity(session, wanted),
    )


def number_of_marks(session: Session, wanted: Wanted) -> int:
    """Return how many marks are written."""
    return _number_of(session, _marks(wanted))


def _any_canvas(session: Session, wanted: Wanted) -> bool:
    """Return whether a canvas says anything of a page that has any of the marks."""
    described = select(Page.details).where(
        Page.details.is_not(None), Page.id.in_(_marks(wanted).with_only_columns(Mark.page_id))
    )
    details = session.scalars(described.execution_options(yield_per=MOST))
    return any(canvas_row(said or {}) for said in details)


def _any_realism(session: Session, wanted: Wanted) -> bool:
    """Return whether any of the marks has a realism."""
    statement = _marks(wanted).where(Mark.realism.is_not(None)).limit(1)
    return session.execute(statement).first() is not None


def _any_identity(session: Session, wanted: Wanted) -> bool:
    """Return whether somebody said whose mark any of the marks is."""
    said = select(IdentityMark.mark_id).where(
        IdentityMark.mark_id.in_(_marks(wanted).with_only_columns(Mark.id))
    )
    return session.scalar(said.limit(1)) is not None


def _number_of(session: Session, statement: Select[*tuple[Any, ...]]) -> int:
    return session.scalar(select(func.count()).select_from(statement.subquery())) or 0


def _report(job: _Job, size: int | None) -> ExportReport:
    """Return what was written: a text of `size` bytes, or, where that is None, a file a page."""
    marks = number_of_marks(job.session, job.wanted)
    pages = _number_of(job.session, _pages(job.wanted))
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
        _marks(wanted)
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


def _as_base(base: str) -> str:
    if not re.fullmatch(r"https?://[^\s#?\"<>]+", base):
        raise RequestError(f"{base!r} is not a URL: write --base https://example.org/marks/")
    return base if base.endswith("/") else f"{base}/"
