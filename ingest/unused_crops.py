"""Pictures of marks that are gone: they go as well, unless another mark looks the same."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path

from sqlalchemy import select

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.files import UNFINISHED, disk_errors_said
from retrieval.catalogue.tables import Mark
from retrieval.crops import crop_path

#: Seconds. A picture that was wanted more recently may be of a mark that somebody is drawing on the
#: web page, which holds no lock: the mark comes into the catalogue after its picture.
JUST_WANTED = 60.0
_READ = 10_000  # rows read from the catalogue at once


def remove_unused_crops(archive: Archive, crops: Collection[str]) -> None:
    """Delete those of the pictures, by their SHA-256, that no mark of the archive has any more.

    The caller holds the lock, and has deleted the marks for good. A picture that is gone already
    is none the less. Raises DiskRefused.
    """
    unused = set(crops)
    with archive.session() as session:
        if unused:  # all marks are read: there may be tens of thousands of pictures to be found
            rows = session.scalars(select(Mark.crop).execution_options(yield_per=_READ))
            for some in rows.partitions():
                unused.difference_update(some)
    with disk_errors_said(archive.crops_folder):
        for crop in sorted(unused):
            _remove(crop_path(archive, crop))


def _remove(path: Path) -> None:
    """Delete a picture, if nobody has wanted it just now, and none can want it meanwhile."""
    going = path.with_name(f"{UNFINISHED}{path.stem}")
    try:
        path.replace(going)  # who wants it now does not find it, and writes it anew
    except FileNotFoundError:
        return
    if time.time() - going.stat().st_mtime < JUST_WANTED:
        going.replace(path)
    else:
        going.unlink()
