"""The one door for images: what is read here comes out as (H, W, 3) uint8 RGB, or is refused.

What a file is, its first bytes say, never its name. Sizes are read from the header and held
against a limit before anything is decoded.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import re
import stat
import struct
import unicodedata
import warnings
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ingest.headers import CODESTREAM, JP2_SIGNATURE, jpeg_size, webp_size
from ingest.jpeg2000 import read_jpeg2000
from ingest.pdf import pdf_decoders
from ingest.pixels import (
    ADVICE_COPY,
    ADVICE_FORMAT,
    ADVICE_SIZE,
    RGB,
    check_bytes,
    check_pixels,
    grey_as_rgb,
    on_white,
    real_to_8_bits,
    to_8_bits,
)
from ingest.tiff import tiff_decoders
from retrieval.catalogue.errors import DamagedImage, ImageTooLarge, NotAnImage, SourceError

#: Pixels of one image that are decoded at most, unless the caller allows more.
MAX_PIXELS = 200_000_000

#: Bytes that a PNG may hold beside its picture in one piece, such as a text.
MAX_PNG_ASIDE = 8_000_000

#: Bytes that tell what a file is; so far into it the mark of a PDF may lie.
HEAD = 1024

#: Images that one multi-page file may hold.
MAX_FRAMES = 10_000

#: The endings of the files that a folder is searched for, in lower case.
IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".png", ".tif", ".tiff", ".webp", ".pdf"}
    | {".jp2", ".jpx", ".jpf", ".j2k", ".j2c", ".jpc"}
)

#: Folders in which systems keep previews of pictures, and our own that are no masters.
_NOT_SOURCES = frozenset({"@eaDir", "__MACOSX"})
_ARCHIVE_FOLDERS = frozenset({"crops", "masters", "models", "index", "backups"})

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
    image: RGB


@dataclass(frozen=True)
class UnreadFrame:
    """An image of a file that could not be read: its place, and why."""

    index: int
    error: SourceError


class ImageFile(NamedTuple):
    """A file to ingest: its path, and its POSIX path below SOURCE, which names it for good."""

    path: Path
    name: str


@dataclass(frozen=True)
class ImageFiles:
    """What lies below a SOURCE: the image files in natural order, and how many others."""

    files: tuple[ImageFile, ...]
    skipped: int


def read_frames(path: Path, max_pixels: int = MAX_PIXELS) -> Iterator[Frame]:
    """Give the images of the file one after another, decoded as they are asked for.

    JPEG, JPEG 2000, PNG and WebP hold one image, TIFF and PDF any number. Thumbnails and smaller
    copies inside a TIFF are left out, and so is what follows the first image of a WebP that moves:
    it is no further page. Images are turned as the file says they are to be shown, transparent
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


def _read(index: int, decode: Callable[[], RGB]) -> Frame | UnreadFrame:
    try:
        return Frame(index, _checked(decode()))
    except Exception as error:  # a decoder's: their kinds have no end
        return UnreadFrame(index, _as_source_error(error))


def image_files(source: Path) -> ImageFiles:
    """Return the files to ingest from `source`: a folder, searched to its depth, or one file.

    In a folder only files named like images (`IMAGE_SUFFIXES`, in any case) count; hidden ones,
    links that lead out of the folder, and the crops of an archive that lies in it are passed
    over. A file named by itself is taken whatever it is called. Raises SourceError when
    `source` does not exist or cannot be listed.
    """
    if source.is_file():
        return ImageFiles((ImageFile(source.resolve(), storable(source.name)),), 0)
    if not source.is_dir():
        raise SourceError(f"{source} does not exist.", "Name a folder or an image file.")
    root = source.resolve()
    files: list[ImageFile] = []
    skipped = 0

    def refuse(error: OSError) -> None:
        raise SourceError(
            f"{error.filename} cannot be listed: {error.strerror}.", "Check its permissions."
        ) from error

    for folder, below, names in os.walk(root, onerror=refuse, followlinks=False):
        ours = _ARCHIVE_FOLDERS if "archive.db" in names else frozenset()
        below[:] = [
            name
            for name in below
            if not name.startswith(".") and name not in _NOT_SOURCES and name not in ours
        ]
        for name in names:
            path = Path(folder, name)
            if _is_to_ingest(path, root):
                files.append(ImageFile(path, storable(path.relative_to(root).as_posix())))
            else:
                skipped += 1
    files.sort(key=lambda file: natural_key(file.name))
    return ImageFiles(tuple(files), skipped)


