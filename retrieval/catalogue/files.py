"""Files that are either whole or not there."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

from retrieval.catalogue.errors import DiskRefused, RequestError

#: What a half-written file is called until it is whole: hidden, and never a name we look for.
UNFINISHED = ".unfinished-"


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to `path` so that a reader finds the old file, the new one, or none.

    The bytes go to a temporary file in the same folder (made if needed), are flushed to the
    disk, and take the name by `os.replace`; the folder is flushed last. A pipe or a device that is
    there is written into, and stays what it is. Raises OSError.
    """
    _write_parts(path, [content])


@contextlib.contextmanager
def unfinished_file(folder: Path) -> Iterator[Path]:
    """Give a path in `folder` (made if needed) for a file to be written and then finished.

    What lies there at the end, or when an exception ends it, is removed. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{UNFINISHED}{secrets.token_hex(12)}"
    try:
        yield unfinished
    finally:
        unfinished.unlink(missing_ok=True)


def write_texts(path: Path, texts: Iterable[str]) -> int:
    """Write texts one after another to `path`, as `write_atomically` does; return the bytes."""
    return _write_parts(path, (text.encode() for text in texts))


def _write_parts(path: Path, parts: Iterable[bytes]) -> int:
    if path.exists() and not (path.is_file() or path.is_dir()):
        return _write(path, parts)
    with unfinished_file(path.parent) as unfinished:
        size = _write(unfinished, parts)
        finish(unfinished, path)
    return size


def _write(path: Path, parts: Iterable[bytes]) -> int:
    with path.open("wb") as stream:
        return sum(map(stream.write, parts))


def finish(unfinished: Path, path: Path) -> None:
    """Give an unfinished file that is whole the name it is for, in the same folder, for good.

    A reader finds the old file or the new one; both are durable. Raises OSError.
    """
    with unfinished.open("rb+") as stream:
        os.fsync(stream.fileno())
    unfinished.replace(path)
    _flush_folder(path.parent)


@contextlib.contextmanager
def disk_errors_said(where: Path) -> Iterator[None]:
    """Turn an OSError of writing to `where` into a DiskRefused that says what to do."""
    try:
        yield
    except OSError as error:
        raise DiskRefused(
            f"{where} cannot be written to: {error.strerror or error}. Check that the disk is "
            "available, has free space and is writable, then run the same command again: it "
            "continues where it stopped."
        ) from error


def where_links_lead(output: Path) -> Path:
    """Return the file or folder that a path means, so that a link to it stays a link.

    `Path.resolve` raises what no caller expects where links lead round in a circle.
    """
    return Path(os.path.realpath(output))


def check_is_outside(output: Path, archive: Path) -> None:
    """Raise RequestError where a file or folder that a person named is the archive's, or in it.

    So it is as the path is written, and as links lead: the archive's own folders may be links.
    """
    places = where_links_lead(output), Path(os.path.normpath(output.absolute()))
    if any(place.is_relative_to(one) for place in places for one in (archive, archive.resolve())):
        raise RequestError(
            f"{output} is inside the archive's own folder, where it could overwrite the archive's "
            "files. Choose another place."
        )


@contextlib.contextmanager
def output_refused_said(output: Path) -> Iterator[None]:
    """Turn an OSError of writing a file that a person named into a RequestError."""
    try:
        yield
    except OSError as error:
        raise RequestError(
            f"{output} cannot be written: {error.strerror or error}. Choose another place."
        ) from error


def _flush_folder(folder: Path) -> None:
    """Make the folder's names durable, where the system lets a folder be opened."""
    with contextlib.suppress(PermissionError):  # Windows opens no folders, and needs no flush
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
