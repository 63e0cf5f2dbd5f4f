"""Brings a catalogue to the newest revision of `migrations/`, after a copy has been made."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect

from retrieval.catalogue.errors import ArchiveError, ArchiveTooNew, DiskRefused
from retrieval.catalogue.files import UNFINISHED, finish, unfinished_file

#: The package `migrations` lies beside this one, in a checkout as in an installation.
SCRIPTS = Path(__file__).resolve().parents[2] / "migrations"


def newest_revision() -> str:
    """Return the revision that this version of the program works with."""
    revision = ScriptDirectory(str(SCRIPTS)).get_current_head()
    assert revision is not None, f"no migrations in {SCRIPTS}"
    return revision


def revision(connection: Connection) -> str | None:
    """Return the catalogue's revision; None where no migration has run yet."""
    return MigrationContext.configure(connection).get_current_revision()


def needed(engine: Engine, folder: Path) -> bool:
    """Return whether the catalogue of the archive in `folder` is behind this program.

    Raises ArchiveTooNew when its revision is unknown, ArchiveError when the database holds
    tables that no migration of ours has made.
    """
    with engine.connect() as connection:
        current = revision(connection)
        strange = current is None and inspect(connection).get_table_names()
    if strange:
        raise ArchiveError(
            f"The database in {folder} belongs to another program: it has no revision. Choose "
            "another folder."
        )
    if current is not None and current not in _known():
        raise ArchiveTooNew(
            f"{folder} was written by a newer version of prizemarks (its revision is {current}, "
            f"this version knows up to {newest_revision()}). Install the newer version."
        )
    return current != newest_revision()


def migrate(engine: Engine, *, backups: Path | None, to: str = "head") -> None:
    """Bring the catalogue to revision `to`, copying an SQLite catalogue into `backups` first.

    The migrations run in one transaction: they all happen or none does. A catalogue that is
    new, or already there, is not copied, nor is any where `backups` is None.
    """
    with engine.connect() as connection:
        current = revision(connection)
    if current == (newest_revision() if to == "head" else to):
        return
    if current is not None and backups is not None and engine.dialect.name == "sqlite":
        assert engine.url.database is not None
        back_up(Path(engine.url.database), backups, current)
    with engine.execution_options(begin="EXCLUSIVE").begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def back_up(database: Path, backups: Path, revision: str) -> Path:
    """Copy `database` into `backups`, named by the time and its revision; return the copy.

    Uses SQLite's backup, which sees a consistent state even while others write. What a killed
    copying left there is removed: the caller holds the archive's lock. Raises DiskRefused when
    the disk is full or refuses.
    """
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    copy = backups / f"{database.stem}-{moment}-{revision}.db"
    try:
        for left in backups.glob(f"{UNFINISHED}*"):
            left.unlink(missing_ok=True)
        with unfinished_file(backups) as unfinished:
            with (
                closing(sqlite3.connect(database)) as source,
                closing(sqlite3.connect(unfinished)) as target,
            ):
                source.backup(target)
            finish(unfinished, copy)
    except (sqlite3.Error, OSError) as error:
        raise DiskRefused(
            f"{database} is from an older version, and no backup can be written to {backups} "
            f"before the upgrade ({getattr(error, 'strerror', None) or error}). It was not "
            "changed: check that the disk is available, has free space and is writable, then run "
            "the same command again."
        ) from error
    return copy


def _known() -> set[str]:
    return {script.revision for script in ScriptDirectory(str(SCRIPTS)).walk_revisions()}
