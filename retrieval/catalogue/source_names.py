"""What sources are called, and which is meant by a name: a path, or enough of its end."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.tables import Page

_FETCH = 10_000


def sources_meant(session: Session, written: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the sources that each name may mean; several or none where it does not say which.

    The source itself goes first. Else it is whatever ends in the same file and folders, as far as
    both have any, upper and lower case alike: `003.jpg`, or a path of which the source is the end.
    """
    names = sorted(set(written))
    found: dict[str, list[str]] = {name: [] for name in names}
    by_source: dict[str, list[str]] = defaultdict(list)
    for name in names:
        by_source[composed(name)].append(name)
    for among in in_parts(list(by_source)):
        for source in session.scalars(select(Page.source).where(Page.source.in_(among)).distinct()):
            found |= {name: [source] for name in by_source[source]}
    unknown = [name for name in names if not found[name] and ".." not in path_parts(name)]
    if unknown:
        ends = PathEnds((name, name) for name in unknown)
        statement = select(Page.source).distinct().order_by(Page.source)
        for source in session.scalars(statement.execution_options(yield_per=_FETCH)):
            for name in ends.ending_alike(path_parts(source)):
                found[name].append(source)
    return {name: tuple(sources) for name, sources in found.items()}


def sources_of_files(session: Session, files: Collection[str]) -> list[str]:
    """Return the sources whose last part is one of `files`, which are as `path_parts` gives them.

    All names of the catalogue are gone through once, however many are asked for.
    """
    if not files:
        return []
    wanted = set(files)
    statement = select(Page.source).distinct().execution_options(yield_per=_FETCH)
    return [
        source
        for source in session.scalars(statement)
        if not wanted.isdisjoint(path_parts(source)[-1:])
    ]


class PathEnds:
    """Sources and a path of each, in the order of these paths read backwards.

    Parts of paths are as `path_parts` gives them.
    """

    def __init__(self, paths: Iterable[tuple[str, str]]) -> None:
        """Take sources, each with its path."""
        entries = sorted((_backwards(path_parts(path)), source) for source, path in paths)
        self._keys = [key for key, _ in entries]
        self._sources = [source for _, source in entries]

    def ending_in(self, parts: Sequence[str]) -> list[str]:
        """Return the sources whose path ends in these parts, of which there is one at least."""
        key = _backwards(parts)
        first = bisect_left(self._keys, key)
        # "0" follows "/": before it is whatever begins with the key.
        return self._sources[first : bisect_left(self._keys, f"{key[:-1]}0", first)]

    def ending_alike(self, parts: Sequence[str]) -> list[str]:
        """Return the sources whose path and these parts end alike as far as both have any."""
        found = self.ending_in(parts)
        for at in range(1, len(parts)):
            key = _backwards(parts[at:])
            first = bisect_left(self._keys, key)
            found += self._sources[first : bisect_right(self._keys, key, first)]
        return found


def image_called(source: str, frame: int) -> str:
    """Return what people call an image of a file: the first one by the file's name alone."""
    return f"{source}, image {frame + 1}" if frame else source


def composed(path: str) -> str:
    """Return a path as sources are written: "ü" as one character (NFC), and not as macOS has it."""
    return unicodedata.normalize("NFC", path)


def path_parts(path: str) -> list[str]:
    """Return the folders and the file of a path, upper and lower case alike."""
    return [part for part in composed(path).replace("\\", "/").casefold().split("/") if part]


def agreeing(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many parts of two paths are the same, counted from the end."""
    number = 0
    for ours, theirs in zip(reversed(one), reversed(other), strict=False):
        if ours != theirs:
            break
        number += 1
    return number


def _backwards(parts: Sequence[str]) -> str:
    return "".join(f"{part}/" for part in reversed(parts))
