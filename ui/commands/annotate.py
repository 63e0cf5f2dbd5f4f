"""`prizemarks annotate` and `prizemarks export`: marks in and out of other programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from retrieval.catalogue.errors import QueryError
from retrieval.catalogue.suggesting import command_on
from retrieval.settings import read_settings
from ui.command import DONE, FAILURES, ArchiveArgument, JsonOption, WhereOption, archive_in
from ui.progress import bar, console
from ui.where import as_catalogued, parse_where
from ui.wording import some_of

if TYPE_CHECKING:
    from ingest.annotations.formats import Format
    from ingest.annotations.importing import FileReport
    from retrieval.catalogue.archive import Archive
    from retrieval.catalogue.documents import Filters

annotate = typer.Typer(
    help="Take corrections of marks in from other programs, and give marks out to be corrected.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

#: Sentences on one file that are shown, which may be wrong in every line; and files of many.
MOST_SAID = 10
#: What files of annotations end in, where a folder of them is given.
_SUFFIXES = (".json", ".jsonld", ".xml", ".csv")


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
    DOCUMENTS = "documents"


OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="A file instead of standard output; a folder: one file a page, as page-xml needs it.",
    ),
]
WithoutRejectedOption = Annotated[
    bool, typer.Option("--without-rejected", help="Leave out what a person has rejected.")
]
StatusOption = Annotated[
    list[str] | None,
    typer.Option(
        "--status",
        help="Only marks that are proposed, confirmed or rejected; several with commas between.",
    ),
]
BaseOption = Annotated[
    str | None,
    typer.Option("--base", metavar="URL", help="Where iiif and webannotation are to be published."),
]


@annotate.command("import")
def import_(
    archive: ArchiveArgument,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Web Annotations, IIIF manifests, PAGE-XML, COCO, VIA (JSON, CSV) or our CSV; "
            "of a folder all .json, .jsonld, .xml and .csv below it.",
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Take in marks that people drew or corrected elsewhere. Which format it is, the file tells.

    Pages are found by name, never by order. New marks are confirmed unless the file says
    otherwise; a mark that is there already is corrected. Nothing is deleted.

    Example: prizemarks annotate import my-archive corrected/
    """
    from ingest.annotations.importing import import_annotations

    with archive_in(archive) as opened:
        given = [file for path in files for file in _annotation_files(path)]
        limit = round(read_settings(archive).max_megapixels * 1e6)
        with bar("Importing") as report:
            done = import_annotations(opened, given, max_pixels=limit, progress=report)
    if as_json:
        typer.echo(json.dumps({"files": [asdict(one) for one in done]}))
    else:
        for line in _sentences(archive, done):
            typer.echo(line)
    raise typer.Exit(FAILURES if any(one.refused for one in done) else DONE)


def _annotation_files(path: Path) -> list[Path]:
    """Return the file itself, or the files of a folder and of those below it, by name.

    What is hidden is passed over. Raises QueryError where there is none.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise QueryError(f"{path} is no file and no folder: name files of annotations.")
    found = [
        file
        for file in sorted(path.rglob("*"))
        if file.suffix.lower() in _SUFFIXES
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    ]
    if not found:
        raise QueryError(f"No file in {path} ends in {', '.join(_SUFFIXES)}: name annotations.")
    return found


@annotate.command("export")
def export_annotations(
    archive: ArchiveArgument,
    output_format: Annotated[AnnotationFormat, typer.Option("--format", help="What to write.")],
    output: OutputOption = None,
    status: StatusOption = None,
    without_rejected: WithoutRejectedOption = False,
    where: WhereOption = None,
    base: BaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give the marks out to be corrected: `annotate import` takes each format back, whole.

    Example: prizemarks annotate export my-archive --format page-xml --output pages/
    """
    from ingest.annotations.formats import ANNOTATION_FORMATS

    form = ANNOTATION_FORMATS[output_format.value]
    _export(archive, form, output, status, without_rejected, where, base, as_json)


