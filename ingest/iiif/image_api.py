"""What an image server offers of an image, and how to ask for it: IIIF Image API 1.1, 2 and 3.

Sources: https://iiif.io/api/image/1.1/, https://iiif.io/api/image/2.1/ and
https://iiif.io/api/image/3.0/
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ingest.iiif.manifest import pixels_or_none
from ingest.pixels import check_pixels
from ingest.plain_json import parse_json
from retrieval.catalogue.errors import MetadataError, NotGiven

#: Tiles that an image is put together from at most.
MAX_TILES = 10_000

Size = tuple[int, int]  # width and height


@dataclass(frozen=True)
class TileSizes:
    """Tiles that a server keeps ready: their size in pixels, at each of the scale factors."""

    width: int
    height: int
    scales: tuple[int, ...]


@dataclass(frozen=True)
class ImageInfo:
    """What `info.json` says: the image's size in pixels, and how much of it is given at once."""

    version: int
    width: int
    height: int
    max_width: int | None
    max_height: int | None
    max_area: int | None
    sizes: tuple[Size, ...]
    tiles: tuple[TileSizes, ...]

    @property
    def limited(self) -> bool:
        """Whether the server says that it does not give the image at full size."""
        return self.largest != (self.width, self.height)

    @property
    def largest(self) -> Size:
        """The largest size that the server's limits allow."""
        scale = min(
            1.0,
            (self.max_width or self.width) / self.width,
            (self.max_height or self.height) / self.height,
            math.sqrt((self.max_area or self.width * self.height) / (self.width * self.height)),
        )
        if scale == 1:
            return self.width, self.height
        return max(1, math.floor(self.width * scale)), max(1, math.floor(self.height * scale))

    def allows(self, size: Size) -> bool:
        """Return whether a size is within the server's limits."""
        return (
            size[0] <= (self.max_width or size[0])
            and size[1] <= (self.max_height or size[1])
            and size[0] * size[1] <= (self.max_area or size[0] * size[1])
        )


@dataclass(frozen=True)
class Whole:
    """A request for the whole image: what follows the base address, and the size it is for."""

    path: str
    size: Size


@dataclass(frozen=True)
class Tile:
    """A tile: where it belongs, its size, and its paths; those after the first are as good."""

    x: int
    y: int
    width: int
    height: int
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Mosaic:
    """An image to put together: its size and its tiles."""

    size: Size
    tiles: tuple[Tile, ...]


def read_info(content: bytes) -> ImageInfo:
    """Read an `info.json`. Raises NotGiven when it is not valid."""
    try:
        info = parse_json(content.decode("utf-8-sig"), "info.json")
    except (UnicodeDecodeError, MetadataError):
        raise _no_info("it is not JSON") from None
    if not isinstance(info, dict):
        raise _no_info("it is not a JSON object")
    width, height = pixels_or_none(info.get("width")), pixels_or_none(info.get("height"))
    if width is None or height is None:
        raise _no_info("it gives no width and height")
    profiles = info.get("profile")
    limits = {
        name: value
        for said in (*(profiles if isinstance(profiles, list) else ()), info)
        if isinstance(said, dict)
        for name in ("maxWidth", "maxHeight", "maxArea")
        if (value := _number(said.get(name)))
    }
    return ImageInfo(
        version=_version(info),
        width=width,
        height=height,
        max_width=limits.get("maxWidth"),
        max_height=limits.get("maxHeight", limits.get("maxWidth")),  # as the API has it
        max_area=limits.get("maxArea"),
        sizes=_sizes(info.get("sizes")),
        tiles=_tiles(info),
    )


def ways_to_ask(info: ImageInfo, max_pixels: int) -> list[Whole | Mosaic]:
    """Return the requests that may give the image, the best first.

    The image at its largest; then, for servers that keep no such file, their own sizes and tiles,
    largest first. Tiles are not used to get round a server's limits. Raises ImageTooLarge when
    the largest size is over `max_pixels`.
    """
    largest = info.largest
    check_pixels(*largest, max_pixels)
    name = "native.jpg" if info.version == 1 else "default.jpg"
    if info.version >= 3:
        asked = ["max", f"{largest[0]},{largest[1]}"] if info.limited else ["max"]
    elif info.limited:
        asked = ["max", f"{largest[0]},"] if info.version == 2 else [f"{largest[0]},"]
    else:
        asked = ["full", "max"] if info.version == 2 else ["full"]
    ways: list[Whole | Mosaic] = [Whole(f"full/{size}/0/{name}", largest) for size in asked]
    others: list[tuple[int, Whole | Mosaic]] = []
    if sizes := [size for size in info.sizes if info.allows(size) and _fits(size, max_pixels)]:
        width, height = size = max(sizes, key=math.prod)
        forms = (f"{width},{height}",) if info.version >= 3 else (f"{width},", f"{width},{height}")
        others += [(width * height, Whole(f"full/{form}/0/{name}", size)) for form in forms]
    if mosaic := _largest_mosaic(info, name, max_pixels):
        others.append((math.prod(mosaic.size), mosaic))
    others.sort(key=lambda one: -one[0])
    return ways + [way for _, way in others]


