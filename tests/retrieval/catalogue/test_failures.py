from __future__ import annotations

from retrieval.catalogue import failures
from retrieval.catalogue.archive import Archive


def test_failures(filled: Archive) -> None:
    with filled.session() as session:
        (failure,) = failures.failures(session)
    assert (failure.source, failure.reason) == ("x.png", "r")
