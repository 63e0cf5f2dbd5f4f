from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from ingest.documents import (
    DocumentsFile,
    bind_pages,
    read_documents,
    series_of,
    store_documents,
    years_of,
)
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import MetadataError
from retrieval.catalogue.tables import Document, Page


def read(tmp_path: Path, content: str | bytes) -> DocumentsFile:
    path = tmp_path / "documents.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_documents(path)


def add_pages(archive: Archive, *sources: str, frames: int = 1) -> None:
    with archive.session() as session:
        session.add_all(
            Page(
                source=source,
                location=f"/in/{source}",
                frame=frame,
                width=1,
                height=1,
                sha256="0" * 64,
                size=1,
                mtime_ns=1,
            )
            for source in sources
            for frame in range(frames)
        )


def bindings(archive: Archive) -> list[tuple[str, int, str | None, int]]:
    with archive.session() as session:
        return [
            tuple(row)
            for row in session.execute(
                select(Page.source, Page.frame, Document.reference, Page.ordinal)
                .outerjoin(Document, Page.document_id == Document.id)
                .order_by(Document.reference, Page.ordinal, Page.source)
            )
        ]


# Reading the file ----------------------------------------------------------------------------


def test_columns_with_a_meaning_and_others(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        "reference,title,date,ship,place,captain,source,Language,folio\n"
        "HCA 32/1/5,Bill,12 March 1702,De Hoop,Cádiz,J. Smit,box/1.jpg,nl,3r\n",
    )
    (document,) = file.documents
    assert (document.reference, document.series) == ("HCA 32/1/5", "HCA 32")
    assert (document.title, document.ship, document.place) == ("Bill", "De Hoop", "Cádiz")
    assert (document.date, document.year_from, document.year_to) == ("12 March 1702", 1702, 1702)
    assert (document.captain, document.details) == ("J. Smit", {"Language": "nl", "folio": "3r"})
    (claim,) = file.claims
    assert (claim.source, claim.reference, claim.line) == ("box/1.jpg", "HCA 32/1/5", 2)


@pytest.mark.parametrize(
    "header",
    [
        "reference,ship,captain,source",
        "Reference Code,Vessel,Master,Filename",
        "REF,Ship_Name,master name,file",
        " Ref. No. ,Name of Ship,Ship-Master,File Path",
    ],
)
def test_headers_are_read_leniently(tmp_path: Path, header: str) -> None:
    file = read(tmp_path, f"{header}\nHCA 30/1,Anna,Jan,a.png\n")
    (document,) = file.documents
    assert (document.reference, document.ship, document.captain) == ("HCA 30/1", "Anna", "Jan")
    assert file.claims[0].source == "a.png"
    assert document.details == {}


def test_the_plain_name_of_a_column_wins(tmp_path: Path) -> None:
    (document,) = read(tmp_path, "ref,year,date\nA,1700,c. 1690\n").documents
    assert (document.date, document.details) == ("c. 1690", {"year": "1700"})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_and_delimiters(tmp_path: Path, encoding: str, delimiter: str, end: str) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    writer.writerows([["reference", "title", "ship"], ["A 1/2", 'a "b", c; d\té', "Ãlvaro é"]])
    (document,) = read(tmp_path, text.getvalue().encode(encoding)).documents
    assert (document.title, document.ship) == ('a "b", c; d\té', "Ãlvaro é")


def test_bytes_that_cp1252_lacks_are_latin_1(tmp_path: Path) -> None:
    (document,) = read(tmp_path, b"reference,title\nA,\x81\xe9\n").documents
    assert document.title == "\x81é"


def test_excels_own_way_of_naming_the_delimiter(tmp_path: Path) -> None:
    (document,) = read(tmp_path, "sep=;\r\nreference;title\r\nA;x, y\r\n").documents
    assert document.title == "x, y"


