"""The image files of a SOURCE: which they are, in which order, and how they are named for good."""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from retrieval.catalogue.errors import SourceError

#: The endings of the files that a folder is searched for, in lower case.
IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".png", ".tif", ".tiff", ".webp", ".pdf"}
    | {".jp2", ".jpx", ".jpf", ".j2k", ".j2c", ".jpc"}
)

#: Folders in which systems keep previews of pictures, and our own folders without masters.
_NOT_SOURCES = frozenset({"@eaDir", "__MACOSX"})
_ARCHIVE_FOLDERS = frozenset({"crops", "masters", "models", "index", "backups"})


class ImageFile(NamedTuple):
    """A file to ingest: its path, and its POSIX path below SOURCE, which names it for good."""

    path: Path
    name: str


@dataclass(frozen=True)
class ImageFiles:
    """What lies below a SOURCE: the image files in natural order, and how many others.

    `unlisted` are the folders below it that may not be listed, in natural order.
    """

    files: tuple[ImageFile, ...]
    skipped: int
    unlisted: tuple[Path, ...] = ()


def image_files(source: Path) -> ImageFiles:
    """Return the files to ingest from `source`: a folder, searched to its depth, or one file.

    In a folder only files named like images (`IMAGE_SUFFIXES`, in any case) count; hidden ones,
    links that lead out of the folder, and the crops of an archive that lies in it are passed
    over, and so are folders below it that may not be listed. A file named by itself is taken
    whatever it is called. Raises SourceError when `source` does not exist or cannot be listed, or
    a folder goes away meanwhile.
    """
    check_source(source)
    if source.is_file():
        return ImageFiles((ImageFile(source.resolve(), storable(source.name)),), 0)
    root = source.resolve()
    files: list[ImageFile] = []
    skipped = 0
    unlisted: list[Path] = []

    def refuse(error: OSError) -> None:
        folder = Path(error.filename)
        if isinstance(error, PermissionError) and folder != root:
            unlisted.append(folder)
            return
        raise SourceError(
            f"{error.filename} cannot be listed: {error.strerror}.", "Check its permissions."
        ) from error

    for folder, below, names in os.walk(root, onerror=refuse, followlinks=False):
        ours = _ARCHIVE_FOLDERS if "archive.db" in names else frozenset()
        below[:] = [
            name
            for name in below
            if not name.startswith(".") and name not in _NOT_SOURCES and name not in ours
        ]
        for name in names:
            path = Path(folder, name)
            if _is_to_ingest(path, root):
                files.append(ImageFile(path, storable(path.relative_to(root).as_posix())))
            else:
                skipped += 1
    files.sort(key=lambda file: natural_key(file.name))
    unlisted.sort(key=lambda folder: natural_key(folder.as_posix()))
    return ImageFiles(tuple(files), skipped, tuple(unlisted))


def check_source(source: Path) -> None:
    """Raise SourceError where `source` is neither a folder nor a file, or nobody may look."""
    try:
        there = source.is_file() or source.is_dir()
    except OSError as error:
        raise SourceError(
            f"{source} cannot be opened: {error.strerror}.", "Check its permissions."
        ) from error
    if not there:
        raise SourceError(f"{source} does not exist.", "Name a folder or an image file.")


def natural_key(name: str) -> tuple[object, ...]:
    """Return a key that sorts paths as people do: folder by folder, 2 before 10, A beside a."""
    parts = tuple(
        tuple(
            (0, int(piece), "") if piece.isdecimal() and len(piece) < 40 else (1, 0, piece)
            for piece in re.split(r"([0-9]+)", part.casefold())
            if piece
        )
        for part in name.split("/")
    )
    return parts, name


def storable(name: str) -> str:
    """Return `name` as text that any database holds: `printable`, and NFC."""
    return unicodedata.normalize("NFC", printable(name))


def printable(name: str) -> str:
    """Return `name` as text that can be printed: bytes that are not UTF-8 as `\\xe9`."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def location_of(path: Path) -> str:
    """Return how a page keeps the place of its master: the path, or a file: URL.

    The URL is for a path whose bytes are not UTF-8. `path_of` is the way back.
    """
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return path.as_uri()
    return str(path)


def path_of(location: str) -> Path:
    """Return the path of a master from its page's `location`."""
    if location.startswith("file://"):
        return Path(os.fsdecode(unquote_to_bytes(urlsplit(location).path)))
    return Path(location)


def is_at_hand(source: Path) -> bool:
    """Return whether a SOURCE, or a folder in one, is there and holds something.

    A disc that was taken out and a share that was lost leave nothing, or an empty folder.
    """
    try:
        return source.is_file() or any(source.iterdir())
    except OSError:
        return False


def _is_to_ingest(path: Path, root: Path) -> bool:
    if path.name.startswith(".") or path.suffix.lower() not in IMAGE_SUFFIXES:
        return False
    try:
        if not path.is_symlink():
            return True
        there = path.is_file()
    except PermissionError:  # its folder may not be entered: whoever reads the file will say so
        there = True
    return there and path.resolve().is_relative_to(root)
