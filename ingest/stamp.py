"""What tells, without reading a file, whether it is as it was."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Stamp(NamedTuple):
    """A file's size in bytes and when it was last written, in nanoseconds."""

    size: int
    mtime_ns: int


def file_stamp(path: Path) -> Stamp:
    """Return the file's stamp.

    (0, 0) when that cannot be had: whoever reads the file will say why.
    """
    try:
        status = path.stat()
    except (OSError, ValueError):  # a path with a NUL is not valid
        return Stamp(0, 0)
    return Stamp(status.st_size, status.st_mtime_ns)
