"""JPEG, PNG and WebP: what Pillow opens, as RGB, having checked what it passes over.

The functions raise DamagedImage and ImageTooLarge, and what Pillow raises.
"""

from __future__ import annotations

import contextlib
import math
import os
import struct
import warnings
import zlib
from typing import BinaryIO

import imagecodecs
import numpy as np
from PIL import Image, ImageOps

from ingest.image_sizes import jpeg_size, webp_size
from ingest.pixels import (
    ADVICE_COPY,
    check_bytes,
    check_pixels,
    grey_as_rgb,
    real_to_8_bits,
    to_8_bits,
)
from retrieval.catalogue.errors import DamagedImage, ImageTooLarge
from retrieval.ink import Pixels
from retrieval.transparency import on_white

#: Bytes that a PNG may hold beside its picture in one piece, such as a text.
MAX_PNG_ASIDE = 8_000_000

#: What a whole JPEG ends with, as most do; and the tag and the value of one that stands upright.
_JPEG_END = b"\xff\xd9"
_ORIENTATION, _UPRIGHT = 0x0112, 1
#: Pixels a side beyond which Pillow's libjpeg takes a JPEG for broken, and so do we.
_JPEG_SIDE = 65_500


def read_jpeg(stream: BinaryIO, max_pixels: int) -> Pixels:
    """Return a JPEG as (H, W, 3) RGB.

    What claims more pixels than its bytes can hold is damaged.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    head = stream.read(1 << 16)
    stream.seek(0)
    claimed = jpeg_size(head)
    if claimed is not None:
        check_pixels(*claimed, max_pixels)
    # A block of 8 by 8 takes a bit at the least; libjpeg would make up what is missing.
    if claimed is not None and math.prod(claimed) > 512 * size:
        raise DamagedImage(
            f"Its header gives {claimed[0]:,} by {claimed[1]:,} pixels, which {size:,} bytes "
            "cannot hold.",
            ADVICE_COPY,
        )
    picture = _read_upright_jpeg(stream, size, max_pixels)
    return picture if picture is not None else _read_pillow(stream, "JPEG", max_pixels)


def read_png(stream: BinaryIO, max_pixels: int) -> Pixels:
    """Return a PNG as (H, W, 3) RGB, the checksums of its picture having been looked at."""
    head = stream.read(24)
    if len(head) == 24 and head[12:16] == b"IHDR":
        width, height = struct.unpack_from(">II", head, 16)
        check_pixels(width, height, max_pixels)
    _check_png_chunks(stream)
    stream.seek(0)
    return _read_pillow(stream, "PNG", max_pixels)


def read_webp(stream: BinaryIO, head: bytes, max_pixels: int) -> Pixels:
    """Return a WebP as (H, W, 3) RGB, of one that moves the first picture.

    `head` are its first bytes.
    """
    claimed = webp_size(head)
    if claimed is None:
        raise DamagedImage("Its header is not valid.", ADVICE_COPY)
    check_pixels(*claimed, max_pixels)  # Pillow makes room for the canvas as it opens it
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if size < 8 + int.from_bytes(head[4:8], "little"):
        raise DamagedImage("It is truncated: its end is missing.", ADVICE_COPY)
    check_bytes(size, max_pixels)
    return _read_pillow(stream, "WEBP", max_pixels)


def _opened(stream: BinaryIO, kind: str, max_pixels: int) -> Image.Image:
    """Return a picture whose header was read and whose size is allowed."""
    if max_pixels > (Image.MAX_IMAGE_PIXELS or 0):
        Image.MAX_IMAGE_PIXELS = max_pixels  # raised to what the caller allows, never lifted
    with warnings.catch_warnings():
        # Pillow warns before we can look; the check below is the one that counts.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        image = Image.open(stream, formats=(kind,))
    check_pixels(image.width, image.height, max_pixels)
    return image


def _read_pillow(stream: BinaryIO, kind: str, max_pixels: int) -> Pixels:
    with _opened(stream, kind, max_pixels) as image:
        image.load()
        # A broken EXIF block is not a reason to refuse the picture.
        with contextlib.suppress(Exception):  # Pillow's parser raises whatever the bytes lead to
            ImageOps.exif_transpose(image, in_place=True)
        return _flattened(image)


def _read_upright_jpeg(stream: BinaryIO, size: int, max_pixels: int) -> Pixels | None:
    """Return a whole, upright JPEG of `size` bytes in grey or three colours; None for others.

    These, nearly all there are, imagecodecs gives pixel for pixel as Pillow does, in half of the
    time and the memory. What Pillow turns, converts or refuses is left to it, and to its words.
    """
    stream.seek(-len(_JPEG_END), os.SEEK_END)
    whole = stream.read() == _JPEG_END
    stream.seek(0)
    if not whole:
        return None
    # Whatever the bytes lead both decoders to, Pillow will say it in our words.
    with contextlib.suppress(Exception):
        image = _opened(stream, "JPEG", max_pixels)
        plain = image.mode in ("L", "RGB") and max(image.size) <= _JPEG_SIDE
        plain &= image.getexif().get(_ORIENTATION, _UPRIGHT) == _UPRIGHT
        if plain and size <= 4 * math.prod(image.size) + (1 << 24):
            stream.seek(0)
            pixels = np.asarray(imagecodecs.jpeg8_decode(stream.read()))
            if pixels.shape[:2] == (image.height, image.width) and pixels.dtype == np.uint8:
                return pixels if pixels.ndim == 3 else grey_as_rgb(pixels)
    stream.seek(0)
    return None


def _check_png_chunks(stream: BinaryIO) -> None:
    """Raise DamagedImage where a chunk is cut short or fails its checksum.

    Pillow passes over the checksums of the image data and over a missing end.
    """
    stream.seek(8)
    while True:
        head = stream.read(8)
        if len(head) < 8:
            raise DamagedImage("It is truncated: its end is missing.", ADVICE_COPY)
        length, kind = struct.unpack(">I4s", head)
        if length > MAX_PNG_ASIDE and kind not in (b"IDAT", b"IEND"):
            raise ImageTooLarge(
                f"It contains {length:,} bytes besides its picture ({kind.decode('latin-1')!r}).",
                "Save it without its comments.",
            )
        checksum = zlib.crc32(kind)
        while length:
            piece = stream.read(min(length, 1 << 20))
            if not piece:
                raise DamagedImage("It is truncated: its end is missing.", ADVICE_COPY)
            checksum = zlib.crc32(piece, checksum)
            length -= len(piece)
        stated = stream.read(4)
        if len(stated) < 4 and kind != b"IEND":
            raise DamagedImage("It is truncated: its end is missing.", ADVICE_COPY)
        # Only the chunks that make the picture: a spoilt comment does it no harm.
        if kind[:1].isupper() and kind != b"IEND" and struct.pack(">I", checksum) != stated:
            raise DamagedImage(
                f"It is damaged: the checksum of a {kind.decode('latin-1')} chunk is wrong.",
                ADVICE_COPY,
            )
        if kind == b"IEND":
            return


def _flattened(image: Image.Image) -> Pixels:
    """Return a Pillow image of any mode as RGB on white."""
    if image.mode.startswith("I;16") or image.mode == "I":
        return grey_as_rgb(to_8_bits(np.asarray(image).clip(0, 65535).astype(np.uint16), 65535))
    if image.mode == "F":
        return grey_as_rgb(real_to_8_bits(np.asarray(image)))
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        pixels = np.asarray(image.convert("RGBA"))
        return on_white(pixels[..., :3], pixels[..., 3])
    return np.asarray(image.convert("RGB"))
