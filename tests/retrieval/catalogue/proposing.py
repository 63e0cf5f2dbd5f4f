"""Groups as a test proposes them, and those that are left to judge."""

from __future__ import annotations

from sqlalchemy.orm import Session

from retrieval.catalogue.groups import (
    ProposedGroup,
    group_before,
    group_row,
    groups_to_judge,
    next_group,
    replace_proposed_groups,
)


def propose(session: Session, *groups: tuple[int, ...], model: str = "m") -> int:
    """Propose groups under a model; return how many were left out."""
    proposals = [ProposedGroup(group, tuple(0.9 - 0.1 * at for at in range(len(group))))
                 for group in groups]  # fmt: skip
    settled = replace_proposed_groups(session, model, 1e-4, 0.8, proposals)
    session.commit()
    return settled


def open_groups(session: Session) -> list[tuple[int, ...]]:
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


def first_open(session: Session) -> int:
    """The first group that is to be judged."""
    found = next_group(session)
    assert found is not None
    return found
