from __future__ import annotations

import csv
import io
import tempfile
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from ingest.documents.binding import bind_pages
from ingest.documents.claimed_pages import sources_held
from ingest.documents.claims import claims_met
from ingest.documents.exporting import export_documents
from ingest.documents.record import DocumentsFile, Gathering, PageClaim
from ingest.documents.storing import store_documents
from retrieval.catalogue.archive import Archive, create_archive
from retrieval.catalogue.documents import Filters
from retrieval.catalogue.errors import RequestError
from retrieval.catalogue.tables import Document, Page
from tests.ingest.documents.claiming import add_pages, bindings
from tests.ingest.documents.reading import read

EAD = """<ead><archdesc level="fonds"><did><unitid>HCA</unitid></did><dsc>
<c level="file"><did><unitid>HCA 32/8</unitid><unittitle>Bills</unittitle>
<unitdate normal="1701-05/1703-02">in the third year of the war</unitdate>
<dao href="b/1.jpg"/><dao href="b/2.jpg"/></did>
<controlaccess><geogname>Cádiz</geogname><geogname>Ostend</geogname></controlaccess>
<scopecontent><p>=SUM(A1)</p></scopecontent><scopecontent><p>Two bales.</p></scopecontent></c>
</dsc></archdesc></ead>"""
SHA256 = "0" * 64
TABLE = """reference,title,date,ship,place,captain,source,Language,year
HCA 32/10,"Letters, private",c. 1702,De Hoop,,J. Smit,a/2.jpg,nl,1702
HCA 32/10,,,,,,a/1.jpg,fr,
HCA 32/9,Charter,11 March 1701/2,,Cádiz,,,,
"""


def take_in(archive: Archive, *files: DocumentsFile) -> int:
    with archive.writing() as session:
        written = sum(store_documents(session, file.documents) for file in files)
        bind_pages(session, claims_met(sources_held(session), files).owners)
    return written


def exported(archive: Archive, where: Filters | None = None) -> str:
    stream = io.StringIO()
    export_documents(archive, stream, where or Filters())
    return stream.getvalue()


def documents(archive: Archive) -> list[dict[str, Any]]:
    """Return all that is known of the documents, but for their ids."""
    with archive.session() as session:
        rows = session.execute(select(*Document.__table__.c).order_by(Document.reference)).all()
    return [{key: value for key, value in row._asdict().items() if key != "id"} for row in rows]


@pytest.fixture
def described(archive: Archive, tmp_path: Path) -> Archive:
    """An archive of three documents, of two files each or none."""
    add_pages(archive, "a/1.jpg", "a/2.jpg", "b/1.jpg", "b/2.jpg", "stray.jpg")
    take_in(archive, read(tmp_path, TABLE), read(tmp_path, EAD, "hca.xml"))
    return archive


def test_a_row_a_file_and_each_description_once(described: Archive) -> None:
    assert list(csv.reader(io.StringIO(exported(described)))) == [
        ["reference", "title", "date", "date (EDTF)", "ship", "place", "captain", "series",
         "source", "sha256", "place", "scope and content", "part of", "Language", "year"],
        ["HCA 32/8", "Bills", "in the third year of the war", "1701-05/1703-02", "", "Cádiz", "",
         "", "b/1.jpg", SHA256, "Ostend", "'=SUM(A1)", "HCA", "", ""],
        ["HCA 32/8", "", "", "", "", "", "", "", "b/2.jpg", SHA256, "", "Two bales.", "", "", ""],
        ["HCA 32/9", "Charter", "11 March 1701/2", "", "", "Cádiz", *[""] * 9],
        ["HCA 32/10", "Letters, private", "c. 1702", "", "De Hoop", "", "J. Smit", "", "a/2.jpg",
         SHA256, "", "", "", "nl", "1702"],
        ["HCA 32/10", "", "", "", "", "", "", "", "a/1.jpg", SHA256, "", "", "", "fr", ""],
    ]  # fmt: skip


def test_taken_back_it_changes_nothing(described: Archive, tmp_path: Path) -> None:
    before = documents(described), bindings(described)
    assert take_in(described, read(tmp_path, exported(described), "back.csv")) == 0
    assert (documents(described), bindings(described)) == before


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("A,b.tif,2\nA,b.tif,1\nA,b.tif,3\n", ["A,b.tif,2", "A,b.tif,1", "A,b.tif,3"]),
        ("A,b.tif,\nB,a.tif,\n", ["A,b.tif,", "B,a.tif,"]),
        ("A,b.tif,1\nA,b.tif,2\nA,b.tif,3\n", ["A,b.tif,"]),
        ("A,b.tif,1\n", ["A,b.tif,1"]),
        (
            "A,b.tif,1\nA,a.tif,\nA,b.tif,2\nB,b.tif,\n",
            ["A,b.tif,1", "A,a.tif,", "A,b.tif,2", "B,b.tif,3"],
        ),
    ],
)
def test_images_of_one_file_that_are_of_several_documents_come_back(
    archive: Archive, tmp_path: Path, table: str, rows: list[str]
) -> None:
    add_pages(archive, "a.tif", "b.tif", frames=3)
    take_in(archive, read(tmp_path, f"reference,source,page in file\n{table}"))
    before = bindings(archive)
    written = exported(archive)
    told = list(csv.DictReader(io.StringIO(written)))
    columns = ("reference", "source", "page in file")
    assert [",".join(row[column] for column in columns) for row in told] == rows
    take_in(archive, read(tmp_path, written, "back.csv"))
    assert bindings(archive) == before
    other = create_archive(tmp_path / "other")
    add_pages(other, "a.tif", "b.tif", frames=3)
    take_in(other, read(tmp_path, written, "back.csv"))
    assert bindings(other) == before
    other.close()


