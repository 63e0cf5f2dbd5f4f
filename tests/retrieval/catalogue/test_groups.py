from __future__ import annotations

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from retrieval.catalogue.figures import counts
from retrieval.catalogue.groups import group_row
from retrieval.catalogue.judgements import (
    Statement,
    accept_group,
    refuse_group,
)
from retrieval.catalogue.tables import Group, Identity, IdentityMark, Mark
from tests.retrieval.catalogue.proposing import first_open, open_groups, propose


def test_proposals_take_the_place_of_all_that_nobody_judged(session: Session) -> None:
    propose(session, (6, 7), (4, 6), model="n")
    refuse_group(session, first_open(session), seen=(6, 7), said_by="A")
    assert open_groups(session) == [(4, 6)]
    propose(session, (1, 2, 3), (4, 5))
    assert open_groups(session) == [(1, 2, 3), (4, 5)]
    assert counts(session).groups == {"proposed": 2, "same": 0, "different": 1}
    row = group_row(session, first_open(session))
    assert row is not None
    assert (row.model, row.share, row.cosine, row.verdict) == ("m", 1e-4, 0.8, None)
    assert row.likeness == pytest.approx((0.9, 0.8, 0.7))
    propose(session, (2, 1), (5, 7))
    assert open_groups(session) == [(2, 1), (5, 7)]
    propose(session)
    assert open_groups(session) == []


def test_marks_that_are_gone_or_rejected_are_in_no_group(session: Session) -> None:
    propose(session, (1, 2, 9), (3, 9), (4, 99), (5, 6))
    assert open_groups(session) == [(1, 2), (5, 6)]
    session.get_one(Mark, 5).status = "rejected"
    session.delete(session.get_one(Mark, 1))
    session.commit()
    assert open_groups(session) == []
    assert counts(session).groups == {"proposed": 0, "same": 0, "different": 0}


def test_only_the_marks_of_the_groups_are_asked_for(session: Session) -> None:
    asked: list[str] = []

    @event.listens_for(session.get_bind(), "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT marks.id"):
            asked.append(statement)

    propose(session, (1, 2, 9), (3, 4))
    event.remove(session.get_bind(), "before_cursor_execute", note)  # others use PostgreSQL, too
    assert len(asked) == 1 and " IN " in asked[0]
    assert open_groups(session) == [(1, 2), (3, 4)]


def test_what_a_person_judged_is_neither_overwritten_nor_asked_again(session: Session) -> None:
    propose(session, (1, 2, 3), (4, 5, 6))
    first = first_open(session)
    accept_group(session, first, [1, 2], Statement("a", "certain", "R"), seen=[1, 2, 3])
    second = first_open(session)
    refuse_group(session, second, seen=[4, 5, 6], said_by="R")
    session.commit()
    assert propose(session, (1, 2, 3), (5, 4), (1, 3), (6, 7), (2, 4), model="n") == 3
    assert open_groups(session) == [(6, 7), (2, 4)]
    assert propose(session) == 0
    assert session.get_one(Group, first).verdict == "same"
    assert session.get_one(Group, second).verdict == "different"
    with_another = propose(session, (1, 2, 3, 8))
    assert with_another == 0, "a new mark makes it a new question"


def test_marks_of_one_identity_need_not_be_asked_about(session: Session) -> None:
    session.add(Identity(name="a"))
    session.flush()
    for mark in (4, 5):
        session.add(IdentityMark(identity_id=1, mark_id=mark, certainty="certain", said_by="R"))
    session.commit()
    assert propose(session, (4, 5), (4, 5, 6)) == 1
    assert open_groups(session) == [(4, 5, 6)]


def test_what_was_not_seen_is_left_to_be_proposed_again(session: Session) -> None:
    propose(session, (1, 2, 3, 4))
    refuse_group(session, first_open(session), seen=[1, 2], said_by="R")
    assert propose(session, (1, 2), (3, 4)) == 1
    assert open_groups(session) == [(3, 4)]


def test_unticked_marks_are_proposed_again_among_themselves(session: Session) -> None:
    propose(session, (1, 2, 3, 4))
    accept_group(
        session, first_open(session), [1, 2], Statement("a", "certain", "R"), seen=[1, 2, 3, 4]
    )  # fmt: skip
    session.commit()
    assert propose(session, (1, 2), (2, 3), (3, 4)) == 2
    assert open_groups(session) == [(3, 4)]
    refuse_group(session, first_open(session), seen=[3, 4], said_by="R")
    assert propose(session, (4, 3)) == 1


def test_a_new_group_never_has_an_old_ones_id(session: Session) -> None:
    propose(session, (1, 2))
    first = first_open(session)
    propose(session, (1, 2))
    assert first_open(session) > first
