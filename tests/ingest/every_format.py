"""One small picture in every format that is read, and what it is to be read as."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from PIL import Image

from ingest.sources import read_frames
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
        f"tiff of luminance and colour, {packed}": (
            lambda p, packed=packed: tifffile.imwrite(
                p,
                np.asarray(Image.fromarray(RGB).convert("YCbCr")),
                photometric="ycbcr",
                subsampling=(1, 1),
                compression=packed,
            ),
            RGB,
            4 if packed == "jpeg" else 2,
        )
        for packed in ("none", "lzw", "deflate", "packbits", "jpeg")
    },
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
