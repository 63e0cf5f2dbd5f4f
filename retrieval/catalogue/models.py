"""What is asked of the models that an archive knows."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from retrieval.catalogue.tables import Model, in_utc, now


def trained_models(session: Session) -> list[str]:
    """Return the ids of the models that were trained on the archive, the newest first."""
    statement = select(Model.id).where(Model.origin == "trained").order_by(Model.created_at.desc())
    return list(session.scalars(statement))


def trained_now(session: Session, model: str) -> None:
    """Make a known model the newest: it was trained just now, if only once more.

    It is later than all others also where the clock was set back since these were trained.
    """
    newest = session.scalars(select(func.max(Model.created_at))).one()
    moment = max(now(), in_utc(newest) + timedelta(microseconds=1))
    session.execute(update(Model).where(Model.id == model).values(created_at=moment))
