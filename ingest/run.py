"""One run of an ingest: what it is to do, and what it has counted so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from ingest.known import KnownPage
from ingest.resemblance import Fingerprints
from ingest.version import program_version
from retrieval.catalogue.archive import Archive


@dataclass
class Foreseeable:
    """The counts that a run and its rehearsal share; `IngestReport` says what each one means."""

    moved: int = 0
    unchanged: int = 0
    copies_replaced: int = 0
    left: int = 0
    left_as_crops: int = 0
    left_as_pages: int = 0
    made_crops: int = 0
    made_pages: int = 0
    skipped: int = 0
    canvases_without_image: int = 0


@dataclass
class Counts(Foreseeable):
    """What a run has counted so far; its report says what each number is (`IngestReport`)."""

    added: int = 0
    changed: int = 0
    duplicates: int = 0
    marks_of_copies: int = 0
    marks: int = 0
    fetched: int = 0

    def foreseeable(self) -> dict[str, int]:
        """Return, by name, the counts that a rehearsal shares."""
        return {one.name: getattr(self, one.name) for one in fields(Foreseeable)}


@dataclass(frozen=True)
class Run:
    """The archive and the segmenter of a run; `done` is called with the name of each finished file.

    `under` says the limits and the version that decide what can be read: what could not be read
    under the same is not tried again. `written` are the pages that were added or read again,
    `names_taken` the names that pages of manifests have so far, `away` the empty folders where
    originals of copies would be.
    `themselves` are the folders and files that were given: what lies in another folder below them
    stays the crops, or the pages, that it came in as. Where `resegments`, pages are read again that
    another segmenter went through.
    """

    archive: Archive
    segmenter: str | None  # None: each image is a mark as it is
    done: Callable[[str], None]
    under: str = ""
    resegments: bool = False
    themselves: frozenset[Path] = frozenset()
    fingerprints: Fingerprints = field(default_factory=Fingerprints)
    written: list[int] = field(default_factory=list)
    names_taken: set[str] = field(default_factory=set)
    away: set[str] = field(default_factory=set)
    counts: Counts = field(default_factory=Counts)

    @property
    def as_crops(self) -> bool:
        """Whether each image is one mark, and nothing is sought in it."""
        return self.segmenter is None

    def has_taken_in(self, page: KnownPage) -> bool:
        """Return whether the page is in as this run takes pages in."""
        return page.segmenter == self.segmenter if self.resegments else self.is_of_its_kind(page)

    def is_of_its_kind(self, page: KnownPage) -> bool:
        """Return whether the page came in as this run takes images in: as pages, or as crops."""
        return (page.segmenter is None) == self.as_crops

    def leaves_as_it_came(self, file: Path, pages: Sequence[KnownPage]) -> bool:
        """Return whether a file's pages came in as crops, and are to stay so in this run of pages.

        Or the other way round. Where the file or its folder was given itself, somebody wants them
        to be what this run takes images for.
        """
        if not self.themselves.isdisjoint((file, file.parent)):
            return False
        return not all(map(self.is_of_its_kind, pages))

    def count_left_as_it_came(self) -> None:
        """Count a file that stays crops in this run of pages, or pages in this run of crops."""
        if self.as_crops:
            self.counts.left_as_pages += 1
        else:
            self.counts.left_as_crops += 1


def tried_under(segmenter: str | None, max_pixels: int, max_minutes: float) -> str:
    """Return what decides, beside a file itself, whether it can be read."""
    limits = f"{max_pixels} pixels, {max_minutes:g} minutes"
    kind = segmenter if segmenter is not None else "crops"
    # The version last: it may be long, and the catalogue holds so much.
    return f"{limits}, {kind}, prizemarks {program_version()}"[:128]
