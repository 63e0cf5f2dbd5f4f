"""For which reasons inputs could not be read."""

from __future__ import annotations

import re
from collections import Counter

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from retrieval.catalogue.tables import Failure


def failure_reasons(session: Session) -> dict[str, int]:
    """Return how many inputs failed for each reason, the most frequent first.

    Reasons that differ in their addresses, their numbers, or in what follows a colon, are one.
    """
    reasons: Counter[str] = Counter()
    for reason, number in session.execute(
        select(Failure.reason, func.count()).group_by(Failure.reason)
    ):
        alike = re.sub(r"https?://\S+", "The address", reason).split(":")[0]
        reasons[re.sub(r"[0-9][0-9,.]*(?<![,.])", "N", alike)] += number
    return dict(sorted(reasons.items(), key=lambda one: (-one[1], one[0])))