def test_a_detail_called_as_the_page_in_a_file_stays_one(archive: Archive, tmp_path: Path) -> None:
    take_in(archive, read(tmp_path, "reference,page in file\nA,12\n"))
    before = documents(archive)
    assert before[0]["details"] == {"page in file": "12"}
    assert exported(archive).splitlines() == [
        "reference,title,date,date (EDTF),ship,place,captain,series,source,sha256,page in file,"
        "page in file",
        "A,,,,,,,,,,,12",
    ]
    take_in(archive, read(tmp_path, exported(archive), "back.csv"))
    assert documents(archive) == before


def test_another_archive_learns_the_same_from_it(described: Archive, tmp_path: Path) -> None:
    other = create_archive(tmp_path / "other")
    add_pages(other, "a/1.jpg", "a/2.jpg", "b/1.jpg", "b/2.jpg", "stray.jpg")
    take_in(other, read(tmp_path, exported(described), "back.csv"))
    assert documents(other) == documents(described)
    assert bindings(other) == bindings(described)
    other.close()


def test_a_series_that_the_reference_does_not_tell_goes_along(
    archive: Archive, tmp_path: Path
) -> None:
    aid = """<ead><archdesc level="series"><did><unitid>HCA 32</unitid></did><dsc>
    <c><did><unitid>Bundle of De Hoop</unitid></did></c>
    <c><did><unitid>HCA 32/9</unitid></did></c></dsc></archdesc></ead>"""
    table = "reference,series\nHCA 32/10,Prize Papers\nBox 7,Prize Papers\n"
    take_in(archive, read(tmp_path, aid, "hca.xml"), read(tmp_path, table))
    said = exported(archive)
    assert {row[0]: row[7:] for row in csv.reader(io.StringIO(said))} == {
        "reference": ["series", "source", "sha256", "part of", "series"],
        "Bundle of De Hoop": ["HCA 32", "", "", "HCA 32", ""],
        "HCA 32/9": ["", "", "", "HCA 32", ""],
        "HCA 32/10": ["", "", "", "", "Prize Papers"],
        "Box 7": ["Prize Papers", "", "", "", ""],
    }
    other = create_archive(tmp_path / "other")
    take_in(other, read(tmp_path, said, "back.csv"))
    assert documents(other) == documents(archive)
    assert {one["reference"]: one["series"] for one in documents(other)} == {
        "Bundle of De Hoop": "HCA 32",
        "HCA 32/9": "HCA 32",
        "HCA 32/10": "HCA 32",
        "Box 7": "Prize Papers",
    }
    other.close()


def test_what_is_corrected_in_the_first_row_is_corrected(
    described: Archive, tmp_path: Path
) -> None:
    corrected = exported(described).replace("De Hoop", "De Jonge Hoop")
    assert take_in(described, read(tmp_path, corrected, "back.csv")) == 1
    assert [one["ship"] for one in documents(described)] == ["De Jonge Hoop", None, None]


def test_documents_alone_that_are_asked_for(described: Archive) -> None:
    rows = csv.DictReader(io.StringIO(exported(described, Filters(ship="De Hoop"))))
    assert [row["reference"] for row in rows] == ["HCA 32/10", "HCA 32/10"]
    assert rows.fieldnames == [
        "reference", "title", "date", "date (EDTF)", "ship", "place", "captain", "series",
        "source", "sha256", "Language", "year",
    ]  # fmt: skip


def test_an_archive_without_documents_has_the_header_alone(archive: Archive) -> None:
    header = "reference,title,date,date (EDTF),ship,place,captain,series,source,sha256\n"
    assert exported(archive) == header


def test_a_file_is_whole_or_not_there(described: Archive, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    output = tmp_path / "out" / "documents.csv"
    count = export_documents(described, output, progress=lambda *step: steps.append(step))
    assert count == 3
    assert steps[-1] == (3, 3)
    assert output.read_text(encoding="utf-8") == exported(described)
    (tmp_path / "file").touch()
    with pytest.raises(RequestError, match=r"Choose another place\.$"):
        export_documents(described, tmp_path / "file" / "documents.csv")


_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\0"), max_size=12
)

_KEY = _TEXT | st.sampled_from(
    ["place", "Ref", "source", "series", "edtf", "calendar", "=A1", "'=A1"]
)
_VALUES = st.lists(_TEXT, min_size=1, max_size=3)
_DATE = _TEXT | st.sampled_from(["11 March 1701/2 O.S.", "1702-03", "c. 1690"])


