"""Pictures that are looked for: read in another process, which may die or hang unharmed."""

from __future__ import annotations

import functools
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

from ingest.sources import holds_several, read_frames
from ingest.workers import in_order
from retrieval.boxes import Box
from retrieval.catalogue.errors import DamagedImage, SourceError
from retrieval.crops import within
from retrieval.ink import Pixels
from retrieval.photograph import as_drawn, mark_box

#: Seconds in which a picture has to be read: somebody waits for it.
PATIENCE = 60.0

#: Pixels of the longest side of a picture that is looked for; a larger one is made smaller.
LONGEST = 3000

_ADVICE = "Cut out the mark, and save that as PNG or JPEG."


@dataclass(frozen=True)
class QueryPicture:
    """The first image of a file, and whether the file holds several."""

    image: Pixels  # (H, W, 3) RGB
    several: bool

    @functools.cached_property  # a search finds it by itself: only who shows it needs it
    def mark(self) -> Box:
        """What a search looks at, in pixels of the image."""
        return mark_box(as_drawn(self.image))


def query_pictures(
    paths: Iterable[Path], max_pixels: int
) -> Generator[QueryPicture | SourceError, None, None]:
    """Give the picture in each file, at most `LONGEST` a side, or why it cannot be had.

    Whoever asks brings the file, and a decoder may crash on it, or run for hours and keep others
    waiting: so even one is read in a process of its own, which takes `PATIENCE` at the most.
    """
    read = functools.partial(_read, max_pixels=max_pixels)
    groups = ([path] for path in paths)
    for _, (picture,) in in_order(groups, read, _lost, _stuck, 1, PATIENCE):
        yield picture


def query_picture(path: Path, max_pixels: int) -> QueryPicture | SourceError:
    """Return the picture in a file as `query_pictures` gives it."""
    (picture,) = query_pictures([path], max_pixels)
    return picture


def _read(path: Path, max_pixels: int) -> QueryPicture | SourceError:
    try:
        image = next(read_frames(path, max_pixels)).image
        several = holds_several(path, max_pixels)
    except SourceError as error:
        return error
    return QueryPicture(within(image, LONGEST), several)


def _lost(_path: Path) -> SourceError:
    return DamagedImage(
        "The process that read it crashed: it is damaged, or needs more memory than there is.",
        _ADVICE,
    )


def _stuck(_path: Path) -> SourceError:
    return DamagedImage(
        f"Reading it took more than {PATIENCE:g} seconds, and was stopped.", _ADVICE
    )
