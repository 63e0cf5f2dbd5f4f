"""JPEG 2000, as JP2 file or bare codestream, of any depth, as RGB.

OpenJPEG decodes it, by way of imagecodecs: Pillow, which has it too, takes a fifth more time,
drops what is below 8 bits of colour, and gives bilevel pictures half their brightness.
"""

from __future__ import annotations

import os
from typing import BinaryIO

import imagecodecs
import numpy as np

from ingest.image_sizes import Codestream, Jp2Box, boxes, codestream
from ingest.pixels import (
    ADVICE_COPY,
    ADVICE_FORMAT,
    check_bytes,
    check_pixels,
    from_inks,
    grey_as_rgb,
    to_8_bits,
)
from retrieval.catalogue.errors import DamagedImage, NotAnImage
from retrieval.ink import Pixels
from retrieval.transparency import on_white

#: Channels that are unpacked; a file with more is not a picture of a page.
MAX_CHANNELS = 5

_CMYK, _CIELAB = 12, 14


def read_jpeg2000(stream: BinaryIO, max_pixels: int) -> Pixels:
    """Return the first picture of a JPEG 2000 file, (H, W, 3) uint8 RGB on white.

    Its header is held against `max_pixels`. A channel is transparency only where the file says
    so; one that it says nothing of is left out, as in TIFF.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    check_bytes(size, max_pixels)
    data = stream.read()
    claims = codestream(data)
    if claims is None:
        raise DamagedImage("It contains no JPEG 2000 picture.", ADVICE_COPY)
    check_codestream(claims, max_pixels)
    _check_end(data, claims)
    pixels = np.asarray(imagecodecs.jpeg2k_decode(data, numthreads=1))
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.shape[:2] != (claims.height, claims.width):
        raise DamagedImage(f"It decodes to an array of shape {pixels.shape}.", ADVICE_COPY)
    return _as_rgb(data, list(boxes(data)) if claims.start else [], pixels, claims)


def check_codestream(claims: Codestream, max_pixels: int) -> None:
    """Raise ImageTooLarge or DamagedImage for sizes, NotAnImage for channels, that are too many."""
    check_pixels(claims.width, claims.height, max_pixels)
    if not 1 <= len(claims.bits) <= MAX_CHANNELS:
        raise NotAnImage(
            f"It has {len(claims.bits):,} channels, so it is not a picture of a page.",
            ADVICE_FORMAT,
        )
    if not claims.tile_width or not claims.tile_height:
        raise DamagedImage("Its header gives tiles without a size.", ADVICE_COPY)
    if min(claims.bits) < 0:
        raise NotAnImage(
            "It contains signed numbers, so it is not a picture of a page.", ADVICE_FORMAT
        )


def _check_end(data: bytes, claims: Codestream) -> None:
    """Raise DamagedImage where the codestream does not end as it must: some of it is missing."""
    if not data[claims.start : claims.end].rstrip(b"\0").endswith(b"\xff\xd9"):
        raise DamagedImage("It is truncated: its end is missing.", ADVICE_COPY)


def _as_rgb(data: bytes, found: list[Jp2Box], pixels: Pixels, claims: Codestream) -> Pixels:
    content = {box.kind: data[box.start : box.end] for box in reversed(found)}
    bits = max(claims.bits)
    if palette := content.get(b"pclr"):
        bits = max(1 + (depth & 0x7F) for depth in palette[3 : 3 + palette[2]])
    values = to_8_bits(pixels, 2**bits - 1)
    channels = values.shape[2]
    space = _colour_space(content.get(b"colr", b""))
    if space == _CIELAB:
        raise NotAnImage("Its colours are CIELab.", ADVICE_FORMAT)
    if space == _CMYK and channels >= 4:
        return from_inks(values[..., :4])
    colours = 1 if channels < 3 else 3
    picture = grey_as_rgb(values[..., 0]) if colours == 1 else values[..., :3]
    kinds = content.get(b"cdef", b"")[2:]
    said = {int.from_bytes(kinds[at + 2 : at + 4], "big") for at in range(0, len(kinds), 6)}
    if channels == colours + 1 and said & {1, 2}:
        return on_white(picture, values[..., colours], premultiplied=1 not in said)
    return picture


def _colour_space(colr: bytes) -> int | None:
    if colr[:1] == b"\1":
        return int.from_bytes(colr[3:7], "big")
    return _CMYK if colr[:1] == b"\2" and colr[19:23] == b"CMYK" else None
