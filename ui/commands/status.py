"""`prizemarks status`: what is in, what failed, what is stale."""

from __future__ import annotations

import json

import typer

from ui.command import ArchiveArgument, JsonOption, archive_to_read


def status(archive: ArchiveArgument, as_json: JsonOption = False) -> None:
    """Show what is in the archive, what failed, and what is not indexed yet.

    Example: prizemarks status my-archive
    """
    from ui.told.status import archive_status

    with archive_to_read(archive) as opened:
        found = archive_status(opened)
    if as_json:
        typer.echo(json.dumps(found.as_json()))
    else:
        for line in found.sentences():
            typer.echo(line)
