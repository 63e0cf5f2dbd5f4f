"""Files that are either whole or not there."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

#: What a half-written file is called until it is whole: hidden, and never a name we look for.
UNFINISHED = ".unfinished-"


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to `path` so that a reader finds the old file, the new one, or none.

    The bytes go to a temporary file in the same folder (made if needed), are flushed to the
    disk, and take the name by `os.replace`; the folder is flushed last. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.parent / f"{UNFINISHED}{path.name[:64]}-{secrets.token_hex(6)}"
    try:
        with unfinished.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """Make the folder's names durable, where the system lets a folder be opened."""
    with contextlib.suppress(PermissionError):  # Windows opens no folders, and needs no flush
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
