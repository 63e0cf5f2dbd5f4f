"""Pixels: how many are allowed, and how samples of any depth become 8-bit RGB."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.catalogue.errors import DamagedImage, ImageTooLarge
from retrieval.ink import Pixels

ADVICE_FORMAT = "Convert it to TIFF, PNG or JPEG."
ADVICE_COPY = "Copy it again from the original, or open and save it with an image editor."
ADVICE_SIZE = "Save it smaller, or raise max_megapixels in prizemarks.toml."


def check_pixels(width: int, height: int, max_pixels: int) -> None:
    """Raise ImageTooLarge over `max_pixels`, DamagedImage where a side is nothing."""
    if width <= 0 or height <= 0:
        raise DamagedImage(f"Its header gives {width} by {height} pixels.", ADVICE_COPY)
    if width * height > max_pixels:
        raise ImageTooLarge(
            f"It has {width:,} by {height:,} pixels, more than the limit of {max_pixels:,}.",
            ADVICE_SIZE,
        )


def most_bytes(max_pixels: int) -> int:
    """Return the bytes that no file of an image of `max_pixels` needs more of."""
    return 8 * max_pixels + 1_000_000


def check_bytes(size: int, max_pixels: int) -> None:
    """Raise ImageTooLarge for a file of more bytes than an image of `max_pixels` can need."""
    if size > most_bytes(max_pixels):
        raise ImageTooLarge(
            f"It has {size:,} bytes, more than {max_pixels:,} pixels can need.", ADVICE_SIZE
        )


def to_8_bits(values: NDArray[Any], full: int) -> Pixels:
    """Scale whole numbers, of any shape, from 0 to `full` to 0 to 255."""
    if values.dtype == np.uint8 and full == 255:
        return values
    if values.dtype.itemsize <= 2:  # a table is many times as quick as the arithmetic
        steps = np.arange(2 ** (8 * values.dtype.itemsize), dtype=np.float64)
        table = np.rint(np.minimum(steps, full) * (255 / full)).astype(np.uint8)
        return np.asarray(table[values.astype(np.uint8) if values.dtype == np.bool_ else values])
    return np.rint(values * (255 / full)).clip(0, 255).astype(np.uint8)


def real_to_8_bits(values: NDArray[Any]) -> Pixels:
    """Scale real numbers from 0 to 1, or to their maximum where it is more, to 0 to 255."""
    known = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    scaled = known * (255 / max(1.0, float(known.max(initial=0))))
    return np.asarray(np.rint(scaled).clip(0, 255), np.uint8)


def grey_as_rgb(values: Pixels) -> Pixels:
    """Give one channel, (H, W), three times: (H, W, 3)."""
    return np.repeat(values[..., None], 3, axis=2)


def from_inks(inks: Pixels) -> Pixels:
    """Give (H, W, 4) of cyan, magenta, yellow and black, 255 being all of it, as colours."""
    inverse = 255 - inks.astype(np.uint16)
    return np.asarray((inverse[..., :3] * inverse[..., 3:] + 127) // 255, np.uint8)
