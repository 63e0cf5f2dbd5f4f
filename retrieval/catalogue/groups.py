"""Proposed groups of marks, and what a person says of them.

A group is the program's guess, an identity is a person's statement. A group that was judged stays
as it was, whatever is proposed later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Select, and_, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from retrieval.catalogue.errors import QueryError
from retrieval.catalogue.identities import Said
from retrieval.catalogue.marks import how_likely, marks_there, on_a_copy
from retrieval.catalogue.names import person_name, plain_name
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.tables import (
    Group,
    GroupMark,
    Identity,
    IdentityMark,
    Mark,
    in_utc,
    now,
)

Certainty = Literal["certain", "probable", "possible"]


@dataclass(frozen=True)
class ProposedGroup:
    """Marks that are alike, the most typical first, and each one's mean cosine to the others."""

    marks: tuple[int, ...]
    likeness: tuple[float, ...]

    @property
    def cohesion(self) -> float:
        """The mean cosine of all pairs of the group."""
        return sum(self.likeness) / len(self.likeness)


@dataclass(frozen=True)
class GroupRow:
    """A proposed group with its marks, the most typical first; rejected marks are left out."""

    group: int
    model: str
    share: float
    cosine: float
    proposed_at: datetime
    verdict: str | None
    said_by: str | None
    said_at: datetime | None
    identity: str | None  # name of the identity that its marks were said to be
    marks: tuple[int, ...]
    likeness: tuple[float, ...]
    identities: dict[int, str]  # names of the identities that its marks belong to already, by mark


def marks_of_no_group(session: Session, least: float) -> list[int]:
    """Return the marks on copies of another page, and proposals less likely than `least`."""
    unlikely = and_(Mark.status == "proposed", how_likely() < least)
    return list(session.scalars(select(Mark.id).where(or_(on_a_copy(), unlikely))))


def replace_proposed_groups(
    session: Session, model: str, share: float, cosine: float, groups: Sequence[ProposedGroup]
) -> int:
    """Put `groups`, in their order, in the place of all that nobody judged, other models' too.

    Left out is a group on which there is nothing to ask any more: all its marks belong to one
    identity, or to one group that a person has judged. Those that were unticked there, when others
    were said to be one merchant's, are still a question among themselves. Returns how many are left
    out. Marks that are gone or rejected by now are left out of theirs.
    """
    session.execute(delete(Group).where(Group.verdict.is_(None)))
    known = marks_there(session, [mark for group in groups for mark in group.marks])
    of_judged = (
        select(GroupMark.mark_id, GroupMark.group_id)
        .join(Group, Group.id == GroupMark.group_id)
        .where(Group.verdict.is_not(None))
    )
    answered = or_(Group.verdict == "different", GroupMark.certainty.is_not(None))
    judged = _belonging(session.execute(of_judged))
    said = _belonging(session.execute(of_judged.where(answered)))
    owned = _belonging(session.execute(select(IdentityMark.mark_id, IdentityMark.identity_id)))
    settled, fresh = 0, []
    for group in groups:
        places = [
            (mark, likeness)
            for mark, likeness in zip(group.marks, group.likeness, strict=True)
            if mark in known
        ]
        marks = [mark for mark, _ in places]
        if len(marks) < 2:
            continue
        answers = set[int]().union(*(said.get(mark, ()) for mark in marks))
        if _together(marks, judged) & answers or _together(marks, owned):
            settled += 1
        else:
            fresh.append(places)
    if fresh:
        _write(session, model, share, cosine, fresh)
    return settled


def _write(
    session: Session,
    model: str,
    share: float,
    cosine: float,
    groups: Sequence[Sequence[tuple[int, float]]],
) -> Sequence[int]:
    """Write groups of (mark, likeness) that nobody has judged; return their ids, in order."""
    values = {"model_id": model, "share": share, "cosine": cosine, "proposed_at": now()}
    written = session.scalars(
        insert(Group).returning(Group.id, sort_by_parameter_order=True), [values for _ in groups]
    ).all()
    session.execute(
        insert(GroupMark),
        [
            {"group_id": group_id, "mark_id": mark, "likeness": likeness}
            for group_id, places in zip(written, groups, strict=True)
            for mark, likeness in places
        ],
    )
    return written


