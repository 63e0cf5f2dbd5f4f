"""Keep what a training step frees for the next, instead of giving it back to the system."""

from __future__ import annotations

import ctypes
import sys

#: Parameters of glibc's mallopt(3).
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
_LARGEST = 2**31 - 1


def keep_freed_memory() -> bool:
    """Have this process keep the memory it frees; return whether that could be had.

    Every step asks for the same hundreds of megabytes. Given back and asked for again, each page of
    them is cleared by the kernel anew. Only the C library of most Linuxes (glibc) can be told so.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(
        mallopt(_MMAP_MAX, 0) and mallopt(_TRIM_THRESHOLD, _LARGEST)
    )
