"""TIFF: its true pages, without thumbnails and masks, of any kind of sample, as RGB."""

from __future__ import annotations

import functools
import itertools
import logging
import os
import struct
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from ingest.image_sizes import codestream, jpeg_size, webp_size
from ingest.pixels import (
    ADVICE_COPY,
    ADVICE_FORMAT,
    ADVICE_SIZE,
    check_pixels,
    from_inks,
    grey_as_rgb,
    real_to_8_bits,
    to_8_bits,
)
from retrieval.catalogue.errors import DamagedImage, ImageTooLarge, NotAnImage
from retrieval.ink import Pixels
from retrieval.transparency import on_white

#: Directories of one file that are looked at; the others are ignored.
MAX_DIRECTORIES = 20_000


def _codestream_size(data: bytes) -> tuple[int, int] | None:
    claims = codestream(data)
    return None if claims is None else (claims.width, claims.height)


#: Whose unpacked size is bounded by the header, and those whose parts have headers of their own.
_INNER_SIZES: dict[int, Callable[[bytes], tuple[int, int] | None]] = {
    7: jpeg_size,
    33003: _codestream_size,  # Aperio's JPEG 2000
    33005: _codestream_size,
    34712: _codestream_size,
    50001: webp_size,
}
_BOUNDED = (1, 2, 3, 4, 5, 6, 8, 32773, 32946, 34925, 50000)
_COMPRESSIONS = frozenset(_BOUNDED) | _INNER_SIZES.keys()

# tifffile tells its log what we tell the archivist in the quarantine.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


