"""What becomes of a run when the disk is full, the share is lost, or the catalogue is locked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from ingest.manner import Manner, Progress
from ingest.missing import missing_masters
from ingest.rehearsal import rehearse
from retrieval.catalogue.archive import Archive, create_archive, open_archive
from retrieval.catalogue.errors import ArchiveBusy, ArchiveError, SourceError
from retrieval.catalogue.files import UNFINISHED
from tests.ingest.scans import crops_in, dump, pages_of, quarantine, scan
from tests.plain_user import with_mode
from ui.cli import app

ROOT = Path(__file__).resolve().parents[2]


def several(folder: Path, number: int = 12) -> Path:
    """Pages too large to share a transaction."""
    rng = np.random.default_rng(5)
    folder.mkdir(parents=True, exist_ok=True)
    for at in range(number):
        page = np.full((500, 700, 3), 200, np.uint8) + rng.integers(0, 9, 3, dtype=np.uint8)
        page = page + rng.integers(0, 9, page.shape, dtype=np.uint8)
        page[20:40, 20 * at : 20 * at + 20] = 10
        Image.fromarray(page).save(folder / f"{at:02}.png", compress_level=0)
    return folder


def unfinished(archive: Archive) -> list[Path]:
    return list(archive.folder.rglob(f"{UNFINISHED}*"))


def whole(folder: Path, source: Path) -> tuple[dict[str, Any], set[str]]:
    archive = create_archive(folder)
    pages_of(archive, source)
    found = dump(archive), crops_in(archive)
    archive.close()
    return found


def full(*_: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    "where", ["retrieval.crops.write_atomically", "ingest.quarantine.write_atomically"]
)
def test_a_full_disk_stops_the_run_and_the_next_goes_on(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    source = several(tmp_path / "in")
    with monkeypatch.context() as patch:
        patch.setattr(where, full)
        with pytest.raises(ArchiveError, match="No space left"):
            pages_of(archive, source)
    assert unfinished(archive) == []
    pages_of(archive, source)
    assert (dump(archive), crops_in(archive)) == whole(tmp_path / "whole", source)


def test_a_catalogue_that_cannot_grow(tmp_path: Path) -> None:
    source = several(tmp_path / "in", 40)
    folder = tmp_path / "archive"
    create_archive(folder).close()
    limit = (folder / "archive.db").stat().st_size + 40_000
    program = (
        "import resource, signal, sys\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from ui.cli import app\n"
        "app()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "ingest", str(folder), str(source)],
        capture_output=True,
        text=True,
        env={**os.environ, "PRIZEMARKS_WORKERS": "1"},
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "has free space" in done.stderr
    archive = open_archive(folder)
    held = len(dump(archive)["pages"])
    assert held < 40 and unfinished(archive) == []
    from ingest.batch import ingest_pages

    report = ingest_pages(archive, [source], manner=Manner(workers=0))
    assert (report.added, report.unchanged, report.failed) == (40 - held, held, 0)
    archive.close()


@pytest.mark.parametrize("leaves", ["nothing", "an empty folder"])
def test_a_source_that_goes_away_stops_the_run(
    archive: Archive, tmp_path: Path, leaves: str
) -> None:
    source = several(tmp_path / "in")
    (source / "bad.png").write_bytes(b"junk")
    pages_of(archive, source)
    for path in sorted(source.glob("0*.png")):
        scan(path, (1, 1))  # all have changed
    before = dump(archive)

    def lose(event: Progress) -> None:
        if event.done == 3:
            source.rename(tmp_path / "away")
            if leaves == "an empty folder":
                source.mkdir()

    for path in sorted(source.glob("1*.png")):
        os.utime(path, ns=(1, 1))
    with pytest.raises(SourceError, match="became unavailable"):
        pages_of(archive, source, progress=lose)
    after = dump(archive)
    assert len(after["pages"]) == len(before["pages"])
    assert [row["source"] for row in quarantine(archive)] == ["bad.png"]
    if leaves == "an empty folder":
        assert pages_of(archive, source).failed == 1  # nothing there: nothing is forgotten
        source.rmdir()
    (tmp_path / "away").rename(source)
    report = pages_of(archive, source)
    assert report.changed + report.unchanged == 12 and report.failed == 1


def test_one_deleted_file_does_not_stop_the_run(archive: Archive, tmp_path: Path) -> None:
    source = several(tmp_path / "in", 6)

    def delete(event: Progress) -> None:
        (source / "05.png").unlink(missing_ok=True)

    assert pages_of(archive, source, progress=delete).added == 5


def test_a_disk_that_fails_is_not_the_files_fault(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = several(tmp_path / "in", 2)

    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("ingest.sources.read_png", broken)
        assert pages_of(archive, source).failed == 2
    assert "Input/output error" in quarantine(archive)[0]["reason"]
    report = pages_of(archive, source)  # nothing about the files has changed, and yet
    assert (report.added, report.failed, report.healed) == (2, 0, 2)


HOLDER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_catalogue_that_another_program_keeps_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.catalogue.engines.BUSY_TIMEOUT", 100)
    source = several(tmp_path / "in", 3)
    archive = create_archive(tmp_path / "archive")
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(archive.folder / "archive.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None and holder.stdin is not None
        holder.stdout.readline()
        with pytest.raises(ArchiveBusy, match="Another process"):
            pages_of(archive, source)
        said = CliRunner().invoke(
            app,
            ["ingest", str(archive.folder), str(source)],
            env={"PRIZEMARKS_WORKERS": "1"},
        )
        assert said.exit_code == 2 and "Another process" in said.stderr
        holder.stdin.close()
    assert unfinished(archive) == []
    assert pages_of(archive, source).added == 3
    archive.close()


def test_an_archive_that_may_not_be_written(archive: Archive, tmp_path: Path) -> None:
    source = several(tmp_path / "in", 1)
    archive.close()
    with with_mode(archive.folder, 0o555), pytest.raises(ArchiveError, match="is writable"):
        pages_of(open_archive(archive.folder), source)


def test_a_catalogue_on_a_full_disk(archive: Archive) -> None:
    with pytest.raises(ArchiveError, match="free space"), archive.session() as session:
        connection = session.connection()
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        connection.exec_driver_sql("CREATE TABLE filler (x BLOB)")
        for _ in range(200):
            connection.exec_driver_sql("INSERT INTO filler VALUES (zeroblob(100000))")


def test_a_folder_that_may_not_be_entered_keeps_its_pages_and_nobody_else_out(
    archive: Archive, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    for name in ("shut/1.png", "seen/1.png"):
        scan(folder / name, (len(name), 1))
    pages_of(archive, folder)
    before = dump(archive)
    scan(folder / "shut/2.png", (1, 1))
    scan(folder / "seen/2.png", (2, 2))
    scan(folder / "open/1.png", (3, 3))
    with with_mode(folder / "shut", 0), with_mode(folder / "seen", 0o444):
        said = rehearse(archive, [folder])
        assert (said.new, said.unlisted) == (1, (str(folder / "shut"),))
        assert [one.source for one in said.unreadable] == ["seen/1.png", "seen/2.png"]
        report = pages_of(archive, folder)
        assert (report.added, report.failed, report.unlisted) == (1, 2, (str(folder / "shut"),))
        assert missing_masters(archive) == ()
        again = pages_of(archive, folder)
        assert (again.added, again.failed, again.unlisted) == (0, 2, report.unlisted)
    reasons = {row["source"]: row["reason"] for row in quarantine(archive)}
    assert reasons.keys() == {"seen/1.png", "seen/2.png"}
    assert all("Permission denied" in reason for reason in reasons.values())
    assert dump(archive)["pages"][:2] == before["pages"]
    assert [mark for mark in dump(archive)["marks"] if mark["page_id"] <= 2] == before["marks"]
    healed = pages_of(archive, folder)
    assert (healed.added, healed.failed, healed.healed, healed.unlisted) == (2, 0, 2, ())


def test_an_ingest_says_which_folder_it_passed_over(archive: Archive, tmp_path: Path) -> None:
    scan(tmp_path / "in/shut/1.png", (1, 1))
    scan(tmp_path / "in/2.png", (2, 2))
    with with_mode(tmp_path / "in/shut", 0):
        rehearsed = CliRunner().invoke(
            app, ["ingest", str(archive.folder), str(tmp_path / "in"), "--dry-run"]
        )
        said = CliRunner().invoke(app, ["ingest", str(archive.folder), str(tmp_path / "in")])
    assert said.exit_code == 1, said.output
    assert (
        f"1 folder may not be listed and was passed over: {tmp_path / 'in/shut'}. Check its "
        "permissions, then run this again." in said.stdout.replace("\n", " ")
    )
    assert f"1 folder may not be listed and would be passed over: {tmp_path}" in rehearsed.stdout
