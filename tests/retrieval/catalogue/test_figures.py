from __future__ import annotations

from retrieval.catalogue import figures
from retrieval.catalogue.archive import Archive


def test_counts(filled: Archive) -> None:
    with filled.session() as session:
        counts = figures.counts(session)
    assert counts == figures.Counts(
        documents=3,
        pages=4,
        pages_without_document=1,
        documents_without_pages=1,
        resembling_pages=0,
        duplicate_pages=1,
        marks={"proposed": 3, "confirmed": 2, "rejected": 1},
        failures=1,
        models=2,
        embeddings={"m": 2, "n": 0},
        identities=0,
        groups={"proposed": 0, "same": 0, "different": 0},
    )


def test_the_size_of_an_archive_is_that_of_what_is_found_in_it(filled: Archive) -> None:
    with filled.session() as session:
        assert figures.size(session) == figures.Size(documents=3, pages=4, marks=5)


def test_what_lacks_its_other_half_is_counted(filled: Archive) -> None:
    with filled.session() as session:
        assert figures.pages_without_document(session) == 1
        assert figures.documents_without_pages(session) == 1