def natural_key(name: str) -> tuple[object, ...]:
    """Return a key that sorts paths as people do: folder by folder, 2 before 10, A beside a."""
    parts = tuple(
        tuple(
            (0, int(piece), "") if piece.isdecimal() and len(piece) < 40 else (1, 0, piece)
            for piece in re.split(r"([0-9]+)", part.casefold())
            if piece
        )
        for part in name.split("/")
    )
    return parts, name


def storable(name: str) -> str:
    """Return `name` as text that any database holds: NFC, bytes that are no UTF-8 as `\\xe9`."""
    encoded = name.encode("utf-8", "surrogateescape")
    return unicodedata.normalize("NFC", encoded.decode("utf-8", "backslashreplace"))


def location_of(path: Path) -> str:
    """Return how a page keeps the place of its master: the path, or a file: URL.

    The URL is for a path whose bytes are no UTF-8. `path_of` is the way back.
    """
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return path.as_uri()
    return str(path)


def path_of(location: str) -> Path:
    """Return the path of a master from its page's `location`."""
    if location.startswith("file://"):
        return Path(os.fsdecode(unquote_to_bytes(urlsplit(location).path)))
    return Path(location)


def is_at_hand(source: Path) -> bool:
    """Return whether a SOURCE, or a folder in one, is there and holds something.

    A disc that was taken out and a share that was lost leave nothing, or an empty folder.
    """
    try:
        return source.is_file() or any(source.iterdir())
    except OSError:
        return False


def _is_to_ingest(path: Path, root: Path) -> bool:
    if path.name.startswith(".") or path.suffix.lower() not in IMAGE_SUFFIXES:
        return False
    if path.is_symlink():
        return path.is_file() and path.resolve().is_relative_to(root)
    return True


def _opened(path: Path) -> BinaryIO:
    try:
        # Opening a pipe would wait for its writer.
        if not stat.S_ISREG(path.stat().st_mode):
            raise NotAnImage("It is not a regular file.", "Name image files only.")
        return path.open("rb")
    except OSError as error:
        raise SourceError(
            f"It cannot be opened: {error.strerror or error}.",
            "Check that it is there and that you may read it.",
        ) from error


def _as_source_error(error: Exception) -> SourceError:
    if isinstance(error, SourceError):
        return error
    if isinstance(error, Image.DecompressionBombError):
        return ImageTooLarge(f"{error}", ADVICE_SIZE)
    if isinstance(error, UnidentifiedImageError):
        return DamagedImage("Its header cannot be understood.", ADVICE_COPY)
    if "MAX_TEXT" in str(error):  # Pillow's guard against texts in a PNG that swell
        return ImageTooLarge(
            "It holds a text that unpacks to more than a picture needs.",
            "Save it without its comments.",
        )
    if isinstance(error, OSError) and error.errno is not None:  # a decoder's own have no number
        return SourceError(
            f"It cannot be read: {error.strerror or error}.",
            "Check the disk or the network that it is on, and ingest it again.",
        )
    if isinstance(error, MemoryError):
        return ImageTooLarge("It does not fit into memory.", "Save it smaller or in parts.")
    what = " ".join(str(error).split())[:200] or type(error).__name__
    return DamagedImage(f"Its data are broken: {what}.", ADVICE_COPY)


def _checked(image: RGB) -> RGB:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise DamagedImage(f"It decodes to an array of shape {image.shape}.", ADVICE_COPY)
    return np.ascontiguousarray(image)


@contextlib.contextmanager
def _decoders(
    stream: BinaryIO, name: str, max_pixels: int
) -> Iterator[Iterator[Callable[[], RGB]]]:
    """Give one decoder an image, having recognised the format; what they hold is let go after."""
    with contextlib.closing(_recognised(stream, name, max_pixels)) as decoders:
        yield decoders


def _recognised(
    stream: BinaryIO, name: str, max_pixels: int
) -> Generator[Callable[[], RGB], None, None]:
    head = stream.read(HEAD)
    stream.seek(0)
    match suffix_of(head):
        case ".jpg":
            yield lambda: _read_jpeg(stream, max_pixels)
        case ".png":
            yield lambda: _read_png(stream, max_pixels)
        case ".tif":
            yield from tiff_decoders(stream, name, max_pixels)
        case ".jp2" | ".j2k":
            yield lambda: read_jpeg2000(stream, max_pixels)
        case ".webp":
            yield lambda: _read_webp(stream, head, max_pixels)
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
        raise NotAnImage("It is empty.", "Copy it again from its origin.")
    raise NotAnImage(_what_it_is(head), ADVICE_FORMAT)


