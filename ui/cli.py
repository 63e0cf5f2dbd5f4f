"""The command `prizemarks`. Exit status: 0 done, 1 done with failures reported, 2 wrong use."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from retrieval.catalogue.archive import archive_as_it_stands, create_archive, open_archive
from retrieval.catalogue.errors import QueryError, SourceError
from retrieval.gan.recipes import RECIPES, SWITCHES, parse_switches
from retrieval.settings import read_settings
from ui.annotating import annotate, export
from ui.command import (
    DONE,
    FAILURES,
    ArchiveArgument,
    JsonOption,
    ModelOption,
    archive_in,
    errors_said,
    rendered,
)
from ui.evaluating import evaluate
from ui.progress import bar, console

if TYPE_CHECKING:  # NumPy is slow to load, and --help does without
    import numpy as np
    from numpy.typing import NDArray

    from retrieval.everywhere import Found

app = typer.Typer(
    name="prizemarks",
    help="Find merchants' marks in scanned archives: ingest, train, index, search.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

QUERIES_AT_ONCE = 64


class As(StrEnum):
    """What the images given to `ingest` are."""

    PAGES = "pages"
    MARKS = "marks"


def _offered() -> str:
    """Return the objectives and switches of `train`, a line each, for its --help."""

    def listed(heading: str, lines: dict[str, str]) -> str:
        # \b keeps click from wrapping what is set out already.
        return "\b\n" + "\n".join([heading, *(f"  {k:15} {v}" for k, v in lines.items())])

    return "\n\n".join([listed("Objectives:", RECIPES), listed("Switches:", SWITCHES)])


@app.command()
def ingest(
    archive: ArchiveArgument,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE...",
            help="Folders or files of images; IIIF manifests: addresses or JSON files.",
        ),
    ] = None,
    documents: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="What the pages belong to: EAD, METS, MODS, or CSV with the columns reference, "
            "title, date, ship, place, captain, source. May be given several times.",
        ),
    ] = None,
    kind: Annotated[
        As, typer.Option("--as", help="pages to be segmented, or crops that are marks already.")
    ] = As.PAGES,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
    retry: Annotated[
        bool,
        typer.Option(
            "--retry-quarantined",
            help="Instead of SOURCE: read again what could not be read, changed or not.",
        ),
    ] = False,
    resegment: Annotated[
        bool,
        typer.Option(
            "--resegment",
            help="Instead of SOURCE: seek marks anew where an older segmentation sought them.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Take scans in and find the marks on them. Run again, it goes on where it stopped.

    Example: prizemarks ingest my-archive scans/ --documents documents.csv
    """
    from ingest.batch import (
        IngestReport,
        Progress,
        ingest_crops,
        ingest_pages,
        resegment_pages,
        retry_crops,
        retry_pages,
    )
    from ui.reports import ingest_sentences

    with errors_said():
        if bool(sources) + retry + resegment != 1:
            raise QueryError("Give one of SOURCE, --retry-quarantined and --resegment.")
        if resegment and (dry_run or kind is As.MARKS):
            raise QueryError(
                "--resegment goes with neither --dry-run nor --as marks; prizemarks status says "
                "how many pages it would read."
            )
        if dry_run:
            _rehearse(archive, sources, documents or (), kind, as_json)
            return
        opened = create_archive(archive) if sources else open_archive(archive)
        settings = read_settings(archive)
        try:
            with bar("Ingesting") as report:

                def show(progress: Progress) -> None:
                    report(progress.done, progress.total, progress.name)

                take_in: Callable[..., IngestReport]
                if resegment:
                    take_in = resegment_pages
                elif retry:
                    take_in = retry_pages if kind is As.PAGES else retry_crops
                else:
                    of_kind = ingest_pages if kind is As.PAGES else ingest_crops
                    take_in = functools.partial(of_kind, sources=sources or ())
                done = take_in(
                    opened,
                    documents=documents or (),
                    max_pixels=round(settings.max_megapixels * 1e6),
                    max_minutes=settings.max_minutes,
                    workers=settings.workers or None,
                    progress=show,
                )
        finally:
            opened.close()
    if as_json:
        typer.echo(json.dumps(asdict(done)))
    else:
        for line in ingest_sentences(archive, done):
            typer.echo(line)
    raise typer.Exit(FAILURES if done.failed else DONE)


