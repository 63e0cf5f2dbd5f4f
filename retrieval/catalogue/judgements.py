"""What a person says of groups of marks, and how that is taken back.

A group is the program's guess, an identity is a person's statement.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from retrieval.catalogue.entered_names import person_name, plain_name
from retrieval.catalogue.errors import RequestError
from retrieval.catalogue.groups import GroupRow, ProposedGroup, write_groups
from retrieval.catalogue.identities import Said
from retrieval.catalogue.marks import marks_there
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.tables import Group, GroupMark, Identity, IdentityMark, Mark, in_utc, now

Certainty = Literal["certain", "probable", "possible"]


@dataclass(frozen=True)
class Statement:
    """What a person says of the marks that they call one merchant's."""

    name: str
    certainty: Certainty
    said_by: str
    joins: int | None = None  # the identity that has the name, if they say that it is the same


def accept_group(
    session: Session,
    group: int,
    marks: Sequence[int],
    said: Statement,
    *,
    seen: Sequence[int],
) -> int:
    """Write down that a person says `marks` of the group are one merchant's; return the identity.

    They become the identity that the statement names, or join it where one of them belongs to it
    already or the person says that they do. What was said of a mark there stays. Proposed marks are
    confirmed by it: a person has looked. Of the group stays what the person has `seen`, so that the
    rest may be proposed again. Call it in a transaction that began for writing. Raises RequestError
    when the group was judged or replaced meanwhile, when fewer than two marks, others than the
    group's or rejected ones are named, when a name is none, when the marks' is another identity's,
    and when the identity that they join has been renamed.
    """
    said = replace(
        said,
        name=plain_name(said.name, "the mark"),
        said_by=person_name(said.said_by, "the person judging"),
    )
    found = _judgeable(session, group)
    chosen = _checked_members(session, group, marks)
    identity, already = _identity_to_join(session, said, chosen)
    moment = now()
    _write_statement(session, said, moment, group, identity, chosen, already)
    _judge(session, found, "same", said.said_by, moment, seen)
    found.identity_id = identity
    session.flush()
    return identity


def _checked_members(session: Session, group: int, marks: Sequence[int]) -> list[int]:
    """Return the marks in order, each once; RequestError as `accept_group` says it of them."""
    chosen = sorted(set(marks))
    members = set(
        session.scalars(
            select(GroupMark.mark_id)
            .join(Mark, Mark.id == GroupMark.mark_id)
            .where(GroupMark.group_id == group, Mark.status != "rejected")
        )
    )
    if len(chosen) < 2:
        raise RequestError("One mark alone is not a match: choose at least two.")
    if not members.issuperset(chosen):
        raise RequestError(
            f"Mark {min(set(chosen) - members)} is not in group {group}, or has since been "
            "rejected: reload."
        )
    return chosen


def _identity_to_join(
    session: Session, said: Statement, chosen: Sequence[int]
) -> tuple[int, set[int]]:
    """Return the identity that the chosen marks are said to be, and its marks before.

    It is a new one where none has the name. RequestError as `accept_group` says it of names.
    """
    identity = session.scalar(select(Identity).where(Identity.name == said.name))
    if said.joins is not None and (identity is None or identity.id != said.joins):
        raise RequestError(
            f"The identity {said.name!r} that these were to join has since been renamed: reload."
        )
    if identity is None:
        identity = Identity(name=said.name)
        session.add(identity)
        session.flush()
        return identity.id, set()
    already = set(
        session.scalars(select(IdentityMark.mark_id).where(IdentityMark.identity_id == identity.id))
    )
    if said.joins is None and already.isdisjoint(chosen):
        raise RequestError(
            f"The name {said.name!r} already exists, and none of these marks has it: say that they "
            "are the same merchant's, or choose another name."
        )
    return identity.id, already


def _write_statement(
    session: Session,
    said: Statement,
    moment: datetime,
    group: int,
    identity: int,
    chosen: Sequence[int],
    already: set[int],
) -> None:
    """Give the identity those of the chosen marks that it has not already, and confirm all."""
    for mark in chosen:
        if mark not in already:
            session.add(
                IdentityMark(
                    identity_id=identity,
                    mark_id=mark,
                    certainty=said.certainty,
                    said_by=said.said_by,
                    said_at=moment,
                )
            )
    for some in in_parts(chosen):
        session.execute(
            update(Mark)
            .where(Mark.id.in_(some), Mark.status == "proposed")
            .values(status="confirmed")
        )
        session.execute(
            update(GroupMark)
            .where(GroupMark.group_id == group, GroupMark.mark_id.in_(some))
            .values(certainty=said.certainty)
        )


def accept_chosen(
    session: Session,
    model: str,
    share: float,
    chosen: ProposedGroup,
    said: Statement,
) -> int:
    """Write down that a person says marks they chose themselves are one merchant's.

    The marks become a group of the model's, `share` of unrelated pairs being as alike as its
    pairs, and this is accepted as `accept_group` accepts any; returns the group. Call it in a
    transaction that began for writing. Raises RequestError as `accept_group` does, and when all of
    the marks have that name already.
    """
    marks = set(chosen.marks)
    with_name = (
        select(IdentityMark.mark_id)
        .join(Identity)
        .where(Identity.name == plain_name(said.name, "the mark"))
    )
    if marks <= set(session.scalars(with_name)):
        raise RequestError("These marks already have that name: there is nothing to add.")
    if gone := marks - marks_there(session, chosen.marks):
        raise RequestError(
            f"Mark {min(gone)} is not in this archive, or has since been rejected: remove it."
        )
    places = list(zip(chosen.marks, chosen.likeness, strict=True))
    (group,) = write_groups(session, model, share, chosen.cohesion, [places])
    accept_group(session, group, chosen.marks, said, seen=chosen.marks)
    return group


