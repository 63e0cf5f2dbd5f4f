from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from retrieval.catalogue.errors import RequestError
from retrieval.catalogue.figures import counts
from retrieval.catalogue.groups import ProposedGroup, group_row
from retrieval.catalogue.identities import identity_names, said_of
from retrieval.catalogue.judgements import (
    Statement,
    accept_chosen,
    accept_group,
    refuse_group,
    take_back,
    take_out,
)
from retrieval.catalogue.tables import Group, GroupMark, Identity, IdentityMark, Mark
from tests.retrieval.catalogue.proposing import first_open, open_groups, propose


def test_an_accepted_group_is_an_identity_with_who_said_so_and_when(session: Session) -> None:
    propose(session, (1, 2, 3))
    group = first_open(session)
    identity = accept_group(
        session, group, [3, 1], Statement("  the  anchor ", "probable", "A. Reader"), seen=[1, 2, 3]
    )  # fmt: skip
    session.commit()
    found = session.get_one(Identity, identity)
    assert found.name == "the anchor"
    said = session.scalars(select(IdentityMark).order_by(IdentityMark.mark_id)).all()
    assert [(one.mark_id, one.certainty, one.said_by) for one in said] == [
        (1, "probable", "A. Reader"),
        (3, "probable", "A. Reader"),
    ]
    assert all(one.said_at for one in said)
    judged = session.get_one(Group, group)
    assert (judged.verdict, judged.identity_id, judged.said_by) == ("same", identity, "A. Reader")
    statuses = session.scalars(select(Mark.status).order_by(Mark.id)).all()
    assert statuses[:4] == ["confirmed", "proposed", "confirmed", "proposed"]
    assert counts(session).groups == {"proposed": 0, "same": 1, "different": 0}
    row = group_row(session, group)
    assert row is not None
    assert row.identities == {1: "the anchor", 3: "the anchor"}


def test_marks_join_an_identity_that_one_of_them_has(session: Session) -> None:
    propose(session, (1, 2))
    accept_group(session, first_open(session), [1, 2], Statement("a", "certain", "R"), seen=[1, 2])
    propose(session, (1, 3), (4, 5))
    accept_group(session, first_open(session), [1, 3], Statement("a", "possible", "S"), seen=[1, 3])
    said = {one.mark_id: (one.certainty, one.said_by) for one in session.scalars(
        select(IdentityMark))}  # fmt: skip
    assert said == {1: ("certain", "R"), 2: ("certain", "R"), 3: ("possible", "S")}
    with pytest.raises(RequestError, match="another name"):
        accept_group(
            session, first_open(session), [4, 5], Statement("a", "certain", "R"), seen=[4, 5]
        )  # fmt: skip


def test_marks_join_an_identity_that_none_of_them_has_when_that_is_said(session: Session) -> None:
    _accept(session, [1, 2], "Jan", "R")
    other = _accept(session, [3, 4], "Piet", "R")
    (jan, piet) = session.scalars(select(Identity.id).order_by(Identity.id))
    propose(session, (5, 6))
    group = first_open(session)

    def accept(name: str, joins: int | None) -> int:
        return accept_group(
            session, group, [5, 6], Statement(name, "possible", "S", joins), seen=[5, 6]
        )  # fmt: skip

    for name, joins, said in (
        ("Jan", None, "say that they are the same merchant's, or choose another name"),
        ("Jan", piet, "'Jan' that these were to join has since been renamed: reload"),
        ("Jan de Vries", jan, "has since been renamed"),
    ):
        with pytest.raises(RequestError, match=said):
            accept(name, joins)
    assert accept(" Jan ", jan) == jan
    session.commit()
    said = session.scalars(select(IdentityMark).order_by(IdentityMark.mark_id)).all()
    assert [(one.mark_id, one.identity_id, one.said_by) for one in said] == [
        (1, jan, "R"), (2, jan, "R"), (3, piet, "R"), (4, piet, "R"), (5, jan, "S"), (6, jan, "S"),
    ]  # fmt: skip
    _take_back(session, group)
    assert identity_names(session, [1, 2, 5, 6]) == {1: "Jan", 2: "Jan"}
    assert other != group


