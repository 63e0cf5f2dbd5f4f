"""The one door for images: what is read here comes out as (H, W, 3) uint8 RGB, or is refused.

What a file is, its first bytes say, never its name. Sizes are read from the header and held
against a limit before anything is decoded.
"""

from __future__ import annotations

import contextlib
import itertools
import stat
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from ingest.image_sizes import CODESTREAM, JP2_SIGNATURE
from ingest.jpeg2000 import read_jpeg2000
from ingest.jpeg_png_webp import read_jpeg, read_png, read_webp
from ingest.pdf import pdf_decoders
from ingest.pixels import ADVICE_COPY, ADVICE_FORMAT, ADVICE_SIZE
from ingest.tiff import tiff_decoders
from retrieval.catalogue.errors import DamagedImage, ImageTooLarge, NotAnImage, SourceError
from retrieval.ink import Pixels

#: Pixels of one image that are decoded at most, unless the caller allows more.
MAX_PIXELS = 200_000_000

#: Bytes that tell what a file is; so far into it the mark of a PDF may lie.
HEAD = 1024

#: Images that one multi-page file may hold.
MAX_FRAMES = 10_000

_WHAT_ELSE = (
    (b"GIF8", "a GIF image"),
    (b"BM", "a Windows bitmap"),
    (b"8BPS", "a Photoshop file"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"<", "HTML or XML text"),
)

_NONE_OF_OURS = "not a JPEG, JPEG 2000, PNG, TIFF, WebP or PDF"

# Our own check against the caller's limit comes first; this one guards what else uses Pillow.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS


@dataclass(frozen=True)
class Frame:
    """One image of a file: its place among the file's images, and (H, W, 3) uint8 RGB."""

    index: int
    image: Pixels


@dataclass(frozen=True)
class UnreadFrame:
    """An image of a file that could not be read: its place, and why."""

    index: int
    error: SourceError


def read_frames(path: Path, max_pixels: int = MAX_PIXELS) -> Iterator[Frame]:
    """Give the images of the file one after another, decoded as they are asked for.

    JPEG, JPEG 2000, PNG and WebP hold one image, TIFF and PDF any number. Thumbnails and smaller
    copies inside a TIFF are left out, and so is what follows the first image of a WebP that moves:
    it is not another page. Images are turned as the file says they are to be shown, transparent
    ones are laid on white, samples of other depths are scaled to 8 bits.

    Raises NotAnImage, DamagedImage or ImageTooLarge (more than `max_pixels`), and SourceError
    for a file that cannot be opened; never a decoder's own exception.
    """
    for frame in read_each_frame(path, max_pixels):
        if isinstance(frame, UnreadFrame):
            raise frame.error
        yield frame


def read_frame(path: Path, index: int, max_pixels: int = MAX_PIXELS) -> Frame | None:
    """Return one image of the file, without decoding those before it; None past the last.

    Raises what `read_frames` raises.
    """
    try:
        with _opened(path) as stream, _decoders(stream, path.name, max_pixels) as decoders:
            for decode in itertools.islice(decoders, index, index + 1):
                return Frame(index, _checked(decode()))
    except Exception as error:  # a decoder's: their kinds have no end
        raise _as_source_error(error) from error
    return None


def holds_several(path: Path, max_pixels: int = MAX_PIXELS) -> bool:
    """Return whether a file that can be read holds more than one image, decoding none."""
    try:
        with _opened(path) as stream, _decoders(stream, path.name, max_pixels) as decoders:
            return next(itertools.islice(decoders, 1, None), None) is not None
    except Exception as error:  # a decoder's: their kinds have no end
        raise _as_source_error(error) from error


def read_each_frame(path: Path, max_pixels: int = MAX_PIXELS) -> Iterator[Frame | UnreadFrame]:
    """Give what `read_frames` gives, and go on after an image that cannot be read.

    Raises nothing: a file that is of no use at all gives a single UnreadFrame with index 0.
    """
    following = 0
    try:
        with _opened(path) as stream, _decoders(stream, path.name, max_pixels) as decoders:
            for decode in decoders:
                if following == MAX_FRAMES:
                    raise ImageTooLarge(
                        f"It holds more than {MAX_FRAMES:,} images.", "Split the file."
                    )
                yield _read(following, decode)  # not kept: the next needs the memory
                following += 1
    except Exception as error:  # likewise, from the headers
        yield UnreadFrame(following, _as_source_error(error))


