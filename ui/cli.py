"""The command `prizemarks`. Exit status: 0 done, 1 done with failures reported, 2 wrong use.

An unexpected error, a bug of the program, ends with `CRASHED`.

Each subcommand is a function of `ui.commands`, which has its arguments, help and example.
"""

from __future__ import annotations

import sys
import traceback
from typing import Annotated, Any

import typer

from ingest.version import program_version
from ui.command import CRASHED
from ui.commands.annotate import annotate
from ui.commands.evaluate import evaluate
from ui.commands.export import export
from ui.commands.group import group
from ui.commands.index import index
from ui.commands.ingest import ingest
from ui.commands.search import search
from ui.commands.serve import demo, serve
from ui.commands.status import status
from ui.commands.train import objectives_offered, train
from ui.progress import console


class Command(typer.Typer):
    """The command as a terminal runs it: an unexpected error is shown, with its own exit status."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Run the command, and end the process with its status."""
        try:
            return super().__call__(*arguments, **options)
        except Exception:  # Python would exit with 1, which here means done with failures
            traceback.print_exc()
            console.print(
                "[bold red]Error:[/] This is a bug in prizemarks: please report it with the lines "
                "above.",
                soft_wrap=True,
            )
            sys.exit(CRASHED)


app = Command(
    name="prizemarks",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"prizemarks {program_version()}")
        raise typer.Exit


@app.callback()
def _prizemarks(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_say_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Find merchants' marks in scanned archives: ingest, train, index, search."""


# In the order in which --help lists them: the order of work.
app.command()(ingest)
app.command(epilog=objectives_offered())(train)
app.command()(index)
app.command()(search)
app.command()(evaluate)
app.command()(group)
app.command()(status)
app.command()(export)
app.add_typer(annotate, name="annotate")
app.command()(serve)
app.command()(demo)
