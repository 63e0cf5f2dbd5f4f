"""Long lists in parts: a database takes only so many parameters in one statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")

#: Parameters of one statement, well under what SQLite (32,766) and PostgreSQL (65,535) take.
MOST = 5_000


def in_parts(items: Sequence[Item], most: int = MOST) -> Iterator[Sequence[Item]]:
    """Give `items` in order, in slices of at most `most`; nothing of an empty list."""
    for start in range(0, len(items), most):
        yield items[start : start + most]