def _read(index: int, decode: Callable[[], Pixels]) -> Frame | UnreadFrame:
    try:
        return Frame(index, _checked(decode()))
    except Exception as error:  # a decoder's: their kinds have no end
        return UnreadFrame(index, _as_source_error(error))


def _opened(path: Path) -> BinaryIO:
    try:
        # Opening a pipe would wait for its writer.
        if not stat.S_ISREG(path.stat().st_mode):
            raise NotAnImage("It is not a regular file.", "Name image files only.")
        return path.open("rb")
    except OSError as error:
        raise SourceError(
            f"It cannot be opened: {error.strerror or error}.",
            "Check that it exists and that you may read it.",
        ) from error


def _as_source_error(error: Exception) -> SourceError:
    if isinstance(error, SourceError):
        return error
    if isinstance(error, Image.DecompressionBombError):
        return ImageTooLarge(f"{error}", ADVICE_SIZE)
    if isinstance(error, UnidentifiedImageError):
        return DamagedImage("Its header is not valid.", ADVICE_COPY)
    if "MAX_TEXT" in str(error):  # Pillow's guard against texts in a PNG that swell
        return ImageTooLarge(
            "It contains text that unpacks to more than a picture needs.",
            "Save it without its comments.",
        )
    if isinstance(error, OSError) and error.errno is not None:  # a decoder's own have no number
        return SourceError(
            f"It cannot be read: {error.strerror or error}.",
            "Check the disk or the network that it is on, and try again.",
        )
    if isinstance(error, MemoryError):
        return ImageTooLarge("It does not fit into memory.", "Save it smaller or in parts.")
    what = " ".join(str(error).split())[:200] or type(error).__name__
    return DamagedImage(f"It is damaged: {what}.", ADVICE_COPY)


def _checked(image: Pixels) -> Pixels:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise DamagedImage(f"It decodes to an array of shape {image.shape}.", ADVICE_COPY)
    return np.ascontiguousarray(image)


@contextlib.contextmanager
def _decoders(
    stream: BinaryIO, name: str, max_pixels: int
) -> Iterator[Iterator[Callable[[], Pixels]]]:
    """Give one decoder an image, having recognised the format; what they hold is let go after."""
    with contextlib.closing(_recognised(stream, name, max_pixels)) as decoders:
        yield decoders


def _recognised(
    stream: BinaryIO, name: str, max_pixels: int
) -> Generator[Callable[[], Pixels], None, None]:
    head = stream.read(HEAD)
    stream.seek(0)
    match suffix_of(head):
        case ".jpg":
            yield lambda: read_jpeg(stream, max_pixels)
        case ".png":
            yield lambda: read_png(stream, max_pixels)
        case ".tif":
            yield from tiff_decoders(stream, name, max_pixels)
        case ".jp2" | ".j2k":
            yield lambda: read_jpeg2000(stream, max_pixels)
        case ".webp":
            yield lambda: read_webp(stream, head, max_pixels)
        case ".pdf":
            yield from pdf_decoders(stream, max_pixels, MAX_FRAMES)


def suffix_of(head: bytes) -> str:
    """Return the ending that suits a file by its first `HEAD` bytes: ".jpg", ".tif" and so on.

    Raises NotAnImage for what is not read here.
    """
    if head.startswith(b"\xff\xd8\xff"):
        return ".jpg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return ".png"
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return ".tif"
    if head.startswith(JP2_SIGNATURE):
        return ".jp2"
    if head.startswith(CODESTREAM):
        return ".j2k"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return ".webp"
    if b"%PDF-" in head:
        return ".pdf"
    if not head:
        raise NotAnImage("It is empty.", "Copy it again from the original.")
    raise NotAnImage(_what_it_is(head), ADVICE_FORMAT)


def _what_it_is(head: bytes) -> str:
    if head[4:8] == b"ftyp":
        return f"It is an HEIC, AVIF or video file, {_NONE_OF_OURS}."
    if not head.strip(b"\0"):
        return "It is not an image: it begins with zeros."
    for magic, what in _WHAT_ELSE:
        if head.lstrip().startswith(magic):
            return f"It is {what}, {_NONE_OF_OURS}."
    return f"It is of an unknown type, {_NONE_OF_OURS}."
