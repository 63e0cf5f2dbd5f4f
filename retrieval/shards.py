"""Shards: files that hold what a model makes of the regions of pages, many pages a file.

A shard is named by the SHA-256 of its bytes, so that a damaged one gives itself away, and needs no
list beside it: what lies in the folder is what there is. It says which model it was made under, so
that one copied to another model's folder is not taken for that model's. Pages are known by the
content of their master, so that nothing changes when a master is moved. All is derived from the
masters: any file may be deleted, and is made again.

A component of a vector takes one byte, a box eight: of 137 bytes a region 128 are its vector.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.files import UNFINISHED, write_atomically

FOLDER, ENDING = "everywhere", ".regions"
#: Pages of a full shard; those of a run that goes on are smaller, and are put together at its end.
FULL = 1024
#: The largest component of a unit vector that a code holds; beyond, it is cut off. Components are
#: about 0.09, and none of 3,000 embeddings had one of 0.45.
LARGEST = 0.5
STEP = LARGEST / 127
#: Bytes of a region beside its vector: its box, and whether it was slid.
_BESIDES = 9
#: Boxes are kept in this many parts of their page's sides: exact up to as many pixels.
_PARTS = 65_535


class PageKey(NamedTuple):
    """A page by its content: the SHA-256 of its master, and the image within it."""

    sha256: str
    frame: int


@dataclass(frozen=True)
class PageRegions:
    """The regions of one page and what a model makes of them; a page may have none."""

    page: PageKey
    boxes: NDArray[np.uint16]  # (N, 4) x, y, width, height in 65,535ths of the page's sides
    slid: NDArray[
        np.bool_
    ]  # (N,) whether it was slid over the page, and fits nothing on it closely
    codes: NDArray[np.int8]  # (N, D), of steps of `STEP`


def shards_folder(archive: Archive, model_id: str) -> Path:
    """Return where the shards of a model lie."""
    return archive.index_folder / model_id / FOLDER


def folders_of_others(archive: Archive, model_id: str) -> list[Path]:
    """Return where the shards of all other models lie, in order of the models' ids."""
    own = shards_folder(archive, model_id)
    return sorted(one for one in archive.index_folder.glob(f"*/{FOLDER}") if one != own)


def coded(vectors: NDArray[np.float32]) -> NDArray[np.int8]:
    """Return vectors (N, D) of length 1 in one byte a component."""
    return np.asarray(np.clip(np.round(vectors / STEP), -127, 127), np.int8)


def decoded(codes: NDArray[np.int8]) -> NDArray[np.float32]:
    """Return what `coded` made into bytes, within half a `STEP` a component."""
    return np.asarray(codes * np.float32(STEP), np.float32)


def parts_of_sides(boxes: NDArray[np.int64], size: tuple[int, int]) -> NDArray[np.uint16]:
    """Return boxes (N, 4) in pixels of a page of (width, height) as parts of its sides."""
    return np.asarray(np.round(boxes * (_PARTS / np.array([*size, *size]))), np.uint16)


