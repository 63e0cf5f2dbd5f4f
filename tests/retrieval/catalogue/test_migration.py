from __future__ import annotations

import re
import sqlite3
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, select, text
from sqlalchemy.orm import Session

from retrieval.catalogue import migration
from retrieval.catalogue.archive import (
    Archive,
    archive_as_it_stands,
    create_archive,
    open_archive,
    open_archive_to_read,
)
from retrieval.catalogue.documents import in_order_of_reference
from retrieval.catalogue.errors import ArchiveError, ArchiveTooNew
from retrieval.catalogue.files import UNFINISHED
from retrieval.catalogue.tables import (
    Base,
    Document,
    Failure,
    Group,
    GroupMark,
    Identity,
    IdentityMark,
    Mark,
    Model,
    Page,
)
from tests.full_disk import no_file_larger_than
from tests.plain_user import with_mode
from tests.retrieval.catalogue.conftest import emptied


def differences(engine: Engine) -> list[Any]:
    with engine.connect() as connection, warnings.catch_warnings():
        # Of SQLite's indexes those of expressions are not compared; of PostgreSQL's they are.
        warnings.filterwarnings("ignore", message=".*expression-based index")
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


def constraints(engine: Engine) -> dict[str, Any]:
    """What compare_metadata passes over: checks, and what a deletion does."""
    found = inspect(engine)
    return {
        table: (
            sorted(str(check["name"]) for check in found.get_check_constraints(table)),
            sorted(
                (str(key["name"]), str(key["options"].get("ondelete")))
                for key in found.get_foreign_keys(table)
            ),
        )
        for table in Base.metadata.tables
    }


def as_of_0001(folder: Path) -> None:
    """Make an archive as the first version of the program left it, with one document."""
    archive = create_archive(folder)
    with archive.engine.begin() as connection:
        for table in (
            "resemblances",
            "group_marks",
            "groups",
            "identity_marks",
            "identities",
            "discarded_crops",
        ):
            connection.execute(text(f"DROP TABLE {table}"))
        for index in (
            "ix_documents_sort_key",
            "ix_pages_duplicate_of",
            "ix_failures_location",
            "ix_marks_likely",
        ):
            connection.execute(text(f"DROP INDEX {index}"))
        connection.execute(text("ALTER TABLE documents DROP COLUMN sort_key"))
        for table, column in (
            ("pages", "details"),
            ("pages", "fingerprint"),
            ("failures", "as_crops"),
            ("failures", "tried"),
            ("embeddings", "seen"),
            ("marks", "proposed_by"),
            ("marks", "realism"),
        ):
            connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        connection.execute(
            text("INSERT INTO documents (reference, details) VALUES ('HCA 32/1', '{}')")
        )
    archive.close()


def test_the_migrated_tables_are_those_of_the_classes(archive: Archive, tmp_path: Path) -> None:
    assert differences(archive.engine) == []
    direct = create_engine(f"sqlite:///{tmp_path / 'direct.db'}")
    Base.metadata.create_all(direct)
    assert constraints(archive.engine) == constraints(direct)
    direct.dispose()


def test_what_refers_to_a_row_is_found_by_an_index(archive: Archive) -> None:
    found, asked_of = inspect(archive.engine), set()
    with archive.engine.connect() as connection:
        for table in Base.metadata.tables:
            for key in found.get_foreign_keys(table):
                (column,) = key["constrained_columns"]
                asked = f"EXPLAIN QUERY PLAN SELECT 1 FROM {table} WHERE {column} = 1"
                (plan,) = connection.execute(text(asked)).scalars("detail")
                assert plan.startswith("SEARCH"), plan
                asked_of.add(table)
    assert {"pages", "marks", "embeddings"} <= asked_of


@pytest.mark.parametrize("table", ["pages", "failures"])
def test_what_is_known_of_the_place_of_a_file_is_found_by_an_index(
    archive: Archive, table: str
) -> None:
    asked = f"EXPLAIN QUERY PLAN SELECT 1 FROM {table} WHERE source = 'a' OR location = '/a'"
    with archive.engine.connect() as connection:
        plan = connection.execute(text(asked)).scalars("detail").all()
    assert f"SEARCH {table} USING INDEX ix_{table}_location (location=?)" in plan


