from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from ingest.documents.binding import Bound, TakenPage
from ingest.documents.storing import store_documents
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.tables import Document, Page
from tests.ingest.documents.claiming import add_pages, bindings, into
from tests.ingest.documents.reading import read


def test_documents_are_brought_up_to_date_by_reference(archive: Archive, tmp_path: Path) -> None:
    into(archive, tmp_path, "reference,title,date,ship,folio\nA,Old,1700,Anna,1r\nB,Other,,,\n")
    into(archive, tmp_path, "reference,title,date,language\nA,New,before 1710,nl\nC,,,\n")
    with archive.session() as session:
        first, second, third = session.scalars(select(Document).order_by(Document.id))
        assert (first.title, first.ship, first.date) == ("New", "Anna", "before 1710")
        assert (first.year_from, first.year_to) == (None, 1710)
        assert first.details == {"folio": "1r", "language": "nl", "date (EDTF)": "[..1710]"}
        assert (second.title, third.reference) == ("Other", "C")


def test_storing_the_same_twice_writes_nothing(archive: Archive, tmp_path: Path) -> None:
    file = read(tmp_path, "reference,title,date\nA,x,1700\nB,y,n.d.\n")
    with archive.writing() as session:
        assert store_documents(session, file.documents) == 2
    with archive.writing() as session:
        assert store_documents(session, file.documents) == 0


def test_pages_follow_the_rows_and_not_their_names(archive: Archive, tmp_path: Path) -> None:
    add_pages(archive, "1.png", "2.png", "3.png")
    binding = into(archive, tmp_path, "reference,source\nA,3.png\nB,2.png\nA,1.png\n")
    assert (binding.pages, binding.problems) == (3, ())
    assert bindings(archive) == [
        ("3.png", 0, "A", 1),
        ("1.png", 0, "A", 2),
        ("2.png", 0, "B", 1),
    ]
    into(archive, tmp_path, "reference,source\nB,3.png\n")
    assert bindings(archive) == [
        ("1.png", 0, "A", 1),
        ("2.png", 0, "B", 1),
        ("3.png", 0, "B", 2),
    ]


def test_what_changed_is_told_from_what_was_so_before(archive: Archive, tmp_path: Path) -> None:
    add_pages(archive, "1.png", "2.png", "3.png", "4.png")
    table = "reference,source\nA,1.png\nA,2.png\nA,3.png\n"
    assert into(archive, tmp_path, table).bound == Bound(moved=frozenset({1, 2, 3}))
    assert into(archive, tmp_path, table).bound == Bound(stayed=frozenset({1, 2, 3}))
    other = into(archive, tmp_path, "reference,source\nB,4.png\nB,2.png\n")
    assert other.bound == Bound(
        moved=frozenset({2, 4}), taken=(TakenPage(2, "2.png", 0, "A", "B"),)
    )
    assert bindings(archive) == [
        ("1.png", 0, "A", 1), ("3.png", 0, "A", 2), ("4.png", 0, "B", 1), ("2.png", 0, "B", 2),
    ]  # fmt: skip
    turned = into(archive, tmp_path, "reference,source\nA,3.png\nA,1.png\nB,4.png\n")
    assert turned.bound == Bound(stayed=frozenset({1, 3, 4}), reordered=1)


def test_a_document_whose_pages_stay_in_their_order_keeps_their_numbers(
    archive: Archive, tmp_path: Path
) -> None:
    add_pages(archive, "1.png", "2.png", "3.png")
    table = "reference,source\nA,1.png\nA,2.png\nA,3.png\n"
    into(archive, tmp_path, table)
    with archive.writing() as session:  # the archive forgets one
        session.delete(session.scalars(select(Page).where(Page.source == "2.png")).one())
    before = bindings(archive)
    assert before == [("1.png", 0, "A", 1), ("3.png", 0, "A", 3)]
    into(archive, tmp_path, table.replace("A,2.png\n", ""))
    assert bindings(archive) == before