def test_rows_of_one_document_are_merged(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        "reference,title,source,folio,language\n"
        "A,,b.png,1r,nl\n"
        "A,Letter,a.png,1v,nl\n"
        "\n"
        "B,Other,,,\n"
        "A,Ignored,c.png,,fr\n",
    )
    first, second = file.documents
    assert (first.title, first.details) == (
        "Letter",
        {"folio": ["1r", "1v"], "language": ["nl", "fr"]},
    )
    assert second.reference == "B"
    assert [(claim.source, claim.line) for claim in file.claims] == [
        ("b.png", 2),
        ("a.png", 3),
        ("c.png", 6),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", r"documents\.csv, line 1: there is no header"),
        ("title,source\nx,y\n", r"line 1: there is no column 'reference'.*'title', 'source'"),
        ("reference,title\nA,x\n,y\n", r"line 3: there is no reference"),
        ("reference,title\nA,x\nB,y,z\n", r"line 3: there are 3 fields"),
        ('reference,title\nA,x\nB,"y\n', r"line 3: it is no proper CSV"),
        ('reference,title\nA,"x"y\n', r"line 2: it is no proper CSV"),
        ("reference,a,a\nA,x,y\n", r"line 1: two columns are called 'a'"),
        ("reference,ship\nA,x\nB," + "y" * 256, r"line 3: the ship is longer than 255"),
        ("reference\nA\n\0\n", r"line 3: there are zero bytes"),
        ("PK\x03\x04", r"spreadsheet"),
    ],
)
def test_bad_files_are_refused_by_name_and_line(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(MetadataError, match=said):
        read(tmp_path, content)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match=r"absent\.csv cannot be read"):
        read_documents(tmp_path / "absent.csv")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode()))
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    for head in (b"", b"reference,title\n"):
        try:
            file = read(tmp_path, head + content)
        except MetadataError as error:
            assert "documents.csv" in str(error)
        else:
            assert all(document.reference for document in file.documents)


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), max_size=20)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(st.lists(st.tuples(cells, cells), max_size=6))
def test_what_was_written_is_read(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(["reference", "title", "note"])
    for number, row in enumerate(rows):
        writer.writerow([f"R {number}", *row])
    documents = read(tmp_path, text.getvalue()).documents
    assert len(documents) == len(rows)

    import unicodedata

    for document, (title, note) in zip(documents, rows, strict=True):
        assert (document.title or "") == unicodedata.normalize("NFC", title.strip())
        assert document.details.get("note", "") == unicodedata.normalize("NFC", note.strip())


# Dates and references ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "years"),
    [
        ("1745", (1745, 1745)),
        ("12 March 1702", (1702, 1702)),
        ("1702-03-12", (1702, 1702)),
        ("12/03/1702", (1702, 1702)),
        ("1702-03", (1702, 1702)),
        ("1700-1705", (1700, 1705)),
        ("1700–1705", (1700, 1705)),
        ("1705-1700", (1700, 1705)),
        ("1744-45", (1744, 1745)),
        ("1744/5", (1744, 1745)),
        ("20 January 1744/45", (1744, 1745)),
        ("c. 1690", (1690, 1690)),
        ("[1698?]", (1698, 1698)),
        ("1702~", (1702, 1702)),
        ("between 1699 and 1702", (1699, 1702)),
        ("1690s", (1690, 1699)),
        ("169X", (1690, 1699)),
        ("16XX", (1600, 1699)),
        ("1700s", (1700, 1799)),
        ("17th century", (1601, 1700)),
        ("late 17th-18th century", (1601, 1800)),
        ("before 1700", (None, 1700)),
        ("after 1650", (1650, None)),
        ("n.d.", (None, None)),
        ("", (None, None)),
        ("12345", (None, None)),
        ("HCA 32/1234", (1234, 1234)),
    ],
)
def test_dates(written: str, years: tuple[int | None, int | None]) -> None:
    assert years_of(written) == years


@given(
    st.text(max_size=60) | st.text(st.sampled_from("0123456789-/xX cstbefornad.~?"), max_size=30)
)
def test_no_date_upsets(written: str) -> None:
    first, last = years_of(written)
    assert first is None or 1000 <= first <= 2100
    assert last is None or 1000 <= last <= 2100
    if first is not None and last is not None:
        assert first <= last


@given(st.integers(1000, 2099), st.integers(1000, 2099))
def test_ranges_of_years(one: int, other: int) -> None:
    assert years_of(f"{one} - {other}") == (min(one, other), max(one, other))


