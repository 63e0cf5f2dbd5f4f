from __future__ import annotations

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.failures import failure_reasons
from retrieval.catalogue.tables import Failure


def test_reasons_that_differ_in_addresses_numbers_or_past_a_colon_are_one(filled: Archive) -> None:
    reasons = ["It has 1,200 pixels.", "It has 99 pixels.", "Broken: at 7.", "Broken: late."]
    reasons += [f"http://x/{at} answered 404 (Not Found)." for at in "ab"]
    with filled.writing() as session:
        for at, reason in enumerate(reasons):
            session.add(
                Failure(
                    source=f"{at}.png",
                    frame=0,
                    location=str(at),
                    size=1,
                    mtime_ns=1,
                    reason=reason,
                    advice="a",
                )
            )
    with filled.session() as session:
        assert failure_reasons(session) == {
            "Broken": 2,
            "It has N pixels.": 2,
            "The address answered N (Not Found).": 2,
            "r": 1,
        }