def export(
    archive: ArchiveArgument,
    output_format: Annotated[ExportFormat, typer.Option("--format", help="What to write.")],
    output: OutputOption = None,
    status: StatusOption = None,
    without_rejected: WithoutRejectedOption = False,
    where: WhereOption = None,
    base: BaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the marks out: one row a mark, boxes in pixels of the master; or other formats.

    What `annotate export` writes, and bibtex; csv has the ten columns of a list of marks, where
    that of `annotate export` has more. documents writes no marks but what is known of the
    documents and their pages, as CSV that `ingest --documents` takes back.

    Example: prizemarks export my-archive --format csv --output marks.csv
    """
    from ingest.annotations.formats import EXPORT_FORMATS

    if output_format is ExportFormat.DOCUMENTS:
        if status or without_rejected or base:
            raise typer.BadParameter(
                "documents are no marks: leave --status, --without-rejected and --base out."
            )
        _export_documents(archive, output, where, as_json)
        return
    form = EXPORT_FORMATS[output_format.value]
    _export(archive, form, output, status, without_rejected, where, base, as_json)


def _export(
    archive: Path,
    form: Format,
    output: Path | None,
    status: list[str] | None,
    without_rejected: bool,
    where: list[str] | None,
    base: str | None,
    as_json: bool,
) -> None:
    from ingest.annotations.exporting import Wanted, export_file, export_text
    from ingest.annotations.web_annotation import BASE

    out = sys.stdout  # while a bar is shown, what is written to sys.stdout goes to the bar's side
    with archive_in(archive) as opened:
        _say_where(output, as_json)
        wanted = Wanted(_statuses(status, without_rejected), _filters(opened, where))
        with _progress(output) as report:
            place = base or BASE
            if output is None:
                done = export_text(opened, form, out, wanted, base=place, progress=report)
            else:
                done = export_file(opened, form, output, wanted, base=place, progress=report)
    for remark in done.remarks:
        console.print(escape(remark), soft_wrap=True)
    if output is None:
        return
    if as_json:
        typer.echo(json.dumps({"output": str(output), **asdict(done)}))
    elif done.files > 1 or output.is_dir():
        typer.echo(f"{done.marks} marks written to {done.files} files in {output}")
    else:
        typer.echo(f"{done.marks} marks written to {output}")


def _export_documents(
    archive: Path, output: Path | None, where: list[str] | None, as_json: bool
) -> None:
    from ingest.documents.exporting import export_documents

    out = sys.stdout
    with archive_in(archive) as opened:
        _say_where(output, as_json)
        filters = _filters(opened, where)
        with _progress(output) as report:
            done = export_documents(opened, output or out, filters, report)
    if as_json:
        typer.echo(json.dumps({"output": str(output), "documents": done}))
    elif output is not None:
        typer.echo(f"{done} documents written to {output}")


def _say_where(output: Path | None, as_json: bool) -> None:
    """Raise QueryError where --json would have to stand among what is written."""
    if output is None and as_json:
        raise QueryError("--json tells of a file that was written: give --output too.")


def _filters(archive: Archive, where: list[str] | None) -> Filters:
    from retrieval.catalogue.documents import facets

    with archive.session() as session:
        return as_catalogued(parse_where(where or ()), facets(session))


def _progress(output: Path | None) -> AbstractContextManager[Callable[[int, int], None]]:
    """Return a bar, or none where what is written is itself seen growing."""
    on_screen = output is None and sys.stdout.isatty()
    return nullcontext(lambda done, total: None) if on_screen else bar("Exporting")


def _statuses(said: list[str] | None, without_rejected: bool) -> frozenset[str]:
    """Return the statuses of the marks to be written; QueryError for a word that is none."""
    from ingest.annotations.annotation import STATUSES

    if said and without_rejected:
        raise QueryError("--status says which marks are written: leave --without-rejected out.")
    if not said:
        return frozenset(STATUSES) - ({"rejected"} if without_rejected else set())
    words = [word.strip().casefold() for one in said for word in one.split(",")]
    for word in words:
        if word not in STATUSES:
            raise QueryError(f"The status {word!r} is none of {', '.join(STATUSES)}.")
    return frozenset(words)


def _sentences(archive: Path, reports: list[FileReport]) -> list[str]:
    """Return what became of the files for a person, and what was wrong.

    Of several files all together, and then those alone of which something was left out or that
    changed something.
    """
    lines: list[str] = []
    told = reports
    if len(reports) > 1:
        lines.append(f"{len(reports)} files: {_counts(reports)}")
        refused = [one for one in reports if one.refused]
        told = refused + [one for one in reports if not one.refused and (one.added or one.updated)]
    lines += some_of(["\n".join(_of_file(one)) for one in told], MOST_SAID, "more files")
    if any(one.added or one.updated for one in reports):
        lines.append(f"Next: {command_on(archive, 'index')}")
    return lines


def _of_file(one: FileReport) -> list[str]:
    if one.format is None:
        return list(one.refused)
    lines = [f"{one.file} ({one.format}): {_counts([one])}"]
    for heading, said in (("Left out: ", one.refused), ("", one.remarks)):
        headed = [f"{heading}{sentence}" for sentence in said]
        lines += [f"  {line}" for line in some_of(headed, MOST_SAID, "more such")]
    return lines


def _counts(reports: list[FileReport]) -> str:
    return (
        f"{sum(one.added for one in reports)} marks added, "
        f"{sum(one.updated for one in reports)} corrected, "
        f"{sum(one.unchanged for one in reports)} as they were."
    )
