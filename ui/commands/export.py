"""`prizemarks export`: marks, their pictures and their documents, for other programs."""

from __future__ import annotations

import json
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from retrieval.catalogue.errors import RequestError
from retrieval.catalogue.identities import all_names
from retrieval.progress import Report, nobody
from ui.command import (
    DONE,
    FAILURES,
    ArchiveArgument,
    JsonOption,
    WhereOption,
    archive_to_read,
    errors_said,
)
from ui.progress import bar, console
from ui.where import as_named, filters_on
from ui.wording import counted, some_of

if TYPE_CHECKING:
    from ingest.annotations.formats import Format
    from ingest.annotations.wanted import Wanted
    from retrieval.catalogue.archive import Archive

#: Sentences on what could not be read or written that are shown.
MOST_SAID = 10


class AnnotationFormat(StrEnum):
    """What `annotate export` writes, and `annotate import` reads."""

    WEBANNOTATION = "webannotation"
    IIIF = "iiif"
    PAGE_XML = "page-xml"
    COCO = "coco"
    VIA = "via"
    VIA_CSV = "via-csv"
    CSV = "csv"


class ExportFormat(StrEnum):
    """What `export` writes."""

    CSV = "csv"
    IIIF = "iiif"
    WEBANNOTATION = "webannotation"
    PAGE_XML = "page-xml"
    COCO = "coco"
    VIA = "via"
    VIA_CSV = "via-csv"
    BIBTEX = "bibtex"
    CROPS = "crops"
    DOCUMENTS = "documents"


OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="Write to this file, or one file per page to this folder (page-xml needs a folder). "
        "Default: standard output.",
    ),
]
WithoutRejectedOption = Annotated[
    bool, typer.Option("--without-rejected", help="Leave out marks that a person rejected.")
]
StatusOption = Annotated[
    list[str] | None,
    typer.Option(
        "--status",
        help="Only marks with this status: proposed, confirmed or rejected, or several separated "
        "by commas.",
    ),
]
IdentityOption = Annotated[
    str | None,
    typer.Option("--identity", metavar="NAME", help="Only marks that somebody identified as NAME."),
]
BaseOption = Annotated[
    str | None,
    typer.Option(
        "--base", metavar="URL", help="Where the iiif or webannotation file will be published."
    ),
]


ForExcelOption = Annotated[
    bool,
    typer.Option(
        "--for-excel", help="Start CSV with a byte order mark, so that Excel reads it as UTF-8."
    ),
]


def export(
    archive: ArchiveArgument,
    output_format: Annotated[ExportFormat, typer.Option("--format", help="What to write.")],
    output: OutputOption = None,
    status: StatusOption = None,
    without_rejected: WithoutRejectedOption = False,
    identity: IdentityOption = None,
    where: WhereOption = None,
    base: BaseOption = None,
    for_excel: ForExcelOption = False,
    as_json: JsonOption = False,
) -> None:
    """Export marks, their pictures, or the documents. Boxes are in pixels of the original image.

    \b
    csv            one row per mark, ten columns (`annotate export` has more)
    iiif           a IIIF Presentation 3 manifest
    webannotation  a W3C annotation page
    page-xml       PAGE-XML, one file per page
    coco           COCO JSON
    via, via-csv   a VGG Image Annotator project, or its CSV
    bibtex         one entry per document with marks
    crops          a folder with the marks' pictures, and marks.csv
    documents      the documents and their pages, as CSV for `ingest --documents`

    Example: prizemarks export my-archive --format csv --output marks.csv
    """
    from ingest.annotations.formats import EXPORT_FORMATS

    _check_base(output_format, base)
    head = _head(output_format, for_excel)
    narrowed = _Narrowed(status, without_rejected, identity, where)
    if output_format is ExportFormat.CROPS:
        if output is None:
            raise typer.BadParameter("crops are files: give a folder for them with --output.")
        _export_crops(archive, output, narrowed, head, as_json)
    elif output_format is ExportFormat.DOCUMENTS:
        if status or without_rejected or identity:
            raise typer.BadParameter(
                "documents are not marks: leave out --status, --without-rejected and --identity."
            )
        _export_documents(archive, output, where, head, as_json)
    else:
        form = _at(EXPORT_FORMATS[output_format.value], base)
        _export(archive, form, output, narrowed, head, as_json)


def export_annotations(
    archive: ArchiveArgument,
    output_format: Annotated[AnnotationFormat, typer.Option("--format", help="What to write.")],
    output: OutputOption = None,
    status: StatusOption = None,
    without_rejected: WithoutRejectedOption = False,
    identity: IdentityOption = None,
    where: WhereOption = None,
    base: BaseOption = None,
    for_excel: ForExcelOption = False,
    as_json: JsonOption = False,
) -> None:
    """Export marks to correct them in other programs. `annotate import` reads every format back.

    Example: prizemarks annotate export my-archive --format page-xml --output pages/
    """
    from ingest.annotations.formats import ANNOTATION_FORMATS

    _check_base(output_format, base)
    form = _at(ANNOTATION_FORMATS[output_format.value], base)
    head = _head(output_format, for_excel)
    narrowed = _Narrowed(status, without_rejected, identity, where)
    _export(archive, form, output, narrowed, head, as_json)