def _what_it_is(head: bytes) -> str:
    if head[4:8] == b"ftyp":
        return f"It is an HEIC, AVIF or video file, {_NONE_OF_OURS}."
    if not head.strip(b"\0"):
        return "It is no image: it begins with zeros only."
    for magic, what in _WHAT_ELSE:
        if head.lstrip().startswith(magic):
            return f"It is {what}, {_NONE_OF_OURS}."
    return f"It is of no known kind, {_NONE_OF_OURS}."


# JPEG, PNG and WebP ---------------------------------------------------------------------------


def _read_pillow(stream: BinaryIO, kind: str, max_pixels: int) -> RGB:
    if max_pixels > (Image.MAX_IMAGE_PIXELS or 0):
        Image.MAX_IMAGE_PIXELS = max_pixels  # raised to what the caller allows, never lifted
    with warnings.catch_warnings():
        # Pillow warns before we can look; the check below is the one that counts.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        opened = Image.open(stream, formats=(kind,))
    with opened as image:
        check_pixels(image.width, image.height, max_pixels)
        image.load()
        # A broken EXIF block is no reason to refuse the picture.
        try:
            turned = ImageOps.exif_transpose(image)
        except Exception:  # Pillow's EXIF parser raises whatever the bytes lead it to
            turned = image
        return _flattened(turned)


def _read_jpeg(stream: BinaryIO, max_pixels: int) -> RGB:
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
    return _read_pillow(stream, "JPEG", max_pixels)


def _read_png(stream: BinaryIO, max_pixels: int) -> RGB:
    head = stream.read(24)
    if len(head) == 24 and head[12:16] == b"IHDR":
        width, height = struct.unpack_from(">II", head, 16)
        check_pixels(width, height, max_pixels)
    _check_png_chunks(stream)
    stream.seek(0)
    return _read_pillow(stream, "PNG", max_pixels)


def _read_webp(stream: BinaryIO, head: bytes, max_pixels: int) -> RGB:
    claimed = webp_size(head)
    if claimed is None:
        raise DamagedImage("Its header cannot be understood.", ADVICE_COPY)
    check_pixels(*claimed, max_pixels)  # Pillow makes room for the canvas as it opens it
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if size < 8 + int.from_bytes(head[4:8], "little"):
        raise DamagedImage("It is cut short: its end is missing.", ADVICE_COPY)
    check_bytes(size, max_pixels)
    return _read_pillow(stream, "WEBP", max_pixels)


def _check_png_chunks(stream: BinaryIO) -> None:
    """Raise DamagedImage where a chunk is cut short or fails its checksum.

    Pillow passes over the checksums of the image data and over a missing end.
    """
    stream.seek(8)
    while True:
        head = stream.read(8)
        if len(head) < 8:
            raise DamagedImage("It is cut short: its end is missing.", ADVICE_COPY)
        length, kind = struct.unpack(">I4s", head)
        if length > MAX_PNG_ASIDE and kind not in (b"IDAT", b"IEND"):
            raise ImageTooLarge(
                f"It claims {length:,} bytes beside its picture ({kind.decode('latin-1')!r}).",
                "Save it without its comments.",
            )
        checksum = zlib.crc32(kind)
        while length:
            piece = stream.read(min(length, 1 << 20))
            if not piece:
                raise DamagedImage("It is cut short: its end is missing.", ADVICE_COPY)
            checksum = zlib.crc32(piece, checksum)
            length -= len(piece)
        stated = stream.read(4)
        if len(stated) < 4 and kind != b"IEND":
            raise DamagedImage("It is cut short: its end is missing.", ADVICE_COPY)
        # Only the chunks that make the picture: a spoilt comment does it no harm.
        if kind[:1].isupper() and kind != b"IEND" and struct.pack(">I", checksum) != stated:
            raise DamagedImage(
                f"Its data are broken: the checksum of a {kind.decode('latin-1')} chunk is wrong.",
                ADVICE_COPY,
            )
        if kind == b"IEND":
            return


def _flattened(image: Image.Image) -> RGB:
    """Return a Pillow image of any mode as RGB on white."""
    if image.mode.startswith("I;16") or image.mode == "I":
        return grey_as_rgb(to_8_bits(np.asarray(image).clip(0, 65535).astype(np.uint16), 65535))
    if image.mode == "F":
        return grey_as_rgb(real_to_8_bits(np.asarray(image)))
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        pixels = np.asarray(image.convert("RGBA"))
        return on_white(pixels[..., :3], pixels[..., 3])
    return np.asarray(image.convert("RGB"))
