"""`prizemarks ingest`: scans in, marks out."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrieval.catalogue.archive import (
    Archive,
    archive_as_it_stands,
    check_archive,
    create_archive,
    open_archive,
)
from retrieval.catalogue.errors import RequestError
from retrieval.settings import Settings, read_settings
from ui.command import DONE, FAILURES, ArchiveArgument, JsonOption, errors_said
from ui.progress import bar

if TYPE_CHECKING:
    from ingest.manner import Progress
    from ingest.report import IngestReport

    _TakeIn = Callable[..., IngestReport]


class As(StrEnum):
    """What the images given to `ingest` are."""

    PAGES = "pages"
    MARKS = "marks"


def ingest(
    archive: ArchiveArgument,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE...",
            help="Image files or folders of them, or IIIF manifests (URLs or JSON files).",
        ),
    ] = None,
    documents: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Which documents the pages belong to: EAD, METS, MODS, or CSV with the columns "
            "reference, title, date, ship, place, captain, source. May be given several times. "
            "Without SOURCE, it describes pages already in the archive.",
        ),
    ] = None,
    kind: Annotated[
        As,
        typer.Option(
            "--as", help="Whether SOURCE has pages to find marks on, or crops of one mark each."
        ),
    ] = As.PAGES,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Report what would be done, without doing it.")
    ] = False,
    retry: Annotated[
        bool,
        typer.Option(
            "--retry-quarantined",
            help="Instead of SOURCE: retry everything in quarantine, changed or not.",
        ),
    ] = False,
    resegment: Annotated[
        bool,
        typer.Option(
            "--resegment",
            help="Instead of SOURCE: look for marks again on pages segmented by an older version.",
        ),
    ] = False,
    forget: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Instead of SOURCE: remove NAME from quarantine (its source or location there), "
            "or remove from the archive a page or folder of pages (its source or path), or a "
            "document without pages (its reference). Your image files are not touched. May "
            "be given several times.",
        ),
    ] = None,
    even_judged: Annotated[
        bool,
        typer.Option(
            "--even-judged",
            help="With --forget: also remove pages with marks that people judged, drew or named.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Add scans to the archive and find the marks on them. Run it again to resume.

    Example: prizemarks ingest my-archive scans/ --documents documents.csv
    """
    with errors_said():
        ways = bool(sources) + retry + resegment + bool(forget)
        described_alone = ways == 0 and documents
        if ways != 1 and not described_alone:
            raise RequestError(
                "Give one of SOURCE, --retry-quarantined, --resegment or --forget, or --documents "
                "alone."
            )
        if forget and (documents or kind is As.MARKS):
            raise RequestError(
                "--forget cannot be combined with --documents or --as marks, because it reads no "
                "input. Leave them out."
            )
        if even_judged and not forget:
            raise RequestError("--even-judged works only with --forget: leave it out.")
        if resegment and (dry_run or kind is As.MARKS):
            raise RequestError(
                "--resegment cannot be combined with --dry-run or --as marks. `prizemarks status` "
                "says how many pages it would read."
            )
        if retry and kind is As.MARKS:
            raise RequestError(
                "--retry-quarantined cannot be combined with --as marks, because it retries each "
                "file as pages or marks, as it was first ingested. Leave --as out."
            )
        if dry_run and not sources:
            check_archive(archive)
        if forget and dry_run:
            _rehearse_forgetting(archive, forget, even_judged, as_json)
        elif forget:
            _forget(archive, forget, even_judged, as_json)
        elif dry_run:
            given = None if retry else sources or []
            _rehearse(archive, given, documents or (), kind, as_json)
        else:
            take_in = _way_in(sources or (), kind, retry, resegment)
            _ingest(archive, take_in, documents or (), new=bool(sources), as_json=as_json)


def _ingest(
    folder: Path, take_in: _TakeIn, documents: Sequence[Path], *, new: bool, as_json: bool
) -> None:
    """Run an ingest into the archive in `folder`, which may be `new`, and say what it did."""
    if not folder.exists():  # nor is one made for documents that cannot be read
        _check_documents(documents)
    settings = read_settings(folder)
    with closing(create_archive(folder) if new else open_archive(folder)) as opened:
        done = _taken_in(take_in, opened, documents, settings)
    _say(folder, done, as_json)