@pytest.mark.parametrize(
    ("marks", "name", "person", "said"),
    [
        ([1], "a", "R", "choose at least two"),
        ([1, 4], "a", "R", "Mark 4 is not in group"),
        ([1, 9], "a", "R", "or has since been rejected"),
        ([1, 2], " ", "R", "Enter a name for the mark"),
        ([1, 2], "a", "", "Enter a name for the person"),
        ([1, 2], "a" * 256, "R", "longer than 255"),
        ([1, 2], "a", "R" * 101, "longer than 100"),
    ],
)
def test_a_statement_that_cannot_be_kept_is_refused(
    session: Session, marks: list[int], name: str, person: str, said: str
) -> None:
    propose(session, (1, 2, 3))
    group = first_open(session)
    with pytest.raises(RequestError, match=said):
        accept_group(session, group, marks, Statement(name, "certain", person), seen=[1, 2, 3])
    assert not session.scalars(select(IdentityMark)).all()


def test_a_group_is_judged_once_and_only_while_it_is_proposed(session: Session) -> None:
    propose(session, (1, 2))
    group = first_open(session)
    propose(session, (1, 2, 3))
    with pytest.raises(RequestError, match="no longer exists"):
        refuse_group(session, group, seen=[1, 2], said_by="R")
    group = first_open(session)
    refuse_group(session, group, seen=[1, 2, 3], said_by="R")
    with pytest.raises(RequestError, match="R has already judged"):
        accept_group(session, group, [1, 2], Statement("a", "certain", "S"), seen=[1, 2, 3])


def _accept(session: Session, marks: list[int], name: str, said_by: str) -> int:
    """Propose a group of the marks and accept it; return it."""
    propose(session, tuple(marks))
    group = first_open(session)
    accept_group(session, group, marks, Statement(name, "probable", said_by), seen=marks)
    session.commit()
    return group


def _take_back(session: Session, group: int) -> None:
    """Take back the judgement of a group as it is now."""
    row = group_row(session, group)
    assert row is not None
    take_back(session, row)


def test_what_was_said_of_a_mark_comes_with_the_others_and_the_group(session: Session) -> None:
    first = _accept(session, [1, 2], "the anchor", "R")
    second = _accept(session, [2, 3], "the anchor", "S")
    third = _accept(session, [2, 4], "Jan", "S")
    session.get_one(Mark, 1).status = "rejected"
    session.commit()
    anchor, jan = said_of(session, 2)
    assert (anchor.name, anchor.certainty, anchor.said_by, anchor.group, anchor.others) == (
        "the anchor", "probable", "R", first, (3,),
    )  # fmt: skip
    assert (jan.name, jan.said_by, jan.group, jan.others) == ("Jan", "S", third, (4,))
    assert [(said.said_by, said.group) for said in said_of(session, 3)] == [("S", second)]
    assert said_of(session, 5) == []
    assert identity_names(session, [1, 2, 5]) == {1: "the anchor", 2: "the anchor; Jan"}
    row = group_row(session, second)
    assert row is not None and row.identity == "the anchor"


def test_a_judgement_that_is_taken_back_leaves_a_proposal(session: Session) -> None:
    accepted = _accept(session, [1, 2], "the anchor", "R")
    propose(session, (3, 4))
    refused = first_open(session)
    refuse_group(session, refused, seen=[3, 4], said_by="R")
    session.commit()
    for group in (accepted, refused):
        _take_back(session, group)
        session.commit()
    assert open_groups(session) == [(1, 2), (3, 4)]
    row = group_row(session, accepted)
    assert row is not None
    assert (row.verdict, row.said_by, row.said_at, row.identity) == (None, None, None, None)
    assert session.scalars(select(Identity)).all() == []
    assert session.get_one(Mark, 1).status == "confirmed", "what it was is not known"
    with pytest.raises(RequestError, match="already been taken back"):
        take_back(session, row)
    with pytest.raises(RequestError, match="already been taken back"):
        take_back(session, replace(row, group=99))
    accept_group(session, accepted, [1, 2], Statement("the anchor", "certain", "S"), seen=[1, 2])


def test_a_judgement_that_was_not_seen_is_not_taken_back(session: Session) -> None:
    group = _accept(session, [1, 2], "the anchor", "Ada")
    seen = group_row(session, group)
    assert seen is not None
    _take_back(session, group)
    refuse_group(session, group, seen=[1, 2], said_by="Bo")
    session.commit()
    with pytest.raises(RequestError, match=r"Bo has since judged group \d+ \(different\)"):
        take_back(session, seen)
    judged = session.get_one(Group, group)
    assert (judged.verdict, judged.said_by) == ("different", "Bo")


