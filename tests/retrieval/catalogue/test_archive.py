from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from retrieval.catalogue.archive import (
    LOCK,
    Archive,
    archive_as_it_stands,
    create_archive,
    open_archive,
    open_archive_to_read,
)
from retrieval.catalogue.errors import ArchiveBusy, ArchiveError, ArchiveMissing, DiskRefused
from retrieval.catalogue.tables import Document, Mark, Page
from tests.full_disk import no_file_larger_than
from tests.plain_user import with_mode


def a_page(source: str = "a.png") -> Page:
    return Page(
        source=source,
        location=f"/scans/{source}",
        width=10,
        height=10,
        sha256="0" * 64,
        size=1,
        mtime_ns=1,
    )


def test_an_archive_is_made_in_a_new_or_an_empty_folder(tmp_path: Path) -> None:
    create_archive(tmp_path / "a" / "new one").close()
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "prizemarks.toml").write_text("")
    (tmp_path / "empty" / ".DS_Store").write_text("")
    create_archive(tmp_path / "empty").close()
    assert (tmp_path / "a" / "new one" / "archive.db").is_file()
    assert (tmp_path / "empty" / "archive.db").is_file()


def test_making_an_archive_again_opens_it(archive: Archive) -> None:
    with archive.session() as session:
        session.add(Document(reference="HCA 32/1"))
    again = create_archive(archive.folder)
    with again.session() as session:
        assert session.scalars(select(Document.reference)).all() == ["HCA 32/1"]
    again.close()


def test_a_folder_of_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("dear")
    with pytest.raises(ArchiveError, match=r"not empty.*thesis\.docx"):
        create_archive(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.docx"]


def test_a_file_cannot_be_an_archive(tmp_path: Path) -> None:
    (tmp_path / "scan.png").write_text("")
    with pytest.raises(ArchiveError, match="cannot be made"):
        create_archive(tmp_path / "scan.png")


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("scheme", ["postgresql+psycopg", "sqlite"])
def test_the_address_of_a_server_is_not_taken_for_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, kind: type[str] | type[Path]
) -> None:
    monkeypatch.chdir(tmp_path)
    address = kind(f"{scheme}://ada:secret@localhost/prize")
    for take in (create_archive, open_archive, lambda one: archive_as_it_stands(one).__enter__()):
        with pytest.raises(ArchiveError, match=r"An archive is a folder .*Name a folder") as caught:
            take(address)
        assert f"({scheme}:/" in str(caught.value) and "secret" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_opening_needs_an_archive(tmp_path: Path) -> None:
    with pytest.raises(ArchiveMissing, match="no archive"):
        open_archive(tmp_path)
    assert list(tmp_path.iterdir()) == []


def references(archive: Archive) -> list[str]:
    with archive.session() as session:
        return list(session.scalars(select(Document.reference)))


def test_a_folder_that_may_only_be_read_is_read(archive: Archive) -> None:
    with archive.writing() as session:
        session.add(Document(reference="HCA 32/1"))
    archive.close()
    before = {path.name for path in archive.folder.iterdir()}
    with with_mode(archive.folder, 0o555):
        with pytest.raises(DiskRefused, match=r"archive\.db cannot be written or read"):
            open_archive(archive.folder)
        with closing(open_archive_to_read(archive.folder)) as read:
            assert read.read_only and references(read) == ["HCA 32/1"]
            with pytest.raises(DiskRefused, match="is writable"), read.writing() as session:
                session.add(Document(reference="HCA 32/2"))
            with ThreadPoolExecutor(4) as threads:  # as visitors of the page do
                assert set(map(len, threads.map(references, [read] * 20))) == {1}
    assert {path.name for path in archive.folder.iterdir()} == before
    with closing(open_archive_to_read(archive.folder)) as written:
        assert not written.read_only


@pytest.mark.parametrize("room", [0, 3, 10_000])
def test_a_full_disk_keeps_nobody_from_reading(archive: Archive, room: int) -> None:
    with archive.writing() as session:
        session.add(Document(reference="HCA 32/1"))
    archive.close()
    with no_file_larger_than(room):
        for _ in range(2):  # what the first leaves beside the catalogue is in nobody's way
            with closing(open_archive_to_read(archive.folder)) as read:
                assert read.read_only and references(read) == ["HCA 32/1"]
    with closing(open_archive(archive.folder)) as written, written.writing() as session:
        session.add(Document(reference="HCA 32/2"))


def test_what_a_writer_that_was_killed_left_beside_it_is_read_too(archive: Archive) -> None:
    program = (
        "import os, sys\n"
        "from retrieval.catalogue.archive import open_archive\n"
        "from retrieval.catalogue.tables import Document\n"
        "with open_archive(sys.argv[1]).writing() as session:\n"
        "    session.add(Document(reference='HCA 32/1'))\n"
        "os._exit(9)\n"
    )
    archive.close()
    subprocess.run([sys.executable, "-c", program, str(archive.folder)], check=False)
    assert (archive.folder / "archive.db-wal").stat().st_size > 0
    with (
        with_mode(archive.folder, 0o555),
        with_mode(archive.folder / "archive.db", 0o444),
        closing(open_archive_to_read(archive.folder)) as read,
    ):
        assert references(read) == ["HCA 32/1"]
    (archive.folder / "archive.db-shm").unlink()  # as where it was copied from a running computer
    with with_mode(archive.folder, 0o555), pytest.raises(DiskRefused, match="is writable"):
        open_archive_to_read(archive.folder)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "archive.db").write_bytes(b"not a database" * 100)
    with pytest.raises(ArchiveError, match="cannot be read as a catalogue"):
        open_archive(tmp_path)


