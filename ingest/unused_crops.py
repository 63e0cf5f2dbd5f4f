"""Pictures of marks that are gone: they go as well, unless another mark looks the same.

Which they are is noted in the transaction in which the marks go. What a run that was killed did not
delete, the next one does.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.files import UNFINISHED, disk_errors_said
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.tables import DiscardedCrop, Mark
from retrieval.crops import crop_path

#: Seconds. A picture that was wanted more recently may be of a mark that somebody is drawing on the
#: web page, which holds no lock: the mark comes into the catalogue after its picture.
JUST_WANTED = 60.0
#: Discarded pictures that are looked for among all marks at once: 100 MB.
_AT_ONCE = 500_000
_READ = 10_000  # rows read from the catalogue at once


def discard_crops(session: Session, crops: Iterable[str]) -> None:
    """Note the pictures, by their SHA-256, of marks that go or are cut anew in this transaction."""
    if rows := [{"crop": crop} for crop in crops]:
        session.execute(insert(DiscardedCrop), rows)


def remove_unused_crops(archive: Archive) -> None:
    """Delete the pictures that were discarded and that no mark of the archive has.

    The caller holds the lock. A picture that is gone already is none the less; one that was wanted
    just now stays until the next time. Raises DiskRefused.
    """
    last = 0
    while True:
        with archive.session() as session:
            some = select(DiscardedCrop.id, DiscardedCrop.crop).where(DiscardedCrop.id > last)
            rows = session.execute(some.order_by(DiscardedCrop.id).limit(_AT_ONCE)).all()
            if not rows:
                return
            unused = {crop for _, crop in rows}
            # All marks are read: there may be tens of thousands of pictures to be found.
            held = session.scalars(select(Mark.crop).execution_options(yield_per=_READ))
            for crops in held.partitions():
                unused.difference_update(crops)
        with disk_errors_said(archive.crops_folder):
            staying = {crop for crop in sorted(unused) if not _remove(crop_path(archive, crop))}
        with archive.writing() as session:
            for ids in in_parts([number for number, crop in rows if crop not in staying]):
                session.execute(delete(DiscardedCrop).where(DiscardedCrop.id.in_(ids)))
        last = rows[-1][0]


def _remove(path: Path) -> bool:
    """Delete a picture, if nobody has wanted it just now, and none can want it meanwhile.

    Returns whether it is gone.
    """
    going = path.with_name(f"{UNFINISHED}{path.stem}")
    try:
        path.replace(going)  # who wants it now does not find it, and writes it anew
    except FileNotFoundError:
        return True
    if time.time() - going.stat().st_mtime < JUST_WANTED:
        going.replace(path)
        return False
    going.unlink()
    return True
