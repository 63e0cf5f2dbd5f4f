"""What people have said of single marks: which identities they belong to, and their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from retrieval.catalogue.entered_names import as_kept, plain_name
from retrieval.catalogue.errors import RequestError
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.spelling import holds
from retrieval.catalogue.tables import Group, Identity, IdentityMark, Mark, in_utc

#: What stands between the names of a mark that belongs to several identities.
BETWEEN_NAMES = "; "


@dataclass(frozen=True)
class Word:
    """What a person said of a mark: which identity's it is, how surely; who said so, and when."""

    name: str
    certainty: str
    said_by: str
    said_at: datetime  # in UTC


@dataclass(frozen=True)
class Said:
    """A person's word that a mark is one of an identity's, and the judged group it was said of."""

    identity: int
    name: str
    certainty: str
    said_by: str
    said_at: datetime
    group: int | None
    others: tuple[int, ...]  # marks of the identity but this one, those rejected left out


@dataclass(frozen=True)
class IdentityRow:
    """An identity, and how many marks are said to be its own, those rejected left out."""

    identity: int
    name: str
    marks: int


@dataclass(frozen=True)
class Member:
    """A mark of an identity, and a person's word that it is one."""

    mark: int
    certainty: str
    said_by: str
    said_at: datetime


def identities_called(session: Session, text: str, most: int) -> tuple[list[IdentityRow], int]:
    """Return the first `most` identities, by name, and how many there are in all.

    Those whose name holds every word of `text`, whatever the case of its letters.
    """
    fitting = [holds(Identity.name, word) for word in text.split()[:8]]
    rows = _rows().where(*fitting).order_by(func.lower(Identity.name), Identity.id).limit(most)
    number = session.scalar(select(func.count()).select_from(Identity).where(*fitting))
    return [IdentityRow(*row) for row in session.execute(rows)], number or 0


def identity_row(session: Session, identity: int) -> IdentityRow | None:
    """Return one identity; None when there is none with this id."""
    row = session.execute(_rows().where(Identity.id == identity)).first()
    return IdentityRow(*row) if row is not None else None


def identity_called(session: Session, name: str) -> IdentityRow | None:
    """Return the identity of this name, however it was typed; None when there is none."""
    row = session.execute(_rows().where(Identity.name == as_kept(name))).first()
    return IdentityRow(*row) if row is not None else None


def _rows() -> Select[int, str, int]:
    return (
        select(Identity.id, Identity.name, func.count(Mark.id))
        .outerjoin(IdentityMark, IdentityMark.identity_id == Identity.id)
        .outerjoin(Mark, and_(Mark.id == IdentityMark.mark_id, Mark.status != "rejected"))
        .group_by(Identity.id, Identity.name)
    )


def members(session: Session, identity: int) -> list[Member]:
    """Return the marks of an identity in order of id, those rejected left out."""
    statement = (
        select(
            IdentityMark.mark_id,
            IdentityMark.certainty,
            IdentityMark.said_by,
            IdentityMark.said_at,
        )
        .join(Mark, Mark.id == IdentityMark.mark_id)
        .where(IdentityMark.identity_id == identity, Mark.status != "rejected")
        .order_by(Mark.id)
    )
    return [Member(*row) for row in session.execute(statement)]


def said_of(session: Session, mark: int) -> list[Said]:
    """Return what was said of a mark, the oldest identity first; mostly that is one thing or none.

    The group is the one whose judgement brought the mark into the identity.
    """
    group = (
        select(Group.id)
        .where(Group.identity_id == IdentityMark.identity_id, Group.said_at >= IdentityMark.said_at)
        .order_by(Group.said_at)
        .limit(1)
        .correlate(IdentityMark)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            Identity.id, Identity.name, IdentityMark.certainty, IdentityMark.said_by,
            IdentityMark.said_at, group,
        )
        .join(Identity, Identity.id == IdentityMark.identity_id)
        .where(IdentityMark.mark_id == mark)
        .order_by(Identity.id)
    ).all()  # fmt: skip
    return [
        Said(identity, name, certainty, person, moment, where, _marks(session, identity, mark))
        for identity, name, certainty, person, moment, where in rows
    ]


def _marks(session: Session, identity: int, but: int) -> tuple[int, ...]:
    statement = (
        select(IdentityMark.mark_id)
        .join(Mark, Mark.id == IdentityMark.mark_id)
        .where(IdentityMark.identity_id == identity, Mark.id != but, Mark.status != "rejected")
        .order_by(Mark.id)
    )
    return tuple(session.scalars(statement))


def all_names(session: Session) -> list[str]:
    """Return the names of all identities, the oldest first."""
    return list(session.scalars(select(Identity.name).order_by(Identity.id)))


def identity_names(session: Session, marks: Sequence[int]) -> dict[int, str]:
    """Return the names of the identities of those marks that belong to any: "Jan; the anchor"."""
    return {mark: BETWEEN_NAMES.join(names) for mark, names in names_of(session, marks).items()}


def names_of(session: Session, marks: Sequence[int]) -> dict[int, list[str]]:
    """Return the names of each mark's identities, the oldest first; marks of none are left out."""
    said = words_on(session, marks)
    return {mark: [word.name for word in words] for mark, words in said.items()}


def words_on(session: Session, marks: Sequence[int]) -> dict[int, list[Word]]:
    """Return what was said of each mark, the oldest identity first; marks of none are left out."""
    words: dict[int, list[Word]] = defaultdict(list)
    for some in in_parts([int(mark) for mark in marks]):  # SQL takes no NumPy integers
        statement = (
            select(
                IdentityMark.mark_id, Identity.name, IdentityMark.certainty, IdentityMark.said_by,
                IdentityMark.said_at,
            )
            .join(Identity, Identity.id == IdentityMark.identity_id)
            .where(IdentityMark.mark_id.in_(some))
            .order_by(Identity.id)
        )  # fmt: skip
        for mark, name, certainty, person, moment in session.execute(statement):
            words[mark].append(Word(name, certainty, person, in_utc(moment)))
    return words


def rename_identity(session: Session, seen: Said, name: str) -> None:
    """Call an identity otherwise; what was said of its marks stays.

    `seen` is the identity as whoever renames it was shown it. Call it in a transaction that began
    for writing. Raises RequestError when the name is not valid, too long or another identity's, and
    when the identity is gone or was renamed meanwhile.
    """
    name = plain_name(name, "the mark")
    found = session.get(Identity, seen.identity)
    if found is None:
        raise RequestError("The judgement of these marks has been taken back: reload.")
    if found.name != seen.name:
        raise RequestError(f"Somebody has since renamed it {found.name!r}: reload.")
    others = select(Identity.id).where(Identity.name == name, Identity.id != seen.identity)
    if session.scalar(others) is not None:
        raise RequestError(f"The name {name!r} is already taken: give another name.")
    found.name = name
    session.flush()
