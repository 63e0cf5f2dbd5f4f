from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from retrieval.catalogue import migration
from retrieval.catalogue.archive import create_archive
from retrieval.catalogue.spelling import folded, holds
from retrieval.catalogue.tables import Document

SHIPS = ("L’Étoile", "Große Straße", "ΠΟΣΕΙΔΩΝ", "Слава", "a.b [c] \\d 100%", "Hope", None)


@pytest.fixture(params=["sqlite", "postgresql"])
def session(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Session]:
    """A session on a catalogue of some ships, in one database and the other."""
    if request.param == "sqlite":
        engine: Engine = create_archive(tmp_path / "archive").engine
    else:
        engine = request.getfixturevalue("postgresql")
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
        migration.migrate(engine, backups=tmp_path)
    with Session(engine) as session:
        for number, ship in enumerate(SHIPS):
            session.add(Document(reference=str(number), ship=ship))
        session.commit()
        yield session
    engine.dispose()


def test_a_text_is_found_whatever_the_case_of_its_letters(session: Session) -> None:
    def found(sought: str) -> list[str | None]:
        return list(session.scalars(select(Document.ship).where(holds(Document.ship, sought))))

    for word in ("étoile", "ÉTOILE", "L’éToI"):
        assert found(word) == ["L’Étoile"]
    for word in ("strasse", "STRASSE", "straße", "STRAẞE", "große", "ſtraße"):
        assert found(word) == ["Große Straße"]
    assert found("ποσειδων") == found("Ποσειδων") == ["ΠΟΣΕΙΔΩΝ"]
    assert found("слав") == ["Слава"]
    for word in ("A.B", "[C]", "\\D", "100%"):
        assert found(word) == [SHIPS[4]]
    assert found("etoile") == found("a_b") == found("hop.") == found(".*") == []


def test_every_letter_is_met_in_all_its_cases(session: Session) -> None:
    letters = [chr(number) for number in range(sys.maxunicode + 1)]
    cased = " ".join(letter for letter in letters if folded(letter) != letter)
    session.add(Document(reference="all", title=cased))
    session.commit()
    found = select(Document.reference)
    for sought in (cased, folded(cased)):
        assert session.scalars(found.where(holds(Document.title, sought))).all() == ["all"]
