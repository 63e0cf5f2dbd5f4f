from __future__ import annotations

import pytest
from sqlalchemy import Engine, or_, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.prefixes import begins_with
from retrieval.catalogue.tables import Page

LOCATIONS = ["/a/b", "/a/b/", "/a/b/1", "/a/b/z/é", "/a/b/\U0001f409", "/a/b0", "/A/b/1", "/a/b%/1"]


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("/a/b/", ["/a/b/", "/a/b/1", "/a/b/z/é", "/a/b/\U0001f409"]),
        ("/a/b%/", ["/a/b%/1"]),
        ("/A", ["/A/b/1"]),
        ("/a/b/z/é", ["/a/b/z/é"]),
        ("/x", []),
    ],
)
def test_what_begins_so_is_found(either: Engine, prefix: str, found: list[str]) -> None:
    with Session(either) as session:
        session.add_all(
            Page(
                source=location,
                location=location,
                width=1,
                height=1,
                sha256="0" * 64,
                size=1,
                mtime_ns=1,
            )
            for location in LOCATIONS
        )
        session.flush()
        asked = select(Page.location).where(begins_with(Page.location, prefix)).order_by(Page.id)
        assert session.scalars(asked).all() == found
        said = select(begins_with(Page.location, prefix)).order_by(Page.id)
        assert session.scalars(said).all() == [one in found for one in LOCATIONS]


@pytest.mark.parametrize("with_document", [False, True])
def test_an_index_finds_it(archive: Archive, with_document: bool) -> None:
    condition = begins_with(Page.location, "/a/")
    if with_document:
        condition = or_(condition, Page.document_id == 1)
    asked = select(Page.source).where(condition)
    said = asked.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    with archive.engine.connect() as connection:
        plan = connection.execute(text(f"EXPLAIN QUERY PLAN {said}")).scalars("detail").all()
    assert any("INDEX ix_pages_location (location>? AND location<?)" in step for step in plan), plan
    assert not any(step.startswith("SCAN") for step in plan), plan


def test_postgresql_compares_by_code_point_whatever_its_language() -> None:
    asked = select(Page.id).where(begins_with(Page.location, "/a/"))
    assert str(asked.compile(dialect=postgresql.dialect())).count('location COLLATE "C"') == 2
