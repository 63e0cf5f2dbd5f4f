"""What a file may be called."""

from __future__ import annotations

import os

#: Bytes that the name of a file or folder may have on the usual file systems.
LONGEST_NAME = 255


def beginning(name: str, room: int) -> str:
    """Return as many whole characters of a name as fit into `room` bytes on the disk."""
    cut = name[: max(0, room)]  # none takes less than a byte
    while cut and len(os.fsencode(cut)) > room:
        cut = cut[:-1]
    return cut