def refuse_group(session: Session, group: int, *, seen: Sequence[int], said_by: str) -> None:
    """Write down that a person says the marks `seen` of the group are not one merchant's.

    Raises RequestError as `accept_group` does.
    """
    said_by = person_name(said_by, "the person judging")
    _judge(session, _judgeable(session, group), "different", said_by, now(), seen)
    session.flush()


def take_back(session: Session, seen: GroupRow) -> None:
    """Make a judged group a proposal again; what was said with it of its marks is said no more.

    `seen` is the group as whoever takes that back was shown it. Where a person who judged a group
    later has said that a mark is the same identity's, the mark stays in it, as that person's word.
    An identity without marks goes. Confirmed marks stay confirmed: what they were before is not
    kept. Call it in a transaction that began for writing. Raises RequestError when the group is
    gone, not judged, or judged anew meanwhile.
    """
    group = seen.group
    found = session.get(Group, group)
    if found is None or found.verdict is None or found.said_at is None:
        raise RequestError(f"The judgement of group {group} has already been taken back: reload.")
    if seen.said_at is None or in_utc(found.said_at) != in_utc(seen.said_at):
        raise RequestError(
            f"{found.said_by} has since judged group {group} ({found.verdict}): reload."
        )
    if found.identity_id is not None:
        _unsay(session, found, found.identity_id)
    session.execute(update(GroupMark).where(GroupMark.group_id == group).values(certainty=None))
    found.verdict = found.identity_id = found.said_by = found.said_at = None
    session.flush()


def _unsay(session: Session, group: Group, identity: int) -> None:
    """Take out of an identity what the judgement of a group brought into it."""
    words = defaultdict(list)  # what was said of each mark, the first word first
    for word in session.execute(
        select(GroupMark.mark_id, Group.id, GroupMark.certainty, Group.said_by, Group.said_at)
        .join(Group, Group.id == GroupMark.group_id)
        .where(Group.identity_id == identity, GroupMark.certainty.is_not(None))
        .order_by(Group.said_at, Group.id)
    ):
        words[word.mark_id].append(word)
    for mark, (first, *later) in words.items():
        if first.id != group.id:
            continue
        one = session.get_one(IdentityMark, (identity, mark))
        if later:
            # A judged group has all three, though the columns of one that waits are empty.
            _, _, one.certainty, one.said_by, one.said_at = later[0]  # type: ignore[assignment]
        else:
            session.delete(one)
    _forget_if_bare(session, identity)


def take_out(session: Session, mark: int, seen: Said) -> list[tuple[str, datetime]]:
    """Take a mark out of an identity; return who had said that it is one of its marks, and when.

    `seen` is what was said of the mark as whoever takes it out was shown it. The groups that
    brought it there stay judged, and say of the others what they said. An identity without marks
    goes. Call it in a transaction that began for writing. Raises RequestError when the mark is not
    in the identity any more, or is there by another's word meanwhile.
    """
    one = session.get(IdentityMark, (seen.identity, mark))
    if one is None:
        raise RequestError(f"Mark {mark} is no longer identified as {seen.name!r}: reload.")
    if in_utc(one.said_at) != in_utc(seen.said_at):
        raise RequestError(
            f"{one.said_by} has since identified mark {mark} as {seen.name!r}: reload."
        )
    words = {in_utc(one.said_at): one.said_by}
    for group, place in session.execute(
        select(Group, GroupMark)
        .join(GroupMark, GroupMark.group_id == Group.id)
        .where(
            Group.identity_id == seen.identity,
            GroupMark.mark_id == mark,
            GroupMark.certainty.is_not(None),
        )
    ):
        place.certainty = None
        if group.said_at is not None and group.said_by is not None:
            words[in_utc(group.said_at)] = group.said_by
    session.delete(one)
    _forget_if_bare(session, seen.identity)
    return [(said_by, said_at) for said_at, said_by in sorted(words.items())]


def _forget_if_bare(session: Session, identity: int) -> None:
    """Let go of an identity that has no marks."""
    session.flush()
    if not session.scalar(
        select(func.count()).select_from(IdentityMark).where(IdentityMark.identity_id == identity)
    ):
        session.execute(delete(Identity).where(Identity.id == identity))


def _judgeable(session: Session, group: int) -> Group:
    found = session.get(Group, group)
    if found is None:
        raise RequestError(f"Group {group} no longer exists: groups were proposed again. Reload.")
    if found.verdict is not None:
        raise RequestError(
            f"{found.said_by} has already judged group {group} ({found.verdict}): go to the next "
            "group."
        )
    return found


def _judge(
    session: Session,
    group: Group,
    verdict: Literal["same", "different"],
    said_by: str,
    moment: datetime,
    seen: Sequence[int],
) -> None:
    group.verdict, group.said_by, group.said_at = verdict, said_by, moment
    session.execute(
        delete(GroupMark).where(GroupMark.group_id == group.id, GroupMark.mark_id.not_in(seen))
    )
