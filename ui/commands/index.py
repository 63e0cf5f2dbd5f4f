"""`prizemarks index`: make marks searchable, and whatever else is on the pages."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer

from retrieval.settings import read_settings
from ui.command import DONE, FAILURES, ArchiveArgument, JsonOption, ModelOption, archive_in
from ui.progress import bar


def index(
    archive: ArchiveArgument,
    everywhere: Annotated[
        bool,
        typer.Option(
            "--everywhere",
            help="Also index whole pages, so that marks not found on them can be searched.",
        ),
    ] = False,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the marks searchable. Only new marks are embedded.

    Example: prizemarks index my-archive
    """
    from retrieval.index import refresh_index
    from retrieval.proposal_ranking import rank_proposals
    from retrieval.which_model import archive_model, searched_id

    looked = None
    with archive_in(archive) as opened, opened.lock():
        chosen = archive_model(opened, model)
        with bar("Embedding") as report:
            compared = partial(report, title="Comparing")
            done = refresh_index(opened, chosen, report, compared)
            ranked_by = 0
            # A model indexed only for comparison does not change the order of proposals.
            if chosen.id == searched_id(opened):
                ranking = partial(report, title="Ranking proposals")
                ranked_by = rank_proposals(opened, chosen, ranking)
        if everywhere:
            from ingest.everywhere import look_everywhere

            settings = read_settings(archive)
            with bar("Indexing whole pages") as report:
                looked = look_everywhere(
                    opened,
                    chosen,
                    max_pixels=settings.max_pixels,
                    max_minutes=settings.max_minutes,
                    workers=settings.workers or None,
                    report=report,
                )
    if as_json:
        found = {} if looked is None else {"everywhere": asdict(looked)}
        told = {"model": chosen.id, **asdict(done), "ranked_by": ranked_by, **found}
        typer.echo(json.dumps(told))
    else:
        from ui.told.index import everywhere_sentences, index_sentences

        lines = index_sentences(chosen.id, done, ranked_by)
        if looked is not None:
            lines += everywhere_sentences(looked)
        for line in lines:
            typer.echo(line)
    unread = done.unread or (looked is not None and looked.unread)
    raise typer.Exit(FAILURES if unread else DONE)
