"""How whatever lasts tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

#: Told how much is done, and of how much.
Report = Callable[[int, int], None]


def nobody(done: int, total: int) -> None:
    """Report nothing: the default where no progress is shown."""
