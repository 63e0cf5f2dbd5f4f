"""Which inputs could not be read, and for which reasons."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from retrieval.catalogue.tables import Failure


@dataclass(frozen=True)
class FailureRow:
    """An input that could not be read."""

    source: str
    frame: int
    location: str
    reason: str
    advice: str


def failures(session: Session) -> list[FailureRow]:
    """Return the inputs that could not be read, in order of their names."""
    statement = select(
        Failure.source, Failure.frame, Failure.location, Failure.reason, Failure.advice
    ).order_by(Failure.source, Failure.frame)
    return [FailureRow(**row._asdict()) for row in session.execute(statement)]


def failure_reasons(session: Session) -> dict[str, int]:
    """Return how many inputs failed for each reason, the most frequent first.

    Reasons that differ in their numbers, or in what follows a colon, are one.
    """
    reasons: Counter[str] = Counter()
    for reason, number in session.execute(
        select(Failure.reason, func.count()).group_by(Failure.reason)
    ):
        reasons[re.sub(r"[0-9][0-9,.]*(?<![,.])", "N", reason.split(":")[0])] += number
    return dict(sorted(reasons.items(), key=lambda one: (-one[1], one[0])))