def test_what_other_groups_say_of_an_identity_stays(session: Session) -> None:
    first = _accept(session, [1, 2], "the anchor", "R")
    second = _accept(session, [2, 3], "the anchor", "S")
    third = _accept(session, [3, 4], "the anchor", "T")

    def said() -> dict[int, str]:
        return {one.mark_id: one.said_by for one in session.scalars(select(IdentityMark))}

    assert said() == {1: "R", 2: "R", 3: "S", 4: "T"}
    _take_back(session, first)
    session.commit()
    assert said() == {2: "S", 3: "S", 4: "T"}
    assert said_of(session, 2)[0].group == second
    _take_back(session, third)
    session.commit()
    assert said() == {2: "S", 3: "S"}
    _take_back(session, second)
    session.commit()
    assert said() == {}
    assert session.scalars(select(Identity)).all() == []


def test_a_mark_is_taken_out_of_its_identity_and_stays_out(session: Session) -> None:
    first = _accept(session, [1, 2, 3], "Jan", "R")
    second = _accept(session, [2, 4], "Jan", "S")
    _accept(session, [2, 5], "the anchor", "T")
    jan, anchor = said_of(session, 2)
    assert [person for person, _ in take_out(session, 2, jan)] == ["R", "S"]
    session.commit()
    assert identity_names(session, range(1, 6)) == {
        1: "Jan", 2: "the anchor", 3: "Jan", 4: "Jan", 5: "the anchor",
    }  # fmt: skip
    assert session.get_one(Mark, 2).status == "confirmed"
    assert propose(session, (1, 2), (2, 4)) == 2, "it was judged"
    with pytest.raises(RequestError, match="Mark 2 is no longer identified as 'Jan': reload"):
        take_out(session, 2, jan)
    for group in (first, second):
        _take_back(session, group)
        session.commit()
    assert identity_names(session, range(1, 6)) == {2: "the anchor", 5: "the anchor"}
    (said,) = said_of(session, 5)
    take_out(session, 5, said)
    with pytest.raises(RequestError, match="T has since identified mark 2 as 'the anchor'"):
        take_out(session, 2, replace(anchor, said_at=jan.said_at))
    take_out(session, 2, anchor)
    session.commit()
    assert session.scalars(select(Identity)).all() == [], "it has no marks"


def test_nobody_is_said_to_have_said_what_they_unticked(session: Session) -> None:
    first = _accept(session, [1, 2], "the anchor", "R")
    propose(session, (1, 2, 3))
    second = first_open(session)
    accept_group(
        session, second, [2, 3], Statement("the anchor", "possible", "S"), seen=[1, 2, 3]
    )  # fmt: skip
    session.commit()
    _take_back(session, first)
    session.commit()
    said = session.scalars(select(IdentityMark).order_by(IdentityMark.mark_id)).all()
    assert [(one.mark_id, one.certainty, one.said_by) for one in said] == [
        (2, "possible", "S"),
        (3, "possible", "S"),
    ]
    assert {one.said_at for one in said} == {session.get_one(Group, second).said_at}


def test_a_group_keeps_what_was_said_of_each_of_its_marks(session: Session) -> None:
    def said() -> list[tuple[int, str | None]]:
        rows = session.execute(select(GroupMark.mark_id, GroupMark.certainty).order_by("mark_id"))
        return [(mark, certainty) for mark, certainty in rows]

    propose(session, (1, 2, 3))
    group = first_open(session)
    for marks, kept in (
        ([1, 2], [(1, "certain"), (2, "certain"), (3, None)]),
        ([2, 3], [(1, None), (2, "certain"), (3, "certain")]),
    ):
        accept_group(session, group, marks, Statement("a", "certain", "R"), seen=[1, 2, 3])
        assert said() == kept
        _take_back(session, group)
        assert said() == [(1, None), (2, None), (3, None)]