def plain(text: str) -> str:
    """Return a text as every reader of documents gives it."""
    return unicodedata.normalize("NFC", text).strip()


@given(
    st.lists(
        st.tuples(
            _TEXT, _DATE, st.dictionaries(_KEY, st.lists(_TEXT, min_size=1, max_size=3), max_size=3)
        ),
        max_size=3,
    )
)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_said_of_documents_comes_back(
    tmp_path: Path, said: list[tuple[str, str, dict[str, list[str]]]]
) -> None:
    gathering = Gathering("made up")
    for number, (title, date, details) in enumerate(said, start=1):
        kept = {
            plain(key): dict.fromkeys(filter(None, map(plain, values)))
            for key, values in details.items()
            if plain(key)
        }
        gathering.describe(
            f"HCA 32/{number}", {"title": plain(title), "date": plain(date)}, kept, line=1
        )
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
        archive = create_archive(Path(folder) / "archive")
        with archive.writing() as session:
            store_documents(session, gathering.finished().documents)
        before = documents(archive)
        assert take_in(archive, read(tmp_path, exported(archive), "back.csv")) == 0
        assert documents(archive) == before
        archive.close()


_NAMES = st.sampled_from(["1.jpg", "1.JPG", "2.jpg"])
_FOLDERS = st.lists(st.sampled_from(["vol1", "vol2", "Vol1"]), max_size=3)


@dataclass(frozen=True)
class File:
    """A scan: its path, of how many parts its sources are in two archives, and its content."""

    path: tuple[str, ...]
    parts: tuple[int, int]
    content: int
    document: int


def of_two_archives(files: Sequence[File]) -> list[File]:
    """Return the files without those that would have the source of one before in an archive."""
    taken: set[tuple[int, str]] = set()
    both = []
    for file in files:
        sources = {(number, source_in(number, file)) for number in (0, 1)}
        if taken.isdisjoint(sources):
            taken |= sources
            both.append(file)
    return both


def source_in(number: int, file: File) -> str:
    return "/".join(file.path[-file.parts[number] :])


def holding(folder: Path, number: int, files: Sequence[File], contents: Sequence[int]) -> Archive:
    """Return an archive of the files below a folder of its own."""
    archive = create_archive(folder)
    with archive.session() as session:
        session.add_all(
            Page(
                source=source_in(number, file),
                location="/".join(["", f"disc {number}", *file.path]),
                sha256=f"{content:064}",
                **dict.fromkeys(("width", "height", "size", "mtime_ns"), 1),
            )
            for file, content in zip(files, contents, strict=True)
        )
    return archive


def held_by(archive: Archive) -> list[tuple[str, str]]:
    """Return the places of the pages of each document below the disc, in the documents' order."""
    with archive.session() as session:
        return [
            (reference, location.split("/", 2)[2])
            for reference, location in session.execute(
                select(Document.reference, Page.location)
                .join(Page, Page.document_id == Document.id)
                .order_by(Document.reference, Page.ordinal)
            )
        ]


@given(
    st.lists(
        st.builds(
            File,
            st.builds(lambda folders, name: (*folders, name), _FOLDERS, _NAMES),
            st.tuples(st.integers(1, 4), st.integers(1, 4)),
            st.integers(0, 2),
            st.integers(0, 2),
        ),
        max_size=8,
        unique_by=lambda file: file.path,
    ).map(of_two_archives),
    st.booleans(),
)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_pages_come_back_whatever_they_are_called(
    tmp_path: Path, files: list[File], copies: bool
) -> None:
    contents = [file.content if copies else at for at, file in enumerate(files)]
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
        archive = holding(Path(folder) / "archive", 0, files, contents)
        gathering = Gathering("made up")
        claims = [gathering.describe(f"HCA 32/{number}", {}, {}, line=1) for number in range(3)]
        by_path = {"/".join(["", "disc 0", *file.path]): claims[file.document] for file in files}
        with archive.writing() as session:
            store_documents(session, gathering.finished().documents)
            owners = {
                (source, None): PageClaim(source, by_path[location], 1)
                for source, location in session.execute(select(Page.source, Page.location))
            }
            bind_pages(session, owners)
        before = held_by(archive)
        said = read(tmp_path, exported(archive), "back.csv")
        with archive.session() as session:
            assert claims_met(sources_held(session), [said]).problems == ()
        assert take_in(archive, said) == 0
        assert held_by(archive) == before
        header, *rows = exported(archive).splitlines(keepends=True)
        take_in(archive, read(tmp_path, "".join([header, *reversed(rows)]), "back.csv"))
        assert held_by(archive) == sorted(before[::-1], key=lambda one: one[0])
        archive.close()
        if not copies:  # else what is to be told apart has but a path, and that may be another
            other = holding(Path(folder) / "other", 1, files, contents)
            take_in(other, said)
            assert held_by(other) == before
            other.close()
