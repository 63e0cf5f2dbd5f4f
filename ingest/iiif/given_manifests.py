"""Which of the SOURCEs are manifests, and what these say."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.iiif.fetching import JSON_LD, Web, is_address
from ingest.iiif.manifest import Manifest, Painting, read_manifest
from ingest.listing import location_of
from retrieval.catalogue.errors import InputError, MetadataError, SourceError
from retrieval.catalogue.metadata import read_metadata

#: Bytes of a manifest that are fetched at most.
MAX_MANIFEST_BYTES = 64_000_000

#: What is told how many manifests have been asked for, of how many, and which is now.
Asking = Callable[[int, int, str], None]


@dataclass(frozen=True)
class GivenManifest:
    """A manifest and the bytes it was read from."""

    manifest: Manifest
    content: bytes


def folders_and_manifests(sources: Sequence[Path | str]) -> tuple[list[Path], list[Path | str]]:
    """Return the sources that are folders and images, and those that are manifests.

    A manifest is an http or https address, or a file that begins as JSON does. Raises
    SourceError for an address of another kind.
    """
    paths: list[Path] = []
    manifests: list[Path | str] = []
    for source in sources:
        if isinstance(source, str) and is_address(source):
            manifests.append(source)
        elif isinstance(source, str) and "://" in source:
            raise SourceError(
                f"{source} is not an http or https URL.", "Give a path or an http or https URL."
            )
        elif _begins_as_json(path := Path(source)):
            manifests.append(path)
        else:
            paths.append(path)
    return paths, manifests


def place_of(source: Path | str) -> str:
    """Return what a manifest is known by that was not read: its address, or its file's location."""
    return source if isinstance(source, str) else location_of(source.resolve())


def read_given(
    web: Web, sources: Sequence[Path | str], asking: Asking
) -> tuple[list[GivenManifest], dict[str, InputError]]:
    """Read the manifests, fetching those that are addresses; each id is taken once.

    Return them, and why others could not be fetched, are not manifests, or have the id of another,
    by their
    `place_of`. `asking` is called before each.
    """
    read: dict[str, tuple[str, GivenManifest]] = {}
    unread: dict[str, InputError] = {}
    for done, source in enumerate(sources):
        place = place_of(source)
        asking(done, len(sources), place)
        try:
            content = _content_of(web, source)
            manifest = read_manifest(content, str(source))
        except InputError as error:
            unread[place] = error
            continue
        first, known = read.setdefault(manifest.id, (place, GivenManifest(manifest, content)))
        if _images(known.manifest) != _images(manifest):
            unread[place] = MetadataError(
                f"{source} has the same id as {first}, but other canvases.",
                "Correct the id in one of them, or tell the publisher: one would replace the "
                "other.",
            )
    return [one for _, one in read.values()], unread


def _images(manifest: Manifest) -> list[tuple[str, Sequence[Painting]]]:
    return [(canvas.id, canvas.paintings) for canvas in manifest.canvases]


def _content_of(web: Web, source: Path | str) -> bytes:
    if isinstance(source, Path):
        return read_metadata(source)
    body = io.BytesIO()
    web.fetch(source, body, limit=MAX_MANIFEST_BYTES, accept=JSON_LD)
    return body.getvalue()


def _begins_as_json(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            head = stream.read(1024)
    except OSError:
        return False  # whoever reads it as an image will say why
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"["))
