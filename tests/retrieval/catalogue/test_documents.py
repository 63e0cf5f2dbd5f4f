from __future__ import annotations

from retrieval.catalogue import documents, pages
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.tables import Document, Page


def test_facets(filled: Archive, archive: Archive) -> None:
    with filled.session() as session:
        facets = documents.facets(session)
    assert facets.series == ("HCA 4", "HCA 30", "HCA 32")  # 4 before 30
    assert facets.ships == ("Anna", "De Hoop")
    assert (facets.year_from, facets.year_to) == (1690, 1704)


def test_facets_of_nothing(archive: Archive) -> None:
    with archive.session() as session:
        assert documents.facets(session) == documents.Facets((), (), None, None)


def test_what_is_left_without_the_other(filled: Archive) -> None:
    with filled.writing() as session:
        for number in (10, 9, 100):
            session.add(Document(reference=f"HCA 32/{number}"))
            session.add(
                Page(
                    source=f"{number}.png",
                    location=f"/in/{number}.png",
                    width=1,
                    height=1,
                    sha256="0" * 64,
                    size=1,
                    mtime_ns=1,
                )
            )
    with filled.session() as session:
        assert documents.references_without_page(session) == [
            *("HCA 30/1", "HCA 32/9", "HCA 32/10", "HCA 32/100"),
        ]
        assert pages.sources_without_document(session) == [
            *("4.png", "9.png", "10.png", "100.png"),
        ]
