"""An archive: one folder with its catalogue (`archive.db`), crops, models and indexes."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from retrieval.catalogue import migration
from retrieval.catalogue.engines import (
    BUSY_TIMEOUT,
    engine_for_reading,
    engine_in_memory,
    engine_of,
)
from retrieval.catalogue.errors import ArchiveBusy, ArchiveError, ArchiveMissing, DiskRefused
from retrieval.catalogue.suggesting import command_on

DATABASE = "archive.db"
BACKUPS = "backups"

#: The empty database whose lock is the archive's.
LOCK = ".lock"
#: Seconds to wait for the lock: `is_locked` may hold it for a moment.
LOCK_TIMEOUT = 0.1

#: How an address begins; of a Path, which has one "/" for two, as well.
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/+")

#: What may lie in a folder that is about to become an archive.
_OURS = {"prizemarks.toml"}


@dataclass(frozen=True)
class Archive:
    """An open archive. Make one with `create_archive` or `open_archive`.

    `read_only`: nothing can be written to its catalogue (`open_archive_to_read`).
    """

    folder: Path
    engine: Engine = field(repr=False, compare=False)
    read_only: bool = False

    @property
    def crops_folder(self) -> Path:
        """Where the crops of marks lie, named by their content."""
        return self.folder / "crops"

    @property
    def masters_folder(self) -> Path:
        """Where masters lie that were fetched from servers."""
        return self.folder / "masters"

    @property
    def models_folder(self) -> Path:
        """Where trained models lie, each in a folder named by its id."""
        return self.folder / "models"

    @property
    def index_folder(self) -> Path:
        """Where indexes lie, each in a folder named by its model's id; they can be rebuilt."""
        return self.folder / "index"

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Give a session on one transaction: committed at the end, rolled back by an exception.

        For reading, and for writing what was not read first. Raises ArchiveBusy when another
        process keeps the catalogue locked for longer than `BUSY_TIMEOUT`, DiskRefused when the
        disk is full or refuses, ArchiveError when the catalogue is damaged.
        """
        with self._in_our_words(), Session(self.engine) as session, session.begin():
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session as `session` does, holding the write lock from its beginning.

        For a transaction that reads and then writes what depends on it: nobody else can write in
        between, and SQLite cannot refuse the write because the reading has gone stale.
        """
        engine = self.engine.execution_options(begin="IMMEDIATE")
        with self._in_our_words(), Session(engine) as session, session.begin():
            session.connection()  # else the transaction would begin with the first statement
            yield session

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the archive for a long job; raises ArchiveBusy at once when somebody else does.

        The lock is SQLite's own on an empty database, so it is portable and ends with the process
        that holds it, however that process ends.
        """
        made = sqlite3.connect(self.folder / LOCK, timeout=LOCK_TIMEOUT, isolation_level=None)
        with closing(made) as db:
            try:
                db.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    raise DiskRefused(
                        f"{self.folder} cannot be written to ({error}). Check that the disk is "
                        "available, has free space and is writable."
                    ) from error
                raise ArchiveBusy(
                    f"Another process is using {self.folder}: wait until it has finished."
                ) from error
            yield

    def is_locked(self) -> bool:
        """Return whether somebody, this process or another, holds the archive for a long job."""
        address = f"{(self.folder / LOCK).as_uri()}?mode=ro"
        try:
            with closing(sqlite3.connect(address, uri=True, timeout=0)) as db:
                db.execute("SELECT name FROM sqlite_master").fetchall()
        except sqlite3.OperationalError as error:  # nobody has ever held it where it is not there
            return "locked" in str(error)
        return False

    def close(self) -> None:
        """Let go of the catalogue's connections; the archive can be opened again."""
        self.engine.dispose()

    @contextmanager
    def _in_our_words(self) -> Iterator[None]:
        try:
            yield
        except DatabaseError as error:
            if _is_busy(error):
                raise ArchiveBusy(
                    f"Another process has been writing to {self.folder} for over "
                    f"{BUSY_TIMEOUT // 1000} s: try again when it has finished."
                ) from error
            if _is_refused(error):
                raise _refused(self.folder, error) from error
            if _is_damaged(error):
                raise _damaged(self.folder, error) from error
            raise


