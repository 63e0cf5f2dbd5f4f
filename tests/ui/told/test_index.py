from __future__ import annotations

from retrieval.index import Refreshed
from ui.told.index import index_sentences


def test_marks_that_could_not_be_embedded_are_named() -> None:
    unread = tuple(f"mark {mark}: The crop is gone." for mark in range(1, 13))
    lines = index_sentences("ab12", Refreshed(3, 3, 0, 5, unread), 0)
    assert lines == [
        "5 marks are searchable under model ab12: 3 embedded now, 3 added to the index, 0 removed.",
        "12 marks could not be embedded; the next run will try again:",
        *unread[:10],
        "... and 2 more (--json: all).",
    ]
    assert len(index_sentences("ab12", Refreshed(3, 3, 0, 5, ()), 0)) == 1


def test_it_is_said_by_how_many_marks_proposals_were_ranked() -> None:
    lines = index_sentences("ab12", Refreshed(3, 3, 0, 5, ()), 1_024)
    assert lines[1:] == [
        "Proposals are also ranked by how much they look like the 1,024 confirmed marks."
    ]
