"""Marks written out for spreadsheets and other programs."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.files import write_atomically
from retrieval.catalogue.queries import EXPORT_COLUMNS, export_rows


def write_csv(archive: Archive, output: Path | None) -> int:
    """Write one row a mark to `output`, or to standard output; return how many there are."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(EXPORT_COLUMNS)
    count = 0
    with archive.session() as session:
        for row in export_rows(session):
            writer.writerow(["" if value is None else value for value in row])
            count += 1
    if output is None:
        sys.stdout.write(text.getvalue())
    else:
        write_atomically(output.absolute(), text.getvalue().encode())
    return count
