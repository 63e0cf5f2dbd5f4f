from __future__ import annotations

import csv
import io
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingest.csv_text import as_said
from ingest.documents.reading import read_documents
from ingest.documents.record import PageClaim
from retrieval.catalogue.errors import MetadataError
from tests.ingest.documents.reading import read


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
    assert (document.captain, document.details) == (
        "J. Smit",
        {"Language": "nl", "folio": "3r", "date (EDTF)": "1702-03-12"},
    )
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


@pytest.mark.parametrize(
    ("reference", "said", "series", "kept"),
    [
        ("Box 7", "Prize Papers", "Prize Papers", None),
        ("Liasse AB 12", "Prize Papers", "Prize Papers", None),
        ("hca32/1", "HCA 32", "HCA 32", None),
        ("HCA 32/1", "Prize Papers", "HCA 32", "Prize Papers"),
        ("Box 7", "x" * 65, None, "x" * 65),
    ],
)
def test_a_series_is_that_of_the_reference_where_it_has_one(
    tmp_path: Path, reference: str, said: str, series: str | None, kept: str | None
) -> None:
    (document,) = read(tmp_path, f"ref,Series\n{reference},{said}\n").documents
    assert (document.series, document.details.get("series")) == (series, kept)


def test_a_date_for_machines_may_stand_beside_its_wording(tmp_path: Path) -> None:
    first, second = read(
        tmp_path,
        "ref,date,date (EDTF)\nA,in the third year of the war,1701-05/1703-02\nB,,1702-03\n",
    ).documents
    assert (first.date, first.year_from, first.year_to) == (
        "in the third year of the war", 1701, 1703,
    )  # fmt: skip
    assert first.details == {"date (EDTF)": "1701-05/1703-02"}
    assert (second.date, second.year_from, second.year_to) == ("1702-03", 1702, 1702)


def test_a_date_for_machines_that_says_nothing_is_named(tmp_path: Path) -> None:
    file = read(tmp_path, "ref,date,date (EDTF)\nA,Anne's reign,1702-1714\nB,Lent,Mar-02\n")
    assert [(one.year_from, one.year_to) for one in file.documents] == [(1702, 1714), (None, None)]
    assert file.problems == (
        "documents.csv, line 3: the date for machines 'Mar-02' is neither EDTF nor ISO 8601, and "
        "says no year.",
    )


def test_a_date_for_machines_goes_with_the_date_it_stands_beside(tmp_path: Path) -> None:
    (document,) = read(
        tmp_path, "ref,date,date (EDTF)\nA,Lady Day,\nA,Michaelmas 1750,1750-09-29\nA,,1702-03-25\n"
    ).documents
    assert (document.date, document.details["date (EDTF)"]) == ("Lady Day", "1702-03-25")


@pytest.mark.parametrize("columns", [("date (EDTF)", "normal"), ("normal", "edtf")])
def test_of_two_dates_for_machines_that_counts_whose_name_stands_first(
    tmp_path: Path, columns: tuple[str, str]
) -> None:
    said = dict.fromkeys(columns, "1702") | {"normal": "1655"}
    table = [("ref", "date", *columns), ("A", "Lent", *(said[one] for one in columns))]
    (document,) = read(tmp_path, "\n".join(map(",".join, table))).documents
    assert (document.year_from, document.year_to) == (1702, 1702)
    assert document.details == {"date (EDTF)": "1702", "normal": "1655"}


def test_the_content_of_a_file_goes_with_its_name_or_is_a_detail(tmp_path: Path) -> None:
    file = read(tmp_path, "ref,file,SHA-256\nA,1.jpg,AB12\nA,2.jpg,\nB,,cd34\n")
    assert [(one.source, one.sha256) for one in file.claims] == [("1.jpg", "ab12"), ("2.jpg", "")]
    assert [one.details for one in file.documents] == [{}, {"sha256": "cd34"}]


def test_a_formula_is_what_it_was_before_it_was_shown(tmp_path: Path) -> None:
    (document,) = read(tmp_path, "ref,title,'=A1\nA,'=SUM(B2),'-\n").documents
    assert (document.title, document.details) == ("=SUM(B2)", {"=A1": "-"})


