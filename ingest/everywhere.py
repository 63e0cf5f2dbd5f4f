"""Pages into what `search --everywhere` looks at: regions of each, embedded, kept in shards.

    master -> regions (ingest.regions) -> embeddings, one view each -> shards (retrieval.shards)

Only pages that no shard knows are read. A few at a time are committed, so that a run that is
killed loses little and goes on where it stopped.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import and_

from ingest.cutting import image_of
from ingest.known import KnownPage, pages_where
from ingest.reading import MAX_MINUTES
from ingest.regions import MOST_REGIONS, REGIONS, Regions, page_regions, region_pictures
from ingest.sources import MAX_PIXELS
from ingest.workers import cores, in_order
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import SourceError
from retrieval.catalogue.files import disk_errors_said
from retrieval.catalogue.pages import pages_by_content
from retrieval.catalogue.source_names import image_called
from retrieval.catalogue.tables import Page
from retrieval.embedding import AS_IT_IS, dimension, embed_pictures
from retrieval.ink import Pixels, from_bytes
from retrieval.model import Model
from retrieval.progress import Report, nobody
from retrieval.shards import (
    PageKey,
    PageRegions,
    coded,
    each_page,
    folders_of_others,
    pages_in,
    parts_of_sides,
    read_shard,
    shard_paths,
    shards_folder,
    tidy_shards,
    write_shard,
)

#: Pages that are handed to a worker, embedded and committed together.
AT_ONCE = 8


@dataclass(frozen=True)
class LookedThrough:
    """What a run did, and what there is now.

    `looked` pages were read now, in `seconds`; `pages` have `regions` in `bytes` on disk; `unread`
    are sentences on pages whose masters could not be read, which the next run tries again.
    """

    looked: int
    pages: int
    regions: int
    bytes: int
    seconds: float
    unread: tuple[str, ...]


@dataclass(frozen=True)
class Standing:
    """How many `pages` could be searched everywhere under a model, and how many of them can be.

    Crops are not pages, and copies of a page count once. Each page is one of three: `current`; an
    `older` version's, still searched, but made of other regions or seen otherwise than now; or
    `missing`. Of the missing, `other_model` were looked through under another model only.
    """

    pages: int
    current: int
    older: int
    missing: int
    other_model: int

    @property
    def searchable(self) -> int:
        """How many pages a search everywhere looks at."""
        return self.current + self.older


@dataclass(frozen=True)
class _Cut:
    """The regions of a page, or why there are none."""

    regions: Regions
    pictures: Pixels
    problem: str = ""


def look_everywhere(
    archive: Archive,
    model: Model,
    *,
    most: int = MOST_REGIONS,
    max_pixels: int = MAX_PIXELS,
    max_minutes: float = MAX_MINUTES,
    workers: int | None = None,
    report: Report = nobody,
) -> LookedThrough:
    """Bring the regions of the archive's pages under `model` up to date; the caller holds the lock.

    Pages of crops have none, and copies of a page are not looked at twice. Up to `most` regions of
    each are kept. Masters are read in `workers` processes (default: as many as there are cores; 0:
    in this one). `report` is called with (done, total) pages. Raises ArchiveError when the disk is
    full or refuses.
    """
    began = time.monotonic()
    folder, size = shards_folder(archive, model.id), dimension(model)
    scheme = _scheme(most)
    with archive.session() as session:
        pages = pages_where(session, and_(Page.segmenter.is_not(None), Page.duplicate_of.is_(None)))
    wanted = {PageKey(page.sha256, page.frame): page for page in pages}
    with disk_errors_said(folder):
        done = tidy_shards(folder, scheme, size, wanted.keys())
    missing = [page for key, page in wanted.items() if key not in done]
    read = functools.partial(_cut, most=most, side=model.shape.size, max_pixels=max_pixels)
    unread: list[str] = []
    looked = at = 0
    for group, cuts in in_order(
        (missing[start : start + AT_ONCE] for start in range(0, len(missing), AT_ONCE)),
        read,
        _lost,
        functools.partial(_stuck, minutes=max_minutes),
        cores() if workers is None else workers,
        60 * max_minutes,
    ):
        readable = [(page, cut) for page, cut in zip(group, cuts, strict=True) if not cut.problem]
        unread += [
            f"{image_called(page.source, page.frame)}: {cut.problem}"
            for page, cut in zip(group, cuts, strict=True)
            if cut.problem
        ]
        if readable:
            found = list(_embedded(model, readable))
            with disk_errors_said(folder):
                write_shard(folder, scheme, found)
        looked += len(readable)
        at += len(group)
        report(at, len(missing))
    with disk_errors_said(folder):
        tidy_shards(folder, scheme, size, wanted.keys())
    counts = [len(page.boxes) for page in each_page(folder, size)]
    held = sum(path.stat().st_size for path in shard_paths(folder))
    seconds = time.monotonic() - began
    return LookedThrough(looked, len(counts), sum(counts), held, seconds, tuple(unread))


def standing(archive: Archive, model: Model) -> Standing:
    """Return how far `look_everywhere` has come under `model`; nothing is written.

    What is up to date is what its next run with the defaults would leave alone. All shards of the
    model are read, those of other models only where pages are missing.
    """
    folder, size, scheme = shards_folder(archive, model.id), dimension(model), _scheme(MOST_REGIONS)
    with archive.session() as session:
        wanted = {PageKey(*key) for key in pages_by_content(session)}
    current: set[PageKey] = set()
    older: set[PageKey] = set()
    for path in shard_paths(folder):
        if (pages := read_shard(path, size, scheme)) is not None:
            current |= wanted & {page.page for page in pages}
        elif (pages := read_shard(path, size)) is not None:
            older |= wanted & {page.page for page in pages}
    missing = wanted - current - older
    others = folders_of_others(archive, model.id) if missing else []
    known = {key for other in others for path in shard_paths(other) for key in pages_in(path)}
    return Standing(
        pages=len(wanted),
        current=len(current),
        older=len(older - current),
        missing=len(missing),
        other_model=len(missing & known),
    )


def _scheme(most: int) -> str:
    """Return what is written with shards, to tell whether they would be made the same today."""
    return f"{REGIONS}, {most} a page"


def _embedded(model: Model, readable: Sequence[tuple[KnownPage, _Cut]]) -> Iterator[PageRegions]:
    pictures = np.concatenate([cut.pictures for _, cut in readable])[:, None]
    codes = coded(embed_pictures(model, from_bytes(pictures), views=AS_IT_IS))
    end = 0
    for page, cut in readable:
        boxes, slid = cut.regions.boxes, cut.regions.slid
        start, end = end, end + len(boxes)
        parts = parts_of_sides(boxes, (page.width, page.height))
        yield PageRegions(PageKey(page.sha256, page.frame), parts, slid, codes[start:end])


def _cut(page: KnownPage, *, most: int, side: int, max_pixels: int) -> _Cut:
    try:
        image = image_of(page, max_pixels)
    except SourceError as error:
        return _unread(str(error))
    try:
        regions = page_regions(image, most)
        return _Cut(regions, region_pictures(image, regions.boxes, side))
    except Exception as error:  # one page that upsets the segmentation must not end the run
        return _unread(f"it could not be searched for regions ({type(error).__name__}: {error}).")


def _unread(problem: str) -> _Cut:
    nothing = Regions(np.zeros((0, 4), np.int64), np.zeros(0, bool))
    return _Cut(nothing, np.zeros((0, 1, 1), np.uint8), problem)


def _lost(_page: KnownPage) -> _Cut:
    return _unread("the process that read its image crashed.")


def _stuck(_page: KnownPage, *, minutes: float) -> _Cut:
    return _unread(f"reading its image took more than {minutes:g} minutes.")