def _belonging(pairs: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for mark, belongs in pairs:
        found[mark].add(belongs)
    return found


def _together(marks: Sequence[int], belonging: dict[int, set[int]]) -> set[int]:
    """Return what all the marks belong to."""
    return set.intersection(*(belonging.get(mark, set()) for mark in marks))


def next_group(session: Session, after: int = 0) -> int | None:
    """Return the first group after this id that nobody has judged and that has marks to judge."""
    return session.scalar(_open_groups().where(Group.id > after).order_by(Group.id).limit(1))


def group_before(session: Session, before: int) -> int | None:
    """Return the last group before this id that nobody has judged and that has marks to judge."""
    return session.scalar(
        _open_groups().where(Group.id < before).order_by(Group.id.desc()).limit(1)
    )


def groups_to_judge(session: Session) -> int:
    """Return how many groups nobody has judged that have marks to judge."""
    return session.scalar(select(func.count()).select_from(_open_groups().subquery())) or 0


def group_row(session: Session, group: int) -> GroupRow | None:
    """Return one group; None when there is none with this id."""
    found = session.get(Group, group)
    if found is None:
        return None
    members = session.execute(
        select(GroupMark.mark_id, GroupMark.likeness)
        .join(Mark, Mark.id == GroupMark.mark_id)
        .where(GroupMark.group_id == group, Mark.status != "rejected")
        .order_by(GroupMark.likeness.desc(), GroupMark.mark_id)
    ).all()
    named = session.execute(
        select(IdentityMark.mark_id, Identity.name)
        .join(Identity, Identity.id == IdentityMark.identity_id)
        .join(GroupMark, GroupMark.mark_id == IdentityMark.mark_id)
        .where(GroupMark.group_id == group)
        .order_by(Identity.id.desc())
    )
    identity = session.get(Identity, found.identity_id) if found.identity_id else None
    return GroupRow(
        group,
        found.model_id,
        found.share,
        found.cosine,
        found.proposed_at,
        found.verdict,
        found.said_by,
        found.said_at,
        identity.name if identity is not None else None,
        tuple(mark for mark, _ in members),
        tuple(likeness for _, likeness in members),
        {mark: name for mark, name in named},
    )


def accept_group(
    session: Session,
    group: int,
    marks: Sequence[int],
    *,
    seen: Sequence[int],
    name: str,
    certainty: Certainty,
    said_by: str,
    joins: int | None = None,
) -> int:
    """Write down that a person says `marks` of the group are one merchant's; return the identity.

    They become the identity `name`, or join it where one of them belongs to it already or the
    person says that they do: `joins` is its id then. What was said of a mark there stays. Proposed
    marks are confirmed by it: a person has looked. Of the group stays what the person has `seen`,
    so that the rest may be proposed again. Call it in a transaction that began for writing. Raises
    QueryError when the group was judged or replaced meanwhile, when fewer than two marks, others
    than the group's or rejected ones are named, when a name is not valid, when `name` is another
    identity's, and when what they join is called so no more.
    """
    name, said_by = plain_name(name, "the mark"), person_name(said_by, "the person judging")
    found = _judgeable(session, group)
    chosen = sorted(set(marks))
    members = set(
        session.scalars(
            select(GroupMark.mark_id)
            .join(Mark, Mark.id == GroupMark.mark_id)
            .where(GroupMark.group_id == group, Mark.status != "rejected")
        )
    )
    if len(chosen) < 2:
        raise QueryError("One mark alone is not a match: choose at least two.")
    if not members.issuperset(chosen):
        raise QueryError(
            f"Mark {min(set(chosen) - members)} is not in group {group}, or has since been "
            "rejected: reload."
        )
    identity = session.scalar(select(Identity).where(Identity.name == name))
    already: set[int] = set()
    if joins is not None and (identity is None or identity.id != joins):
        raise QueryError(
            f"The identity {name!r} that these were to join has since been renamed: reload."
        )
    if identity is None:
        identity = Identity(name=name)
        session.add(identity)
        session.flush()
    else:
        already = set(
            session.scalars(
                select(IdentityMark.mark_id).where(IdentityMark.identity_id == identity.id)
            )
        )
        if joins is None and already.isdisjoint(chosen):
            raise QueryError(
                f"The name {name!r} already exists, and none of these marks has it: say that they "
                "are the same merchant's, or choose another name."
            )
    moment = now()
    for mark in chosen:
        if mark not in already:
            session.add(
                IdentityMark(
                    identity_id=identity.id,
                    mark_id=mark,
                    certainty=certainty,
                    said_by=said_by,
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
            .values(certainty=certainty)
        )
    _judge(session, found, "same", said_by, moment, seen)
    found.identity_id = identity.id
    session.flush()
    return identity.id


def accept_chosen(
    session: Session,
    model: str,
    share: float,
    chosen: ProposedGroup,
    *,
    name: str,
    certainty: Certainty,
    said_by: str,
    joins: int | None = None,
) -> int:
    """Write down that a person says marks they chose themselves are one merchant's.

    The marks become a group of the model's, `share` of unrelated pairs being as alike as its
    pairs, and this is accepted as `accept_group` accepts any; returns the group. Call it in a
    transaction that began for writing. Raises QueryError as `accept_group` does, and when all of
    the marks are called `name` already.
    """
    marks = set(chosen.marks)
    with_name = (
        select(IdentityMark.mark_id)
        .join(Identity)
        .where(Identity.name == plain_name(name, "the mark"))
    )
    if marks <= set(session.scalars(with_name)):
        raise QueryError("These marks already have that name: there is nothing to add.")
    if gone := marks - marks_there(session, chosen.marks):
        raise QueryError(
            f"Mark {min(gone)} is not in this archive, or has since been rejected: remove it."
        )
    places = list(zip(chosen.marks, chosen.likeness, strict=True))
    (group,) = _write(session, model, share, chosen.cohesion, [places])
    accept_group(
        session,
        group,
        chosen.marks,
        seen=chosen.marks,
        name=name,
        certainty=certainty,
        said_by=said_by,
        joins=joins,
    )
    return group


def refuse_group(session: Session, group: int, *, seen: Sequence[int], said_by: str) -> None:
    """Write down that a person says the marks `seen` of the group are not one merchant's.

    Raises QueryError as `accept_group` does.
    """
    said_by = person_name(said_by, "the person judging")
    _judge(session, _judgeable(session, group), "different", said_by, now(), seen)
    session.flush()


def take_back(session: Session, seen: GroupRow) -> None:
    """Make a judged group a proposal again; what was said with it of its marks is said no more.

    `seen` is the group as whoever takes that back was shown it. Where a person who judged a group
    later has said that a mark is the same identity's, the mark stays in it, as that person's word.
    An identity without marks goes. Confirmed marks stay confirmed: what they were before is not
    kept. Call it in a transaction that began for writing. Raises QueryError when the group is gone,
    not judged, or judged anew meanwhile.
    """
    group = seen.group
    found = session.get(Group, group)
    if found is None or found.verdict is None or found.said_at is None:
        raise QueryError(f"The judgement of group {group} has already been taken back: reload.")
    if seen.said_at is None or in_utc(found.said_at) != in_utc(seen.said_at):
        raise QueryError(
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
    goes. Call it in a transaction that began for writing. Raises QueryError when the mark is not
    in the identity any more, or is there by another's word meanwhile.
    """
    one = session.get(IdentityMark, (seen.identity, mark))
    if one is None:
        raise QueryError(f"Mark {mark} is no longer identified as {seen.name!r}: reload.")
    if in_utc(one.said_at) != in_utc(seen.said_at):
        raise QueryError(
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


def _open_groups() -> Select[int]:
    marks = (
        select(func.count())
        .select_from(GroupMark)
        .join(Mark, Mark.id == GroupMark.mark_id)
        .where(GroupMark.group_id == Group.id, Mark.status != "rejected")
        .correlate(Group)
        .scalar_subquery()
    )
    return select(Group.id).where(Group.verdict.is_(None), marks > 1)


def _judgeable(session: Session, group: int) -> Group:
    found = session.get(Group, group)
    if found is None:
        raise QueryError(f"Group {group} no longer exists: groups were proposed again. Reload.")
    if found.verdict is not None:
        raise QueryError(
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
