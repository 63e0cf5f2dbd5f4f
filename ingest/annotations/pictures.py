"""The marks' pictures as files in a folder, with a table that says what each shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from ingest.annotations.marks_csv import COLUMNS, rows_text
from ingest.annotations.wanted import (
    EVERYTHING,
    Wanted,
    columns_in,
    marks_in_parts,
    number_of_marks,
)
from ingest.csv_text import row_text
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import ArchiveError
from retrieval.catalogue.files import (
    check_is_outside,
    output_refused_said,
    write_atomically,
    write_texts,
)
from retrieval.catalogue.tables import Mark
from retrieval.crops import read_crop
from retrieval.progress import Report, nobody

#: The table beside the pictures, and its first column.
TABLE, FILE = "marks.csv", "file"

#: What pictures are called, by their marks' ids.
_PICTURE = re.compile(r"mark-([0-9]+)\.png")


@dataclass(frozen=True)
class PicturesReport:
    """How many pictures were written, and a sentence on each mark whose crop cannot be read.

    `others` are pictures in the folder that are called as ours are, and not in the table: of an
    earlier export.
    """

    pictures: int
    unread: tuple[str, ...]
    others: int


def export_pictures(
    archive: Archive,
    folder: Path,
    wanted: Wanted = EVERYTHING,
    *,
    head: str = "",
    progress: Report = nobody,
) -> PicturesReport:
    """Write each mark's crop to `folder` as `mark-7.png`, and `TABLE` when all are there.

    The table begins with `head` and has the columns of `export --format csv` behind the name of
    the file. A crop is as the archive keeps it (`retrieval.crops.LONGEST_SIDE`). Nothing is removed
    from the folder. Raises RequestError where it cannot be written, and, before anything is, where
    it lies in the archive's.
    """
    check_is_outside(folder, archive.folder)
    unread: list[str] = []
    written: set[int] = set()
    with output_refused_said(folder), archive.session() as session:
        total = number_of_marks(session, wanted)

        def texts() -> Iterator[str]:
            columns = columns_in(session, COLUMNS, wanted)
            yield head + row_text([FILE, *columns])
            done = 0
            for some in marks_in_parts(session, wanted):
                crops = _crops(session, [image.annotations[0].mark or 0 for image in some])
                for image in some:
                    mark = image.annotations[0].mark or 0
                    name = f"mark-{mark}.png"
                    try:
                        write_atomically(folder / name, read_crop(archive, crops[mark]))
                    except ArchiveError as error:
                        unread.append(f"mark {mark}: {error}")
                    else:
                        written.add(mark)
                        yield f"{name},{rows_text([image], columns)}"
                    done += 1
                    progress(done, total)

        write_texts(folder / TABLE, texts())
        pictures = (_PICTURE.fullmatch(path.name) for path in folder.iterdir())
        others = sum(int(found[1]) not in written for found in pictures if found)
    return PicturesReport(len(written), tuple(unread), others)


def _crops(session: Session, marks: list[int]) -> dict[int, str]:
    """Return the crops of the named marks, as many as one statement takes."""
    rows = session.execute(select(Mark.id, Mark.crop).where(Mark.id.in_(marks)))
    return {mark: crop for mark, crop in rows}
