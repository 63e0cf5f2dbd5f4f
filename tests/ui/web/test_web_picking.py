from __future__ import annotations

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.documents import Filters
from retrieval.catalogue.tables import Document, Mark, Page
from tests.paper_archive import Papers
from ui.web.picking import offered_pages, sampled_marks


def test_pages_are_found_by_any_word(papers: Papers) -> None:
    first, second, third = papers.pages
    with papers.archive.session() as session:

        def offered(text: str, **where: object) -> list[int]:
            return list(offered_pages(session, text, Filters(**where)).names)

        assert offered("") == [third, first, second]  # HCA 30 comes before HCA 32
        assert offered("hoop 1/2") == [second]
        assert offered("lading") == [second]
        assert offered("2.png") == [third]
        assert offered("%") == []
        assert offered("_.png") == []
        assert offered("", series="HCA 30") == [third]
        assert offered("", year_to=1705) == [first]
        assert list(offered_pages(session, "lading", Filters(), third).names) == [third, second]
        names = offered_pages(session, "lading", Filters()).names
        assert names[second] == "HCA 32/1/2 · 1.png · Bill of lading"


def test_pages_are_found_whatever_the_case_of_the_letters(papers: Papers) -> None:
    with papers.archive.writing() as session:
        session.get_one(Document, 1).ship = "L’Étoile"
        session.get_one(Page, papers.pages[1]).source = "Straße/ÉTÉ.png"
    with papers.archive.session() as session:

        def offered(text: str) -> list[int]:
            return list(offered_pages(session, text, Filters()).names)

        assert offered("étoile") == offered("l’ÉTOILE HCA") == [papers.pages[0]]
        assert offered("strasse été") == [papers.pages[1]]


def test_samples_come_from_all_over_and_are_not_rejected(papers: Papers) -> None:
    with papers.archive.session() as session:
        marks = sampled_marks(session, 3)
    assert [sum(mark in page for mark in marks) for page in papers.marks] == [1, 1, 1]
    with papers.archive.session() as session:
        assert len(sampled_marks(session, 100)) == 12


def test_of_each_part_the_likeliest_mark_is_the_sample(papers: Papers) -> None:
    first, second, third = (sorted(page) for page in papers.marks)
    with papers.archive.writing() as session:
        for mark in (mark for page in papers.marks for mark in page):
            one = session.get_one(Mark, mark)
            one.status, one.score = "proposed", 0.1
        session.get_one(Mark, first[2]).score = 0.9
        session.get_one(Mark, second[1]).score = 0.9
        session.get_one(Mark, second[2]).status = "confirmed"
        session.get_one(Mark, third[0]).status = "rejected"
        session.get_one(Mark, third[3]).realism = 0.6
    with papers.archive.session() as session:
        assert sampled_marks(session, 3) == [first[2], second[2], third[3]]


def test_an_empty_archive_has_no_samples(archive: Archive) -> None:
    with archive.session() as session:
        assert sampled_marks(session, 12) == []
        assert offered_pages(session, "", Filters()).fitting == 0
