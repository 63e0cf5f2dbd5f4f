"""Pages once more, as they were ingested: their images, and crops of regions a person drew."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ingest.known import KnownPage
from ingest.listing import path_of
from ingest.reading import cut_out, file_digest
from ingest.sources import read_frame
from retrieval.boxes import Box
from retrieval.catalogue.errors import ArchiveError, SourceError
from retrieval.crops import write_crops
from retrieval.ink import Pixels


@dataclass(frozen=True)
class PageCrops:
    """The crop of each (page, box), and for each page whose master was not read, why."""

    crops: dict[tuple[int, Box], str]
    unread: dict[int, str]

    def __or__(self, other: PageCrops) -> PageCrops:
        return PageCrops(self.crops | other.crops, self.unread | other.unread)


def cut_from_masters(
    folder: Path, cuts: Iterable[tuple[KnownPage, Box]], max_pixels: int
) -> PageCrops:
    """Cut the boxes from the masters of their pages into the crops folder; each page is read once.

    A master that is gone, cannot be read, or is not what was ingested gives no crop: what the
    page shows would not be what the person saw. Raises ArchiveError when a crop cannot be
    written.
    """
    found = PageCrops({}, {})
    by_page: dict[int, tuple[KnownPage, list[Box]]] = {}
    for page, box in cuts:
        by_page.setdefault(page.id, (page, []))[1].append(box)
    for page, boxes in by_page.values():
        try:
            image = image_of(page, max_pixels)
        except SourceError as error:
            found.unread[page.id] = str(error)
            continue
        try:
            written = write_crops(folder, (cut_out(image, box) for box in boxes))
        except OSError as error:
            raise ArchiveError(
                f"Crops cannot be written to {folder}: {error.strerror or error}. Free some "
                "space there and try again."
            ) from error
        found.crops.update(zip(((page.id, box) for box in boxes), written, strict=True))
    return found


def image_of(page: KnownPage, max_pixels: int) -> Pixels:
    """Return what the page was read from, (H, W, 3) uint8 RGB.

    Raises SourceError where that cannot be had any more.
    """
    path = path_of(page.location)
    if _has_changed(path, page):
        raise SourceError(*_CHANGED)
    try:
        frame = read_frame(path, page.frame, max_pixels)
    except SourceError as error:
        raise SourceError(f"its master cannot be read. {error.reason}", error.advice) from error
    if frame is None or frame.image.shape[:2] != (page.height, page.width):
        raise SourceError(*_CHANGED)
    return frame.image


_CHANGED = ("its master has changed since it was ingested.", "Ingest it again first.")


def _has_changed(path: Path, page: KnownPage) -> bool:
    """Return whether the file is not what the page was read from.

    Its size and date do not tell: files that were numbered anew may have those of one another.
    """
    try:
        status = path.stat()
    except (OSError, ValueError):  # ValueError: a path with a NUL is not valid
        return False  # whoever reads it will say why
    written = status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    return _digest(path, written) not in (None, page.sha256)


@functools.lru_cache(maxsize=64)
def _digest(path: Path, _written: tuple[int, ...]) -> str | None:
    """Return the digest of a file, which is read once for all its pages."""
    return file_digest(path)
