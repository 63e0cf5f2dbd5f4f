"""How messages write the commands that they suggest, to be pasted into a shell as they are."""

from __future__ import annotations

import shlex
from pathlib import Path


def command_on(folder: Path | str, command: str, more: str = "") -> str:
    """Return a command on the archive in `folder`, with `more` arguments after it.

    A folder whose name means more than itself to a shell, with a space in it, is quoted.
    """
    return f"prizemarks {command} {shlex.quote(str(folder))} {more}".rstrip()
