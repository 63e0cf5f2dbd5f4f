"""Marks that a person found by search and says are one merchant's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retrieval.catalogue.judgements import Statement, accept_chosen
from retrieval.grouping import put_together
from retrieval.search import Searcher, mark_vectors


def accept_found(searcher: Searcher, marks: Sequence[int], said: Statement) -> int:
    """Write down that a person says two or more marks are one merchant's (`accept_chosen`).

    Returns the group that they become, with how alike they are under the searcher's model. Raises
    RequestError as `accept_chosen` does, and ArchiveError when the picture is gone of a mark that
    is not indexed yet.
    """
    together = put_together(np.array(marks), mark_vectors(searcher, marks))
    cohesion = np.array([together.cohesion], np.float32)
    (share,) = searcher.index.cosines.unrelated(cohesion).tolist()
    with searcher.archive.writing() as session:
        return accept_chosen(session, searcher.model.id, share, together, said)
