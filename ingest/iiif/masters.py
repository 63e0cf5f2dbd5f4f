"""Masters that are fetched: one file a canvas under the archive's `masters/`, whole or not there.

A master is known by its manifest, its canvas and its image's address, which make its file's name,
so that what lies there is not asked for again. Where a library moves its image server, the address
is that from before.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

from ingest.iiif.fetching import JSON_LD, LOOK, Web
from ingest.iiif.image_api import Mosaic, Size, Tile, Whole, read_info, ways_to_ask
from ingest.iiif.manifest import Canvas, Manifest, Painting, read_manifest
from ingest.pixels import most_bytes
from ingest.sources import HEAD, read_frame, suffix_of
from retrieval.catalogue.errors import (
    MetadataError,
    NotAnImage,
    NotGiven,
    NotGivenNow,
    SourceError,
)
from retrieval.catalogue.files import disk_errors_said, finish, unfinished_file
from retrieval.catalogue.metadata import read_metadata

#: The manifest as it was given, in the folder of its masters.
MANIFEST = "manifest.json"

#: Beside it: by the ids of canvases, the addresses that masters are named after still, though the
#: library has moved their images.
FORMER = "former-addresses.json"

#: Bytes of an `info.json` that are taken at most, and of a tile.
MAX_INFO_BYTES = 4_000_000
MAX_TILE_BYTES = 64_000_000

#: Pixels of a tile.
_MAX_TILE_PIXELS = 32_000_000


@dataclass(frozen=True)
class Wanted:
    """An image to fetch: its canvas and number there, and the name of its file without ending."""

    canvas: Canvas
    number: int  # of the canvas, from 1
    painting: Painting
    key: str

    @property
    def address(self) -> str:
        """The address that is named to people."""
        return self.painting.image or self.painting.service or self.canvas.id


def wanted_of(manifest: Manifest, folder: Path, kept: Manifest | None) -> list[Wanted]:
    """Return the images of the manifest in the order of its canvases, each of a canvas once.

    `folder` is that of its masters, `kept` the manifest kept there.
    """
    former = former_addresses(manifest, folder, kept)
    wanted: dict[str, Wanted] = {}
    for number, canvas in enumerate(manifest.canvases, start=1):
        for painting in canvas.paintings:
            key = _digest(canvas.id, former.get(canvas.id, _address(painting)))
            wanted.setdefault(key, Wanted(canvas, number, painting, key))
    return list(wanted.values())


def former_addresses(manifest: Manifest, folder: Path, kept: Manifest | None) -> dict[str, str]:
    """Return, by the ids of canvases, which addresses their masters in `folder` are named after.

    Only of canvases with one image, where that is elsewhere now. An image is taken to have moved
    where the manifest has its old address no more and had its new one nowhere: else images have
    changed their canvases.
    """
    if kept is None:
        return {}
    named_after = _read_former(folder / FORMER)
    before, all_before, all_now = _single_images(kept), _addresses(kept), _addresses(manifest)
    former: dict[str, str] = {}
    for canvas, address in _single_images(manifest).items():
        earlier = before.get(canvas)
        if earlier is None:
            continue
        if earlier == address or (earlier not in all_now and address not in all_before):
            first = named_after.get(canvas, earlier)
            if first != address:
                former[canvas] = first
    return former


def _read_former(path: Path) -> dict[str, str]:
    try:
        return dict(json.loads(read_metadata(path))) if path.is_file() else {}
    except (MetadataError, ValueError):  # somebody has changed it: the images are fetched again
        return {}


def _single_images(manifest: Manifest) -> dict[str, str]:
    """Return the addresses of the images that are alone on their canvases, by these' ids."""
    return {
        canvas.id: _address(canvas.paintings[0])
        for canvas in manifest.canvases
        if len(canvas.paintings) == 1
    }


def _addresses(manifest: Manifest) -> set[str]:
    return {_address(one) for canvas in manifest.canvases for one in canvas.paintings}


def _address(painting: Painting) -> str:
    return painting.service or painting.image or ""


def folder_of(masters: Path, manifest: Manifest) -> Path:
    """Return the folder under `masters` for its images: the host, then the digest of the id."""
    host = re.sub(r"[^a-z0-9.-]", "_", (_host(manifest.id) or "file").lower()).strip(".")[:100]
    return masters / (host or "file") / _digest(manifest.id)


def kept_manifest(folder: Path) -> Manifest | None:
    """Return the manifest kept in the folder of its masters; None without one that can be read."""
    path = folder / MANIFEST
    try:
        return read_manifest(read_metadata(path), str(path)) if path.is_file() else None
    except MetadataError:  # somebody has changed it: nothing depends on it
        return None


def masters_in(folder: Path) -> dict[str, Path]:
    """Return the masters that have been fetched into a manifest's folder, by their keys."""
    if not folder.is_dir():
        return {}
    return {
        path.stem: path
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".") and path.suffix != ".json"
    }