def in_pixels(parts: NDArray[np.uint16], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return boxes (N, 4) in pixels of pages whose (width, height) are `sizes`, (2,) or (N, 2)."""
    sides = np.concatenate([sizes, sizes], axis=-1)
    return np.asarray(np.round(parts * (sides / _PARTS)), np.int64)


def write_shard(folder: Path, scheme: str, pages: Sequence[PageRegions]) -> Path:
    """Write the pages into one new shard and return its path; OSError where that fails.

    `scheme` says which regions were chosen.
    """
    arrays: dict[str, NDArray[Any]] = {
        "contents": np.frombuffer(bytes.fromhex("".join(p.page.sha256 for p in pages)), np.uint8),
        "frames": np.array([page.page.frame for page in pages], np.int32),
        "counts": np.array([len(page.boxes) for page in pages], np.int32),
        "boxes": np.concatenate([page.boxes for page in pages]),
        "slid": np.concatenate([page.slid for page in pages]).astype(np.uint8),
        "codes": np.concatenate([page.codes for page in pages]),
        # No second entry of the metadata: safetensors does not keep the order of several.
        "model": np.frombuffer(_model_of(folder).encode(), np.uint8),
    }
    content = save_arrays(arrays, {"scheme": scheme})
    path = folder / f"{hashlib.sha256(content).hexdigest()}{ENDING}"
    write_atomically(path, content)
    return path


def read_shard(path: Path, size: int, scheme: str | None = None) -> list[PageRegions] | None:
    """Return the pages of a shard; None where it is damaged, another model's, or not asked for.

    `size` is the length of the model's vectors. Any `scheme` will do if None is named.
    """
    read = _scheme_and_pages(path, size)
    return None if read is None or scheme not in (None, read[0]) else read[1]


def _scheme_and_pages(path: Path, size: int) -> tuple[str | None, list[PageRegions]] | None:
    content = _trusted(path)
    if content is None:
        return None
    try:
        arrays = _arrays(path, content)
        contents = arrays["contents"].reshape(-1, 32)
        counts, frames = arrays["counts"], arrays["frames"]
        boxes, codes = arrays["boxes"].reshape(-1, 4), arrays["codes"].reshape(-1, size)
        slid = arrays["slid"].astype(bool)
    except (ValueError, KeyError, SafetensorError):
        return None
    if len({len(contents), len(counts), len(frames)}) > 1 or codes.dtype != np.int8:
        return None
    if len({len(boxes), len(slid), len(codes), int(counts.sum())}) > 1 or boxes.dtype != np.uint16:
        return None
    ends = np.cumsum(counts)
    pages = [
        PageRegions(
            PageKey(contents[at].tobytes().hex(), int(frames[at])),
            boxes[end - counts[at] : end],
            slid[end - counts[at] : end],
            codes[end - counts[at] : end],
        )
        for at, end in enumerate(ends.tolist())
    ]
    return _scheme_of(content), pages


def pages_in(path: Path) -> set[PageKey]:
    """Return which pages a shard of any model holds; none where it is damaged or misplaced."""
    content = _trusted(path)
    if content is None:
        return set()
    try:
        arrays = _arrays(path, content)
        contents, frames = arrays["contents"].reshape(-1, 32), arrays["frames"].tolist()
        return {PageKey(c.tobytes().hex(), f) for c, f in zip(contents, frames, strict=True)}
    except (ValueError, KeyError, SafetensorError):
        return set()


def _model_of(folder: Path) -> str:
    """Return the id of the model whose shards lie in `folder`, as `shards_folder` names it."""
    return folder.parent.name


def _arrays(path: Path, content: bytes) -> dict[str, NDArray[Any]]:
    """Return what is in a shard; ValueError where it was made under another model.

    Older shards do not say, and are taken for those of the model whose folder they lie in.
    """
    arrays = load_arrays(content)
    if "model" in arrays and arrays["model"].tobytes() != _model_of(path.parent).encode():
        raise ValueError(f"{path} was made under another model")
    return arrays


def _trusted(path: Path) -> bytes | None:
    """Return what a shard holds if that is what its name says."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == path.stem else None


def _scheme_of(content: bytes) -> str | None:
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    scheme = header.get("__metadata__", {}).get("scheme")
    return scheme if isinstance(scheme, str) else None


def shard_paths(folder: Path) -> list[Path]:
    """Return the shards in `folder`, in order of their names."""
    return sorted(folder.glob(f"*{ENDING}"))


def most_regions(folder: Path, size: int) -> int:
    """Return how many regions the shards in `folder` hold at the most, by the size of the files."""
    total = 0
    for path in shard_paths(folder):
        with suppress(FileNotFoundError):  # put together with others meanwhile
            total += path.stat().st_size // (size + _BESIDES)
    return total


def each_page(folder: Path, size: int) -> Iterator[PageRegions]:
    """Give each page of the shards that can be trusted, once.

    Meanwhile a run may tidy the folder (`tidy_shards`): what it put together is read as well.
    """
    seen: set[PageKey] = set()
    read: set[Path] = set()
    while new := [path for path in shard_paths(folder) if path not in read]:
        read.update(new)
        for path in new:
            for page in read_shard(path, size) or ():
                if page.page not in seen:
                    seen.add(page.page)
                    yield page


def tidy_shards(folder: Path, scheme: str, size: int, wanted: AbstractSet[PageKey]) -> set[PageKey]:
    """Leave in `folder` only wanted pages, each once; return which there are of `scheme`.

    These are put together in full shards; a full shard of wanted pages stays as it is. Pages of
    another scheme stay until there are such of `scheme`, so that they can be searched meanwhile.
    Damaged shards, and what a killed run left, are removed.
    """
    for unfinished in folder.glob(f"{UNFINISHED}*"):
        unfinished.unlink(missing_ok=True)
    kept: set[PageKey] = set()
    scattered: list[Path] = []
    others: list[Path] = []
    # Full ones first: a page that a kill left in two shards stays in the larger.
    for path in sorted(shard_paths(folder), key=lambda p: (-p.stat().st_size, p.name)):
        pages = read_shard(path, size, scheme)
        if pages is None:
            others.append(path)
            continue
        keys = {page.page for page in pages}
        if len(pages) >= FULL and keys <= wanted and keys.isdisjoint(kept):
            kept |= keys
        else:
            scattered.append(path)
    if len(scattered) > 1 or any(_has_gone(path, size, wanted, kept) for path in scattered):
        gathered = _pages_of(scattered, size, wanted, kept)
        made = {write_shard(folder, scheme, part) for part in _in_parts_of(gathered, FULL)}
        for path in set(scattered) - made:
            path.unlink(missing_ok=True)
        scattered = sorted(made)
    for path in scattered:
        kept |= {page.page for page in read_shard(path, size) or ()}
    held = set(kept)
    for path in others:
        held |= _reduce(path, size, wanted, held)
    return kept


def _reduce(
    path: Path, size: int, wanted: AbstractSet[PageKey], elsewhere: AbstractSet[PageKey]
) -> set[PageKey]:
    """Leave of a shard only the wanted pages that are not elsewhere, and return them."""
    scheme, pages = _scheme_and_pages(path, size) or ("", [])
    left = {page.page: page for page in pages if page.page in wanted and page.page not in elsewhere}
    if len(left) < len(pages) or not left:
        if left:
            write_shard(path.parent, scheme or "", list(left.values()))
        path.unlink(missing_ok=True)
    return set(left)


def _has_gone(
    path: Path, size: int, wanted: AbstractSet[PageKey], elsewhere: AbstractSet[PageKey]
) -> bool:
    pages = read_shard(path, size) or ()
    return any(page.page not in wanted or page.page in elsewhere for page in pages)


def _pages_of(
    paths: Iterable[Path], size: int, wanted: AbstractSet[PageKey], elsewhere: AbstractSet[PageKey]
) -> Iterator[PageRegions]:
    seen = set(elsewhere)
    for path in paths:
        for page in read_shard(path, size) or ():
            if page.page in wanted and page.page not in seen:
                seen.add(page.page)
                yield page


def _in_parts_of(pages: Iterator[PageRegions], count: int) -> Iterator[list[PageRegions]]:
    part: list[PageRegions] = []
    for page in pages:
        part.append(page)
        if len(part) == count:
            yield part
            part = []
    if part:
        yield part