def _way_in(sources: Sequence[str], kind: As, retry: bool, resegment: bool) -> _TakeIn:
    """Return the ingest that was asked for, to be called; RequestError for a missing source."""
    from ingest.batch import (
        ingest_crops,
        ingest_pages,
        resegment_pages,
        retry_quarantined,
    )
    from ingest.given import check_sources

    check_sources(sources)
    if resegment:
        return resegment_pages
    if retry:
        return retry_quarantined
    of_kind = ingest_pages if kind is As.PAGES else ingest_crops
    return functools.partial(of_kind, sources=sources)


def _check_documents(documents: Sequence[Path]) -> None:
    from ingest.documents.reading import read_documents

    for path in documents:
        read_documents(path)


def _taken_in(
    take_in: _TakeIn, archive: Archive, documents: Sequence[Path], settings: Settings
) -> IngestReport:
    """Run the ingest under a progress bar; return its report."""
    from ingest.manner import Manner

    with bar("Ingesting") as report:

        def show(progress: Progress) -> None:
            report(progress.done, progress.total, progress.name)

        manner = Manner(
            documents=documents,
            max_pixels=settings.max_pixels,
            max_minutes=settings.max_minutes,
            workers=settings.workers or None,
            progress=show,
        )
        return take_in(archive, manner=manner)


def _say(folder: Path, done: IngestReport, as_json: bool) -> None:
    """Say what a run did, and leave with the status of its failures if there are any."""
    from ui.told.ingest import ingest_sentences

    if as_json:
        typer.echo(json.dumps(asdict(done)))
    else:
        for line in ingest_sentences(folder, done):
            typer.echo(line)
    failed = done.failed or done.unlisted or done.manifests_without_image or done.files_without_page
    raise typer.Exit(FAILURES if failed else DONE)


def _forget(folder: Path, names: Sequence[str], even_judged: bool, as_json: bool) -> None:
    """Take what is named out of the archive, and say so; exits with FAILURES if some is kept."""
    from ingest.forgetting import forget
    from ui.told.forgetting import forgotten_sentences

    with closing(open_archive(folder)) as archive, archive.lock():
        done = forget(archive, names, even_judged=even_judged)
    if as_json:
        typer.echo(json.dumps(asdict(done)))
    else:
        for line in forgotten_sentences(folder, done):
            typer.echo(line)
    raise typer.Exit(FAILURES if done.judged else DONE)


def _rehearse_forgetting(
    folder: Path, names: Sequence[str], even_judged: bool, as_json: bool
) -> None:
    """Say what would be taken out of the archive."""
    from ingest.forgetting import rehearse_forgetting
    from ui.told.forgetting import to_forget_sentences

    with archive_as_it_stands(folder) as archive:
        found = rehearse_forgetting(archive, names, even_judged=even_judged)
    if as_json:
        typer.echo(json.dumps(asdict(found)))
    else:
        for line in to_forget_sentences(found):
            typer.echo(line)


def _rehearse(
    folder: Path, sources: list[str] | None, documents: Sequence[Path], kind: As, as_json: bool
) -> None:
    """Say what an ingest would do: of `sources`, of what stands in quarantine where that is None.

    Of documents alone where there is no source.
    """
    from ingest.manner import Manner
    from ingest.rehearsal import rehearse
    from ui.told.rehearsal import rehearsal_sentences, sentences_without_source

    settings = read_settings(folder)
    with archive_as_it_stands(folder) as archive:
        found = rehearse(
            archive,
            sources,
            Manner(
                documents=documents,
                max_pixels=settings.max_pixels,
                max_minutes=settings.max_minutes,
            ),
            as_crops=kind is As.MARKS,
        )
    if as_json:
        typer.echo(json.dumps(asdict(found)))
    else:
        told = sentences_without_source if sources == [] else rehearsal_sentences
        for line in told(found):
            typer.echo(line)
