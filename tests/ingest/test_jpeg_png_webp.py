from __future__ import annotations

import io
from unittest.mock import patch

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from ingest.jpeg_png_webp import read_jpeg
from retrieval.catalogue.errors import SourceError

LIMIT = 1_000_000


def jpeg(height: int, width: int, seed: int = 0, orientation: int = 1, **how: object) -> bytes:
    pixels = np.random.default_rng(seed).integers(256, size=(height, width, 3), dtype=np.uint8)
    image = Image.fromarray(pixels).convert(str(how.pop("mode", "RGB")))
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif, **how)
    return buffer.getvalue()


@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    orientation=st.integers(0, 9),
    mode=st.sampled_from(["RGB", "L", "CMYK"]),
    subsampling=st.sampled_from(["4:4:4", "4:2:2", "4:2:0", "keep"]),
    progressive=st.booleans(),
    quality=st.integers(5, 100),
)
def test_the_pixels_are_those_that_pillow_shows(
    height: int,
    width: int,
    orientation: int,
    mode: str,
    subsampling: str,
    progressive: bool,
    quality: int,
) -> None:
    how = {} if subsampling == "keep" else {"subsampling": subsampling}
    data = jpeg(
        height, width, height, orientation,
        mode=mode, progressive=progressive, quality=quality, **how,
    )  # fmt: skip
    shown = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    np.testing.assert_array_equal(read_jpeg(io.BytesIO(data), LIMIT), np.asarray(shown))


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_upright_ones_are_not_decoded_by_pillow(mode: str) -> None:
    data = jpeg(20, 30, mode=mode)
    with patch("PIL.ImageFile.ImageFile.load", side_effect=AssertionError):
        assert read_jpeg(io.BytesIO(data), LIMIT).shape == (20, 30, 3)


def test_one_that_is_cut_short_is_refused_although_a_decoder_would_fill_the_gap() -> None:
    data = jpeg(200, 300)
    cut = data[: len(data) // 2]
    assert imagecodecs.jpeg8_decode(cut).shape == (200, 300, 3)
    with pytest.raises((SourceError, OSError), match="truncated"):
        read_jpeg(io.BytesIO(cut), LIMIT)


def test_what_follows_the_picture_does_no_harm() -> None:
    data = jpeg(20, 30)
    whole = read_jpeg(io.BytesIO(data), LIMIT)
    np.testing.assert_array_equal(read_jpeg(io.BytesIO(data + bytes(100)), LIMIT), whole)