@dataclass(frozen=True)
class _Narrowed:
    """Which marks a person asked for, as written on the command line."""

    status: list[str] | None
    without_rejected: bool
    identity: str | None
    where: list[str] | None


def _check_base(form: AnnotationFormat | ExportFormat, base: str | None) -> None:
    """Raise BadParameter for --base with a format that contains no addresses."""
    if base and form.value not in ("iiif", "webannotation"):
        raise typer.BadParameter(
            f"{form.value} contains no addresses: --base works only with iiif and webannotation. "
            "Leave it out."
        )


def _at(form: Format, base: str | None) -> Format:
    """Return the format as it is published at `base`, if that is given."""
    with errors_said():
        return form.at(base) if base else form


def _head(form: AnnotationFormat | ExportFormat, for_excel: bool) -> str:
    """Return what a file begins with; BadParameter for one that Excel does not read."""
    from ingest.csv_text import BYTE_ORDER_MARK

    if for_excel and form.value not in ("csv", "crops", "documents"):
        raise typer.BadParameter(
            "--for-excel works only with csv, and with export's crops and documents."
        )
    return BYTE_ORDER_MARK if for_excel else ""


def _export(
    archive: Path,
    form: Format,
    output: Path | None,
    narrowed: _Narrowed,
    head: str,
    as_json: bool,
) -> None:
    from ingest.annotations.exporting import export_file, export_text

    out = sys.stdout  # while a bar is shown, what is written to sys.stdout goes to the bar's side
    with archive_to_read(archive) as opened:
        _say_where(output, as_json)
        wanted = _wanted(opened, narrowed)
        with _progress(output) as report:
            if output is None:
                done = export_text(opened, form, out, wanted, head=head, progress=report)
            else:
                done = export_file(opened, form, output, wanted, head=head, progress=report)
    for remark in done.remarks:
        console.print(escape(remark), soft_wrap=True)
    if output is None:
        return
    if as_json:
        typer.echo(json.dumps({"output": str(output), **asdict(done)}))
    elif done.files > 1 or output.is_dir():
        files = counted(done.files, "file")
        typer.echo(f"{counted(done.marks, 'mark')} written to {files} in {output}")
    else:
        typer.echo(f"{counted(done.marks, 'mark')} written to {output}")


def _export_crops(
    archive: Path, folder: Path, narrowed: _Narrowed, head: str, as_json: bool
) -> None:
    from ingest.annotations.pictures import TABLE, export_pictures

    with archive_to_read(archive) as opened:
        wanted = _wanted(opened, narrowed)
        with bar("Exporting") as report:
            done = export_pictures(opened, folder.absolute(), wanted, head=head, progress=report)
    if as_json:
        typer.echo(json.dumps({"output": str(folder), **asdict(done)}))
    else:
        typer.echo(f"{counted(done.pictures, 'picture')} and {TABLE} written to {folder}")
        if done.others:
            typer.echo(
                f"The folder also contains {counted(done.others, 'picture')} of an earlier export, "
                f"not listed in {TABLE}. To get only what you asked for, use an empty folder."
            )
        for line in some_of(list(done.unread), MOST_SAID, "more such"):
            console.print(escape(line), soft_wrap=True)
    raise typer.Exit(FAILURES if done.unread else DONE)


def _export_documents(
    archive: Path, output: Path | None, where: list[str] | None, head: str, as_json: bool
) -> None:
    from ingest.documents.exporting import export_documents

    out = sys.stdout
    with archive_to_read(archive) as opened:
        _say_where(output, as_json)
        filters = filters_on(opened, where or ())
        with _progress(output) as report:
            done = export_documents(opened, output or out, filters, head=head, progress=report)
    if as_json:
        typer.echo(json.dumps({"output": str(output), "documents": done}))
    elif output is not None:
        typer.echo(f"{counted(done, 'document')} written to {output}")


def _say_where(output: Path | None, as_json: bool) -> None:
    """Raise RequestError where --json would be mixed with the exported text."""
    if output is None and as_json:
        raise RequestError("--json describes the file that was written: give --output as well.")


def _wanted(archive: Archive, narrowed: _Narrowed) -> Wanted:
    from ingest.annotations.wanted import Wanted

    statuses = _statuses(narrowed.status, narrowed.without_rejected)
    filters = filters_on(archive, narrowed.where or ())
    if narrowed.identity is None:
        return Wanted(statuses, filters)
    with archive.session() as session:
        return Wanted(statuses, filters, as_named(narrowed.identity, all_names(session)))


def _progress(output: Path | None) -> AbstractContextManager[Report]:
    """Return a progress bar; none where the output itself appears on the screen."""
    on_screen = output is None and sys.stdout.isatty()
    return nullcontext(nobody) if on_screen else bar("Exporting")


def _statuses(said: list[str] | None, without_rejected: bool) -> frozenset[str]:
    """Return the statuses of the marks to be written; RequestError for an unknown status."""
    from ingest.annotations.annotation import STATUSES

    if said and without_rejected:
        raise RequestError(
            "--status already says which marks to write: leave out --without-rejected."
        )
    if not said:
        return frozenset(STATUSES) - ({"rejected"} if without_rejected else set())
    words = [word.strip().casefold() for one in said for word in one.split(",")]
    for word in words:
        if word not in STATUSES:
            raise RequestError(f"Unknown status {word!r}: choose from {', '.join(STATUSES)}.")
    return frozenset(words)