def test_a_mark_that_was_rejected_meanwhile_is_not_accepted(session: Session) -> None:
    propose(session, (1, 2, 3))
    group = first_open(session)
    session.get_one(Mark, 3).status = "rejected"
    session.commit()
    with pytest.raises(RequestError, match=r"Mark 3 .* since been rejected: reload"):
        accept_group(session, group, [1, 2, 3], Statement("a", "certain", "R"), seen=[1, 2, 3])
    assert session.get_one(Mark, 1).status == "proposed"
    accept_group(session, group, [1, 2], Statement("a", "certain", "R"), seen=[1, 2])
    assert session.get_one(Mark, 3).status == "rejected"


def test_a_judgement_has_one_moment(session: Session) -> None:
    group = _accept(session, [1, 2], "the anchor", "R")
    moments = set(session.scalars(select(IdentityMark.said_at)))
    assert moments == {session.get_one(Group, group).said_at}


def _choose(session: Session, marks: tuple[int, ...], name: str, person: str) -> int:
    chosen = ProposedGroup(marks, tuple(0.6 - 0.1 * at for at in range(len(marks))))
    group = accept_chosen(session, "m", 0.02, chosen, Statement(name, "probable", person))
    session.commit()
    return group


def test_marks_that_a_person_chose_are_kept_as_those_of_a_group(session: Session) -> None:
    propose(session, (1, 2), (5, 6))
    group = _choose(session, (4, 1, 7), " the  anchor ", "A. Reader")
    said = session.scalars(select(IdentityMark).order_by(IdentityMark.mark_id)).all()
    assert [(one.mark_id, one.certainty, one.said_by) for one in said] == [
        (1, "probable", "A. Reader"),
        (4, "probable", "A. Reader"),
        (7, "probable", "A. Reader"),
    ]
    row = group_row(session, group)
    assert row is not None
    assert (row.model, row.share, row.verdict, row.identity) == ("m", 0.02, "same", "the anchor")
    assert (row.marks, row.likeness) == ((4, 1, 7), pytest.approx((0.6, 0.5, 0.4)))
    assert row.cosine == pytest.approx(0.5)
    assert said_of(session, 7)[0].group == group
    statuses = session.scalars(select(Mark.status).order_by(Mark.id)).all()
    assert [at for at, status in enumerate(statuses, start=1) if status == "confirmed"] == [1, 4, 7]
    assert open_groups(session) == [(1, 2), (5, 6)]
    propose(session, (4, 7))
    assert open_groups(session) == [], "what a person judged is not asked again"
    _take_back(session, group)
    session.commit()
    assert session.scalars(select(Identity)).all() == []
    assert open_groups(session) == [(4, 1, 7)]


def test_chosen_marks_join_the_name_that_one_of_them_has(session: Session) -> None:
    first = _accept(session, [1, 2], "the anchor", "R")
    second = _choose(session, (2, 3), "the anchor", "S")
    assert identity_names(session, [1, 2, 3]) == dict.fromkeys((1, 2, 3), "the anchor")
    third = _choose(session, (3, 4), "Jan", "T")
    assert identity_names(session, [3, 4]) == {3: "the anchor; Jan", 4: "Jan"}
    _take_back(session, first)
    session.commit()
    said = {one.mark_id: one.said_by for one in session.scalars(select(IdentityMark)) if
            one.mark_id < 3}  # fmt: skip
    assert said == {2: "S"}
    assert [one.group for one in said_of(session, 3)] == [second, third]


@pytest.mark.parametrize(
    ("marks", "name", "said"),
    [
        ((3, 9), "Jan", "Mark 9 is not in this archive, or has since been rejected"),
        ((3, 99), "Jan", "Mark 99 is not in this archive"),
        ((3, 4), "the anchor", "none of these marks has it"),
        ((2, 1), " the anchor", "already have that name"),
        ((3,), "Jan", "choose at least two"),
        ((3, 4), " ", "Enter a name for the mark"),
    ],
)
def test_what_cannot_be_said_of_chosen_marks_leaves_nothing(
    session: Session, marks: tuple[int, ...], name: str, said: str
) -> None:
    _accept(session, [1, 2], "the anchor", "R")
    with pytest.raises(RequestError, match=said):
        _choose(session, marks, name, "S")
    session.rollback()
    assert identity_names(session, range(1, 10)) == {1: "the anchor", 2: "the anchor"}
    assert counts(session).groups == {"proposed": 0, "same": 1, "different": 0}
