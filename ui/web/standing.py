"""Figures of an archive that stand until it changes, and those slow to count a while longer.

While people judge or scans come in, the archive changes with every click and every page. What is
counted over millions of marks would be counted all the time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar

Figure = TypeVar("Figure")

#: What takes no longer than this many seconds to count is counted whenever the archive changed.
QUICK = 0.1
#: What takes longer stands for this many times as long as it took: so much of the time, at the
#: most, goes into counting it.
_STANDS = 10


class Standing(Generic[Figure]):
    """The last count of a figure, when it was taken, and how the archive stood then."""

    def __init__(self) -> None:
        self._counting = Lock()
        self._last: tuple[Hashable, Figure] | None = None
        self._stands_until = 0.0

    def at(self, state: Hashable, count: Callable[[], Figure]) -> Figure:
        """Return the figure at this state of the archive, or a slow one of shortly before.

        Whoever asks while it is counted waits for that count.
        """
        with self._counting:
            began = monotonic()
            if self._last is not None and (self._last[0] == state or began < self._stands_until):
                return self._last[1]
            figure = count()
            took = monotonic() - began
            self._last = state, figure
            self._stands_until = began + took * (1 + _STANDS) if took > QUICK else 0.0
            return figure
