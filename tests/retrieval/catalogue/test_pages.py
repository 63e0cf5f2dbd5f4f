from __future__ import annotations

from retrieval.catalogue import pages
from retrieval.catalogue.archive import Archive


def test_pages(filled: Archive) -> None:
    with filled.session() as session:
        assert [row.page for row in pages.pages(session, limit=3)] == [1, 2, 3]
        assert [row.page for row in pages.pages(session, after=3)] == [4]
        letter = pages.pages(session, reference="HCA 32/9/1")
        assert [(row.page, row.ordinal, row.marks) for row in letter] == [(2, 1, 1), (1, 2, 1)]
        one = pages.page(session, 4)
        assert one is not None and (one.reference, one.marks, one.duplicate_of) == (None, 2, 1)
        assert pages.page(session, 99) is None
