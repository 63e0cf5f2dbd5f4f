"""What a run is given: image files and manifests.

A person names them, or they stand in quarantine, or an older segmentation went through them.
"""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select, update

from ingest.iiif.fetching import Web, is_address
from ingest.iiif.given_manifests import (
    Asking,
    GivenManifest,
    folders_and_manifests,
    place_of,
    read_given,
)
from ingest.iiif.manifest import read_manifest
from ingest.iiif.masters import MANIFEST, Wanted, folder_of, kept_manifest, masters_in, wanted_of
from ingest.known import master_exists
from ingest.listing import (
    ImageFile,
    check_source,
    image_files,
    is_at_hand,
    location_of,
    natural_key,
    path_of,
    printable,
)
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import InputError, MetadataError, SourceError
from retrieval.catalogue.metadata import read_metadata
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.tables import Failure, Page

#: What of an address stands in JSON as it is, whatever else is escaped there.
_WORD = re.compile(rb"(?:\\u[0-9A-Fa-f]{4})*([0-9A-Za-z]+)")

#: A manifest, and the images that are wanted of it.
WantedOf = tuple[GivenManifest, tuple[Wanted, ...]]


@dataclass(frozen=True)
class Given:
    """The files of a run in their order, and the manifests, each with the images wanted of it.

    `asked` are the places of all manifests, `unread` says of some why they could not be had.
    `roots` are the folders and files that were named, `themselves` these and the folders of the
    masters of manifests that were named, `skipped` counts files in them that are not images,
    `unlisted` are folders in them that may not be listed,
    `blank` the canvases of the manifests on which none is, or none that is understood. `missing`
    are the sources of pages that were to be read again, and whose masters are not at hand.
    Where `tried_again`, they stand in quarantine and are to be read, changed or not; `crops` are
    further files there, which were tried as crops.
    """

    files: tuple[ImageFile, ...]
    crops: tuple[ImageFile, ...] = ()
    manifests: tuple[WantedOf, ...] = ()
    asked: frozenset[str] = frozenset()
    unread: Mapping[str, InputError] = field(default_factory=dict)
    roots: tuple[Path, ...] = ()
    themselves: frozenset[Path] = frozenset()
    skipped: int = 0
    unlisted: tuple[str, ...] = ()
    blank: int = 0
    missing: tuple[str, ...] = ()
    tried_again: bool = False

    @property
    def without_image(self) -> tuple[str, ...]:
        """The ids of the manifests that give no image at all."""
        return tuple(one.manifest.id for one, wanted in self.manifests if not wanted)

    @property
    def below_roots(self) -> tuple[ImageFile, ...]:
        """The files, named by their paths below `roots`; none where no root was named."""
        return self.files if self.roots else ()


def from_sources(
    archive: Archive, sources: Sequence[Path | str], web: Web, asking: Asking
) -> Given:
    """Return what lies in folders and files, and what manifests describe.

    Raises SourceError for a source that does not exist. Where the only source is a manifest,
    raises SourceError when it cannot be fetched, MetadataError when it is not a manifest.
    """
    paths, addresses = folders_and_manifests(sources)
    for path in paths:
        _check_is_not_made(path, archive)
    listed = [image_files(source) for source in paths]
    by_path: dict[Path, ImageFile] = {}
    for found in itertools.chain.from_iterable(one.files for one in listed):
        by_path.setdefault(found.path, found)  # the first SOURCE that holds a file names it
    read, unread = read_given(web, addresses, asking)
    if unread and len(sources) == 1:
        raise next(iter(unread.values()))
    roots = tuple(path.resolve() for path in paths)
    folders = (folder_of(archive.masters_folder, one.manifest) for one in read)
    return Given(
        tuple(by_path.values()),
        manifests=tuple(_whole(archive, read)),
        asked=frozenset(map(place_of, addresses)),
        unread=unread,
        roots=roots,
        themselves=frozenset((*roots, *folders)),
        skipped=sum(one.skipped for one in listed),
        unlisted=tuple(
            dict.fromkeys(printable(str(folder)) for one in listed for folder in one.unlisted)
        ),
        blank=sum(not canvas.paintings for one in read for canvas in one.manifest.canvases),
    )


def _check_is_not_made(source: Path, archive: Archive) -> None:
    """Raise SourceError where a source is what the archive made of its pages, and may delete."""
    made = (archive.crops_folder, archive.models_folder)
    if any(source.resolve().is_relative_to(folder.resolve()) for folder in made):
        raise SourceError(
            f"{source} is the archive's own folder of pictures of marks, or of models.",
            "Name the folder of your scans.",
        )


