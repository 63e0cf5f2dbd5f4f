"""`prizemarks serve` and `prizemarks demo`: the web page for an archive, or for a drawn one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from retrieval.settings import read_settings
from ui.command import ArchiveArgument, SearchedModelOption, archive_in, errors_said


def serve(
    archive: ArchiveArgument,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on.")] = None,
    public_name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="The host by which people reach it through a proxy, such as marks.example.org. "
            "May be given several times.",
        ),
    ] = None,
    model: SearchedModelOption = None,
) -> None:
    """Open the web page for an archive, on this machine alone unless --host says otherwise.

    Example: prizemarks serve my-archive --port 8501
    """
    from ui.serve import public_names, run_server

    with archive_in(archive) as opened:
        settings = read_settings(opened.folder)
        names = public_names(public_name or [settings.public_name])
        if model is not None:
            from retrieval.learn import archive_model

            model = archive_model(opened, model).id
    with errors_said():
        status = run_server(archive, host or settings.host, port or settings.port, model, names)
    raise typer.Exit(status)


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