def _largest_mosaic(info: ImageInfo, name: str, max_pixels: int) -> Mosaic | None:
    best: tuple[int, TileSizes] | None = None
    for tiles in info.tiles:
        for scale in tiles.scales:
            size = _scaled(info.width, scale), _scaled(info.height, scale)
            across, down = _scaled(size[0], tiles.width), _scaled(size[1], tiles.height)
            if (
                info.allows(size)
                and _fits(size, max_pixels)
                and across * down <= MAX_TILES
                and (best is None or scale < best[0])
            ):
                best = scale, tiles
    return _mosaic(info, best[1], best[0], name) if best else None


def _mosaic(info: ImageInfo, tiles: TileSizes, scale: int, name: str) -> Mosaic:
    """Cut the image as the API's canonical addresses do: sides are rounded up."""
    found = []
    for top in range(0, info.height, tiles.height * scale):
        for left in range(0, info.width, tiles.width * scale):
            across = min(tiles.width * scale, info.width - left)
            down = min(tiles.height * scale, info.height - top)
            width, height = _scaled(across, scale), _scaled(down, scale)
            regions = [f"{left},{top},{across},{down}"]
            if (across, down) == (info.width, info.height):
                regions.insert(0, "full")
            exact, by_width = f"{width},{height}", f"{width},"
            forms = (exact, by_width) if info.version >= 3 else (by_width, exact)
            paths = tuple(f"{region}/{form}/0/{name}" for form in forms for region in regions)
            found.append(Tile(left // scale, top // scale, width, height, paths))
    return Mosaic((_scaled(info.width, scale), _scaled(info.height, scale)), tuple(found))


def _tiles(info: dict[str, Any]) -> tuple[TileSizes, ...]:
    given = info.get("tiles")
    if not isinstance(given, list):  # version 1.1
        given = [
            {
                "width": info.get("tile_width"),
                "height": info.get("tile_height"),
                "scaleFactors": info.get("scale_factors", [1]),
            }
        ]
    found = []
    for one in given:
        if not isinstance(one, dict) or not (width := pixels_or_none(one.get("width"))):
            continue
        factors = one.get("scaleFactors")
        scales = [
            scale
            for factor in (factors if isinstance(factors, list) else ())
            if (scale := pixels_or_none(factor))
        ]
        found.append(TileSizes(width, pixels_or_none(one.get("height")) or width, tuple(scales)))
    return tuple(found)


def _sizes(given: object) -> tuple[Size, ...]:
    found = []
    for one in given if isinstance(given, list) else ():
        if isinstance(one, dict):
            width, height = pixels_or_none(one.get("width")), pixels_or_none(one.get("height"))
            if width and height:
                found.append((width, height))
    return tuple(found)


def _version(info: dict[str, Any]) -> int:
    contexts = info.get("@context")
    said = [*(contexts if isinstance(contexts, list) else [contexts]), info.get("type")]
    for one in said:
        if isinstance(one, str) and ("/image/3" in one or one == "ImageService3"):
            return 3
        if isinstance(one, str) and ("/image/2" in one or one == "ImageService2"):
            return 2
        if isinstance(one, str) and ("image-api/1" in one or "/image/1" in one):
            return 1
    return 2 if "tiles" in info or "protocol" in info else 1


def _number(value: object) -> int | None:
    """Return a limit: areas are larger than what `pixels_or_none` takes for a number of pixels."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 1 <= value <= 1e18 else None


def _fits(size: Size, max_pixels: int) -> bool:
    return math.prod(size) <= max_pixels


def _scaled(length: int, scale: int) -> int:
    return -(-length // scale)


def _no_info(why: str) -> NotGiven:
    return NotGiven(
        f"Its image server's info.json is not valid: {why}.",
        "Tell the server's operator, or download the image and ingest the file.",
    )
