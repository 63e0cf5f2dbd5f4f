"""The masters of manifests as files to ingest, in the order of the canvases, as they arrive."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from ingest.iiif.cataloguing import name_pages, unreadable
from ingest.iiif.fetching import Web
from ingest.iiif.given import GivenManifest
from ingest.iiif.manifest import read_manifest
from ingest.iiif.masters import MANIFEST, Wanted, fetch_master, folder_of, masters_in, wanted_of
from ingest.listing import ImageFile
from ingest.quarantine import forget_not_fetched, forget_not_fetched_at, record_not_fetched
from ingest.run import Run
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import ArchiveError, MetadataError, SourceError
from retrieval.catalogue.files import UNFINISHED, write_atomically
from retrieval.catalogue.metadata import read_metadata


def arriving(
    run: Run, web: Web, given: GivenManifest, wanted: Sequence[Wanted], max_pixels: int
) -> Iterator[list[ImageFile]]:
    """Give the masters that are wanted of a manifest, fetching those that are not there yet.

    One is given before the next is fetched, so that it can be read meanwhile. A master that was
    there and could not be read is fetched again. One that cannot be had goes to quarantine.
    """
    archive = run.archive
    folder = folder_of(archive.masters_folder, given.manifest)
    here = masters_in(folder)
    missing = {one.address for one in wanted if one.key not in here}
    with archive.writing() as session:
        forget_not_fetched_at(session, _addresses(folder, wanted) - missing)
        names = name_pages(session, given.manifest, wanted, folder)
        bad = unreadable(session, folder)
    _keep_manifest(folder, given.content)
    ready: list[ImageFile] = []
    for one in wanted:
        path = here.get(one.key)
        if path is None or one.key in bad:
            if ready:
                yield ready
                ready = []
            try:
                path = fetch_master(web, one, folder, max_pixels)
            except SourceError as error:
                if path is None:
                    with archive.writing() as session:
                        record_not_fetched(session, names[one.key], one.address, error)
                    run.done(names[one.key])
                    continue
            else:
                run.counts.fetched += 1
                with archive.writing() as session:
                    forget_not_fetched(session, names[one.key])
        ready.append(ImageFile(path, names[one.key]))
    if ready:
        yield ready


def sweep_masters(archive: Archive) -> None:
    """Remove the unfinished files that a killed run left among the masters."""
    for unfinished in archive.masters_folder.glob(f"*/*/{UNFINISHED}*"):
        unfinished.unlink(missing_ok=True)


def _addresses(folder: Path, wanted: Sequence[Wanted]) -> set[str]:
    """Return the addresses of a manifest's images: as it is, and as it was when it was kept."""
    addresses = {one.address for one in wanted}
    path = folder / MANIFEST
    if path.is_file():
        with contextlib.suppress(MetadataError):  # somebody has changed it: nothing depends on it
            before = read_manifest(read_metadata(path), str(path))
            addresses |= {one.address for one in wanted_of(before)}
    return addresses


def _keep_manifest(folder: Path, content: bytes) -> None:
    """Keep the manifest as it was given beside its masters: it says where they are from."""
    path = folder / MANIFEST
    try:
        if not path.is_file() or path.read_bytes() != content:
            write_atomically(path, content)
    except OSError as error:
        raise ArchiveError(
            f"{path} cannot be written: {error.strerror or error}. Make room there and ingest "
            "again."
        ) from error