def fetch_master(web: Web, wanted: Wanted, folder: Path, max_pixels: int) -> Path:
    """Fetch an image at the largest size its server allows, into `folder`; return its file.

    The file has the bytes that were served; an image that is only to be had in tiles becomes a
    PNG. Where the server fails for now at one size, no smaller image is taken, as it would stay.
    Raises SourceError when it cannot be had, ArchiveError when it cannot be written.
    """
    refused: list[SourceError] = []
    failed: tuple[Size | None, NotGivenNow] | None = None
    with disk_errors_said(folder):
        for way in _ways(web, wanted.painting, max_pixels, refused):
            if failed and way.size != failed[0]:
                break
            try:
                if isinstance(way, _Tiled):
                    return _put_together(web, way, folder, wanted.key)
                return _save(web, way.address, folder, wanted.key, max_pixels)
            except NotGiven as error:
                refused.append(error)
            except NotGivenNow as error:
                failed = failed or (way.size, error)
    raise failed[1] if failed else refused[0]


@dataclass(frozen=True)
class _AtOnce:
    address: str
    size: Size | None  # None: whatever size the manifest has it in


@dataclass(frozen=True)
class _Tiled:
    base: str
    mosaic: Mosaic

    @property
    def size(self) -> Size:
        return self.mosaic.size


def _ways(
    web: Web, painting: Painting, max_pixels: int, refused: list[SourceError]
) -> list[_AtOnce | _Tiled]:
    """Return the addresses that may give the image, or its tiles, the best first."""
    ways: list[_AtOnce | _Tiled] = []
    if painting.service:
        content = io.BytesIO()
        try:
            info_json = f"{painting.service}/info.json"
            found = web.fetch(info_json, content, limit=MAX_INFO_BYTES, accept=JSON_LD)
            info = read_info(content.getvalue())
        except NotGiven as error:
            refused.append(error)
        else:
            base = found.split("?")[0].removesuffix("/info.json")
            for way in ways_to_ask(info, max_pixels):
                if isinstance(way, Whole):
                    ways.append(_AtOnce(f"{base}/{way.path}", way.size))
                else:
                    ways.append(_Tiled(base, way))
    asked = [way.address for way in ways if isinstance(way, _AtOnce)]
    if painting.image and painting.image not in asked:
        ways.append(_AtOnce(painting.image, None))
    return ways


def _save(web: Web, address: str, folder: Path, key: str, max_pixels: int) -> Path:
    with unfinished_file(folder) as unfinished:
        with unfinished.open("xb+") as stream:
            web.fetch(address, stream, limit=most_bytes(max_pixels), accept="image/*")
            stream.seek(0)
            head = stream.read(HEAD)
        try:
            path = folder / f"{key}{suffix_of(head)}"
        except NotAnImage as error:
            raise NotGiven(f"{address} returned no valid image. {error.reason}", LOOK) from error
        _keep(unfinished, path)
    return path


def _put_together(web: Web, tiled: _Tiled, folder: Path, key: str) -> Path:
    width, height = tiled.mosaic.size
    image = np.full((height, width, 3), 255, np.uint8)
    form = 0  # which of a tile's addresses this server understands
    for tile in tiled.mosaic.tiles:
        pixels, form = _tile(web, tiled.base, tile, folder, form)
        image[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width] = pixels
    path = folder / f"{key}.png"
    with unfinished_file(folder) as unfinished:
        Image.fromarray(image).save(unfinished, format="PNG", compress_level=3)
        _keep(unfinished, path)
    return path


def _keep(unfinished: Path, path: Path) -> None:
    """Give a master its name, and remove what it was in another format."""
    finish(unfinished, path)
    for other in path.parent.glob(f"{path.stem}.*"):
        if other != path:
            other.unlink()


def _tile(web: Web, base: str, tile: Tile, folder: Path, form: int) -> tuple[np.ndarray, int]:
    """Return a tile's pixels, and which of its addresses gave them."""
    forms = [form, *(other for other in range(len(tile.paths)) if other != form)]
    refused: NotGiven | None = None
    failed: NotGivenNow | None = None
    for at in forms:
        if at >= len(tile.paths):
            continue
        address = f"{base}/{tile.paths[at]}"
        with unfinished_file(folder) as unfinished:
            try:
                with unfinished.open("xb") as stream:
                    web.fetch(address, stream, limit=MAX_TILE_BYTES, accept="image/*")
            except NotGiven as error:
                refused = refused or error
                continue
            except NotGivenNow as error:
                failed = failed or error
                continue
            try:
                frame = read_frame(unfinished, 0, _MAX_TILE_PIXELS)
            except SourceError as error:
                raise NotGiven(f"{address} returned no valid tile. {error.reason}", LOOK) from error
        if frame is None or frame.image.shape[:2] != (tile.height, tile.width):
            size = "nothing" if frame is None else "{1} by {0} pixels".format(*frame.image.shape)
            raise NotGiven(
                f"{address} returned a tile of {size}, not of {tile.width} by {tile.height}.",
                "Tell the server's operator, or download the image and ingest the file.",
            )
        return frame.image, at
    if failed is not None:
        raise failed
    assert refused is not None
    raise refused


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:24]


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).netloc or None
    except ValueError:
        return None
