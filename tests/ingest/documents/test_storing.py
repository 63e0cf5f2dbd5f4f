"""Documents in the catalogue: what a later file says, and what it leaves as it was."""

from __future__ import annotations

import json
from pathlib import Path

from ingest.documents.storing import store_documents
from retrieval.catalogue.archive import Archive
from tests.ingest.documents.reading import read
from tests.ingest.scans import dump


def _stored(archive: Archive, folder: Path, *files: str) -> tuple[object, ...]:
    """Return the date, years and details of the only document, after these files in turn."""
    for content in files:
        with archive.writing() as session:
            store_documents(session, read(folder, content).documents)
    (row,) = dump(archive)["documents"]
    return row["date"], row["year_from"], row["year_to"], json.loads(row["details"])


def test_a_date_for_machines_does_not_take_the_place_of_the_wording(
    archive: Archive, tmp_path: Path
) -> None:
    worded = "reference,date\nHCA 32/1/1,Lady Day 1702 (old style)\n"
    machines = "reference,date (EDTF)\nHCA 32/1/1,1703-03-25\n"
    stored = _stored(archive, tmp_path, worded, machines)
    details = {"date (EDTF)": "1703-03-25", "calendar": "old style"}
    assert stored == ("Lady Day 1702 (old style)", 1703, 1703, details)
    assert _stored(archive, tmp_path, "reference,date (EDTF)\nHCA 32/1/1,soon\n") == stored
    other = _stored(archive, tmp_path, "reference,date\nHCA 32/1/1,1710\n")
    assert other == ("1710", 1710, 1710, {"date (EDTF)": "1710"})


def test_a_date_for_machines_is_the_date_where_there_is_none(
    archive: Archive, tmp_path: Path
) -> None:
    stored = _stored(archive, tmp_path, "reference,date (EDTF)\nHCA 32/1/1,1703-03-25\n")
    assert stored == ("1703-03-25", 1703, 1703, {"date (EDTF)": "1703-03-25"})
