from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from retrieval.catalogue.errors import QueryError
from retrieval.catalogue.figures import counts
from retrieval.catalogue.groups import (
    ProposedGroup,
    accept_chosen,
    accept_group,
    group_before,
    group_row,
    groups_to_judge,
    next_group,
    refuse_group,
    replace_proposed_groups,
    take_back,
    take_out,
)
from retrieval.catalogue.identities import identity_names, said_of
from retrieval.catalogue.tables import Group, GroupMark, Identity, IdentityMark, Mark, Model, Page


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


def _propose(session: Session, *groups: tuple[int, ...], model: str = "m") -> int:
    proposals = [ProposedGroup(group, tuple(0.9 - 0.1 * at for at in range(len(group))))
                 for group in groups]  # fmt: skip
    settled = replace_proposed_groups(session, model, 1e-4, 0.8, proposals)
    session.commit()
    return settled


def _open(session: Session) -> list[tuple[int, ...]]:
    """The marks of the groups that are to be judged, in their order."""
    found, at = [], 0
    while (number := next_group(session, at)) is not None:
        row = group_row(session, number)
        assert row is not None
        assert group_before(session, number) == (at or None)
        found.append(row.marks)
        at = number
    assert groups_to_judge(session) == len(found)
    return found


def _first(session: Session) -> int:
    found = next_group(session)
    assert found is not None
    return found


def test_proposals_take_the_place_of_all_that_nobody_judged(session: Session) -> None:
    _propose(session, (6, 7), (4, 6), model="n")
    refuse_group(session, _first(session), seen=(6, 7), said_by="A")
    assert _open(session) == [(4, 6)]
    _propose(session, (1, 2, 3), (4, 5))
    assert _open(session) == [(1, 2, 3), (4, 5)]
    assert counts(session).groups == {"proposed": 2, "same": 0, "different": 1}
    row = group_row(session, _first(session))
    assert row is not None
    assert (row.model, row.share, row.cosine, row.verdict) == ("m", 1e-4, 0.8, None)
    assert row.likeness == pytest.approx((0.9, 0.8, 0.7))
    _propose(session, (2, 1), (5, 7))
    assert _open(session) == [(2, 1), (5, 7)]
    _propose(session)
    assert _open(session) == []


def test_marks_that_are_gone_or_rejected_are_in_no_group(session: Session) -> None:
    _propose(session, (1, 2, 9), (3, 9), (4, 99), (5, 6))
    assert _open(session) == [(1, 2), (5, 6)]
    session.get_one(Mark, 5).status = "rejected"
    session.delete(session.get_one(Mark, 1))
    session.commit()
    assert _open(session) == []
    assert counts(session).groups == {"proposed": 0, "same": 0, "different": 0}


def test_only_the_marks_of_the_groups_are_asked_for(session: Session) -> None:
    asked: list[str] = []

    @event.listens_for(session.get_bind(), "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT marks.id"):
            asked.append(statement)

    _propose(session, (1, 2, 9), (3, 4))
    event.remove(session.get_bind(), "before_cursor_execute", note)  # others use PostgreSQL, too
    assert len(asked) == 1 and " IN " in asked[0]
    assert _open(session) == [(1, 2), (3, 4)]


