"""How a run goes about its work, and what it tells meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingest.iiif.fetching import Courtesy
from ingest.reading import MAX_MINUTES
from ingest.sources import MAX_PIXELS


@dataclass(frozen=True)
class Progress:
    """How far a run is: files done, files in all, and the last one's name.

    Before that: manifests asked for, manifests in all, and the place of the one that is now.
    """

    done: int
    total: int
    name: str


@dataclass(frozen=True)
class Manner:
    """How a run goes about its work.

    `documents` are files that say which document each page belongs to (see `read_documents`); of
    two that describe one document, the later one's word goes, and theirs before a manifest's. An
    image of more than `max_pixels` goes to quarantine, and so does a file of which one image takes
    more than `max_minutes`. Files are read in `workers` processes (None: as many as there are
    cores; 0: in this one). Servers of manifests are treated with `courtesy`. `progress` is called
    before each manifest and after each file.
    """

    documents: Sequence[Path] = ()
    max_pixels: int = MAX_PIXELS
    max_minutes: float = MAX_MINUTES
    workers: int | None = None
    courtesy: Courtesy = field(default_factory=Courtesy)
    progress: Callable[[Progress], None] | None = None
