"""What the first bytes of an image claim: its width and height, read before it is decoded."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

#: What a JPEG 2000 codestream begins with: start, then the sizes.
CODESTREAM = b"\xff\x4f\xff\x51"

#: What a JP2 file begins with.
JP2_SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"

_NESTED_BOXES = frozenset({b"jp2h"})


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Return the width and height a JPEG claims; None where `data` holds no frame header."""
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # padding
            at += 1
        elif marker in (0x01, *range(0xD0, 0xD9)):  # those without a length
            at += 2
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def webp_size(data: bytes) -> tuple[int, int] | None:
    """Return the canvas a WebP file claims, from its first 30 bytes; None where it gives none."""
    if len(data) < 30 or data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
    match data[12:16]:
        case b"VP8X":
            return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(
                data[27:30], "little"
            )
        case b"VP8L":
            packed = int.from_bytes(data[21:25], "little")
            return 1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF)
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
    return None


# JPEG 2000 -----------------------------------------------------------------------------------


class Jp2Box(NamedTuple):
    """A box of a JP2 file: its kind, and where its content begins and ends."""

    kind: bytes
    start: int
    end: int


class Codestream(NamedTuple):
    """What a JPEG 2000 codestream claims of itself; the channels' bits, negative when signed."""

    start: int
    end: int
    width: int
    height: int
    tile_width: int
    tile_height: int
    bits: tuple[int, ...]


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Jp2Box]:
    """Give the boxes of a JP2 file, those within the header among them, as far as they go."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        length, kind = struct.unpack_from(">I4s", data, start)
        content = start + 8
        if length == 1 and content + 8 <= end:
            (length,) = struct.unpack_from(">Q", data, content)
            content += 8
        following = start + length if length else end  # 0: up to the end
        if following < content:
            return
        yield Jp2Box(kind, content, min(following, end))
        if kind in _NESTED_BOXES:
            yield from boxes(data, content, min(following, end))
        start = following


def codestream(data: bytes) -> Codestream | None:
    """Return what the first codestream of a JP2 file, or a bare one, claims; None without one."""
    start, end = 0, len(data)
    if not data.startswith(CODESTREAM):
        found = next((box for box in boxes(data) if box.kind == b"jp2c"), None)
        if found is None:
            return None
        _, start, end = found
    if data[start : start + 4] != CODESTREAM or start + 42 > len(data):
        return None
    right, below, left, top, tile_width, tile_height, _, _, channels = struct.unpack_from(
        ">8IH", data, start + 8
    )
    depths = data[start + 42 : start + 42 + 3 * channels : 3]
    if len(depths) != channels:
        return None
    bits = tuple((depth & 0x7F) + 1 if depth < 0x80 else -(depth & 0x7F) - 1 for depth in depths)
    return Codestream(start, end, right - left, below - top, tile_width, tile_height, bits)