def _rehearse(
    folder: Path, sources: list[str] | None, documents: Sequence[Path], kind: As, as_json: bool
) -> None:
    """Say what an ingest would do."""
    from ingest.rehearsal import rehearse
    from ui.reports import rehearsal_sentences

    settings = read_settings(folder)
    with archive_as_it_stands(folder) as archive:
        found = rehearse(
            archive,
            sources or None,
            documents=documents,
            as_crops=kind is As.MARKS,
            max_pixels=round(settings.max_megapixels * 1e6),
            max_minutes=settings.max_minutes,
        )
    if as_json:
        typer.echo(json.dumps(asdict(found)))
    else:
        for line in rehearsal_sentences(found):
            typer.echo(line)


@app.command(epilog=_offered())
def train(
    archive: ArchiveArgument,
    architecture: Annotated[
        str, typer.Option(help="dcgan, dcgan-attention, sketch-gan or thin-gan.")
    ] = "dcgan",
    objective: Annotated[
        str, typer.Option(metavar="NAME", help="What to learn by; the names are listed below.")
    ] = "contrastive",
    switches: Annotated[
        str,
        typer.Option(
            "--with", metavar="SWITCH,...", help="Added to an adversarial objective; see below."
        ),
    ] = "",
    start: Annotated[
        str, typer.Option("--from", help='Begin from "bundled", "random", or a model\'s id.')
    ] = "bundled",
    steps: Annotated[
        int | None, typer.Option(min=1, help="How many batches to learn from.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Other random numbers, another model.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the interrupted run, whatever it was.")
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Discard an interrupted run and begin anew.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Learn the archive's marks without a label. An interrupted run goes on when run again.

    Example: prizemarks train my-archive
    """
    from retrieval.gan.training import Progress
    from retrieval.learn import (
        default_settings,
        discard_run,
        train_on_archive,
        unfinished_run,
        with_steps,
    )

    with archive_in(archive) as opened:
        if resume and restart:
            raise QueryError("--resume and --restart exclude each other; give one.")
        if restart:
            discard_run(opened)
        if resume:
            unfinished = unfinished_run(opened)
            if unfinished is None:
                raise QueryError(f"{archive} has no interrupted run; leave --resume out.")
            settings = unfinished
        else:
            begin = None if start == "random" else start
            added = parse_switches(switches)
            chosen = default_settings(architecture, objective, begin, added)
            settings = with_steps(chosen, steps, seed)
        with bar("Training") as report:

            def show(progress: Progress) -> None:
                losses = "  ".join(f"{k} {v:.2f}" for k, v in progress.losses.items())
                probed = f"  probe {progress.probe.precision_at_1:.3f}" if progress.probe else ""
                report(progress.step, progress.steps, losses + probed)

            model = train_on_archive(opened, settings, show)
        folder = opened.models_folder / model.id
    manifest = model.manifest
    if as_json:
        typer.echo(json.dumps(manifest))
        return
    probe = manifest["probe"]
    typer.echo(
        f"Model {model.id}: learned from {manifest['marks']} marks; checkpoint of step "
        f"{manifest['best_step']} of {manifest['settings']['steps']}, where "
        f"{probe['precision_at_1']:.1%} of marks found their own augmented view first."
    )
    typer.echo(f"Losses and samples: {folder / 'record'}")
    typer.echo(f"Next: prizemarks index {archive}")


@app.command()
def index(
    archive: ArchiveArgument,
    everywhere: Annotated[
        bool,
        typer.Option(
            "--everywhere", help="Also make searchable what is on the pages where no mark is known."
        ),
    ] = False,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Embed the marks and make them searchable. Only what is new is embedded.

    Example: prizemarks index my-archive
    """
    from retrieval.index import refresh_index
    from retrieval.learn import archive_model

    looked = None
    with archive_in(archive) as opened, opened.lock():
        chosen = archive_model(opened, model)
        with bar("Embedding") as report:
            done = refresh_index(opened, chosen, report)
        if everywhere:
            from ingest.everywhere import look_everywhere

            settings = read_settings(archive)
            with bar("Looking everywhere") as report:
                looked = look_everywhere(
                    opened,
                    chosen,
                    max_pixels=round(settings.max_megapixels * 1e6),
                    max_minutes=settings.max_minutes,
                    workers=settings.workers or None,
                    report=report,
                )
    if as_json:
        found = {} if looked is None else {"everywhere": asdict(looked)}
        typer.echo(json.dumps({"model": chosen.id, **asdict(done), **found}))
    else:
        typer.echo(
            f"{done.total} marks are searchable under model {chosen.id}: {done.embedded} embedded "
            f"now, {done.added} added to the index, {done.removed} removed."
        )
        if looked is not None:
            from ui.reports import everywhere_sentences

            for line in everywhere_sentences(looked):
                typer.echo(line)
    raise typer.Exit(FAILURES if looked is not None and looked.unread else DONE)


@app.command()
def search(
    archive: ArchiveArgument,
    images: Annotated[
        list[Path] | None, typer.Argument(metavar="IMAGE...", help="Sketches or crops.")
    ] = None,
    mark: Annotated[
        list[int] | None, typer.Option("--mark", help="Like these marks of the archive.")
    ] = None,
    unlike: Annotated[list[int] | None, typer.Option(help="But unlike these.")] = None,
    page: Annotated[int | None, typer.Option(help="A page, with --region.")] = None,
    region: Annotated[
        str | None, typer.Option(help="x,y,w,h on that page, in pixels of the master.")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(help='"series=HCA 32", "ship=De Hoop", "year=1702..1710"; all must hold.'),
    ] = None,
    turned: Annotated[
        bool, typer.Option("--turned", help="Look for it turned by one to three quarters as well.")
    ] = False,
    mirrored: Annotated[
        bool,
        typer.Option("--mirrored", help="Look for its mirror image as well; both: eight ways."),
    ] = False,
    everywhere: Annotated[
        bool,
        typer.Option("--everywhere", help="Look where no mark was found, too; index so first."),
    ] = False,
    top: Annotated[int, typer.Option(min=1, help="Results a query.")] = 20,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find where else a mark occurs: by pictures, by marks, or by a region of a page.

    Example: prizemarks search my-archive sketch.png --where "year=1702..1710" --top 10
    """
    from retrieval.everywhere import (
        load_places,
        load_searcher_everywhere,
        search_images_everywhere,
        search_marks_everywhere,
    )
    from retrieval.orientation import orientations
    from retrieval.search import load_searcher, search_images, search_marks
    from ui.answers import as_json as json_line
    from ui.answers import as_table
    from ui.pictures import page_region, parse_region, query_picture
    from ui.where import parse_where

    kinds = sum(map(bool, (images, mark, page is not None)))
    ways = orientations(turned=turned, mirrored=mirrored)
    failed = 0

    def by_images(pictures: list[NDArray[np.uint8]]) -> Sequence[Sequence[Found]]:
        if places is None:
            return search_images(searcher, pictures, top=top, where=filters, ways=ways)
        return search_images_everywhere(
            searcher, places, pictures, top=top, where=filters, ways=ways
        )

    def by_marks(liked: list[int], disliked: list[int]) -> Sequence[Found]:
        if places is None:
            return search_marks(searcher, liked, disliked, top=top, where=filters, ways=ways)
        return search_marks_everywhere(
            searcher, places, liked, disliked, top=top, where=filters, ways=ways
        )

    def say(query: str, hits: Sequence[Found]) -> None:
        if as_json:
            typer.echo(json_line(query, searcher.model.id, hits, ways))
        else:
            typer.echo(rendered(as_table(query, hits, ways)))

    with archive_in(archive) as opened:
        if kinds != 1:
            raise QueryError("Give one kind of query: IMAGE..., --mark, or --page with --region.")
        if (page is None) != (region is None):
            raise QueryError("--page and --region belong together.")
        filters = parse_where(where or ())
        load = load_searcher_everywhere if everywhere else load_searcher
        searcher = load(opened, model)
        places = load_places(opened, searcher.model) if everywhere else None
        limit = round(read_settings(archive).max_megapixels * 1e6)
        if mark:
            name = "marks " + " ".join(map(str, mark))
            say(name, by_marks(mark, unlike or []))
        elif page is not None and region is not None:
            box = parse_region(region)
            crop = page_region(opened, page, box, limit)
            name = f"page {page} {region}"
            say(name, by_images([crop])[0])
        else:
            queries = list(images or ())
            for start in range(0, len(queries), QUERIES_AT_ONCE):
                pictures = []
                for path in queries[start : start + QUERIES_AT_ONCE]:
                    try:
                        pictures.append((path, query_picture(path, limit)))
                    except SourceError as error:
                        failed += 1
                        console.print(f"{escape(str(path))}: {escape(str(error))}", soft_wrap=True)
                ranked = by_images([picture for _, picture in pictures])
                for (path, _), hits in zip(pictures, ranked, strict=True):
                    say(str(path), hits)
    raise typer.Exit(FAILURES if failed else DONE)


app.command()(evaluate)


@app.command()
def group(
    archive: ArchiveArgument,
    share: Annotated[
        float | None,
        typer.Option(
            help="How alike: as only this share of unrelated pairs is, from 1e-6 to 0.01. "
            "Default: 1 in as many as there are marks."
        ),
    ] = None,
    model: ModelOption = None,
    labels: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="Columns source,label: measure the groups by them."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Propose groups of marks that may be one merchant's, for a person to look through.

    Example: prizemarks group my-archive --share 1e-4
    """
    from retrieval.evaluation.agreement import agreement
    from retrieval.evaluation.labels import find_marks, read_labels
    from retrieval.grouping import group_numbers, propose_groups
    from retrieval.learn import archive_model
    from ui.groups import agreement_sentence, group_sentences, largest_table
    from ui.groups import as_json as json_object

    with archive_in(archive) as opened, opened.lock():
        labelled = (
            find_marks(opened, read_labels(labels), labels.name) if labels is not None else None
        )
        chosen = archive_model(opened, model)
        with bar("Grouping") as report:
            found = propose_groups(opened, chosen, share, report)
        agreed = None
        if labelled is not None:
            agreed = agreement(group_numbers(found.groups, labelled.marks), labelled.labels)
        table = largest_table(opened, found)
    if as_json:
        typer.echo(json.dumps(json_object(found, agreed)))
        return
    if found.groups:
        typer.echo(rendered(table))
    for line in group_sentences(archive, found):
        typer.echo(line)
    if agreed is not None:
        typer.echo(agreement_sentence(agreed))


@app.command()
def status(archive: ArchiveArgument, as_json: JsonOption = False) -> None:
    """Say what is in the archive, what failed, and what is not indexed yet.

    Example: prizemarks status my-archive
    """
    from ui.status import archive_status

    with archive_in(archive) as opened:
        found = archive_status(opened)
    if as_json:
        typer.echo(json.dumps(found.as_json()))
    else:
        for line in found.sentences():
            typer.echo(line)


app.command()(export)
app.add_typer(annotate, name="annotate")


@app.command()
def serve(
    archive: ArchiveArgument,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on.")] = None,
) -> None:
    """Open the web page for an archive, on this machine alone unless --host says otherwise.

    Example: prizemarks serve my-archive --port 8501
    """
    from ui.serve import run_server

    with archive_in(archive) as opened:
        settings = read_settings(opened.folder)
    raise typer.Exit(run_server(archive, host or settings.host, port or settings.port))


@app.command()
def demo(
    archive: Annotated[Path, typer.Argument(metavar="[ARCHIVE]", help="Where to make it.")] = Path(
        "demo-archive"
    ),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8501,
    only_make: Annotated[
        bool, typer.Option("--only-make", help="Make the archive and do not open the web page.")
    ] = False,
) -> None:
    """Draw a synthetic archive, ingest and index it, and open the web page.

    Example: prizemarks demo
    """
    from ui.demo import make_demo

    with errors_said():
        make_demo(archive)
    if not only_make:
        serve(archive, host, port)
