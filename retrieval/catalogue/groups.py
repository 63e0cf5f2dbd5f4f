"""Proposed groups of marks: the program's guesses, which a person judges (`judgements`).

A group that was judged stays as it was, whatever is proposed later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, delete, func, insert, or_, select
from sqlalchemy.orm import Session

from retrieval.catalogue.marks import how_likely, marks_there, on_a_copy
from retrieval.catalogue.tables import (
    Group,
    GroupMark,
    Identity,
    IdentityMark,
    Mark,
    now,
)


@dataclass(frozen=True)
class ProposedGroup:
    """Marks that are alike, the most typical first, and each one's mean cosine to the others."""

    marks: tuple[int, ...]
    likeness: tuple[float, ...]

    @property
    def cohesion(self) -> float:
        """The mean cosine of all pairs of the group."""
        return sum(self.likeness) / len(self.likeness)


@dataclass(frozen=True, kw_only=True)
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
        write_groups(session, model, share, cosine, fresh)
    return settled


def write_groups(
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
    """Return the groups or identities that all of the marks belong to."""
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
        group=group,
        model=found.model_id,
        share=found.share,
        cosine=found.cosine,
        proposed_at=found.proposed_at,
        verdict=found.verdict,
        said_by=found.said_by,
        said_at=found.said_at,
        identity=identity.name if identity is not None else None,
        marks=tuple(mark for mark, _ in members),
        likeness=tuple(likeness for _, likeness in members),
        identities={mark: name for mark, name in named},
    )


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
