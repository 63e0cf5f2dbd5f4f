"""`prizemarks annotate`: marks in and out of other programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrieval.catalogue.errors import RequestError
from retrieval.catalogue.suggesting import command_on
from retrieval.settings import read_settings
from ui.command import DONE, FAILURES, ArchiveArgument, JsonOption, archive_in
from ui.commands.export import MOST_SAID, export_annotations
from ui.progress import bar
from ui.wording import counted, some_of

if TYPE_CHECKING:
    from ingest.annotations.importing import FileReport

annotate = typer.Typer(
    help="Export marks to other programs for correction, and import the corrections.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

#: What files of annotations end in, where a folder of them is given.
_SUFFIXES = (".json", ".jsonld", ".xml", ".csv")

annotate.command("export")(export_annotations)


@annotate.command("import")
def import_(
    archive: ArchiveArgument,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Web Annotations, IIIF manifests, PAGE-XML, COCO, VIA (JSON, CSV) or prizemarks "
            "CSV; for a folder, all .json, .jsonld, .xml and .csv files below it.",
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Import marks drawn or corrected in other programs. The format is detected from the file.

    Pages are matched by name, not by order. New marks are confirmed unless the file says
    otherwise; existing marks are corrected. Nothing is deleted.

    Example: prizemarks annotate import my-archive corrected/
    """
    from ingest.annotations.importing import import_annotations

    with archive_in(archive) as opened:
        given = [file for path in files for file in _annotation_files(path)]
        limit = read_settings(archive).max_pixels
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

    Hidden files are skipped. Raises RequestError where there is no such file.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise RequestError(
            f"{path} is not a file or a folder: name annotation files, or a folder of them."
        )
    found = [
        file
        for file in sorted(path.rglob("*"))
        if file.suffix.lower() in _SUFFIXES
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    ]
    if not found:
        raise RequestError(
            f"{path} has no files ending in {', '.join(_SUFFIXES)}: name annotation files."
        )
    return found


def _sentences(archive: Path, reports: list[FileReport]) -> list[str]:
    """Return what became of the files for a person, and what was wrong.

    Of several files all together, and then those alone of which something was left out or that
    changed something.
    """
    lines: list[str] = []
    told = reports
    if len(reports) > 1:
        lines.append(f"{counted(len(reports), 'file')}: {_counts(reports)}")
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
        f"{counted(sum(one.added for one in reports), 'mark')} added, "
        f"{sum(one.updated for one in reports):,} corrected, "
        f"{sum(one.unchanged for one in reports):,} unchanged."
    )
