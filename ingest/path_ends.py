"""Sources by the ends of their paths, each found without looking at the others."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from retrieval.catalogue.source_names import path_parts


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


def _backwards(parts: Sequence[str]) -> str:
    return "".join(f"{part}/" for part in reversed(parts))