def create_archive(folder: Path | str) -> Archive:
    """Return the archive in `folder`, made there if the folder is new or empty.

    Raises ArchiveError when the folder holds other files and no archive, or cannot be made, or is
    the address of a server.
    """
    folder = _absolute(folder)
    if not (folder / DATABASE).exists():
        _check_free(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _cannot_be_made(folder, error) from error
    return _opened(folder)


def open_archive(folder: Path | str) -> Archive:
    """Return the archive in `folder`, its catalogue brought up to date first.

    A catalogue of an older version is copied to `backups/` and then migrated. Raises
    ArchiveMissing when there is none, ArchiveTooNew when a newer version of this program wrote
    it, DiskRefused when the catalogue cannot be written, ArchiveError when `archive.db` is not a
    catalogue or `folder` is the address of a server.
    """
    check_archive(folder)
    return _opened(_absolute(folder))


def check_archive(folder: Path | str) -> None:
    """Raise ArchiveMissing where there is no archive in `folder`."""
    folder = _absolute(folder)
    if not (folder / DATABASE).is_file():
        raise ArchiveMissing(
            f"There is no archive in {folder}: it has no {DATABASE}. Make one with "
            f"`{command_on(folder, 'ingest', 'SOURCE')}`."
        )


def open_archive_to_read(folder: Path | str) -> Archive:
    """Return the archive in `folder` as `open_archive` does, `read_only` where it must be.

    So it is on a full disk or a read-only medium: what writes to the catalogue raises DiskRefused.
    Raises what `open_archive` raises; DiskRefused where the catalogue cannot be read either.
    """
    try:
        return open_archive(folder)
    except DiskRefused as refused:
        folder = _absolute(folder)
        try:
            return _as_it_stands(folder)
        except DatabaseError:
            raise refused from None


@contextmanager
def archive_as_it_stands(folder: Path | str) -> Iterator[Archive]:
    """Give the archive in `folder` to be looked at: nothing is made, migrated or written there.

    Where there is none yet, it is as a new one would be. A catalogue of an older version is
    copied into memory and migrated there. Raises what `create_archive` and `open_archive` raise.
    """
    folder = _absolute(folder)
    path = folder / DATABASE
    try:
        if path.is_file():
            archive = _as_it_stands(folder)
        else:
            _check_free(folder)
            archive = Archive(folder, engine_in_memory(), read_only=True)
            migration.migrate(archive.engine, backups=None)
        with closing(archive):
            yield archive
    except DatabaseError as error:
        raise ArchiveError(f"{path} cannot be read as a catalogue ({error.orig}).") from error


def _as_it_stands(folder: Path) -> Archive:
    """Return the archive in `folder`, in memory where its catalogue is of an older version."""
    archive = Archive(folder, engine_for_reading(folder / DATABASE), read_only=True)
    try:
        if not migration.needed(archive.engine, folder):
            return archive
        older, archive = archive, Archive(folder, engine_in_memory(), read_only=True)
        with closing(older), older.engine.connect() as source, archive.engine.connect() as target:
            source.connection.backup(target.connection.driver_connection)
        migration.migrate(archive.engine, backups=None)
    except BaseException:
        archive.close()
        raise
    return archive


def _absolute(folder: Path | str) -> Path:
    if address := _ADDRESS.match(str(folder)):  # not said whole: there may be a password in it
        raise ArchiveError(
            f"An archive is a folder on this computer, not an address ({address[0]}...). Name a "
            "folder: its catalogue is a file in it."
        )
    return Path(folder).expanduser().resolve()


def _opened(folder: Path) -> Archive:
    archive = Archive(folder, engine_of(folder / DATABASE))
    try:
        if migration.needed(archive.engine, folder):
            with archive.lock():
                migration.migrate(archive.engine, backups=folder / BACKUPS)
    except DatabaseError as error:
        archive.close()
        if _is_busy(error):
            raise ArchiveBusy(f"Another process is using {folder}.") from error
        if _is_refused(error):
            raise _refused(folder, error) from error
        raise _damaged(folder, error) from error
    except BaseException:
        archive.close()
        raise
    return archive


def _check_free(folder: Path) -> None:
    """Raise ArchiveError where the folder holds other files, or is not a folder."""
    try:
        foreign = [
            entry.name
            for entry in (folder.iterdir() if folder.exists() else ())
            if entry.name not in _OURS and not entry.name.startswith(".")
        ]
    except OSError as error:
        raise _cannot_be_made(folder, error) from error
    if foreign:
        raise ArchiveError(
            f"{folder} is not an archive and not empty (it contains {min(foreign)!r}"
            f"{' and more' if len(foreign) > 1 else ''}). Choose a new or empty folder."
        )


def _cannot_be_made(folder: Path, error: OSError) -> ArchiveError:
    return ArchiveError(
        f"{folder} cannot be made into an archive: {error.strerror or error}. Choose a folder that "
        "you may write to."
    )


def _is_refused(error: DatabaseError) -> bool:
    """Return whether the disk, not the statement, is why it failed."""
    return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in (
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
    )


def _refused(folder: Path, error: DatabaseError) -> DiskRefused:
    return DiskRefused(
        f"{folder / DATABASE} cannot be written or read ({error.orig}). Finished work is kept: "
        "check that the disk is available, has free space and is writable, then run the same "
        "command again."
    )


def _is_damaged(error: DatabaseError) -> bool:
    return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in (
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
    )


def _damaged(folder: Path, error: DatabaseError) -> ArchiveError:
    path = folder / DATABASE
    copies = sorted((folder / BACKUPS).glob(f"{path.stem}-*.db"))  # their names begin with the time
    advice = (
        "restore your own last backup of it, and delete "
        f"{path.name}-wal and {path.name}-shm beside it."
    )
    if copies:
        advice += (
            f" Without one, restore {copies[-1]}: the catalogue from before an update of the "
            "program. It lacks everything added since; `prizemarks ingest` adds scans again."
        )
    return ArchiveError(
        f"{path} cannot be read as a catalogue ({error.orig}). If it is damaged, {advice}"
    )


def _is_busy(error: DatabaseError) -> bool:
    return isinstance(error.orig, sqlite3.OperationalError) and "locked" in str(error.orig)
