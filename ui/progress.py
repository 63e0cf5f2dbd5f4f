"""Progress bars on standard error for whatever lasts; silent when that is not a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)

console = Console(stderr=True, emoji=False)  # a name may hold ":100:"


class Report(Protocol):
    """What a bar gives: call it with how much is done of how much, and a remark if any."""

    def __call__(self, done: int, total: int, remark: str = "", title: str = ...) -> None:
        """Show that `done` of `total` is done; under another title it is another stretch."""


@contextmanager
def bar(first: str) -> Iterator[Report]:
    """Show a progress bar titled `first` while the block runs; give its `Report` to call."""
    columns = (
        SpinnerColumn(),
        TextColumn("[progress.description]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[remark]}", style="dim", markup=False),  # names of files
    )
    shown = console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=not shown) as progress:
        task = progress.add_task(first, total=None, remark="")

        def report(done: int, total: int, remark: str = "", title: str = first) -> None:
            if title != progress.tasks[task].description:
                progress.reset(task, description=title)
            progress.update(task, completed=done, total=total, remark=remark)

        yield report
