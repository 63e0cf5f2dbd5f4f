"""`prizemarks group`: propose marks that may be one merchant's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ui.command import ArchiveArgument, JsonOption, SearchedModelOption, archive_in, rendered
from ui.progress import bar


def group(
    archive: ArchiveArgument,
    share: Annotated[
        float | None,
        typer.Option(
            help="Propose groups so alike that only this share of unrelated pairs is, from "
            "1e-6 to 0.01. Default: 1 divided by the number of marks."
        ),
    ] = None,
    model: SearchedModelOption = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv", help="CSV with columns source,label to measure the groups against."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Propose groups of marks that may be one merchant's, for a person to review.

    Example: prizemarks group my-archive --share 1e-4
    """
    from retrieval.evaluation.agreement import agreement
    from retrieval.evaluation.labels import find_marks, read_labels, with_ink
    from retrieval.grouping import group_numbers, propose_groups
    from retrieval.which_model import searched_model
    from ui.told.group import agreement_sentence, group_sentences, largest_table
    from ui.told.group import as_json as json_object
    from ui.told.labels import label_sentences

    with archive_in(archive) as opened, opened.lock():
        labelled = (
            find_marks(opened, read_labels(labels), labels.name) if labels is not None else None
        )
        chosen = searched_model(opened, model)
        if labelled is not None:
            labelled = with_ink(opened, labelled, chosen.shape.size)
        with bar("Grouping") as report:
            found = propose_groups(opened, chosen, share, report)
        agreed = None
        if labelled is not None:
            agreed = agreement(group_numbers(found.groups, labelled.marks), labelled.labels)
        table = largest_table(opened, found)
    if as_json:
        typer.echo(json.dumps(json_object(found, labelled, agreed)))
        return
    if found.groups:
        typer.echo(rendered(table))
    for line in group_sentences(archive, found):
        typer.echo(line)
    if labelled is not None and agreed is not None:
        for line in label_sentences(labelled):
            typer.echo(line)
        typer.echo(agreement_sentence(agreed))