@pytest.mark.parametrize(
    ("reference", "series"),
    [
        ("HCA 32/1234/5", "HCA 32"),
        ("HCA32/1234/5", "HCA 32"),
        ("TNA, HCA 32/1234/5", "HCA 32"),
        ("The National Archives: HCA 32/1", "HCA 32"),
        ("hca  32 / 1", "HCA 32"),
        ("HCA 32", "HCA 32"),
        ("WO 095/234", "WO 95"),
        ("MS Add. 1234", None),
        ("letter of 1702", None),
        ("", None),
    ],
)
def test_series(reference: str, series: str | None) -> None:
    assert series_of(reference) == series


@given(st.text(max_size=60))
def test_no_reference_upsets(reference: str) -> None:
    series = series_of(reference)
    assert series is None or len(series) <= 64


# Into the catalogue --------------------------------------------------------------------------


def into(archive: Archive, tmp_path: Path, content: str) -> Any:
    file = read(tmp_path, content)
    with archive.writing() as session:
        store_documents(session, file.documents)
        return bind_pages(session, file)


def test_documents_are_brought_up_to_date_by_reference(archive: Archive, tmp_path: Path) -> None:
    into(archive, tmp_path, "reference,title,date,ship,folio\nA,Old,1700,Anna,1r\nB,Other,,,\n")
    into(archive, tmp_path, "reference,title,date,language\nA,New,before 1710,nl\nC,,,\n")
    with archive.session() as session:
        first, second, third = session.scalars(select(Document).order_by(Document.id))
        assert (first.title, first.ship, first.date) == ("New", "Anna", "before 1710")
        assert (first.year_from, first.year_to) == (None, 1710)
        assert first.details == {"folio": "1r", "language": "nl"}
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
    assert ("3.png", 0, "B", 1) in bindings(archive)


def test_every_image_of_a_file_goes_to_its_document(archive: Archive, tmp_path: Path) -> None:
    add_pages(archive, "a.tif", "b.tif", frames=2)
    into(archive, tmp_path, "reference,source\nA,b.tif\nA,a.tif\n")
    assert bindings(archive) == [
        ("b.tif", 0, "A", 1),
        ("b.tif", 1, "A", 2),
        ("a.tif", 0, "A", 3),
        ("a.tif", 1, "A", 4),
    ]


@pytest.mark.parametrize(
    "written",
    [
        "box 1/img.JPG",
        "img.JPG",
        "IMG.jpg",
        "./box 1/img.JPG",
        "box 1\\img.JPG",
        r"D:\scans\box 1\img.jpg",
        "/mnt/scans/box 1/img.JPG",
    ],
)
def test_a_page_is_found_by_as_much_of_its_path_as_is_written(
    archive: Archive, tmp_path: Path, written: str
) -> None:
    add_pages(archive, "box 1/img.JPG", "box 1/other.JPG")
    binding = into(archive, tmp_path, f"reference,source\nA,{written}\n")
    assert (binding.pages, binding.problems) == (1, ())


@pytest.mark.parametrize(
    "written",
    ["../../etc/passwd", "/etc/passwd", "box 1/../img.JPG", "..", "/", "box 2/img.JPG", "mg.JPG"],
)
def test_other_paths_find_nothing(archive: Archive, tmp_path: Path, written: str) -> None:
    add_pages(archive, "box 1/img.JPG")
    binding = into(archive, tmp_path, f"reference,source\nA,{written}\n")
    assert binding.pages == 0
    assert binding.problems == (f"documents.csv, line 2: no page {written!r} has been ingested.",)


def test_a_name_that_several_pages_have_is_not_guessed(archive: Archive, tmp_path: Path) -> None:
    add_pages(archive, "1/img.png", "2/img.png")
    binding = into(archive, tmp_path, "reference,source\nA,img.png\nB,2/img.png\n")
    assert binding.pages == 1
    assert "line 2" in binding.problems[0] and "any of 2 pages" in binding.problems[0]


def test_a_page_given_to_two_documents_stays_with_the_first(
    archive: Archive, tmp_path: Path
) -> None:
    add_pages(archive, "a.png")
    binding = into(archive, tmp_path, "reference,source\nA,a.png\nB,a.png\nA,a.png\n")
    assert (binding.pages, len(binding.problems)) == (1, 1)
    assert "given to A on line 2" in binding.problems[0]
    assert bindings(archive) == [("a.png", 0, "A", 1)]
