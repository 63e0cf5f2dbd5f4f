"""`quarantine.csv`: the inputs that could not be read, each with its reason and some advice."""

from __future__ import annotations

import csv
import io

from sqlalchemy import select

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.files import write_atomically
from retrieval.catalogue.tables import Failure

COLUMNS = ("source", "frame", "location", "reason", "advice", "bytes", "failed_at")


def write_quarantine(archive: Archive) -> int:
    """Write the archive's `quarantine.csv` from its failures; return how many there are.

    The file is replaced in one step; without failures it holds its header alone.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    count = 0
    with archive.session() as session:
        for row in session.execute(
            select(
                Failure.source,
                Failure.frame,
                Failure.location,
                Failure.reason,
                Failure.advice,
                Failure.size,
                Failure.failed_at,
            ).order_by(Failure.source, Failure.frame)
        ):
            writer.writerow([*row[:-1], row.failed_at.isoformat(timespec="seconds")])
            count += 1
    write_atomically(archive.folder / "quarantine.csv", text.getvalue().encode())
    return count
