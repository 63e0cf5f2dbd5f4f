"""The command, run as from a terminal."""

from __future__ import annotations

from typer.testing import CliRunner, Result

from ui.cli import app


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])
