"""What all subcommands share: arguments, exit status, and how errors are shown."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from retrieval.catalogue.archive import Archive, open_archive, open_archive_to_read
from retrieval.catalogue.errors import PrizemarksError
from ui.progress import console

DONE, FAILURES, WRONG_USE = 0, 1, 2
CRASHED = 70  # EX_SOFTWARE of sysexits.h

ArchiveArgument = Annotated[
    Path, typer.Argument(metavar="ARCHIVE", help="Folder of the archive.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model", help='A model id, the first characters of it, or "bundled". Default: the newest.'
    ),
]
WhereOption = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        help='Only documents with "series=HCA 32", "ship=De Hoop" or "year=1702..1710". If given '
        "several times, all must match.",
    ),
]

SearchedModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        help='A model id, the first characters of it, or "bundled". Default: the newest with an '
        "index.",
    ),
]


@contextmanager
def errors_said() -> Iterator[None]:
    """Print the program's own errors as one sentence on standard error, and exit with status 2."""
    try:
        yield
    except PrizemarksError as error:
        console.print(f"[bold red]Error:[/] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(WRONG_USE) from error
    except KeyboardInterrupt:
        console.print("Stopped. Finished work is kept: run the same command again to continue.")
        raise typer.Exit(130) from None
    except BrokenPipeError:  # `prizemarks search … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(DONE) from None


@contextmanager
def archive_in(folder: Path) -> Iterator[Archive]:
    """Give the archive in `folder` while the block runs, with `errors_said`."""
    with errors_said(), closing(open_archive(folder)) as archive:
        yield archive


@contextmanager
def archive_to_read(folder: Path) -> Iterator[Archive]:
    """Give the archive as `archive_in` does, also one that cannot be written, which is said."""
    with errors_said(), closing(open_archive_to_read(folder)) as archive:
        if archive.read_only:
            console.print(
                f"{escape(str(archive.folder))} cannot be written to (its disk is full or "
                "read-only), so it is only read.",
                soft_wrap=True,
            )
        yield archive


def rendered(table: object) -> str:
    """Return a Rich table as text for standard output, as wide as the terminal or 120 columns."""
    width = None if sys.stdout.isatty() else 120
    out = Console(width=width, no_color=not sys.stdout.isatty(), emoji=False)
    with out.capture() as captured:
        out.print(table)
    return captured.get().rstrip()