def test_the_same_on_postgresql(postgresql: Engine, tmp_path: Path) -> None:
    migration.migrate(postgresql, backups=tmp_path)
    assert differences(postgresql) == []
    migrated = constraints(postgresql)
    emptied(postgresql)
    Base.metadata.create_all(postgresql)
    assert migrated == constraints(postgresql)


def test_an_older_archive_is_copied_and_brought_up_to_date(tmp_path: Path) -> None:
    as_of_0001(tmp_path)
    archive = open_archive(tmp_path)
    assert differences(archive.engine) == []
    with archive.session() as session:
        assert session.scalars(select(Document.reference)).all() == ["HCA 32/1"]
    archive.close()
    (copy,) = (tmp_path / "backups").iterdir()
    with sqlite3.connect(copy) as old:
        assert old.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
        assert old.execute("SELECT reference FROM documents").fetchall() == [("HCA 32/1",)]


def test_a_disk_too_full_for_the_copy_leaves_the_older_archive_as_it_was(tmp_path: Path) -> None:
    as_of_0001(tmp_path)
    before = (tmp_path / "archive.db").read_bytes()
    backups = tmp_path / "backups"
    said = (
        f"{tmp_path / 'archive.db'} is from an older version, and no backup can be written to "
        f"{backups} before the upgrade ("
    )
    with (
        no_file_larger_than(len(before) // 2),
        pytest.raises(ArchiveError, match=re.escape(said)),
    ):
        open_archive(tmp_path)
    assert list(backups.iterdir()) == []
    backups.rmdir()
    backups.touch()
    with pytest.raises(
        ArchiveError, match=re.escape(said + "File exists). It was not changed: check")
    ):
        open_archive(tmp_path)
    assert (tmp_path / "archive.db").read_bytes() == before


def test_an_older_archive_that_cannot_be_written_is_read_by_several(tmp_path: Path) -> None:
    as_of_0001(tmp_path)
    before = set(tmp_path.iterdir())

    def references(archive: Archive) -> list[str]:
        with archive.session() as session:
            return list(session.scalars(select(Document.reference)))

    with (
        with_mode(tmp_path, 0o555),
        closing(open_archive_to_read(tmp_path)) as archive,
        ThreadPoolExecutor(4) as threads,
    ):
        assert archive.read_only and differences(archive.engine) == []
        assert list(threads.map(references, [archive] * 20)) == [["HCA 32/1"]] * 20
    assert set(tmp_path.iterdir()) == before


def test_what_a_killed_copying_left_is_cleared_away_by_the_next(tmp_path: Path) -> None:
    as_of_0001(tmp_path)
    backups = tmp_path / "backups"
    backups.mkdir()
    for name in (f"{UNFINISHED}1", f"{UNFINISHED}archive-20240101T000000000000Z-0001.db-journal"):
        (backups / name).write_text("half")
    (backups / "archive-20240101T000000000000Z-0001.db").write_text("an older copy")
    open_archive(tmp_path).close()
    older, copy = sorted(path.name for path in backups.iterdir())
    assert older == "archive-20240101T000000000000Z-0001.db"
    assert re.fullmatch(r"archive-\d{8}T\d{12}Z-0001\.db", copy)


def test_references_get_their_usual_form_and_a_key(tmp_path: Path) -> None:
    as_of_0001(tmp_path)
    spellings = ["HCA32/10/5", "hca 32/9", "HCA 32/9", "Box 7", "hca 32/009"]
    with sqlite3.connect(tmp_path / "archive.db") as database:
        database.executemany(
            "INSERT INTO documents (reference, details) VALUES (?, ?)",
            [(spelling, '{"folio": "3r"}') for spelling in spellings],
        )
    archive = open_archive(tmp_path)
    with archive.session() as session:
        found = session.scalars(select(Document).order_by(Document.sort_key, Document.id)).all()
        assert [one.reference for one in found] == [
            "Box 7",
            "HCA 32/1",
            "hca 32/9",  # another document has the usual form: the two stay two
            "HCA 32/9",
            "hca 32/009",
            "HCA 32/10/5",
        ]
        assert found[-1].details == {"folio": "3r", "reference as written": "HCA32/10/5"}
        assert found[2].details == {"folio": "3r"}
    archive.close()


def test_only_of_proposals_it_is_known_who_proposed_them(tmp_path: Path) -> None:
    as_of_0001(tmp_path)
    with sqlite3.connect(tmp_path / "archive.db") as database:
        database.execute(
            "INSERT INTO pages (id, source, location, frame, ordinal, width, height, sha256, size, "
            "mtime_ns, segmenter, ingested_at) "
            "VALUES (1, '1.png', '/1.png', 0, 0, 9, 9, 'a', 1, 1, 'strokes-2', '2024-01-01')"
        )
        database.executemany(
            "INSERT INTO marks (page_id, x, y, width, height, status, score, origin, crop, "
            "created_at) VALUES (1, 0, 0, 1, 1, ?, 0.9, ?, 'b', '2024-01-01')",
            [
                ("proposed", "strokes-1"),
                ("confirmed", "import:theirs.csv"),
                ("rejected", "person:A. Reader"),
            ],
        )
    archive = open_archive(tmp_path)
    with archive.session() as session:
        found = session.scalars(select(Mark.proposed_by).order_by(Mark.id)).all()
    archive.close()
    assert found == ["strokes-1", None, None]


def test_documents_sort_by_code_point_on_postgresql(postgresql: Engine, tmp_path: Path) -> None:
    emptied(postgresql)
    migration.migrate(postgresql, backups=tmp_path, to="0003")
    references = ["HCA 32/10", "HCA 32/9/1", "HCA32/9A", "HCA 32/9 pt 1", "HCA 32/9"]
    with postgresql.begin() as connection:
        for reference in references:
            connection.execute(
                text("INSERT INTO documents (reference, details) VALUES (:reference, '{}')"),
                {"reference": reference},
            )
    migration.migrate(postgresql, backups=tmp_path)
    with Session(postgresql) as session, session.begin():
        session.add(Document(reference="HCA 32/9-11", details={}))
        session.flush()
        found = session.scalars(select(Document.reference).order_by(*in_order_of_reference()))
        assert found.all() == [
            "HCA 32/9", "HCA 32/9 pt 1", "HCA 32/9-11", "HCA 32/9/1", "HCA 32/9A", "HCA 32/10",
        ]  # fmt: skip


def test_older_judgements_keep_what_their_identities_tell(
    without_tables: Engine,
) -> None:
    engine = without_tables
    migration.migrate(engine, backups=None)
    days = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
    with Session(engine) as session, session.begin():
        page = Page(
            source="1.png", location="/in/1.png", width=9, height=9, sha256="1" * 64, size=1,
            mtime_ns=1,
        )  # fmt: skip
        session.add_all(
            Mark(page=page, x=at, y=0, width=1, height=1, origin="test", crop="0" * 64)
            for at in range(5)
        )
        session.add(Model(id="m", architecture="a", objective="o", origin="trained"))
        session.add(Identity(name="the anchor"))
        session.flush()
        # Judged on the first day and the third; on the second, and of the last nobody has.
        for verdict, identity, day in (
            ("same", 1, days[0]),
            ("same", 1, days[2]),
            ("different", None, days[1]),
            (None, None, None),
        ):
            session.add(
                Group(
                    model_id="m", share=1e-4, cosine=0.8, verdict=verdict, identity_id=identity,
                    said_by="R" if verdict else None, said_at=day,
                )
            )  # fmt: skip
            session.flush()
        for mark, day in ((1, days[0]), (2, days[0]), (3, days[2])):
            session.add(
                IdentityMark(
                    identity_id=1, mark_id=mark, certainty="probable", said_by="R", said_at=day
                )
            )
        for group, mark in (
            *((1, mark) for mark in (1, 2, 3)),
            *((2, mark) for mark in (2, 3, 4)),
            *((3, mark) for mark in (1, 2)),
            *((4, mark) for mark in (1, 2)),
        ):
            session.add(GroupMark(group_id=group, mark_id=mark, likeness=0.9))
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE group_marks DROP COLUMN certainty"))
        connection.execute(text("DROP INDEX ix_marks_likely"))
        connection.execute(text("DROP TABLE discarded_crops"))
        for column in ("proposed_by", "realism"):
            connection.execute(text(f"ALTER TABLE marks DROP COLUMN {column}"))
        connection.execute(text("ALTER TABLE failures DROP COLUMN as_crops"))
        for index in (
            "ix_pages_duplicate_of",
            "ix_identity_marks_mark_id",
            "ix_groups_identity_id",
            "ix_failures_location",
        ):
            connection.execute(text(f"DROP INDEX {index}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0007'"))
    migration.migrate(engine, backups=None)
    with Session(engine) as session:
        said = session.execute(
            select(GroupMark.group_id, GroupMark.mark_id).where(GroupMark.certainty == "probable")
        )
        assert sorted(tuple(row) for row in said) == [(1, 1), (1, 2), (2, 2), (2, 3)]
        assert session.query(GroupMark).filter(GroupMark.certainty.is_(None)).count() == 6


def test_what_was_tried_as_crops_is_known_by_the_end_of_an_older_text(
    without_tables: Engine,
) -> None:
    engine = without_tables
    migration.migrate(engine, backups=None, to="0011")
    texts = [
        "200000000 pixels, 10 minutes, prizemarks 0.1.0, crops",
        "200000000 pixels, 10 minutes, prizemarks 0.1.0, strokes-3",
        "again, crops",
        None,
    ]
    with engine.begin() as connection:
        for number, tried in enumerate(texts):
            connection.execute(
                text(
                    "INSERT INTO failures (source, location, frame, size, mtime_ns, reason, "
                    "advice, tried, failed_at) "
                    "VALUES (:source, '/in', 0, 1, 1, 'r', 'a', :tried, '2024-01-01')"
                ),
                {"source": f"{number}.png", "tried": tried},
            )
    migration.migrate(engine, backups=None)
    with Session(engine) as session:
        found = session.execute(select(Failure.as_crops, Failure.tried).order_by(Failure.source))
        assert found.all() == [(True, texts[0]), (False, texts[1]), (True, None), (False, None)]


def test_an_archive_that_is_up_to_date_is_not_copied(archive: Archive) -> None:
    open_archive(archive.folder).close()
    assert not (archive.folder / "backups").exists()


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    as_of_0001(tmp_path)
    with sqlite3.connect(tmp_path / "archive.db") as database:
        database.execute("CREATE TABLE identity_marks (in_the_way INTEGER)")
    with pytest.raises(ArchiveError, match="already exists"):
        open_archive(tmp_path)
    with sqlite3.connect(tmp_path / "archive.db") as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        version = database.execute("SELECT version_num FROM alembic_version").fetchall()
    assert "identities" not in tables
    assert version == [("0001",)]


def test_a_newer_archive_is_refused_and_left_alone(archive: Archive) -> None:
    with archive.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    said = (
        f"{archive.folder} was written by a newer version of prizemarks (its revision is 9999, "
        f"this version knows up to {migration.newest_revision()}). Install the newer version."
    )
    with pytest.raises(ArchiveTooNew, match=re.escape(said)):
        open_archive(archive.folder)
    with pytest.raises(ArchiveTooNew, match=re.escape(said)), archive_as_it_stands(archive.folder):
        pass
    with archive.engine.connect() as connection:
        assert migration.revision(connection) == "9999"


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "archive.db") as database:
        database.execute("CREATE TABLE recipes (title TEXT)")
    said = f"The database in {tmp_path} belongs to another program: it has no revision."
    with pytest.raises(ArchiveError, match=re.escape(said)):
        open_archive(tmp_path)
    with pytest.raises(ArchiveError, match=re.escape(said)), archive_as_it_stands(tmp_path):
        pass


def test_a_creation_that_was_killed_is_finished(tmp_path: Path) -> None:
    (tmp_path / "archive.db").touch()
    archive = open_archive(tmp_path)
    assert differences(archive.engine) == []
    archive.close()


def test_alembic_is_silent(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    create_archive(tmp_path / "a").close()
    assert capfd.readouterr() == ("", "")


def test_downgrading_is_possible_in_development(tmp_path: Path) -> None:
    from alembic import command
    from alembic.config import Config

    archive = create_archive(tmp_path / "a")
    config = Config()
    config.set_main_option("script_location", str(migration.SCRIPTS))
    with archive.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    with archive.engine.connect() as connection:
        left = set(inspect(connection).get_table_names()) - {"alembic_version", "sqlite_sequence"}
    assert left == set()
    archive.close()
