"""The marks of an archive, out of the catalogue and into files."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ingest.annotations.annotation import AnnotatedImage, Annotation, Canvas
from ingest.annotations.formats import Format
from ingest.annotations.web_annotation import BASE
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.canvases import canvas_row
from retrieval.catalogue.errors import QueryError
from retrieval.catalogue.files import write_atomically
from retrieval.catalogue.identities import identity_names
from retrieval.catalogue.tables import Document, IdentityMark, Mark, Page, in_utc

_FETCH = 10_000
_DOCUMENT = ("reference", "title", "date", "year_from", "ship", "place", "captain")

#: Characters of one part of a file's name; systems allow 255 bytes.
_LONGEST_PART = 60


@dataclass(frozen=True)
class ExportReport:
    """What was written: marks, the pages that they are on or could be on, and files."""

    marks: int
    pages: int
    files: int


def annotated_images(session: Session, *, without_rejected: bool = False) -> list[AnnotatedImage]:
    """Return every page in order of id, with its marks, in order of id as well."""
    marks: dict[int, list[Annotation]] = defaultdict(list)
    statement = select(
        Mark.id, Mark.page_id, Mark.x, Mark.y, Mark.width, Mark.height, Mark.polygon, Mark.status,
        Mark.score, Mark.origin, Mark.created_at,
    ).order_by(Mark.id)  # fmt: skip
    if without_rejected:
        statement = statement.where(Mark.status != "rejected")
    said = session.scalars(select(IdentityMark.mark_id).distinct())
    names = identity_names(session, list(said))
    for row in session.execute(statement.execution_options(yield_per=_FETCH)):
        marks[row.page_id].append(
            Annotation(
                box=(row.x, row.y, row.width, row.height),
                polygon=tuple((x, y) for x, y in row.polygon) if row.polygon else None,
                status=row.status,
                score=row.score,
                origin=row.origin,
                mark=row.id,
                created=in_utc(row.created_at),
                identity=names.get(row.id),
            )
        )
    documents = {
        row.id: {name: getattr(row, name) for name in _DOCUMENT}
        for row in session.execute(
            select(Document.id, *(getattr(Document, name) for name in _DOCUMENT))
        )
    }
    pages = select(
        Page.id, Page.document_id, Page.source, Page.frame, Page.ordinal,
        Page.width, Page.height, Page.sha256, Page.size, Page.ingested_at, Page.details,
    ).order_by(Page.id)  # fmt: skip
    return [
        AnnotatedImage(
            names=(row.source,),
            annotations=tuple(marks.get(row.id, ())),
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
        for row in session.execute(pages)
    ]


def _canvas(details: Mapping[str, Any]) -> Canvas | None:
    """Return the canvas that a page was fetched from, as its manifest described it."""
    name, image, service = (
        said if (said := details.get(key)) and said.startswith(("http://", "https://")) else None
        for key in ("canvas", "image", "service")
    )
    width, height = details.get("width") or 0, details.get("height") or 0
    if name is None or min(width, height) < 1:
        return None
    attribution, rights = details.get("attribution"), details.get("rights")
    return Canvas(name, width, height, attribution, rights, image, service)


def export_text(
    archive: Archive, form: Format, *, base: str = BASE, without_rejected: bool = False
) -> str:
    """Return all the archive's marks as one text; QueryError if the format is a file an image."""
    if form.a_file_an_image:
        raise QueryError("This format is one file a page: name a folder for them with --output.")
    with archive.session() as session:
        images = annotated_images(session, without_rejected=without_rejected)
    return form.write(images, _as_base(base))


def export_file(
    archive: Archive,
    form: Format,
    output: Path,
    *,
    base: str = BASE,
    without_rejected: bool = False,
) -> ExportReport:
    """Write all the archive's marks to the file `output`, whole or not at all.

    Into a folder, one file a page, if `output` is one or the format is a file an image. Raises
    QueryError where nothing can be written.
    """
    with archive.session() as session:
        images = annotated_images(session, without_rejected=without_rejected)
    base = _as_base(base)
    output = output.absolute()
    in_folder = form.a_file_an_image or output.is_dir()
    try:
        if not in_folder:
            write_atomically(output, form.write(images, base).encode())
        else:
            for name, image in file_names(images, form.suffix):
                path = output / name
                if not path.resolve().is_relative_to(output.resolve()):
                    raise QueryError(f"{path} leads out of {output}: name an empty folder.")
                write_atomically(path, form.write([image], base).encode())
    except OSError as error:
        raise QueryError(
            f"{output} cannot be written: {error.strerror or error}. Name another place."
        ) from error
    marks = sum(len(image.annotations) for image in images)
    return ExportReport(marks, len(images), len(images) if in_folder else 1)


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
    taken: set[str] = set()
    for image, name, stem in zip(images, plain, stems, strict=True):
        wanted = stem if len(owners[stem.casefold()]) == 1 else name
        if image.frame:
            wanted += f".{image.frame + 1}"
        chosen, number = wanted, 1
        while chosen.casefold() in taken:  # systems that know no case are met as well
            number += 1
            chosen = f"{wanted} ({number})"
        taken.add(chosen.casefold())
        yield chosen + suffix, image


def _plain_name(image: AnnotatedImage) -> str:
    parts = [
        re.sub(r'[\x00-\x1f\x7f<>:"|?*\\]', "_", part).rstrip(". ")[-_LONGEST_PART:]
        for part in image.source.split("/")
    ]
    parts = [part for part in parts if part.strip(". ")]
    # A name that begins with a point would be hidden.
    return "/".join(f"_{part}" if part.startswith(".") else part for part in parts) or "page"


def _as_base(base: str) -> str:
    if not re.fullmatch(r"https?://[^\s#?\"<>]+", base):
        raise QueryError(f"{base!r} is no address: write --base https://example.org/marks/")
    return base if base.endswith("/") else f"{base}/"
