"""`prizemarks serve` and `prizemarks demo`: the web page for an archive, or for a drawn one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from retrieval.settings import read_settings
from ui.command import ArchiveArgument, SearchedModelOption, archive_to_read, errors_said

HostOption = Annotated[str | None, typer.Option(help="Address to listen on.")]
PortOption = Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on.")]


def serve(
    archive: ArchiveArgument,
    host: HostOption = None,
    port: PortOption = None,
    public_name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Host name under which a proxy serves the page, such as marks.example.org. May be "
            "given several times.",
        ),
    ] = None,
    model: SearchedModelOption = None,
) -> None:
    """Serve the web page of an archive, to this computer only unless --host is given.

    Example: prizemarks serve my-archive --port 8501
    """
    from ui.serve import public_names, run_server

    with archive_to_read(archive) as opened:
        settings = read_settings(opened.folder)
        names = public_names(public_name or [settings.public_name])
        if model is not None:
            from retrieval.which_model import archive_model

            model = archive_model(opened, model).id
    with errors_said():
        status = run_server(archive, host or settings.host, port or settings.port, model, names)
    raise typer.Exit(status)


def demo(
    archive: Annotated[
        Path, typer.Argument(metavar="[ARCHIVE]", help="Folder for the demo archive.")
    ] = Path("demo-archive"),
    host: HostOption = None,
    port: PortOption = None,
    only_make: Annotated[
        bool, typer.Option("--only-make", help="Create the archive without serving the web page.")
    ] = False,
) -> None:
    """Create a synthetic archive, ingest and index it, and serve its web page.

    Example: prizemarks demo
    """
    from ui.demo import make_demo
    from ui.serve import check_place

    with errors_said():
        if not only_make:  # fail now, not after a minute's work
            settings = read_settings(archive)
            check_place(host or settings.host, port or settings.port)
        make_demo(archive)
    if not only_make:
        serve(archive, host, port)
