"""The masters of manifests as files to ingest, in the order of the canvases, as they arrive."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from ingest.documents.storing import store_beneath_others
from ingest.iiif.cataloguing import (
    Described,
    bind_canvases,
    describe,
    follow_master,
    name_pages,
    to_fetch_again,
)
from ingest.iiif.fetching import Web
from ingest.iiif.given_manifests import GivenManifest
from ingest.iiif.masters import (
    FORMER,
    MANIFEST,
    Wanted,
    fetch_master,
    folder_of,
    former_addresses,
    kept_manifest,
    masters_in,
    wanted_of,
)
from ingest.listing import ImageFile
from ingest.quarantine import forget_not_fetched, forget_not_fetched_at, record_not_fetched
from ingest.run import Run
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import ArchiveError, SourceError
from retrieval.catalogue.files import UNFINISHED, write_atomically


def take_up(
    archive: Archive, given: GivenManifest, wanted: Sequence[Wanted]
) -> tuple[Described, int]:
    """Tell the catalogue what a manifest says of its document and its pages, and keep it.

    Return the document, and how many documents were written. What of its images could not be had
    and is not wanted any more leaves quarantine. The manifest that was kept before tells what in
    the catalogue is its word: it is replaced when all of that is said.
    """
    manifest = given.manifest
    folder = folder_of(archive.masters_folder, manifest)
    before = kept_manifest(folder)
    former = former_addresses(manifest, folder, before)
    now = wanted_of(manifest, folder, before)
    then = wanted_of(before, folder, before) if before else now
    here = masters_in(folder)
    missing = {one.address for one in wanted if one.key not in here}
    addresses = {one.address for one in (*wanted, *then)}
    with archive.writing() as session:
        forget_not_fetched_at(session, addresses - missing)
        document = describe(session, manifest)
        said = describe(session, before) if before else None
        written = store_beneath_others(session, document, said)
        described = Described(manifest, document.reference, now, then)
        bind_canvases(session, archive.masters_folder, described)
    # Before the manifest, as they hold with that before, too: a run may be killed between the two.
    if former or (folder / FORMER).exists():
        _keep(folder / FORMER, json.dumps(former, indent=1, sort_keys=True).encode())
    _keep(folder / MANIFEST, given.content)
    return described, written


def arriving(
    run: Run, web: Web, given: GivenManifest, wanted: Sequence[Wanted], max_pixels: int
) -> Iterator[list[ImageFile]]:
    """Give the masters that are wanted of a manifest, fetching those that are not there yet.

    One is given before the next is fetched, so that it can be read meanwhile. A master that was
    there and could not be read is fetched again where that may help. One that cannot be had goes to
    quarantine.
    """
    archive = run.archive
    folder = folder_of(archive.masters_folder, given.manifest)
    here = masters_in(folder)
    with archive.writing() as session:
        names = name_pages(session, given.manifest, wanted, folder, run.named)
        again = to_fetch_again(session, folder, run.under)
    run.named.update(names.values())
    ready: list[ImageFile] = []
    for one in wanted:
        path = here.get(one.key)
        if path is None or one.key in again:
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
                    follow_master(session, path)
        ready.append(ImageFile(path, names[one.key]))
    if ready:
        yield ready


def sweep_masters(archive: Archive) -> None:
    """Remove the unfinished files that a killed run left among the masters."""
    for unfinished in archive.masters_folder.glob(f"*/*/{UNFINISHED}*"):
        unfinished.unlink(missing_ok=True)


def _keep(path: Path, content: bytes) -> None:
    """Keep beside its masters what says where they are from."""
    try:
        if not path.is_file() or path.read_bytes() != content:
            write_atomically(path, content)
    except OSError as error:
        raise ArchiveError(
            f"{path} cannot be written: {error.strerror or error}. Free some space there and "
            "ingest again."
        ) from error
