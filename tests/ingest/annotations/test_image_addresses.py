from __future__ import annotations

import pytest

from ingest.annotations.image_addresses import ImageAddress, image_address


@pytest.mark.parametrize(
    ("rest", "whole", "size"),
    [
        ("/info.json", True, ""),
        ("/full/max/0/default.jpg", True, "max"),
        ("/full/90,/0/native.png", True, "90,"),
        ("/full/max/!0/default.jpg", False, "max"),
        ("/full/max/90/default.jpg", False, "max"),
        ("/square/max/0/default.jpg", False, "max"),
    ],
)
def test_an_address_says_what_is_asked_of_its_service(rest: str, whole: bool, size: str) -> None:
    service = "https://x.org/iiif/a%2F1.tif"
    assert image_address(f"{service}{rest}") == ImageAddress(service, whole, size)
    assert image_address(service) is None


@pytest.mark.parametrize(
    ("size", "pixels"),
    [
        ("max", None),
        ("full", None),
        ("100,", (100, 50)),
        (",100", (200, 100)),
        ("100,100", (100, 100)),
        ("!100,100", (100, 50)),
        ("!900,900", (400, 200)),
        ("^!900,900", (900, 450)),
        ("^800,", (800, 400)),
        ("pct:12.5", (50, 25)),
        ("pct:1.2.3", None),
        (",", None),
        ("9" * 5000 + ",", None),
    ],
)
def test_the_size_that_is_asked_for_is_that_of_the_image(
    size: str, pixels: tuple[int, int] | None
) -> None:
    assert ImageAddress("", True, size).size_of(400, 200) == pixels
