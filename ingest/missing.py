"""Masters that are not at hand: their pages stay as they are, and nothing is read of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import select

from ingest.iiif.fetching import is_address
from ingest.known import master_exists
from ingest.listing import location_of, path_of
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.references import sort_key
from retrieval.catalogue.tables import Page


def missing_masters(archive: Archive) -> tuple[str, ...]:
    """Return the sources of the pages whose masters are not where they were, 9.png before 10.png.

    Folders are listed, each once: on a share that is quicker than to ask for each file. What may
    not be looked at is not said to be missing.
    """
    with archive.session() as session:
        rows = session.execute(select(Page.location, Page.source).distinct())
        sources = {location: source for location, source in rows if not is_address(location)}
    return tuple(sorted(_missing(sources), key=sort_key))


def _missing(sources: Mapping[str, str]) -> set[str]:
    by_folder: dict[Path, dict[Path, str]] = defaultdict(dict)
    for location, source in sources.items():
        path = path_of(location)
        by_folder[path.parent][path] = source
    missing: set[str] = set()
    for folder, files in by_folder.items():
        try:
            there = {path.name for path in folder.iterdir()}
        except FileNotFoundError:
            missing.update(files.values())
            continue
        except (OSError, ValueError):  # it may not be listed, and yet be read
            there = set()
        # A listing may spell a name otherwise than it was given: who is not in it is asked for.
        missing.update(
            source
            for path, source in files.items()
            if path.name not in there and not master_exists(location_of(path))
        )
    return missing