def check_sources(sources: Sequence[Path | str]) -> None:
    """Raise SourceError for a source that does not exist, before anything is made or fetched."""
    paths, _ = folders_and_manifests(sources)
    for path in paths:
        check_source(path)


def in_quarantine(archive: Archive, web: Web, asking: Asking) -> Given:
    """Return exactly what stands in quarantine, but for files that are not at hand now.

    Files that were tried as crops are given as such. Images of a IIIF server come with the manifest
    that is kept beside its masters; a manifest that could not be had, with all its images.
    """
    with archive.session() as session:
        rows = session.execute(select(Failure.location, Failure.source, Failure.as_crops)).all()
    failing = {row.location: row.source for row in rows}
    crops = {
        row.location: failing.pop(row.location)
        for row in rows
        if row.location in failing and row.as_crops
    }
    again = [location for location, source in failing.items() if location == source]
    asked = {location for location in again if master_exists(location)}
    for location in again:
        del failing[location]
    read, unread = read_given(
        web, [one if is_address(one) else path_of(one) for one in sorted(asked)], asking
    )
    whole = {one.manifest.id for one in read}
    manifests = _whole(archive, read)
    for path in sorted(_manifests_to_ask(archive.masters_folder, failing)):
        try:
            content = read_metadata(path)
            manifest = read_manifest(content, str(path))
        except (MetadataError, SourceError):
            continue  # somebody has changed it: its masters that are here are files like others
        folder = folder_of(archive.masters_folder, manifest)
        here = masters_in(folder)
        wanted = []
        for one in wanted_of(manifest, folder, manifest):
            master = here.get(one.key)
            if failing.pop(one.address if master is None else location_of(master), None):
                wanted.append(one)
        if wanted and manifest.id not in whole:
            manifests.append((GivenManifest(manifest, content), tuple(wanted)))
    return Given(
        _at_hand(failing),
        _at_hand(crops),
        manifests=tuple(manifests),
        asked=frozenset(asked),
        unread=unread,
        tried_again=True,
    )


def _manifests_to_ask(masters: Path, failing: Collection[str]) -> set[Path]:
    """Return the manifests kept beside those of the masters that are failing, and those that may
    speak of the addresses that are: to read all of an archive's takes long."""
    beside = {
        path_of(location).parent / MANIFEST for location in failing if not is_address(location)
    }
    found = {path for path in beside if path.is_relative_to(masters) and path.is_file()}
    asked = {frozenset(_WORD.findall(one.encode())) for one in failing if is_address(one)}
    for path in masters.glob(f"*/*/{MANIFEST}") if asked else ():
        with contextlib.suppress(OSError):  # as good as one that somebody has changed
            there = set(_WORD.findall(path.read_bytes()))
            if any(words <= there for words in asked):
                found.add(path)
    return found


def _whole(archive: Archive, given: Sequence[GivenManifest]) -> list[WantedOf]:
    """Return the manifests with all their images."""
    whole = []
    for one in given:
        folder = folder_of(archive.masters_folder, one.manifest)
        whole.append((one, tuple(wanted_of(one.manifest, folder, kept_manifest(folder)))))
    return whole


def of_other_segmenters(archive: Archive, segmenter: str) -> Given:
    """Return the masters at hand of pages whose marks another segmenter proposed."""
    with archive.session() as session:
        rows = session.execute(
            select(Page.location, Page.source)
            .where(Page.segmenter.is_not(None), Page.segmenter != segmenter)
            .distinct()
        )
        sources = {location: source for location, source in rows}
    here = _at_hand(sources)
    missing = set(sources.values()) - {file.name for file in here}
    return Given(here, missing=tuple(sorted(missing, key=natural_key)))


def _at_hand(sources: Mapping[str, str]) -> tuple[ImageFile, ...]:
    """Return the files at these locations, but for those on the web, gone, or out of reach."""
    files = [
        ImageFile(path, source)
        for location, source in sources.items()
        if not is_address(location) and is_at_hand(path := path_of(location))
    ]
    return tuple(sorted(files, key=lambda file: natural_key(file.name)))


def try_again(archive: Archive, given: Given) -> None:
    """Have what stands in quarantine tried by this run, or by a later one if this is interrupted.

    Masters of manifests are fetched again.
    """
    locations = [location_of(file.path) for file in (*given.files, *given.crops)]
    for one, wanted in given.manifests:
        here = masters_in(folder_of(archive.masters_folder, one.manifest))
        locations += [location_of(here[it.key]) for it in wanted if it.key in here]
    for some in in_parts(locations):
        with archive.writing() as session:
            session.execute(update(Failure).where(Failure.location.in_(some)).values(tried=None))