@pytest.mark.parametrize(
    ("rows", "pages"),
    [
        ("56", "123456"),
        ("34", "1234"),
        ("43", "1243"),
        ("4321", "4321"),
        ("31", "3214"),
        ("1526", "152346"),
        ("51", "51234"),
        ("15", "12345"),
    ],
)
def test_a_later_file_adds_pages_and_corrects_their_order(
    archive: Archive, tmp_path: Path, rows: str, pages: str
) -> None:
    add_pages(archive, *(f"{number}.png" for number in range(1, 7)))

    def tell(numbers: str) -> None:
        table = "".join(f"A,{number}.png\n" for number in numbers)
        assert into(archive, tmp_path, f"reference,source\n{table}").pages == len(numbers)

    tell("1234")
    for _ in range(2):
        tell(rows)
        assert [one for one in bindings(archive) if one[2]] == [
            (f"{number}.png", 0, "A", at) for at, number in enumerate(pages, start=1)
        ]


def test_every_image_of_a_file_goes_to_its_document(archive: Archive, tmp_path: Path) -> None:
    add_pages(archive, "a.tif", "b.tif", frames=2)
    into(archive, tmp_path, "reference,source\nA,b.tif\nA,a.tif\n")
    assert bindings(archive) == [
        ("b.tif", 0, "A", 1),
        ("b.tif", 1, "A", 2),
        ("a.tif", 0, "A", 3),
        ("a.tif", 1, "A", 4),
    ]


def test_images_of_one_file_go_to_several_documents(archive: Archive, tmp_path: Path) -> None:
    add_pages(archive, "vol.pdf", frames=5)
    add_pages(archive, "one.png")
    binding = into(
        archive,
        tmp_path,
        "reference,source,page in file\nA,vol.pdf,2\nA,vol.pdf,1\nB,vol.pdf,3\n"
        "C,vol.pdf,\nB,one.png,1\n",
    )
    assert (binding.pages, binding.problems) == (6, ())
    there = [
        ("vol.pdf", 1, "A", 1),
        ("vol.pdf", 0, "A", 2),
        ("vol.pdf", 2, "B", 1),
        ("one.png", 0, "B", 2),
        ("vol.pdf", 3, "C", 1),
        ("vol.pdf", 4, "C", 2),
    ]
    assert bindings(archive) == there
    again = into(archive, tmp_path, "reference,source,Page_in_File\nC,vol.pdf,5\nC,vol.pdf,4\n")
    assert again.bound == Bound(stayed=frozenset({4, 5}), reordered=1)
    assert bindings(archive)[4:] == [("vol.pdf", 4, "C", 1), ("vol.pdf", 3, "C", 2)]
    before = bindings(archive)
    binding = into(
        archive,
        tmp_path,
        "reference,source,page in file\nA,vol.pdf,6\nD,one.png,2\nA,vol.pdf,1\nD,vol.pdf,1\n",
    )
    assert binding.problems == (
        "documents.csv, line 2: the archive has no page 6 of 'vol.pdf', but 5 in all.",
        "documents.csv, line 3: the archive has no page 2 of 'one.png', but 1 in all.",
        "documents.csv, line 5: the page 'vol.pdf', image 1, was assigned to A on line 4; it stays "
        "there.",
    )
    assert bindings(archive) == before


def test_several_files_speak_of_one_document(archive: Archive, tmp_path: Path) -> None:
    add_pages(archive, "1.png", "2.png", "3.png")
    binding = into(
        archive,
        tmp_path,
        "reference,title,source\nHCA 32/1/5,Bill,2.png\n",
        "reference,title,source\nHCA32/1/5,Letter,1.png\nB,,2.png\n",
    )
    assert bindings(archive)[1:] == [("2.png", 0, "HCA 32/1/5", 1), ("1.png", 0, "HCA 32/1/5", 2)]
    assert binding.problems == (
        "2documents.csv, line 3: the page '2.png' was assigned to HCA 32/1/5 on line 2 of "
        "documents.csv; it stays there.",
    )
    with archive.session() as session:
        assert session.scalar(select(Document.title).where(Document.series == "HCA 32")) == "Letter"


def test_what_was_made_of_an_earlier_date_goes_with_it(archive: Archive, tmp_path: Path) -> None:
    into(archive, tmp_path, "reference,date,folio\nA,11 March 1701/2,3r\n")
    into(archive, tmp_path, "reference,date\nA,some day in 1703\n")
    with archive.session() as session:
        document = session.scalars(select(Document)).one()
        assert (document.year_from, document.details) == (1703, {"folio": "3r"})
