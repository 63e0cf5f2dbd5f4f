from __future__ import annotations

from pathlib import Path

from ingest.documents.binding import TakenPage
from ingest.report import IngestReport
from retrieval.catalogue.resemblances import ResemblanceRow
from ui.told.ingest import ingest_sentences


def test_what_is_left_without_the_other_is_named() -> None:
    report = IngestReport(
        pages_without_document=7,
        documents_without_pages=2,
        sources_without_document=tuple(f"{number}.png" for number in range(1, 8)),
        references_without_page=("HCA 32/9", "HCA 32/10"),
    )
    lines = ingest_sentences(Path("a"), report)
    assert (
        "7 pages belong to no document yet: 1.png, 2.png, 3.png, 4.png, 5.png and 2 more "
        "(--json: all)."
    ) in lines
    assert "2 documents have no page yet: HCA 32/9, HCA 32/10." in lines


def test_where_no_file_was_given_they_are_only_counted() -> None:
    lines = ingest_sentences(Path("a"), IngestReport(pages_without_document=7))
    assert "7 pages belong to no document yet." in lines


def test_pages_are_said_to_be_bound_where_no_document_is_new() -> None:
    lines = ingest_sentences(Path("a"), IngestReport(bound=2))
    assert "0 documents catalogued, 2 pages bound to one." in lines
    lines = ingest_sentences(Path("a"), IngestReport(bound_already=2))
    assert "0 documents catalogued, 0 pages bound to one; 2 were already." in lines


def test_pages_that_were_another_documents_are_named() -> None:
    taken = tuple(TakenPage(page, f"{page}.tif", 1, "HCA 32/1", "HCA 32/2") for page in range(1, 8))
    lines = ingest_sentences(Path("a"), IngestReport(bound=9, taken=taken, reordered=1))
    named = ", ".join(f"{page}.tif, image 2 from HCA 32/1 to HCA 32/2" for page in range(1, 6))
    assert lines[-2:] == [
        f"7 of them were another document's: {named} and 2 more (--json: all).",
        "1 documents have their pages in another order now.",
    ]


def test_of_a_file_of_several_images_it_is_said_which_looks_like_another() -> None:
    alike = ResemblanceRow(7, "b.tif", 2, 3, "a.pdf", 0, 12)
    lines = ingest_sentences(Path("a"), IngestReport(resembling=(alike,)))
    assert lines[1].endswith("all are kept: b.tif, image 3 like a.pdf.")


def test_it_is_said_which_files_were_left_as_crops_and_how_to_make_them_pages() -> None:
    lines = ingest_sentences(Path("a"), IngestReport(unchanged=3, left_as_crops=3))
    assert lines[1:] == [
        "3 files came in as crops and were left so: to seek marks on them, ingest the very folder "
        "they lie in."
    ]


def test_it_is_said_which_files_were_left_as_pages_and_which_were_not() -> None:
    lines = ingest_sentences(Path("a"), IngestReport(left_as_pages=3, made_crops=1, made_pages=2))
    assert lines[1:] == [
        "3 files came in as pages and were left so: to take each for one mark, ingest the very "
        "folder they lie in with --as marks.",
        "1 page is taken for one mark now; proposals on it that nobody had looked at went.",
        "On 2 crops marks were sought now, as on pages.",
    ]


def test_it_is_said_what_became_of_copies_whose_originals_are_gone() -> None:
    report = IngestReport(moved=2, copies_replaced=2, marks_of_copies=1, away=("/mnt/old",))
    assert ingest_sentences(Path("a"), report)[1:] == [
        "2 pages of copies went: the files of their originals are gone, so these lie in theirs "
        "now, with their marks.",
        "1 mark that people had judged or named on the copies is the originals' now.",
        "/mnt/old is empty, as when a disc or a share is away: copies of files from there stay "
        "copies. If those are gone for good, delete that folder, or put a file into it, and run "
        "this again.",
    ]
