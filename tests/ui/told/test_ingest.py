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
    assert "0 documents catalogued; 2 pages were assigned to a document." in lines
    lines = ingest_sentences(Path("a"), IngestReport(bound_already=2))
    assert "0 documents catalogued; 0 pages were assigned to a document; 2 already were." in lines


def test_one_of_a_kind_is_said_in_the_singular() -> None:
    report = IngestReport(
        added=1, fetched=1, duplicates=1, skipped=1, failed=1, left=1, documents=1, bound=1,
        pages_without_document=1, documents_without_pages=1, canvases_without_image=1, marks=1,
    )  # fmt: skip
    assert ingest_sentences(Path("a"), report) == [
        "1 page added, 0 read again, 0 moved, 0 unchanged; 1 mark found.",
        "1 image fetched.",
        "1 page is a byte-for-byte copy of another page.",
        "1 file is not an image and was skipped.",
        "1 canvas has no supported image and was skipped.",
        "1 input could not be read; a/quarantine.csv says why.",
        "1 of them has not changed and was not tried again. To retry: prizemarks ingest a "
        "--retry-quarantined",
        "1 document catalogued; 1 page was assigned to a document.",
        "1 page belongs to no document yet.",
        "1 document has no page yet.",
        "Next: prizemarks index a",
    ]


def test_pages_that_were_another_documents_are_named() -> None:
    taken = tuple(TakenPage(page, f"{page}.tif", 1, "HCA 32/1", "HCA 32/2") for page in range(1, 8))
    lines = ingest_sentences(Path("a"), IngestReport(bound=9, taken=taken, reordered=1))
    named = ", ".join(f"{page}.tif, image 2 from HCA 32/1 to HCA 32/2" for page in range(1, 6))
    assert lines[-2:] == [
        f"7 of them belonged to another document: {named} and 2 more (--json: all).",
        "1 document has its pages in a new order.",
    ]


def test_of_a_file_of_several_images_it_is_said_which_looks_like_another() -> None:
    alike = ResemblanceRow(7, "b.tif", 2, 3, "a.pdf", 0, 12)
    lines = ingest_sentences(Path("a"), IngestReport(resembling=(alike,)))
    assert lines[1].endswith("all are kept: b.tif, image 3 like a.pdf.")


def test_it_is_said_which_files_were_left_as_crops_and_how_to_make_them_pages() -> None:
    lines = ingest_sentences(Path("a"), IngestReport(unchanged=3, left_as_crops=3))
    assert lines[1:] == [
        "3 files were ingested as crops and stay crops: to look for marks in such files, ingest "
        "the folder that directly contains them."
    ]


def test_it_is_said_which_files_were_left_as_pages_and_which_were_not() -> None:
    lines = ingest_sentences(Path("a"), IngestReport(left_as_pages=3, made_crops=1, made_pages=2))
    assert lines[1:] == [
        "3 files were ingested as pages and stay pages: to treat each as one mark, ingest the "
        "folder that directly contains them with --as marks.",
        "1 page is now treated as one mark; proposals on it that nobody had judged were removed.",
        "2 crops are now treated as pages; marks were looked for on them.",
    ]


def test_it_is_said_what_became_of_copies_whose_originals_are_gone() -> None:
    report = IngestReport(moved=2, copies_replaced=2, marks_of_copies=1, away=("/mnt/old",))
    assert ingest_sentences(Path("a"), report)[1:] == [
        "2 duplicate pages were removed: where an original file is missing, its page now uses the "
        "file of the duplicate and keeps its marks.",
        "1 judged or named mark of a duplicate page now belongs to the original page.",
        "/mnt/old is empty, as if a disk or network share were not mounted, so copies of files "
        "from there stay copies. If its files are gone for good, delete that folder, or put a file "
        "into it, and run this again.",
    ]
