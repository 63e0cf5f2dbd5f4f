"""Connections to a catalogue in SQLite: to write it, to read it as it stands, or in memory."""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

#: Milliseconds that one connection waits for another's transaction to end.
BUSY_TIMEOUT = 30_000

#: Bytes of the memory that whoever writes a catalogue shares with others, a file with the end -shm.
_LEAST_SHARED = 32_768


def engine_of(database: Path) -> Engine:
    """Return an engine whose connections are in WAL mode, keep foreign keys, and wait."""
    engine = create_engine(URL.create("sqlite", database=str(database)))

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        # Python's sqlite3 would begin transactions by itself, and never around DDL: we do it.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        kind = connection.get_execution_options().get("begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {kind}")

    return engine


def engine_for_reading(database: Path) -> Engine:
    """Return an engine that cannot write, and does not tidy up after those that can."""
    # To follow a writer takes two files beside the catalogue, which would be made. Where there is
    # none now, it is read as a file that nobody changes. On a full disk both are made, and stay
    # without content.
    written = _size(database, "-wal") > 0 or _size(database, "-shm") >= _LEAST_SHARED
    return _engine_at(f"{database.as_uri()}?{'mode=ro' if written else 'immutable=1'}")


def _size(database: Path, end: str) -> int:
    path = database.with_name(f"{database.name}{end}")
    return path.stat().st_size if path.exists() else 0


def engine_in_memory() -> Engine:
    """Return an engine of a new database, which lasts as long as its connections do."""
    # Several threads may read it at once, each by a connection of its own.
    return _engine_at(f"file:catalogue-{secrets.token_hex(12)}?mode=memory&cache=shared")


def _engine_at(address: str) -> Engine:
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(address, uri=True, check_same_thread=False),
        poolclass=QueuePool,
    )
    _begin_ourselves(engine)
    return engine


def _begin_ourselves(engine: Engine) -> None:
    """Leave it to us when transactions begin: Python's sqlite3 would do so by itself."""

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")
