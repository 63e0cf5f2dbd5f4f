from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from ingest.image_sizes import CODESTREAM, JP2_SIGNATURE
from ingest.sources import read_frames
from retrieval.catalogue.errors import DamagedImage, ImageTooLarge, NotAnImage, SourceError
from retrieval.settings import FILE
from tests.ingest.every_format import RGB, WRITERS


@pytest.mark.parametrize("name", [name for name in WRITERS if name != "tiff lab"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.99])
def test_files_that_were_cut_short_are_refused(tmp_path: Path, name: str, share: float) -> None:
    path = tmp_path / "a"
    WRITERS[name][0](path)
    content = path.read_bytes()
    # The last 13 bytes of a PNG hold nothing of the picture.
    path.write_bytes(content[: max(16, min(int(len(content) * share), len(content) - 13))])
    if name.startswith(("tiff", "bigtiff")):
        whole = tmp_path / "whole"
        whole.write_bytes(content)
        with tifffile.TiffFile(whole) as tiff:
            page = tiff.pages[0]
            end = max(map(sum, zip(page.dataoffsets, page.databytecounts, strict=True)))
        if end <= path.stat().st_size:
            pytest.skip("what was cut off is no part of the picture")
    with pytest.raises(DamagedImage):
        list(read_frames(path))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(name=st.sampled_from(sorted(WRITERS)), data=st.data())
def test_no_damage_lets_a_decoders_exception_out(
    tmp_path: Path, name: str, data: st.DataObject
) -> None:
    path = tmp_path / "a"
    WRITERS[name][0](path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(4, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        for frame in read_frames(path, max_pixels=1_000_000):
            assert frame.image.shape[2] == 3
    except SourceError as error:
        assert error.reason and error.advice


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=st.sampled_from(
        [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*", b"II+\0", b"%PDF-1.7\n"]
        + [CODESTREAM + b"\0\x29", JP2_SIGNATURE, JP2_SIGNATURE + b"\0\0\0\0jp2c" + CODESTREAM]
        + [b"RIFF\x30\0\0\0WEBPVP8" + kind for kind in (b" ", b"L", b"X")]
    ),
    rest=st.binary(max_size=300),
)
def test_no_bytes_let_a_decoders_exception_out(tmp_path: Path, head: bytes, rest: bytes) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(head + rest + (b"%%EOF" if head.startswith(b"%PDF") else b""))
    with pytest.raises(SourceError):
        list(read_frames(path))


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + kind
            + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )


def test_bombs_are_refused_by_their_header(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png_that_claims(60_000, 60_000))
    with pytest.raises(ImageTooLarge, match="pixels"):
        list(read_frames(tmp_path / "a.png"))
    # 3.6 gigapixels of zeros that deflate to nothing
    tifffile.imwrite(tmp_path / "a.tif", RGB, photometric="rgb", compression="deflate")
    content = bytearray((tmp_path / "a.tif").read_bytes())
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        for tag in ("ImageWidth", "ImageLength"):
            found = tiff.pages[0].tags[tag]
            content[found.valueoffset : found.valueoffset + found.valuebytecount] = (
                60_000
            ).to_bytes(found.valuebytecount, "little")
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(ImageTooLarge, match="60,000 by 60,000"):
        list(read_frames(tmp_path / "a.tif"))


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "jp2", "webp", "pdf"])
def test_the_limit_is_the_callers(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(RGB).save(path)
    pixels = RGB.shape[0] * RGB.shape[1]
    assert len(list(read_frames(path, max_pixels=pixels))) == 1
    with pytest.raises(ImageTooLarge, match=f"limit of {pixels - 1:,}") as refused:
        list(read_frames(path, max_pixels=pixels - 1))
    assert refused.value.advice.endswith(f"raise max_megapixels in {FILE}.")


def test_tiles_larger_than_the_picture_are_held_against_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, RGB, photometric="rgb", compression="deflate", tile=(64, 64))
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tiff:
        for tag in ("TileWidth", "TileLength"):
            found = tiff.pages[0].tags[tag]
            size = found.valuebytecount
            content[found.valueoffset : found.valueoffset + size] = (32_768).to_bytes(
                size, "little"
            )
    path.write_bytes(content)
    with pytest.raises(ImageTooLarge):
        list(read_frames(path))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"GIF89a..............", "GIF"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"\0" * 64, "zeros"),
        (b"just some text, really", "not a JPEG, JPEG 2000, PNG, TIFF"),
    ],
)
def test_other_files_are_called_what_they_are(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(NotAnImage, match=said) as caught:
        list(read_frames(tmp_path / "a.jpg"))
    assert caught.value.advice


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be opened"):
        list(read_frames(tmp_path / "absent.png"))
    with pytest.raises(NotAnImage, match="not a regular file"):
        list(read_frames(tmp_path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(NotAnImage, match="not a regular file"):
        list(read_frames(tmp_path / "a.png"))
