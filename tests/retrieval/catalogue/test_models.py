from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from retrieval.catalogue.models import trained_models, trained_now
from retrieval.catalogue.tables import Model, now


@pytest.mark.parametrize("ahead", [timedelta(days=-1), timedelta(days=300)])
def test_the_model_that_was_trained_last_is_the_newest_whatever_the_clock_said_before(
    session: Session, ahead: timedelta
) -> None:
    session.execute(update(Model).values(created_at=now() + ahead))
    for model in ("n", "m", "n"):
        trained_now(session, model)
        assert trained_models(session)[0] == model
