from __future__ import annotations

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.pages import page


def test_a_page_comes_with_its_document_and_its_marks_that_are_not_rejected(
    filled: Archive,
) -> None:
    with filled.session() as session:
        found = [page(session, number) for number in (1, 2, 4)]
        assert page(session, 99) is None
    assert [(row.reference, row.ordinal, row.marks, row.duplicate_of) for row in found if row] == [
        ("HCA 32/9/1", 2, 1, None),
        ("HCA 32/9/1", 1, 1, None),
        (None, 0, 2, 1),
    ]
