"""One run of an ingest: what it is to do, and what it has counted so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from retrieval.catalogue.archive import Archive


@dataclass
class Counts:
    """Pages a run has added, changed, moved or left as they were; copies among them; new marks;
    masters fetched."""

    added: int = 0
    changed: int = 0
    moved: int = 0
    unchanged: int = 0
    duplicates: int = 0
    marks: int = 0
    fetched: int = 0


@dataclass(frozen=True)
class Run:
    """An archive that is ingested into, and by which segmenter; each file's name goes to `done`."""

    archive: Archive
    segmenter: str | None  # None: each image is a mark as it is
    done: Callable[[str], None]
    counts: Counts = field(default_factory=Counts)

    @property
    def as_crops(self) -> bool:
        """Whether each image is one mark, and nothing is sought in it."""
        return self.segmenter is None
