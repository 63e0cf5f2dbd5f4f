from __future__ import annotations

import numpy as np
import pytest

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.documents import Filters
from retrieval.catalogue.marks import (
    mark_ids,
    mark_rows,
    marks_to_embed,
    number_to_embed,
    page_marks,
)
from retrieval.catalogue.tables import Mark, Page


@pytest.mark.parametrize(
    ("where", "marks"),
    [
        ({}, [1, 3, 4, 5, 6]),
        ({"series": "HCA 32"}, [1, 3]),
        ({"series": "HCA 3"}, []),
        ({"ship": "De Hoop"}, [4]),
        ({"year_from": 1704}, [1, 3]),
        ({"year_from": 1705}, []),
        ({"year_to": 1702}, [1, 3]),
        ({"year_to": 1701}, []),
        ({"year_from": 1703, "year_to": 1703, "ship": "Anna"}, [1, 3]),
        ({"year_from": 1, "ship": "De Hoop"}, []),  # undated: not known to fit
    ],
)
def test_marks_that_fit(filled: Archive, where: dict[str, object], marks: list[int]) -> None:
    with filled.session() as session:
        assert mark_ids(session, Filters(**where)) == marks  # type: ignore[arg-type]


def test_open_spans_reach_as_far_as_asked(filled: Archive) -> None:
    with filled.writing() as session:
        session.get_one(Page, 4).document_id = 3  # "before 1690"
    with filled.session() as session:
        assert mark_ids(session, Filters(year_from=1500, year_to=1600)) == [5, 6]
        assert mark_ids(session, Filters(year_from=1691)) == [1, 3]


def test_rows_of_marks_come_with_page_and_document(filled: Archive) -> None:
    with filled.session() as session:
        rows = mark_rows(session, [*np.array([6, 1, 99, 2]), 2**63, -(10**20)])
    assert set(rows) == {1, 2, 6}
    row = rows[1]
    assert (row.mark, row.page, row.source, row.box) == (1, 1, "1.png", (1, 2, 3, 4))
    assert row.document is not None
    assert row.document["reference"] == "HCA 32/9/1"
    assert row.document["details"] == {"folio": "3r"}
    assert rows[6].document is None
    assert rows[6].duplicate_of == 1
    assert rows[2].status == "rejected"


def test_any_number_of_marks_may_be_asked_for(filled: Archive) -> None:
    with filled.session() as session:
        assert set(mark_rows(session, range(1, 100_001))) == {1, 2, 3, 4, 5, 6}


def test_marks_to_embed_are_those_without_a_vector_of_what_they_look_like(
    filled: Archive,
) -> None:
    with filled.writing() as session:
        session.get_one(Mark, 3).crop = "f" * 64
    with filled.session() as session:
        assert [mark for mark, _ in marks_to_embed(session, "m", "ink")] == [3, 4, 6]
        assert 1 in [mark for mark, _ in marks_to_embed(session, "m", "other")]
        assert [mark for mark, _ in marks_to_embed(session, "n", "ink")] == [1, 3, 4, 6]
        part = marks_to_embed(session, "n", "ink", after=1, most=2)
        assert [mark for mark, _ in part] == [3, 4]
        assert [number_to_embed(session, model, "ink") for model in ("m", "n")] == [3, 4]


def test_neither_rejected_marks_nor_proposals_on_copies_are_embedded(filled: Archive) -> None:
    with filled.session() as session:
        assert number_to_embed(session, "n", "ink") == 4
        session.get_one(Page, 4).duplicate_of = None
        session.flush()
        assert number_to_embed(session, "n", "ink") == 5


def test_the_marks_of_a_page_come_with_the_rejected_ones(filled: Archive) -> None:
    with filled.session() as session:
        assert [row.mark for row in page_marks(session, 1)] == [1, 2]
