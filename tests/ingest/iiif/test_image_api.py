from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.iiif.image_api import ImageInfo, Mosaic, TileSizes, Whole, read_info, ways_to_ask
from retrieval.catalogue.errors import ImageTooLarge, NotGiven
from tests.ingest.iiif_server import info


def read(document: Any) -> ImageInfo:
    return read_info(json.dumps(document).encode())


def paths(found: ImageInfo, max_pixels: int = 10**9) -> list[str]:
    return [way.path for way in ways_to_ask(found, max_pixels) if isinstance(way, Whole)]


@pytest.mark.parametrize(
    ("version", "first"),
    [
        (1, "full/full/0/native.jpg"),
        (2, "full/full/0/default.jpg"),
        (3, "full/max/0/default.jpg"),
    ],
)
def test_each_version_is_asked_in_its_own_words(version: int, first: str) -> None:
    found = read(info("https://x", version, 300, 200, {}, level=1))
    assert (found.version, found.width, found.height, found.limited) == (version, 300, 200, False)
    assert found.tiles == (TileSizes(64, 64, (1, 2, 4)),)
    assert paths(found)[0] == first


@pytest.mark.parametrize(
    ("limits", "largest"),
    [
        ({"maxWidth": 1000}, (1000, 666)),
        ({"maxWidth": 5000, "maxHeight": 500}, (750, 500)),
        ({"maxArea": 600_000}, (948, 632)),
        ({"maxWidth": 9000}, (3000, 2000)),
    ],
)
def test_limits_are_kept(limits: dict[str, int], largest: tuple[int, int]) -> None:
    for version in (2, 3):
        found = read(info("https://x", version, 3000, 2000, limits, level=2))
        assert found.largest == largest
        assert found.allows(largest)
        for way in ways_to_ask(found, 10**9):
            if isinstance(way, Mosaic):
                assert found.allows(way.size)


def test_sizes_and_tiles_follow_largest_first() -> None:
    said = info("https://x", 2, 300, 200, {}, level=0)
    said["sizes"] = [{"width": 75, "height": 50}, {"width": 150, "height": 100}]
    *_, tiles, by_width, exact = ways_to_ask(read(said), 10**9)
    assert isinstance(tiles, Mosaic) and tiles.size == (300, 200)
    assert by_width == Whole("full/150,/0/default.jpg", (150, 100))
    assert exact == Whole("full/150,100/0/default.jpg", (150, 100))


def test_more_pixels_than_allowed_are_not_asked_for() -> None:
    found = read(info("https://x", 3, 3000, 2000, {}, level=2))
    with pytest.raises(ImageTooLarge, match="3,000 by 2,000"):
        ways_to_ask(found, 5_999_999)


@pytest.mark.parametrize("sizes", ["[" * 100 + "]" * 100, "Infinity"])
def test_an_info_that_is_nested_too_deep_or_no_json_is_none(sizes: str) -> None:
    content = f'{{"width": 1, "height": 1, "sizes": {sizes}}}'
    with pytest.raises(NotGiven, match="it is not JSON"):
        read_info(content.encode())


@given(
    width=st.integers(1, 700),
    height=st.integers(1, 700),
    across=st.integers(16, 300),
    down=st.integers(16, 300),
    scale=st.sampled_from([1, 2, 3, 8]),
)
def test_tiles_cover_the_image_once(
    width: int, height: int, across: int, down: int, scale: int
) -> None:
    found = ImageInfo(3, width, height, None, None, None, (), (TileSizes(across, down, (scale,)),))
    (mosaic,) = [way for way in ways_to_ask(found, 10**9) if isinstance(way, Mosaic)]
    covered = np.zeros((mosaic.size[1], mosaic.size[0]), int)
    for tile in mosaic.tiles:
        covered[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width] += 1
        assert tile.width <= across and tile.height <= down
    assert mosaic.size == (math.ceil(width / scale), math.ceil(height / scale))
    assert covered.min() == covered.max() == 1


def test_a_whole_image_in_one_tile_is_asked_for_as_such() -> None:
    found = read(info("https://x", 2, 60, 50, {}, level=0))
    (mosaic,) = [way for way in ways_to_ask(found, 10**9) if isinstance(way, Mosaic)]
    assert mosaic.tiles[0].paths[:2] == ("full/60,/0/default.jpg", "0,0,60,50/60,/0/default.jpg")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
KEYS = ["width", "height", "tiles", "sizes", "profile", "@context", "type", "maxArea", "maxWidth"]


@given(st.dictionaries(st.sampled_from(KEYS), JSON | st.integers(1, 3000)))
def test_any_info_is_read_or_refused(document: dict[str, Any]) -> None:
    try:
        found = read(document)
        ways = ways_to_ask(found, 1_000_000)
    except (NotGiven, ImageTooLarge):
        return
    assert isinstance(ways[0], Whole)
