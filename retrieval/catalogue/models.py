"""What is asked of the models that an archive knows."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from retrieval.catalogue.tables import Model


def trained_models(session: Session) -> list[str]:
    """Return the ids of the models that were trained on the archive, the newest first."""
    statement = select(Model.id).where(Model.origin == "trained").order_by(Model.created_at.desc())
    return list(session.scalars(statement))
