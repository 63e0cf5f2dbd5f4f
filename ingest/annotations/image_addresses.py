"""Addresses by the IIIF Image API: what they are of, and how large the image is that they give."""

from __future__ import annotations

import re
from dataclasses import dataclass

_REQUEST = re.compile(
    r"(.+)/([^/]+)/([^/]+)/(!?[0-9.]+)/(?:default|native|color|gray|bitonal)\.[a-z0-9]+"
)
_INFO = re.compile(r"(.+)/info\.json")
_SIZE = re.compile(r"\^?(?:pct:([0-9]{1,7}(?:\.[0-9]{1,7})?)|(!?)([0-9]{0,7}),([0-9]{0,7}))")


@dataclass(frozen=True)
class ImageAddress:
    """The service that an address is of, whether it gives the whole image upright, and the size
    that it asks for, as it is written: "" where it gives no image."""

    service: str
    whole: bool
    size: str

    def size_of(self, width: int, height: int) -> tuple[int, int] | None:
        """Return the size that is asked for of an image so large; None for its full size."""
        found = _SIZE.fullmatch(self.size)
        if found is None:
            return None
        percent, within, across, down = found.groups()
        scales = [int(across) / width] if across else []
        scales += [int(down) / height] if down else []
        if percent:
            scales = [float(percent) / 100]
        elif across and down and not within:
            return int(across), int(down)
        if not scales:
            return None
        if within and not self.size.startswith("^"):
            scales.append(1.0)
        scale = min(scales)
        return round(width * scale), round(height * scale)


def image_address(address: str) -> ImageAddress | None:
    """Return what an address of an image service asks for; None for any other address."""
    if found := _REQUEST.fullmatch(address):
        service, region, size, turned = found.groups()
        return ImageAddress(service, region == "full" and turned == "0", size)
    if found := _INFO.fullmatch(address):
        return ImageAddress(found[1], True, "")
    return None
