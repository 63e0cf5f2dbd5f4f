"""The proposals that nobody has judged, the likeliest first, sheet by sheet.

A sheet is named by the mark after which it begins. So what is judged drops out, and what was left
as it is does not come again on the next sheet. Proposals on copies of another page are left out:
the same ones are on that page.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, not_, or_, select
from sqlalchemy.orm import Session

from retrieval.catalogue.documents import Filters
from retrieval.catalogue.marks import narrow, on_a_copy
from retrieval.catalogue.tables import Mark


def number_to_judge(session: Session, where: Filters) -> int:
    """Return how many proposals there are on documents that fit."""
    return session.scalar(_open(select(func.count(Mark.id)), where)) or 0


def number_up_to(session: Session, where: Filters, last: int) -> int:
    """Return how many of these come before the mark `last`, with this if it still is one."""
    there = _place(session, last)
    if there is None:
        return 0
    statement = _open(select(func.count(Mark.id)), where).where(_up_to(there, last))
    return session.scalar(statement) or 0


def proposals_after(session: Session, where: Filters, after: int, most: int) -> list[int]:
    """Return the first `most` of these that come after the mark `after`.

    From the likeliest on where there is no such mark, as there is none of id 0.
    """
    statement = _open(select(Mark.id), where).order_by(_likely().desc(), Mark.id).limit(most)
    there = _place(session, after)
    if there is not None:
        statement = statement.where(_comes_after(there, after))
    return list(session.scalars(statement))


def sheet_before(session: Session, where: Filters, after: int, most: int) -> int:
    """Return after which mark the sheet begins that ends at the mark `after`; 0: at the first."""
    there = _place(session, after)
    if there is None:
        return 0
    statement = _open(select(Mark.id), where).where(_up_to(there, after))
    backwards = statement.order_by(_likely(), Mark.id.desc()).offset(most).limit(1)
    return session.scalar(backwards) or 0


def _open(statement: Select[int], where: Filters) -> Select[int]:
    return narrow(statement.where(Mark.status == "proposed", not_(on_a_copy())), where)


def _likely() -> ColumnElement[float]:
    # `how_likely`, or 0, word for word as the index `ix_marks_likely` has it: else it is not used.
    return func.coalesce(Mark.realism, Mark.score, literal_column("0.0"))


def _place(session: Session, mark: int) -> float | None:
    """Return how likely a mark is, by which it has its place, whatever was said of it since."""
    return session.scalar(select(_likely()).where(Mark.id == mark)) if mark else None


def _comes_after(likely: float, mark: int) -> ColumnElement[bool]:
    # What is asked first follows from the rest, and lets the index begin there.
    later = or_(_likely() < likely, and_(_likely() == likely, Mark.id > mark))
    return and_(_likely() <= likely, later)


def _up_to(likely: float, mark: int) -> ColumnElement[bool]:
    sooner = or_(_likely() > likely, and_(_likely() == likely, Mark.id <= mark))
    return and_(_likely() >= likely, sooner)