def test_an_archive_with_odd_characters_in_its_path(tmp_path: Path) -> None:
    folder = tmp_path / "Kapitän #7 ?50% — ü"
    create_archive(folder).close()
    open_archive(folder).close()
    assert (folder / "archive.db").is_file()


def test_sqlite_is_set_up_as_promised(archive: Archive) -> None:
    with archive.session() as session:
        pragma = {
            name: session.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        }
    assert pragma == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 30_000}


def test_a_mark_needs_its_page(archive: Archive) -> None:
    with pytest.raises(IntegrityError), archive.session() as session:
        session.add(Mark(page_id=99, x=0, y=0, width=1, height=1, origin="person:a", crop="0" * 64))


def test_a_session_that_fails_writes_nothing(archive: Archive) -> None:
    with pytest.raises(ZeroDivisionError), archive.writing() as session:
        session.add(Document(reference="HCA 32/1"))
        session.flush()
        _ = 1 / 0
    with archive.session() as session:
        assert session.scalars(select(Document)).all() == []


def test_ids_of_deleted_marks_are_not_given_again(archive: Archive) -> None:
    def add_a_mark() -> int:
        with archive.writing() as session:
            page = session.scalars(select(Page)).one()
            mark = Mark(
                page_id=page.id, x=0, y=0, width=1, height=1, origin="person:a", crop="0" * 64
            )
            session.add(mark)
            session.flush()
            return mark.id

    with archive.session() as session:
        session.add(a_page())
    first = add_a_mark()
    with archive.session() as session:
        session.delete(session.get_one(Mark, first))
    assert add_a_mark() > first


def test_one_holds_the_lock_at_a_time(archive: Archive) -> None:
    other = open_archive(archive.folder)
    with archive.lock(), pytest.raises(ArchiveBusy, match="is using"), other.lock():
        pass
    with other.lock():
        pass
    other.close()


def test_whether_somebody_holds_the_lock_is_seen_and_keeps_nobody_from_it(archive: Archive) -> None:
    (archive.folder / LOCK).unlink()
    assert not archive.is_locked()
    assert not (archive.folder / LOCK).exists()
    other = open_archive(archive.folder)
    with other.lock():
        assert archive.is_locked() and other.is_locked()
    assert not archive.is_locked()
    with archive.lock():
        pass
    other.close()


def test_the_lock_ends_with_a_process_that_is_killed(archive: Archive) -> None:
    program = (
        "import sys\n"
        "from retrieval.catalogue.archive import open_archive\n"
        "with open_archive(sys.argv[1]).lock():\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(archive.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(ArchiveBusy), archive.lock():
            pass
        process.kill()
    with archive.lock():
        pass


def test_a_write_waits_and_then_says_who_is_in_the_way(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.catalogue.engines.BUSY_TIMEOUT", 50)
    other = open_archive(archive.folder)
    with archive.writing(), pytest.raises(ArchiveBusy, match="writing"), other.writing():
        pass
    other.close()


def spoilt(archive: Archive) -> None:
    """Fill the catalogue, and overwrite the pages in the middle of its file."""
    with archive.session() as session:
        session.add_all(a_page(f"{at}.png") for at in range(2000))
    archive.close()
    path = archive.folder / "archive.db"
    content = bytearray(path.read_bytes())
    assert len(content) > 50 * 4096
    content[30 * 4096 : 50 * 4096] = b"\xff" * (20 * 4096)
    path.write_bytes(content)


def test_a_damaged_catalogue_is_said_with_what_can_be_put_back(archive: Archive) -> None:
    spoilt(archive)
    pages = select(Page.source, Page.sha256)
    with pytest.raises(ArchiveError) as caught, archive.session() as session:
        session.execute(pages).all()
    path = archive.folder / "archive.db"
    assert str(caught.value) == (
        f"{path} cannot be read as a catalogue (database disk image is malformed). If it is "
        "damaged, restore your own last backup of it, and delete archive.db-wal and archive.db-shm "
        "beside it."
    )
    backups = archive.folder / "backups"
    backups.mkdir()
    for name in (".unfinished-a.db", "archive-20260101T0Z-b.db", "archive-20250101T0Z-c.db"):
        (backups / name).touch()
    with pytest.raises(ArchiveError) as caught, archive.writing() as session:
        session.execute(pages).all()
    assert str(caught.value).endswith(
        f"beside it. Without one, restore {backups / 'archive-20260101T0Z-b.db'}: the catalogue "
        "from before an update of the program. It lacks everything added since; `prizemarks "
        "ingest` adds scans again."
    )


def test_a_fault_of_the_program_is_not_said_to_be_damage(archive: Archive) -> None:
    with pytest.raises(OperationalError, match="no such table"), archive.session() as session:
        session.execute(text("SELECT * FROM nowhere"))
