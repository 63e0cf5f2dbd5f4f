from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import RequestError
from retrieval.catalogue.identities import (
    IdentityRow,
    Word,
    identities_called,
    identity_called,
    identity_names,
    identity_row,
    members,
    names_of,
    rename_identity,
    said_of,
    words_on,
)
from retrieval.catalogue.tables import Identity, IdentityMark, Mark


@pytest.fixture
def named(filled: Archive) -> Archive:
    """The archive with two identities: "Jan" of the marks 1 and 3, "the anchor" of mark 3."""
    with filled.writing() as session:
        session.add_all([Identity(name="Jan"), Identity(name="the anchor")])
        session.flush()
        for identity, mark in ((1, 1), (1, 3), (2, 3)):
            session.add(
                IdentityMark(identity_id=identity, mark_id=mark, certainty="certain", said_by="R")
            )
    return filled


def test_a_mark_has_the_names_of_its_identities(named: Archive) -> None:
    with named.session() as session:
        assert names_of(session, [1, 2, 3]) == {1: ["Jan"], 3: ["Jan", "the anchor"]}
        assert identity_names(session, [1, 2, 3]) == {1: "Jan", 3: "Jan; the anchor"}


def test_the_words_on_marks_keep_who_said_them_when_and_how_sure(named: Archive) -> None:
    moment = datetime(2026, 3, 8, 12, 30, tzinfo=UTC)
    with named.writing() as session:
        found = session.get_one(IdentityMark, (2, 3))
        found.certainty, found.said_by, found.said_at = "possible", "Ada", moment
    with named.session() as session:
        jan, anchor = words_on(session, [2, 3])[3]
        assert anchor == Word("the anchor", "possible", "Ada", moment)
        assert (jan.name, jan.certainty, jan.said_by) == ("Jan", "certain", "R")
        assert words_on(session, [2]) == {}


def test_an_identity_is_found_by_its_name(named: Archive) -> None:
    with named.writing() as session:
        session.get_one(Mark, 1).status = "rejected"
    with named.session() as session:
        assert identity_called(session, " the   anchor") == IdentityRow(2, "the anchor", 1)
        assert identity_called(session, "Jan") == IdentityRow(1, "Jan", 1)
        assert identity_called(session, "") is None


def test_identities_are_listed_by_name_with_their_marks(named: Archive) -> None:
    with named.writing() as session:
        session.add(Identity(name="ÉTOILE of jan"))
        session.get_one(Mark, 1).status = "rejected"
    with named.session() as session:
        rows, number = identities_called(session, "", 2)
        assert (rows, number) == ([IdentityRow(1, "Jan", 1), IdentityRow(2, "the anchor", 1)], 3)
        assert identities_called(session, "JAN étoile", 9) == (
            [IdentityRow(3, "ÉTOILE of jan", 0)], 1,
        )  # fmt: skip
        assert identities_called(session, "anchor jan", 9) == ([], 0)
        assert identity_row(session, 2) == IdentityRow(2, "the anchor", 1)
        assert identity_row(session, 9) is None
        assert [(one.mark, one.certainty, one.said_by) for one in members(session, 1)] == [
            (3, "certain", "R")
        ]


def test_an_identity_is_renamed_and_what_was_said_of_its_marks_stays(named: Archive) -> None:
    with named.session() as session:
        before = said_of(session, 1)
    with named.writing() as session:
        rename_identity(session, before[0], "  Jan \n de Vries ")
    with named.session() as session:
        assert identity_names(session, [1, 3]) == {1: "Jan de Vries", 3: "Jan de Vries; the anchor"}
        (after,) = said_of(session, 1)
        assert after.name == "Jan de Vries"
        assert [(one.identity, one.said_by, one.said_at, one.others) for one in (after,)] == [
            (one.identity, one.said_by, one.said_at, one.others) for one in before
        ]
    with named.writing() as session:
        rename_identity(session, after, "Jan de Vries")
    with named.writing() as session, pytest.raises(RequestError, match="renamed it 'Jan de Vries'"):
        rename_identity(session, before[0], "Piet")


@pytest.mark.parametrize(
    ("identity", "name", "said"),
    [
        (1, "the anchor", "name 'the anchor' is already taken"),
        (1, "  ", "Enter a name for"),
        (1, "a" * 256, "longer than 255"),
        (9, "Jan de Vries", "taken back"),
    ],
)
def test_a_name_that_cannot_be_given_is_refused(
    named: Archive, identity: int, name: str, said: str
) -> None:
    with pytest.raises(RequestError, match=said), named.writing() as session:
        seen = replace(said_of(session, 1)[0], identity=identity)
        rename_identity(session, seen, name)
    with named.session() as session:
        names = session.scalars(select(Identity.name).order_by(Identity.id)).all()
    assert names == ["Jan", "the anchor"]
