"""JSON that is written while what it says is still being read: of a million marks as of ten."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any

#: Pieces of JSON, a value or a comma, that are given in one part.
_PIECES = 10_000


class Stream(list[Any]):
    """What JSON is written from as a list, item by item, without all of them at hand; once."""

    def __init__(self, items: Iterable[Any]) -> None:
        super().__init__()
        self._items = iter(items)
        self._first = list(itertools.islice(self._items, 1))

    def __bool__(self) -> bool:
        return bool(self._first)

    def __iter__(self) -> Iterator[Any]:
        return itertools.chain(self._first, self._items)


class StreamOfMembers(dict[str, Any]):
    """The same as an object, member by member."""

    def __init__(self, members: Iterable[tuple[str, Any]]) -> None:
        super().__init__()
        self._members = Stream(members)

    def __bool__(self) -> bool:
        return bool(self._members)

    def items(self) -> Iterator[tuple[str, Any]]:  # type: ignore[override]
        """Give the members, names before values: all that is asked of an object to be written."""
        return iter(self._members)


def write_json(value: Any) -> Iterator[str]:
    """Give JSON as a person can read it, in any encoding, part by part: only ASCII, lines.

    With an indent, Python's own encoder goes through lists by `iter`, and objects by `items`.
    """
    pieces = json.JSONEncoder(indent=1, allow_nan=False).iterencode(value)
    while part := "".join(itertools.islice(pieces, _PIECES)):
        yield part
    yield "\n"