def tiff_decoders(stream: BinaryIO, name: str, max_pixels: int) -> Iterator[Callable[[], Pixels]]:
    """Give a decoder for each true page, to (H, W, 3) RGB, in the file's order.

    Raises DamagedImage, before or after them, for what the file says about its pages and does
    not hold; decoders raise whatever the data lead them to.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    with tifffile.TiffFile(stream, name=name) as tiff:
        pages: list[Any] = []
        problem: Exception | None = None
        try:
            seen: set[int] = set()
            for page in itertools.islice(tiff.pages, MAX_DIRECTORIES):
                if page.offset in seen:
                    break
                seen.add(page.offset)
                pages.append(page)
            if not pages:
                raise DamagedImage("It has a header but no images.", ADVICE_COPY)
            if (further := _next_offset(tiff, pages[-1])) in seen:
                raise DamagedImage(
                    f"Its list of pages is circular, after {len(pages):,}.", ADVICE_COPY
                )
            if further >= size:
                raise DamagedImage(
                    f"It is truncated: it has {size:,} bytes, but another page would begin at "
                    f"{further:,}.",
                    ADVICE_COPY,
                )
        except Exception as error:  # the pages before a damaged one are still good
            problem = error
        for page in _true_pages(pages):
            yield functools.partial(_read_page, page, size, max_pixels)
        if problem is not None:
            raise problem


def _next_offset(tiff: Any, page: Any) -> int:
    """Return where the directory after the page's begins; 0 after the last.

    tifffile ends the list of pages in silence where that is past the end of the file.
    """
    layout = tiff.tiff
    tiff.filehandle.seek(page.offset)
    (tags,) = struct.unpack(layout.tagnoformat, tiff.filehandle.read(layout.tagnosize))
    tiff.filehandle.seek(tags * layout.tagsize, os.SEEK_CUR)
    (offset,) = struct.unpack(layout.offsetformat, tiff.filehandle.read(layout.offsetsize))
    return int(offset)


def _true_pages(pages: list[Any]) -> list[Any]:
    """Leave out what is a smaller copy or a mask of another page.

    Most writers flag them. Some cameras and scanners do not: such a page is taken for a
    thumbnail when it is small, shaped like the page beside it, and a quarter of its size or less.
    """
    flagged = [page for page in pages if not page.subfiletype & 0b101]
    kept = flagged or sorted(pages, key=lambda page: -page.imagewidth * page.imagelength)[:1]
    return [
        page
        for at, page in enumerate(kept)
        if not any(_is_thumbnail_of(page, other) for other in kept[max(0, at - 1) : at + 2])
    ]


def _is_thumbnail_of(page: Any, other: Any) -> bool:
    width, height = page.imagewidth, page.imagelength
    if not width or not height or max(width, height) > 640:
        return False
    across, down = other.imagewidth / width, other.imagelength / height
    return bool(min(across, down) >= 4 and abs(across / down - 1) < 0.06)


def _read_page(page: Any, size: int, max_pixels: int) -> Pixels:
    width, height = page.imagewidth, page.imagelength
    check_pixels(width, height, max_pixels)
    if page.is_tiled:
        check_pixels(page.tilewidth, page.tilelength, max(max_pixels, 1 << 22))
    samples, bits = page.samplesperpixel, page.bitspersample
    if isinstance(bits, int) and width * height * samples * bits > 64 * max_pixels:
        raise ImageTooLarge(
            f"It has {width:,} by {height:,} pixels of {samples * bits:,} bits, more than eight "
            f"bytes each of the limit of {max_pixels:,}.",
            ADVICE_SIZE,
        )
    if not 1 <= samples <= 8 or page.imagedepth != 1:
        raise NotAnImage(
            f"It has {samples} channels and a depth of {page.imagedepth}, so it is not a picture "
            "of a page.",
            ADVICE_FORMAT,
        )
    if page.compression not in _COMPRESSIONS:
        raise NotAnImage(
            "It is a TIFF with unsupported compression "
            f"({getattr(page.compression, 'name', None)}).",
            ADVICE_FORMAT,
        )
    _check_segments(page, size)
    if page.compression == tifffile.COMPRESSION.OJPEG:
        return _read_old_jpeg(page)
    _check_inner_sizes(page, max_pixels)
    pixels = np.asarray(page.asarray(maxworkers=1))
    if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and pixels.ndim == 3:
        pixels = np.moveaxis(pixels, 0, -1)
    pixels = pixels.reshape(height, width, -1)
    return _turned(_as_rgb(page, pixels, pixels.shape[2], bits), page)


def _check_segments(page: Any, size: int) -> None:
    """Raise DamagedImage where data are missing; tifffile would fill the gap in silence."""
    offsets, counts = page.dataoffsets, page.databytecounts
    if not offsets or len(offsets) != len(counts):
        raise DamagedImage("It has a header but no image data.", ADVICE_COPY)
    end = max(offset + count for offset, count in zip(offsets, counts, strict=True))
    if end > size:
        raise DamagedImage(
            f"It is truncated: only {size:,} of {end:,} bytes are there.", ADVICE_COPY
        )
    if 0 in counts or 0 in offsets:
        raise DamagedImage("Parts of its image data are missing.", ADVICE_COPY)
    if page.compression == tifffile.COMPRESSION.NONE:
        stated = page.imagewidth * page.imagelength * page.samplesperpixel * page.bitspersample // 8
        if sum(counts) < stated:
            raise DamagedImage(
                f"It is truncated: only {sum(counts):,} of {stated:,} bytes of image data are "
                "there.",
                ADVICE_COPY,
            )


def _check_inner_sizes(page: Any, max_pixels: int) -> None:
    """Hold what each strip or tile claims, where it is an image file of its own, to the limit.

    Its decoder makes room for what it claims, whatever the page says.
    """
    if page.compression not in _INNER_SIZES:
        return
    inner_size = _INNER_SIZES[page.compression]
    file = page.parent.filehandle
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        file.seek(offset)
        claimed = inner_size(file.read(min(count, 1 << 16)))
        if claimed is None and count > 1 << 16:
            file.seek(offset)
            claimed = inner_size(file.read(count))
        if claimed is None:
            raise DamagedImage("Parts of its image data have no header.", ADVICE_COPY)
        check_pixels(*claimed, max_pixels)


def _read_old_jpeg(page: Any) -> Pixels:
    """Read a page of the first, ambiguous kind of JPEG in TIFF: libtiff knows how it was meant.

    Pillow turns it as the tag Orientation says, and gives the size that it has then.
    """
    file = page.parent.filehandle
    file.seek(0)
    with Image.open(file, formats=("TIFF",)) as image:
        image.seek(page.index)
        size = page.imagewidth, page.imagelength
        if image.size != (size[::-1] if _orientation(page) >= 5 else size):
            raise DamagedImage("Its header contradicts itself.", ADVICE_COPY)
        return np.asarray(image.convert("RGB"))


def _as_rgb(page: Any, pixels: NDArray[Any], samples: int, bits: int) -> Pixels:
    photometric = tifffile.PHOTOMETRIC
    kind = page.photometric
    if kind == photometric.PALETTE and page.colormap is not None:
        entries = np.asarray(page.colormap).T
        # Some writers keep 8-bit entries where the format wants 16.
        palette = to_8_bits(entries, 65535 if entries.max(initial=0) > 255 else 255)
        return np.asarray(palette[np.minimum(pixels[..., 0], len(palette) - 1)])
    if pixels.dtype.kind == "f":
        values = real_to_8_bits(pixels)
    elif pixels.dtype.kind in "bu":
        values = to_8_bits(pixels, 2 ** min(bits, 8 * pixels.dtype.itemsize) - 1)
    else:
        raise NotAnImage(
            "It contains signed numbers, so it is not a picture of a page.", ADVICE_FORMAT
        )
    if kind == photometric.SEPARATED:
        if samples < 4:
            raise NotAnImage(f"It has {samples} inks, not four.", ADVICE_FORMAT)
        return from_inks(values[..., :4])
    if kind == photometric.CIELAB:
        return _from_lab(values)
    grey = samples < 3 or kind in (photometric.MINISWHITE, photometric.MINISBLACK)
    colours = 1 if grey else 3
    # Who unpacks JPEG gives RGB. tifffile refuses colours at a lower resolution in all else.
    if kind == photometric.YCBCR and page.compression != tifffile.COMPRESSION.JPEG:
        return np.asarray(Image.fromarray(values[..., :3], "YCbCr").convert("RGB"))
    picture = grey_as_rgb(values[..., 0]) if grey else values[..., :3]
    if kind == photometric.MINISWHITE:
        picture = 255 - picture
    # 1 and 2 are transparency; 0, unspecified, may be anything and is left out.
    if samples > colours and page.extrasamples and int(page.extrasamples[0]) in (1, 2):
        premultiplied = int(page.extrasamples[0]) == 1
        return on_white(picture, values[..., colours], premultiplied=premultiplied)
    return picture


def _from_lab(values: Pixels) -> Pixels:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(
        Image.frombytes("LAB", values.shape[1::-1], values[..., :3].tobytes()),
        lab,
        srgb,
        outputMode="RGB",
    )
    assert converted is not None
    return np.asarray(converted)


def _turned(image: Pixels, page: Any) -> Pixels:
    """Turn and mirror the image as the tag Orientation says (1: as it is)."""
    match _orientation(page):
        case 2:
            return image[:, ::-1]
        case 3:
            return image[::-1, ::-1]
        case 4:
            return image[::-1]
        case 5:
            return image.swapaxes(0, 1)
        case 6:
            return image[::-1].swapaxes(0, 1)
        case 7:
            return image[::-1, ::-1].swapaxes(0, 1)
        case 8:
            return image.swapaxes(0, 1)[::-1]
        case _:
            return image


def _orientation(page: Any) -> int:
    known = page.tags.valueof(274, default=1)
    return known if known in range(1, 9) else 1
