from __future__ import annotations

import io

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ingest.image_sizes import CODESTREAM, JP2_SIGNATURE, boxes, codestream, jpeg_size, webp_size


def saved(kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (37, 23), (90, 40, 20)).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"exif": b"Exif\0\0" + b"x" * 999}])
def test_jpeg(options: dict[str, object]) -> None:
    assert jpeg_size(saved("JPEG", **options)) == (37, 23)


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"exif": b"Exif\0\0" + b"x" * 99}])
def test_webp(options: dict[str, object]) -> None:
    assert webp_size(saved("WEBP", **options)[:30]) == (37, 23)


@pytest.mark.parametrize("form", ["jp2", "j2k"])
@pytest.mark.parametrize(("bits", "depth"), [(8, np.uint8), (16, np.uint16), (12, np.uint16)])
def test_jpeg_2000(form: str, bits: int, depth: type) -> None:
    image = np.zeros((23, 37, 3), depth)
    data = imagecodecs.jpeg2k_encode(image, bitspersample=bits, codecformat=form)
    claims = codestream(data)
    assert claims is not None
    assert (claims.width, claims.height, claims.bits) == (37, 23, (bits, bits, bits))
    assert data[claims.start : claims.start + 4] == CODESTREAM


@given(
    st.sampled_from([b"", b"\xff\xd8\xff\xe0", CODESTREAM, JP2_SIGNATURE, JP2_SIGNATURE * 2])
    | st.sampled_from([b"RIFF0000WEBPVP8" + kind for kind in (b" ", b"L", b"X")]),
    st.binary(max_size=200),
)
def test_any_bytes_have_a_size_or_none(head: bytes, rest: bytes) -> None:
    for size in (jpeg_size, webp_size):
        found = size(head + rest)
        assert found is None or min(found) >= 0
    for box in boxes(head + rest):
        assert 0 < box.start <= box.end <= len(head + rest)
    claims = codestream(head + rest)
    assert claims is None or len(claims.bits) < 70
