from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from ingest.headers import CODESTREAM, JP2_SIGNATURE
from ingest.sources import Frame, UnreadFrame, read_each_frame, read_frame, read_frames
from retrieval.catalogue.errors import DamagedImage, ImageTooLarge, NotAnImage, SourceError
from tests.ingest.odd_files import jp2_with_palette, old_jpeg_tiff


def picture(height: int = 40, width: int = 60) -> np.ndarray:
    """Four flat quarters of different colours: survives JPEG, and shows how it is turned."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2] = (200, 30, 30)
    image[: height // 2, width // 2 :] = (30, 200, 30)
    image[height // 2 :, : width // 2] = (30, 30, 200)
    image[height // 2 :, width // 2 :] = (240, 240, 240)
    return image


def the_one(path: Path) -> np.ndarray:
    (frame,) = read_frames(path)
    assert frame.index == 0
    assert frame.image.dtype == np.uint8
    assert frame.image.flags.c_contiguous
    return frame.image


def alike(one: np.ndarray, other: np.ndarray, tolerance: int) -> bool:
    if one.shape != other.shape:
        return False
    difference = np.abs(one.astype(int) - other.astype(int))
    return bool(np.median(difference) <= tolerance and np.mean(difference > tolerance) < 0.2)


# Formats -------------------------------------------------------------------------------------

RGB = picture()
GREY = RGB[..., 0]
BILEVEL = GREY > 128
GREY_RGB = np.repeat(GREY[..., None], 3, axis=2)
INKS = np.dstack([255 - RGB, np.zeros_like(GREY)])
QUARTERS = np.repeat(np.repeat(np.arange(4, dtype=np.uint8).reshape(2, 2), 20, 0), 30, 1)


def cmyk(path: Path, **options: object) -> None:
    Image.fromarray(RGB).convert("CMYK").save(path, **options)


WRITERS: dict[str, tuple[Callable[[Path], object], np.ndarray, int]] = {
    "jpeg": (lambda p: Image.fromarray(RGB).save(p, "JPEG", quality=95), RGB, 4),
    "jpeg grey": (lambda p: Image.fromarray(GREY).save(p, "JPEG", quality=95), GREY_RGB, 4),
    "jpeg progressive": (
        lambda p: Image.fromarray(RGB).save(p, "JPEG", quality=95, progressive=True),
        RGB,
        4,
    ),
    "jpeg cmyk of adobe": (lambda p: cmyk(p, format="JPEG", quality=95), RGB, 4),
    "png": (lambda p: Image.fromarray(RGB).save(p, "PNG"), RGB, 0),
    "png 16 bits grey": (
        lambda p: Image.fromarray(GREY.astype(np.uint16) * 257).save(p, "PNG"),
        GREY_RGB,
        0,
    ),
    "png palette": (
        lambda p: Image.fromarray(RGB).quantize(8).save(p, "PNG"),
        RGB,
        1,
    ),
    "png bilevel": (
        lambda p: Image.fromarray(BILEVEL).save(p, "PNG"),
        np.repeat(BILEVEL[..., None], 3, axis=2).astype(np.uint8) * 255,
        0,
    ),
    "tiff": (lambda p: tifffile.imwrite(p, RGB, photometric="rgb"), RGB, 0),
    "bigtiff big-endian": (
        lambda p: tifffile.imwrite(p, RGB, photometric="rgb", bigtiff=True, byteorder=">"),
        RGB,
        0,
    ),
    "tiff lzw": (
        lambda p: tifffile.imwrite(
            p, RGB, photometric="rgb", compression="lzw", predictor=True, rowsperstrip=7
        ),
        RGB,
        0,
    ),
    "tiff deflate tiled": (
        lambda p: tifffile.imwrite(p, RGB, photometric="rgb", compression="deflate", tile=(32, 32)),
        RGB,
        0,
    ),
    "tiff jpeg tiled": (
        lambda p: tifffile.imwrite(
            p,
            RGB,
            photometric="rgb",
            compression="jpeg",
            compressionargs={"level": 95},
            tile=(32, 32),
        ),
        RGB,
        4,
    ),
    "tiff planes apart": (
        lambda p: tifffile.imwrite(
            p, np.moveaxis(RGB, -1, 0), photometric="rgb", planarconfig="separate"
        ),
        RGB,
        0,
    ),
    "tiff 16 bits": (
        lambda p: tifffile.imwrite(
            p, RGB.astype(np.uint16) * 257, photometric="rgb", compression="lzw", predictor=True
        ),
        RGB,
        0,
    ),
    "tiff real numbers": (
        lambda p: tifffile.imwrite(p, RGB.astype(np.float32) / 255, photometric="rgb"),
        RGB,
        0,
    ),
    "tiff white is 0": (
        lambda p: tifffile.imwrite(p, 255 - GREY, photometric="miniswhite"),
        GREY_RGB,
        0,
    ),
    "tiff bilevel g4": (
        lambda p: Image.fromarray(BILEVEL).save(p, "TIFF", compression="group4"),
        np.repeat(BILEVEL[..., None], 3, axis=2).astype(np.uint8) * 255,
        0,
    ),
    "tiff bilevel": (
        lambda p: tifffile.imwrite(p, BILEVEL, photometric="minisblack"),
        np.repeat(BILEVEL[..., None], 3, axis=2).astype(np.uint8) * 255,
        0,
    ),
    "tiff palette": (lambda p: Image.fromarray(RGB).quantize(8).save(p, "TIFF"), RGB, 1),
    "tiff cmyk": (lambda p: cmyk(p, format="TIFF", compression="tiff_lzw"), RGB, 1),
    "jpeg ycck": (
        lambda p: p.write_bytes(
            imagecodecs.jpeg8_encode(
                255 - INKS, level=95, colorspace="cmyk", outcolorspace="ycck", subsampling="444"
            )
        ),
        RGB,
        6,
    ),
    "png 16 bits": (
        lambda p: p.write_bytes(imagecodecs.png_encode(RGB.astype(np.uint16) * 257)),
        RGB,
        1,
    ),
    "tiff bilevel g4 in strips, bits from the right": (
        lambda p: Image.fromarray(BILEVEL).save(
            p, "TIFF", compression="group4", tiffinfo={266: 2, 278: 16}
        ),
        np.repeat(BILEVEL[..., None], 3, axis=2).astype(np.uint8) * 255,
        0,
    ),
    "tiff cmyk jpeg": (
        lambda p: tifffile.imwrite(
            p, INKS, photometric="separated", compression="jpeg", compressionargs={"level": 95}
        ),
        RGB,
        4,
    ),
    "tiff jpeg 2000": (
        lambda p: tifffile.imwrite(p, RGB, photometric="rgb", compression="jpeg2000"),
        RGB,
        1,
    ),
    "tiff webp": (
        lambda p: tifffile.imwrite(
            p, RGB, photometric="rgb", compression="webp", compressionargs={"lossless": True}
        ),
        RGB,
        0,
    ),
    **{
        f"tiff old jpeg, {style}": (
            lambda p, style=style: p.write_bytes(old_jpeg_tiff(RGB, style)),
            RGB,
            4,
        )
        for style in ("whole", "header", "tables")
    },
    "jp2": (lambda p: Image.fromarray(RGB).save(p, "JPEG2000"), RGB, 0),
    "jp2 lossy": (
        lambda p: Image.fromarray(RGB).save(
            p, "JPEG2000", irreversible=True, quality_layers=[4], tile_size=(32, 32)
        ),
        RGB,
        4,
    ),
    "jp2 codestream": (lambda p: Image.fromarray(RGB).save(p, "JPEG2000", no_jp2=True), RGB, 0),
    "jp2 of luminance and colour": (
        lambda p: Image.fromarray(RGB).convert("YCbCr").save(p, "JPEG2000"),
        RGB,
        2,
    ),
    "jp2 grey": (lambda p: Image.fromarray(GREY).save(p, "JPEG2000"), GREY_RGB, 0),
    "jp2 16 bits": (
        lambda p: p.write_bytes(imagecodecs.jpeg2k_encode(RGB.astype(np.uint16) * 257)),
        RGB,
        0,
    ),
    "jp2 16 bits grey codestream": (
        lambda p: p.write_bytes(
            imagecodecs.jpeg2k_encode(GREY.astype(np.uint16) * 257, codecformat="j2k")
        ),
        GREY_RGB,
        0,
    ),
    "jp2 12 bits": (
        lambda p: p.write_bytes(
            imagecodecs.jpeg2k_encode(GREY.astype(np.uint16) * 16, bitspersample=12)
        ),
        GREY_RGB,
        1,
    ),
    "jp2 bilevel": (
        lambda p: p.write_bytes(
            imagecodecs.jpeg2k_encode(BILEVEL.astype(np.uint8), bitspersample=1)
        ),
        np.repeat(BILEVEL[..., None], 3, axis=2).astype(np.uint8) * 255,
        0,
    ),
    "jp2 cmyk": (lambda p: cmyk(p, format="JPEG2000"), RGB, 0),
    "jp2 palette": (
        lambda p: p.write_bytes(jp2_with_palette(QUARTERS, RGB[[5, 5, 30, 30], [5, 50, 5, 50]])),
        RGB,
        0,
    ),
    "webp": (lambda p: Image.fromarray(RGB).save(p, "WEBP", lossless=True), RGB, 0),
    "webp lossy": (lambda p: Image.fromarray(RGB).save(p, "WEBP", quality=95), RGB, 12),
    "pdf": (lambda p: Image.fromarray(RGB).save(p, "PDF", resolution=300, quality=95), RGB, 4),
    "pdf grey": (lambda p: Image.fromarray(GREY).save(p, "PDF", quality=95), GREY_RGB, 4),
    "pdf cmyk": (lambda p: cmyk(p, format="PDF", quality=95), RGB, 60),
    "pdf bilevel g4": (
        lambda p: Image.fromarray(BILEVEL).save(p, "PDF", resolution=400),
        np.repeat(BILEVEL[..., None], 3, axis=2).astype(np.uint8) * 255,
        0,
    ),
    "pdf jpeg 2000": (
        lambda p: Image.fromarray(np.dstack([RGB, np.full_like(GREY, 255)])).save(p, "PDF"),
        RGB,
        2,
    ),
    "tiff lab": (
        lambda p: tifffile.imwrite(
            p,
            np.full((9, 9, 3), (255 * 53 // 100, 80, 67), np.uint8),
            photometric="cielab",
        ),
        np.full((9, 9, 3), (255, 0, 0), np.uint8),
        12,
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_formats(tmp_path: Path, name: str) -> None:
    write, expected, tolerance = WRITERS[name]
    path = tmp_path / "no ending"
    write(path)
    assert alike(the_one(path), expected, tolerance)


def test_the_name_does_not_say_what_a_file_is(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.jpg", "PNG")
    assert np.array_equal(the_one(tmp_path / "a.jpg"), RGB)


@pytest.mark.parametrize("alpha", [0, 128, 255])
@pytest.mark.parametrize("suffix", ["png", "tif", "jp2", "webp"])
def test_transparent_pictures_are_laid_on_white(tmp_path: Path, suffix: str, alpha: int) -> None:
    path = tmp_path / f"a.{suffix}"
    lossless = {"lossless": True, "exact": True} if suffix == "webp" else {}
    Image.fromarray(np.full((5, 6, 4), (100, 0, 50, alpha), np.uint8)).save(path, **lossless)
    expected = [round(255 + (colour - 255) * alpha / 255) for colour in (100, 0, 50)]
    assert np.abs(the_one(path)[0, 0].astype(int) - expected).max() <= 1


def test_transparent_palette_entries_are_white(tmp_path: Path) -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.save(tmp_path / "a.png", transparency=1)
    assert np.all(the_one(tmp_path / "a.png") == 255)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_pictures_are_turned_as_they_say(tmp_path: Path, suffix: str, orientation: int) -> None:
    # What orientation N asks for, undone: the stored picture is shown as `picture` again.
    undone: dict[int, Callable[[np.ndarray], np.ndarray]] = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    stored = np.ascontiguousarray(undone[orientation](RGB))
    path = tmp_path / f"a.{suffix}"
    if suffix == "tif":
        tifffile.imwrite(
            path, stored, photometric="rgb", extratags=[(274, "H", 1, orientation, True)]
        )
    else:
        exif = Image.Exif()
        exif[274] = orientation
        Image.fromarray(stored).save(path, exif=exif, quality=95)
    assert alike(the_one(path), RGB, 4)


def test_channels_that_are_not_said_to_be_transparency_are_left_out(tmp_path: Path) -> None:
    channels = np.dstack([RGB, np.zeros_like(GREY)])
    for form in ("jp2", "j2k"):
        path = tmp_path / f"a.{form}"
        path.write_bytes(imagecodecs.jpeg2k_encode(channels, codecformat=form))
        assert np.array_equal(the_one(path), RGB)


def test_a_webp_that_moves_is_its_first_picture(tmp_path: Path) -> None:
    first, second = Image.fromarray(RGB), Image.fromarray(255 - RGB)
    first.save(tmp_path / "a.webp", lossless=True, save_all=True, append_images=[second])
    assert np.array_equal(the_one(tmp_path / "a.webp"), RGB)


# Pages of a TIFF -----------------------------------------------------------------------------


def test_every_page_of_a_tiff_is_an_image(tmp_path: Path) -> None:
    shades = [10, 20, 30]
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for shade in shades:
            writer.write(np.full((50, 40, 3), shade, np.uint8), photometric="rgb")
    frames = list(read_frames(tmp_path / "a.tif"))
    assert [(frame.index, int(frame.image[0, 0, 0])) for frame in frames] == [
        (0, 10),
        (1, 20),
        (2, 30),
    ]


def test_one_image_is_read_without_the_others(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        for shade in (10, 20):
            writer.write(np.full((50, 40, 3), shade, np.uint8), photometric="rgb")
    frame = read_frame(path, 1)
    assert frame is not None and frame.index == 1 and frame.image[0, 0, 0] == 20
    assert read_frame(path, 2) is None
    with pytest.raises(ImageTooLarge):
        read_frame(path, 1, max_pixels=1999)
    with pytest.raises(SourceError, match="cannot be opened"):
        read_frame(tmp_path / "absent.tif", 0)


@pytest.mark.parametrize("flagged", [True, False])
@pytest.mark.parametrize("first", [True, False])
def test_embedded_thumbnails_are_no_pages(tmp_path: Path, flagged: bool, first: bool) -> None:
    page = np.full((1200, 900), 7, np.uint8)
    thumbnail = np.full((160, 120), 99, np.uint8)
    order = (
        [(thumbnail, flagged), (page, False)] if first else [(page, False), (thumbnail, flagged)]
    )
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for image, reduced in order:
            writer.write(image, photometric="minisblack", subfiletype=int(reduced))
    assert the_one(tmp_path / "a.tif").shape == (1200, 900, 3)


def test_pyramids_are_one_page(tmp_path: Path) -> None:
    page = np.full((512, 512, 3), 7, np.uint8)
    with tifffile.TiffWriter(tmp_path / "subifds.tif") as writer:
        writer.write(page, photometric="rgb", tile=(128, 128), subifds=2)
        writer.write(page[::2, ::2], photometric="rgb", tile=(128, 128), subfiletype=1)
        writer.write(page[::4, ::4], photometric="rgb", tile=(128, 128), subfiletype=1)
    with tifffile.TiffWriter(tmp_path / "pages.tif") as writer:
        writer.write(page, photometric="rgb")
        writer.write(page[::2, ::2], photometric="rgb", subfiletype=1)
        writer.write(page[::4, ::4], photometric="rgb", subfiletype=1)
    assert the_one(tmp_path / "subifds.tif").shape == (512, 512, 3)
    assert the_one(tmp_path / "pages.tif").shape == (512, 512, 3)


def test_small_true_pages_stay(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(np.zeros((1200, 900), np.uint8), photometric="minisblack")
        writer.write(np.zeros((200, 500), np.uint8), photometric="minisblack")  # a slip of paper
    assert [frame.image.shape for frame in read_frames(tmp_path / "a.tif")] == [
        (1200, 900, 3),
        (200, 500, 3),
    ]


def test_a_tiff_whose_only_page_is_flagged_as_reduced_has_a_page(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", RGB, photometric="rgb", subfiletype=1)
    assert np.array_equal(the_one(tmp_path / "a.tif"), RGB)


def test_a_bad_page_does_not_hide_the_others(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    noise = np.random.default_rng(1).integers(0, 255, (3, 64, 64, 3), dtype=np.uint8)
    with tifffile.TiffWriter(path) as writer:
        for image in noise:
            writer.write(image, photometric="rgb", compression="lzw")
    with tifffile.TiffFile(path) as tiff:
        offset = tiff.pages[1].dataoffsets[0]
    content = bytearray(path.read_bytes())
    content[offset + 100 : offset + 400] = b"\xff" * 300
    path.write_bytes(content)
    good, bad, last = read_each_frame(path)
    assert isinstance(good, Frame)
    assert isinstance(bad, UnreadFrame) and isinstance(bad.error, DamagedImage) and bad.index == 1
    assert isinstance(last, Frame) and last.index == 2 and np.array_equal(last.image, noise[2])


@pytest.mark.parametrize("left", [0, 1, 30])
def test_pages_that_were_cut_off_are_missed(tmp_path: Path, left: int) -> None:
    path = tmp_path / "a.tif"
    noise = np.random.default_rng(1).integers(0, 255, (3, 64, 64, 3), dtype=np.uint8)
    with tifffile.TiffWriter(path) as writer:
        for image in noise:
            writer.write(image, photometric="rgb")
    with tifffile.TiffFile(path) as tiff:
        cut = tiff.pages[1].offset + left
    path.write_bytes(path.read_bytes()[:cut])
    frames = list(read_each_frame(path))
    assert isinstance(frames[0], Frame)
    assert isinstance(frames[-1], UnreadFrame)
    assert isinstance(frames[-1].error, DamagedImage)
    assert len(frames) == 2


# Files that are broken, too large, or something else ------------------------------------------


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
    with pytest.raises(ImageTooLarge, match=f"limit of {pixels - 1:,}"):
        list(read_frames(path, max_pixels=pixels - 1))


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
