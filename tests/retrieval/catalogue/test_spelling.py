from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from retrieval.catalogue.spelling import folded, holds
from retrieval.catalogue.tables import Document

SHIPS = ("L’Étoile", "Große Straße", "ΠΟΣΕΙΔΩΝ", "Слава", "a.b [c] \\d 100%", "Hope", None)


@pytest.fixture
def session(either: Engine) -> Iterator[Session]:
    """A session on a catalogue of some ships, in one database and the other."""
    with Session(either) as session:
        for number, ship in enumerate(SHIPS):
            session.add(Document(reference=str(number), ship=ship))
        session.commit()
        yield session


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