def test_an_accepted_group_is_an_identity_with_who_said_so_and_when(session: Session) -> None:
    _propose(session, (1, 2, 3))
    group = _first(session)
    identity = accept_group(
        session, group, [3, 1], seen=[1, 2, 3], name="  the  anchor ", certainty="probable",
        said_by="A. Reader",
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


def test_what_a_person_judged_is_neither_overwritten_nor_asked_again(session: Session) -> None:
    _propose(session, (1, 2, 3), (4, 5, 6))
    first = _first(session)
    accept_group(session, first, [1, 2], seen=[1, 2, 3], name="a", certainty="certain", said_by="R")
    second = _first(session)
    refuse_group(session, second, seen=[4, 5, 6], said_by="R")
    session.commit()
    assert _propose(session, (1, 2, 3), (5, 4), (1, 3), (6, 7), (2, 4), model="n") == 3
    assert _open(session) == [(6, 7), (2, 4)]
    assert _propose(session) == 0
    assert session.get_one(Group, first).verdict == "same"
    assert session.get_one(Group, second).verdict == "different"
    with_another = _propose(session, (1, 2, 3, 8))
    assert with_another == 0, "a new mark makes it a new question"


def test_marks_of_one_identity_need_not_be_asked_about(session: Session) -> None:
    session.add(Identity(name="a"))
    session.flush()
    for mark in (4, 5):
        session.add(IdentityMark(identity_id=1, mark_id=mark, certainty="certain", said_by="R"))
    session.commit()
    assert _propose(session, (4, 5), (4, 5, 6)) == 1
    assert _open(session) == [(4, 5, 6)]


def test_what_was_not_seen_is_left_to_be_proposed_again(session: Session) -> None:
    _propose(session, (1, 2, 3, 4))
    refuse_group(session, _first(session), seen=[1, 2], said_by="R")
    assert _propose(session, (1, 2), (3, 4)) == 1
    assert _open(session) == [(3, 4)]


def test_unticked_marks_are_proposed_again_among_themselves(session: Session) -> None:
    _propose(session, (1, 2, 3, 4))
    accept_group(
        session, _first(session), [1, 2], seen=[1, 2, 3, 4], name="a", certainty="certain",
        said_by="R",
    )  # fmt: skip
    session.commit()
    assert _propose(session, (1, 2), (2, 3), (3, 4)) == 2
    assert _open(session) == [(3, 4)]
    refuse_group(session, _first(session), seen=[3, 4], said_by="R")
    assert _propose(session, (4, 3)) == 1


def test_marks_join_an_identity_that_one_of_them_has(session: Session) -> None:
    _propose(session, (1, 2))
    accept_group(
        session, _first(session), [1, 2], seen=[1, 2], name="a", certainty="certain", said_by="R"
    )
    _propose(session, (1, 3), (4, 5))
    accept_group(
        session, _first(session), [1, 3], seen=[1, 3], name="a", certainty="possible", said_by="S"
    )
    said = {one.mark_id: (one.certainty, one.said_by) for one in session.scalars(
        select(IdentityMark))}  # fmt: skip
    assert said == {1: ("certain", "R"), 2: ("certain", "R"), 3: ("possible", "S")}
    with pytest.raises(QueryError, match="another name"):
        accept_group(
            session, _first(session), [4, 5], seen=[4, 5], name="a", certainty="certain",
            said_by="R",
        )  # fmt: skip


def test_marks_join_an_identity_that_none_of_them_has_when_that_is_said(session: Session) -> None:
    _accept(session, [1, 2], "Jan", "R")
    other = _accept(session, [3, 4], "Piet", "R")
    (jan, piet) = session.scalars(select(Identity.id).order_by(Identity.id))
    _propose(session, (5, 6))
    group = _first(session)

    def accept(name: str, joins: int | None) -> int:
        return accept_group(
            session, group, [5, 6], seen=[5, 6], name=name, certainty="possible", said_by="S",
            joins=joins,
        )  # fmt: skip

    for name, joins, said in (
        ("Jan", None, "say that they are the same merchant's, or choose another name"),
        ("Jan", piet, "'Jan' that these were to join has since been renamed: reload"),
        ("Jan de Vries", jan, "is called so no more"),
    ):
        with pytest.raises(QueryError, match=said):
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
    _propose(session, (1, 2, 3))
    group = _first(session)
    with pytest.raises(QueryError, match=said):
        accept_group(
            session, group, marks, seen=[1, 2, 3], name=name, certainty="certain", said_by=person
        )
    assert not session.scalars(select(IdentityMark)).all()


def test_a_group_is_judged_once_and_only_while_it_is_proposed(session: Session) -> None:
    _propose(session, (1, 2))
    group = _first(session)
    _propose(session, (1, 2, 3))
    with pytest.raises(QueryError, match="gone"):
        refuse_group(session, group, seen=[1, 2], said_by="R")
    group = _first(session)
    refuse_group(session, group, seen=[1, 2, 3], said_by="R")
    with pytest.raises(QueryError, match="R has judged"):
        accept_group(
            session, group, [1, 2], seen=[1, 2, 3], name="a", certainty="certain", said_by="S"
        )


def test_a_new_group_never_has_an_old_ones_id(session: Session) -> None:
    _propose(session, (1, 2))
    first = _first(session)
    _propose(session, (1, 2))
    assert _first(session) > first


def _accept(session: Session, marks: list[int], name: str, said_by: str) -> int:
    """Propose a group of the marks and accept it; return it."""
    _propose(session, tuple(marks))
    group = _first(session)
    accept_group(
        session, group, marks, seen=marks, name=name, certainty="probable", said_by=said_by
    )
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
    _propose(session, (3, 4))
    refused = _first(session)
    refuse_group(session, refused, seen=[3, 4], said_by="R")
    session.commit()
    for group in (accepted, refused):
        _take_back(session, group)
        session.commit()
    assert _open(session) == [(1, 2), (3, 4)]
    row = group_row(session, accepted)
    assert row is not None
    assert (row.verdict, row.said_by, row.said_at, row.identity) == (None, None, None, None)
    assert session.scalars(select(Identity)).all() == []
    assert session.get_one(Mark, 1).status == "confirmed", "what it was is not known"
    with pytest.raises(QueryError, match="already been taken back"):
        take_back(session, row)
    with pytest.raises(QueryError, match="already been taken back"):
        take_back(session, replace(row, group=99))
    accept_group(
        session, accepted, [1, 2], seen=[1, 2], name="the anchor", certainty="certain", said_by="S"
    )


def test_a_judgement_that_was_not_seen_is_not_taken_back(session: Session) -> None:
    group = _accept(session, [1, 2], "the anchor", "Ada")
    seen = group_row(session, group)
    assert seen is not None
    _take_back(session, group)
    refuse_group(session, group, seen=[1, 2], said_by="Bo")
    session.commit()
    with pytest.raises(QueryError, match=r"Bo has since judged group \d+ \(different\): reload"):
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
    assert _propose(session, (1, 2), (2, 4)) == 2, "it was judged"
    with pytest.raises(QueryError, match="Mark 2 is no longer identified as 'Jan': reload"):
        take_out(session, 2, jan)
    for group in (first, second):
        _take_back(session, group)
        session.commit()
    assert identity_names(session, range(1, 6)) == {2: "the anchor", 5: "the anchor"}
    (said,) = said_of(session, 5)
    take_out(session, 5, said)
    with pytest.raises(QueryError, match="T has since identified mark 2 as 'the anchor'"):
        take_out(session, 2, replace(anchor, said_at=jan.said_at))
    take_out(session, 2, anchor)
    session.commit()
    assert session.scalars(select(Identity)).all() == [], "it has no marks"


def test_nobody_is_said_to_have_said_what_they_unticked(session: Session) -> None:
    first = _accept(session, [1, 2], "the anchor", "R")
    _propose(session, (1, 2, 3))
    second = _first(session)
    accept_group(
        session, second, [2, 3], seen=[1, 2, 3], name="the anchor", certainty="possible",
        said_by="S",
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

    _propose(session, (1, 2, 3))
    group = _first(session)
    for marks, kept in (
        ([1, 2], [(1, "certain"), (2, "certain"), (3, None)]),
        ([2, 3], [(1, None), (2, "certain"), (3, "certain")]),
    ):
        accept_group(
            session, group, marks, seen=[1, 2, 3], name="a", certainty="certain", said_by="R"
        )
        assert said() == kept
        _take_back(session, group)
        assert said() == [(1, None), (2, None), (3, None)]


def test_a_mark_that_was_rejected_meanwhile_is_not_accepted(session: Session) -> None:
    _propose(session, (1, 2, 3))
    group = _first(session)
    session.get_one(Mark, 3).status = "rejected"
    session.commit()
    with pytest.raises(QueryError, match=r"Mark 3 .* since been rejected: reload"):
        accept_group(
            session, group, [1, 2, 3], seen=[1, 2, 3], name="a", certainty="certain", said_by="R"
        )
    assert session.get_one(Mark, 1).status == "proposed"
    accept_group(session, group, [1, 2], seen=[1, 2], name="a", certainty="certain", said_by="R")
    assert session.get_one(Mark, 3).status == "rejected"


def test_a_judgement_has_one_moment(session: Session) -> None:
    group = _accept(session, [1, 2], "the anchor", "R")
    moments = set(session.scalars(select(IdentityMark.said_at)))
    assert moments == {session.get_one(Group, group).said_at}


def _choose(session: Session, marks: tuple[int, ...], name: str, person: str) -> int:
    chosen = ProposedGroup(marks, tuple(0.6 - 0.1 * at for at in range(len(marks))))
    group = accept_chosen(
        session, "m", 0.02, chosen, name=name, certainty="probable", said_by=person
    )
    session.commit()
    return group


def test_marks_that_a_person_chose_are_kept_as_those_of_a_group(session: Session) -> None:
    _propose(session, (1, 2), (5, 6))
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
    assert _open(session) == [(1, 2), (5, 6)]
    _propose(session, (4, 7))
    assert _open(session) == [], "what a person judged is not asked again"
    _take_back(session, group)
    session.commit()
    assert session.scalars(select(Identity)).all() == []
    assert _open(session) == [(4, 1, 7)]


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
    with pytest.raises(QueryError, match=said):
        _choose(session, marks, name, "S")
    session.rollback()
    assert identity_names(session, range(1, 10)) == {1: "the anchor", 2: "the anchor"}
    assert counts(session).groups == {"proposed": 0, "same": 1, "different": 0}
