from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from ingest.batch import resegment_pages, retry_quarantined
from ingest.known import master_exists
from ingest.manner import Manner
from ingest.quarantine import forget_absent_failures, write_quarantine
from ingest.rehearsal import rehearse
from ingest.segmentation import Segmenter
from retrieval.catalogue.archive import Archive
from tests.ingest.scans import SQUARES, dump, pages_of, propose, quarantine, refuse, scan


def test_a_master_that_cannot_be_asked_for_is_taken_to_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = scan(tmp_path / "a.png", (1, 1))
    assert master_exists(str(file)) and master_exists("https://example.org/a.png")
    assert not master_exists(str(tmp_path / "b.png")) and not master_exists(str(file / "b.png"))
    for number in (errno.EACCES, errno.ESTALE, errno.EIO):

        def failing(_path: Path, number: int = number) -> os.stat_result:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(Path, "stat", failing)
        assert master_exists(str(tmp_path / "b.png"))


@pytest.fixture
def locked(archive: Archive, tmp_path: Path) -> Path:
    """A folder with a page and a broken file, which are in; nobody may enter it by and by."""
    scan(tmp_path / "locked" / "a.png", (1, 1))
    (tmp_path / "locked" / "b.png").write_bytes(b"junk")
    report = pages_of(archive, tmp_path / "locked")
    assert (report.added, report.failed) == (1, 1)
    return tmp_path / "locked"


def test_what_failed_in_a_folder_that_may_not_be_entered_stays_in_quarantine(
    archive: Archive, tmp_path: Path, locked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(tmp_path / "in" / "c.png", (2, 1))
    asked = refuse(monkeypatch, locked)
    assert rehearse(archive, [tmp_path / "in"]).new == 1
    report = pages_of(archive, tmp_path / "in")
    assert (report.added, report.failed) == (1, 1)
    assert asked == []
    forget_absent_failures(archive, [tmp_path])
    assert asked == [locked / "b.png"]
    assert write_quarantine(archive) == 1
    assert [row["location"] for row in quarantine(archive)] == [str(locked / "b.png")]


def test_files_of_the_names_and_the_content_of_masters_that_cannot_be_asked_for_are_others(
    archive: Archive, tmp_path: Path, locked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(locked, tmp_path / "in")
    before = dump(archive)["pages"]
    refuse(monkeypatch, locked)
    said = rehearse(archive, [tmp_path / "in"])
    assert (said.moved, said.new, len(said.unreadable)) == (0, 1, 1)
    report = pages_of(archive, tmp_path / "in")
    assert (report.added, report.duplicates, report.moved, report.failed) == (1, 1, 0, 2)
    assert dump(archive)["pages"][:-1] == before
    assert [row["source"] for row in quarantine(archive)] == ["b.png", "in/b.png"]


def test_what_is_tried_again_leaves_out_files_that_cannot_be_asked_for(
    archive: Archive, tmp_path: Path, locked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(tmp_path / "in" / "d.png", (2, 1))
    mended = (tmp_path / "in" / "d.png").read_bytes()
    (tmp_path / "in" / "d.png").write_bytes(b"junk")
    pages_of(archive, tmp_path / "in")
    (tmp_path / "in" / "d.png").write_bytes(mended)
    refuse(monkeypatch, locked)
    report = retry_quarantined(archive, SQUARES, Manner(workers=0))
    assert (report.added, report.healed, report.failed) == (1, 1, 1)
    report = resegment_pages(archive, Segmenter("squares-2", propose), Manner(workers=0))
    assert (report.changed, report.missing) == (1, ("a.png",))
    assert [row["source"] for row in quarantine(archive)] == ["b.png"]
