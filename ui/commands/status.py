"""`prizemarks status`: what is in, what failed, what is stale."""

from __future__ import annotations

import json
from dataclasses import asdict

import typer

from ui.command import ArchiveArgument, JsonOption, archive_to_read


def status(archive: ArchiveArgument, as_json: JsonOption = False) -> None:
    """Show what is in the archive, what failed, and what is not indexed yet.

    Example: prizemarks status my-archive
    """
    from ingest.status import archive_status
    from ui.told.status import status_sentences

    with archive_to_read(archive) as opened:
        found = archive_status(opened)
    if as_json:
        typer.echo(json.dumps(asdict(found)))
    else:
        for line in status_sentences(found):
            typer.echo(line)
