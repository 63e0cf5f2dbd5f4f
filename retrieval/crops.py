"""The pictures of marks: PNG files under `crops/`, named by their SHA-256, written once."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from retrieval.catalogue.errors import ArchiveError
from retrieval.catalogue.files import write_atomically

if TYPE_CHECKING:  # the processes that only write crops start in half the time without SQL
    from retrieval.catalogue.archive import Archive

#: Pixels of a stored crop's longest side: more than any model looks at, enough for a person.
LONGEST_SIDE = 384

#: Crops that are written side by side: the disk makes several durable in the time of one.
_SIDE_BY_SIDE = 8

_SHA256 = re.compile(r"[0-9a-f]{64}")


def write_crop(folder: Path, image: NDArray[np.uint8]) -> str:
    """Keep `image`, (H, W, 3) RGB, among the crops in `folder` and return its SHA-256.

    A longest side over `LONGEST_SIDE` is brought down to it by area-averaging. The same picture
    is kept once, however often it is stored; its time says when it was stored last
    (`ingest.unused_crops`).
    """
    content = _png(within(image, LONGEST_SIDE))
    sha256 = hashlib.sha256(content).hexdigest()
    path = _path(folder, sha256)
    try:
        os.utime(path)
    except (FileNotFoundError, NotADirectoryError):
        write_atomically(path, content)
    except PermissionError:  # a colleague's file, whose time is theirs alone to change
        pass
    return sha256


def write_crops(folder: Path, images: Iterable[NDArray[np.uint8]]) -> list[str]:
    """Do what `write_crop` does with each of several images; raises OSError as it does."""
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as writers:
        return list(writers.map(partial(write_crop, folder), images))


def crop_path(archive: Archive, sha256: str) -> Path:
    """Return where the crop named `sha256` lies; the file need not be there.

    Raises ArchiveError when `sha256` is not a SHA-256 in lower-case hexadecimal digits.
    """
    return _path(archive.crops_folder, sha256)


def read_crop(archive: Archive, sha256: str) -> bytes:
    """Return the crop as it is kept, a PNG; raises ArchiveError when it is gone or damaged."""
    path = crop_path(archive, sha256)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArchiveError(
            f"The crop {path} cannot be read ({error.strerror or error}). Restore the archive's "
            "folder `crops` from a backup."
        ) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise _damaged(path)
    return content


def load_crop(archive: Archive, sha256: str) -> NDArray[np.uint8]:
    """Return the crop as (H, W, 3) uint8 RGB; raises ArchiveError when it is gone or damaged."""
    content = np.frombuffer(read_crop(archive, sha256), np.uint8)
    image = cv2.imdecode(content, cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise _damaged(crop_path(archive, sha256))
    return np.asarray(image, np.uint8)


def _damaged(path: Path) -> ArchiveError:
    return ArchiveError(
        f"The crop {path} is damaged: its content does not match its name. Restore the archive's "
        "folder `crops` from a backup."
    )


def load_crops(
    archive: Archive, marks: Sequence[tuple[int, str]], unread: list[str]
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Give the crops of `marks`, (mark, SHA-256), that can be read: place in `marks`, picture.

    A sentence on each of the others is added to `unread`.
    """
    for at, (mark, sha256) in enumerate(marks):
        try:
            picture = load_crop(archive, sha256)
        except ArchiveError as error:
            unread.append(f"mark {mark}: {error}")
        else:
            yield at, picture


def _path(folder: Path, sha256: str) -> Path:
    if not _SHA256.fullmatch(sha256):
        raise ArchiveError(
            f"{sha256[:80]!r} is not the name of a crop: crops are named by their SHA-256."
        )
    return folder / sha256[:2] / f"{sha256}.png"


def within(image: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """Return a picture, (H, W) or (H, W, 3), area-averaged to no more than `longest` a side."""
    height, width = image.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _png(image: NDArray[np.uint8]) -> bytes:
    red, green, blue = image[..., 0], image[..., 1], image[..., 2]
    if np.array_equal(red, green) and np.array_equal(red, blue):
        pixels = np.ascontiguousarray(red)  # a grey crop takes a third of the room
    else:
        pixels = np.ascontiguousarray(image[..., ::-1])
    # OpenCV's own choice, without matches, takes a quarter more room; to try all filters on each
    # row takes nearly twice the time for as much room as the difference from the row above.
    done, content = cv2.imencode(
        ".png",
        pixels,
        [
            cv2.IMWRITE_PNG_COMPRESSION,
            1,
            cv2.IMWRITE_PNG_STRATEGY,
            cv2.IMWRITE_PNG_STRATEGY_DEFAULT,
            cv2.IMWRITE_PNG_FILTER,
            cv2.IMWRITE_PNG_FILTER_UP,
        ],
    )
    assert done, "a PNG of an array in memory"
    return content.tobytes()