def test_the_plain_name_of_a_column_wins(tmp_path: Path) -> None:
    (document,) = read(tmp_path, "ref,year,date\nA,1700,c. 1690\n").documents
    assert (document.date, document.details) == (
        "c. 1690",
        {"year": "1700", "date (EDTF)": "1690~"},
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_and_delimiters(tmp_path: Path, encoding: str, delimiter: str, end: str) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    writer.writerows([["reference", "title", "ship"], ["A 1/2", 'a "b", c; d\té', "Ãlvaro é"]])
    (document,) = read(tmp_path, text.getvalue().encode(encoding)).documents
    assert (document.title, document.ship) == ('a "b", c; d\té', "Ãlvaro é")


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
        "A,Receipt,c.png,,fr\n",
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


def test_what_a_row_says_otherwise_than_one_before_is_said(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        "reference,title,ship,date,folio,source\n"
        "HCA 32/7/1,Letter,Enterprize,1702,1r,a.jpg\n"
        "HCA 32/7/1,Bill of lading,Adventure,1745,1v,b.jpg\n"
        "HCA 32/7/2,Bill,,,,c.jpg\n"
        "HCA32/7/1,Letter,,1702,2r,d.jpg\n"
        "HCA 32/7/2,Bill,,c. 1702,,e.jpg\n"
        "HCA 32/7/2,Bill,,1703,,f.jpg\n",
    )
    assert file.problems == (
        "documents.csv, line 3: HCA 32/7/1 was described differently before; left out: title 'Bill "
        "of lading', date '1745', ship 'Adventure'. If it is another document, give it its own "
        "reference.",
        "documents.csv, line 7: HCA 32/7/2 was described differently before; left out: date "
        "'1703'. If it is another document, give it its own reference.",
    )
    first, second = file.documents
    assert (first.title, first.ship, first.date) == ("Letter", "Enterprize", "1702")
    assert (second.title, second.date) == ("Bill", "c. 1702")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", r"documents\.csv, line 1: there is no header"),
        ("title,source\nx,y\n", r"line 1: there is no column 'reference'.*'title', 'source'"),
        ("reference,title\nA,x\n,y\n", r"line 3: there is no reference"),
        ("reference,title\nA,x\nB,y,z\n", r"line 3: there are 3 fields"),
        ('reference,title\nA,x\nB,"y\n', r"line 3: it is not valid CSV"),
        ('reference,title\nA,"x"y\n', r"line 2: it is not valid CSV"),
        ("reference,a,a\nA,x,y\n", r"line 1: two columns are named 'a'"),
        ("reference,ship\nA,x\nB," + "y" * 256, r"line 3: the ship is longer than 255"),
        ("reference\nA\n\0\n", r"line 3: it contains zero bytes"),
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
@example([("'=", "'= 3")])  # a spreadsheet's mark before what is no formula
def test_what_was_written_is_read(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(["reference", "title", "note"])
    for number, row in enumerate(rows):
        writer.writerow([f"R {number}", *row])
    documents = read(tmp_path, text.getvalue()).documents
    assert len(documents) == len(rows)

    for document, (title, note) in zip(documents, rows, strict=True):
        said, noted = (unicodedata.normalize("NFC", as_said(one.strip())) for one in (title, note))
        assert (document.title or "", document.details.get("note", "")) == (said, noted)


def test_what_excel_exports(tmp_path: Path) -> None:
    """Semicolons where the comma is for decimals, a mark before the text, lines within fields."""
    text = '\ufeffsep=;\r\n"Ref";"Title\n(as written)";title\r\nA;"x\r\ny; z";"T ""q"""\r\nB;;U\r\n'
    for content in (text.encode(), text.encode("utf-16-le")):
        first, second = read(tmp_path, content).documents
        assert (first.title, first.details) == ('T "q"', {"Title\n(as written)": "x\r\ny; z"})
        assert (second.reference, second.title) == ("B", "U")
    tabs = text.replace(";", "\t").removeprefix("\ufeffsep=\t\r\n")
    assert read(tmp_path, tabs.encode("utf-16")).documents[1].title == "U"


def test_references_in_any_spelling_are_one_document(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        "reference,title,source\nHCA32/1/5,Bill,a.png\nTNA HCA 32 / 1 / 5,Other,b.png\n",
    )
    (document,) = file.documents
    assert (document.reference, document.title) == ("HCA 32/1/5", "Bill")
    assert document.details == {"reference as written": ["HCA32/1/5", "TNA HCA 32 / 1 / 5"]}
    assert {claim.reference for claim in file.claims} == {"HCA 32/1/5"}


def test_the_date_is_kept_and_read(tmp_path: Path) -> None:
    (document,) = read(tmp_path, "reference,date\nA,11 March 1701/2\n").documents
    assert (document.date, document.year_from, document.year_to) == ("11 March 1701/2", 1701, 1702)
    assert document.details["date (EDTF)"] == "1702-03-11"
    assert document.details["calendar"].startswith("old style")


def test_the_archives_own_sentence_names_ship_and_captain(tmp_path: Path) -> None:
    said = '"Captured ship: the Anna of Hull (master Jan Smit, and later, P. Roy). History: ..."'
    first, second = read(
        tmp_path, f"reference,ship,description\nA,,{said}\nB,De Hoop,{said}\n"
    ).documents
    assert (first.ship, first.captain) == ("Anna of Hull", "Jan Smit")
    assert (second.ship, second.captain) == ("De Hoop", "Jan Smit")


@pytest.mark.parametrize("written", ["0", "1r", "-1", "1.5", "9" * 12])
def test_a_page_in_a_file_is_counted_from_1(tmp_path: Path, written: str) -> None:
    said = f"line 2: the page in the file, {written!r}, is not a whole number of 1 or more"
    with pytest.raises(MetadataError, match=said):
        read(tmp_path, f"reference,source,page in file\nA,a.pdf,{written}\n")
    (claim,) = read(tmp_path, "reference,source,PDF page\nA,a.pdf,012\n").claims
    assert claim == PageClaim("a.pdf", "A", 2, frame=11)
