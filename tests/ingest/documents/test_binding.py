from __future__ import annotations

import tracemalloc
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import event, select

from ingest.documents.binding import Bound, Held, TakenPage, bind_pages, claims_met, sources_held
from ingest.documents.reading import read_documents
from ingest.documents.record import DocumentsFile, Gathering, PageClaim
from ingest.documents.storing import store_documents
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.naming import path_parts
from retrieval.catalogue.tables import Document, Page


def read(tmp_path: Path, content: str, name: str = "documents.csv") -> DocumentsFile:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return read_documents(path)


def add_pages(archive: Archive, *sources: str, frames: int = 1, folder: str = "/in") -> None:
    with archive.session() as session:
        session.add_all(
            Page(
                source=source,
                location=f"{folder}/{source}",
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


@dataclass(frozen=True)
class Told:
    """How many pages were given to documents, what claimed them in vain, and what changed."""

    pages: int
    problems: tuple[str, ...]
    unmet: tuple[str, ...]
    unclear: tuple[str, ...]
    bound: Bound


def told(archive: Archive, *files: DocumentsFile) -> Told:
    with archive.writing() as session:
        for file in files:
            store_documents(session, file.documents)
        claimed = claims_met(sources_held(session), files)
        bound = bind_pages(session, claimed.owners)
        pages = len(bound.moved) + len(bound.stayed)
        return Told(pages, claimed.problems, claimed.unmet, claimed.unclear, bound)


def into(archive: Archive, tmp_path: Path, *contents: str) -> Told:
    files = [
        read(tmp_path, content, f"{'' if at == 1 else at}documents.csv")
        for at, content in enumerate(contents, start=1)
    ]
    return told(archive, *files)


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


def test_of_a_file_of_several_documents_it_is_said_how_to_tell_its_images_apart(
    archive: Archive, tmp_path: Path
) -> None:
    add_pages(archive, "vol.pdf", frames=2)
    assert into(archive, tmp_path, "reference,source\nA,vol.pdf\nB,vol.pdf\n").problems == (
        "documents.csv, line 3: the page 'vol.pdf' was assigned to A on line 2; it stays there. "
        "Say which of its 2 images a row describes in a column 'page in file'.",
    )


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


def test_files_of_which_no_claim_meets_a_page_are_named(archive: Archive, tmp_path: Path) -> None:
    add_pages(archive, "1.png", "a/2.png", "b/2.png")
    binding = into(
        archive,
        tmp_path,
        "reference,source\nA,9.png\nA,2.png\n",  # none there, and one of two
        "reference,source\nA,9.png\nA,1.png\n",
        "reference,source\nB,1.png\n",  # met, and given to another
        "reference,source\nB,9.png\n",
        "reference,title\nC,without a claim\n",
    )
    assert binding.pages == 1
    assert binding.unmet == ("documents.csv", "4documents.csv")
    assert binding.unclear == ("documents.csv",)


def test_a_name_that_several_pages_have_is_not_guessed(archive: Archive, tmp_path: Path) -> None:
    add_pages(archive, "1/img.png", "2/img.png")
    binding = into(archive, tmp_path, "reference,source\nA,img.png\nB,2/img.png\n")
    assert binding.pages == 1
    assert "line 2" in binding.problems[0] and "any of 2 pages" in binding.problems[0]


def test_a_path_below_the_folder_goes_before_longer_ones(archive: Archive, tmp_path: Path) -> None:
    add_pages(archive, "img.png", "2/img.png")
    binding = into(archive, tmp_path, "reference,source\nA,img.png\nB,2/img.png\n")
    assert (binding.pages, binding.problems) == (2, ())
    assert bindings(archive) == [("img.png", 0, "A", 1), ("2/img.png", 0, "B", 1)]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("img.png", ["img.png", "2/img.png"]),
        ("1/img.png", ["img.png"]),
        ("2/img.png", ["2/img.png"]),
        ("/in/2/img.png", ["2/img.png"]),
        (r"D:\elsewhere\img.png", ["img.png", "2/img.png"]),
    ],
)
def test_the_path_below_one_folder_may_be_that_below_another(
    archive: Archive, tmp_path: Path, written: str, found: list[str]
) -> None:
    add_pages(archive, "img.png", folder="/in/1")
    add_pages(archive, "2/img.png", folder="/in")
    binding = into(archive, tmp_path, f"reference,source\nA,{written}\n")
    if len(found) == 1:
        assert (binding.pages, binding.problems) == (1, ())
        assert (found[0], 0, "A", 1) in bindings(archive)
    else:
        assert binding.pages == 0
        assert binding.problems == (
            f"documents.csv, line 2: {written!r} matches 2 pages, such as 'img.png' and "
            "'2/img.png': write more of its path, '1/img.png' or '2/img.png'.",
        )
        for source, path in zip(found, ("1/img.png", "2/img.png"), strict=True):
            into(archive, tmp_path, f"reference,source\n{path},{path}\n")
            assert (source, 0, path, 1) in bindings(archive)


def test_a_name_of_several_pages_is_answered_with_paths_that_mean_one(
    archive: Archive, tmp_path: Path
) -> None:
    add_pages(archive, "img.png", folder="/in/a/vol")
    add_pages(archive, "vol/img.png", folder="/in/b")
    add_pages(archive, "HCA 32/1/f. 1r", "HCA 32/2/f. 1r", folder="masters")
    for written, said in (
        ("img.png", "write more of its path, 'a/vol/img.png' or 'vol/img.png'."),
        ("f. 1r", "write more of its path."),
    ):
        (problem,) = into(archive, tmp_path, f"reference,source\nA,{written}\n").problems
        assert problem.endswith(said)


def test_a_page_given_to_two_documents_stays_with_the_first(
    archive: Archive, tmp_path: Path
) -> None:
    add_pages(archive, "a.png")
    binding = into(archive, tmp_path, "reference,source\nA,a.png\nB,a.png\nA,a.png\n")
    assert (binding.pages, len(binding.problems)) == (1, 1)
    assert "assigned to A on line 2" in binding.problems[0]
    assert bindings(archive) == [("a.png", 0, "A", 1)]


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


def address(archive: Archive, *names: str) -> Told:
    gathering = Gathering("a.xml")
    gathering.describe("A", {}, {}, 1)
    gathering.claim(PageClaim("href", "A", 7, names))
    return told(archive, gathering.finished())


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("box/2/a.tif",), "2/a.tif"),
        (("https/x/2/a.tif",), "2/a.tif"),
        (("elsewhere/2/A.TIF",), "2/a.tif"),
        (("elsewhere/b.tif",), "1/b.tif"),
        (("thumb/none.tif", "far/1/b.tif"), "1/b.tif"),
        (("elsewhere/a.tif", "elsewhere/b.tif"), "1/b.tif"),
    ],
)
def test_an_address_meets_the_page_that_agrees_furthest(
    archive: Archive, names: tuple[str, ...], found: str
) -> None:
    add_pages(archive, "1/a.tif", "2/a.tif", "1/b.tif")
    assert address(archive, *names).pages == 1
    assert (found, 0, "A", 1) in bindings(archive)


def test_an_address_that_may_be_several_pages_is_not_guessed(archive: Archive) -> None:
    add_pages(archive, "1/a.tif", "2/a.tif")
    binding = address(archive, "elsewhere/a.tif")
    assert binding.problems[0].startswith("a.xml, line 7: 'href' may be any of 2 pages")
    assert address(archive, "elsewhere/../a.tif").problems == (
        "a.xml, line 7: no page 'href' has been ingested.",
    )


@pytest.mark.parametrize("name", ["Schlüssel.jpg", "1/Schlüssel.jpg", "far/1/Schlüssel.jpg"])
def test_a_name_as_macos_writes_it_is_that_of_the_page(archive: Archive, name: str) -> None:
    add_pages(archive, "Schlüssel.jpg", "1/Schlüssel.jpg")
    found = "1/Schlüssel.jpg" if "1/" in name else name
    assert address(archive, unicodedata.normalize("NFD", name)).pages == 1
    assert (found, 0, "A", 1) in bindings(archive)


EAD_OF_TWO_VOLUMES = """<ead><archdesc><dsc>
<c level="item"><did><unitid>1</unitid></did>
<dao href="https://archive.example/iiif/HCA32-1845-1/001.jpg"/>
<dao href="https://archive.example/iiif/HCA32-1845-1/002.jpg"/></c>
<c level="item"><did><unitid>2</unitid></did>
<dao href="https://archive.example/iiif/HCA32-1845-2/001.jpg"/>
<dao href="https://archive.example/iiif/HCA32-1845-2/002.jpg"/></c>
</dsc></archdesc></ead>"""


@pytest.mark.parametrize("source", ["", "HCA32-1845-2/"])
def test_of_an_aid_for_several_volumes_that_which_is_there_has_its_pages(
    archive: Archive, tmp_path: Path, source: str
) -> None:
    add_pages(
        archive,
        f"{source}001.jpg",
        f"{source}002.jpg",
        folder="/scans/HCA32-1845-2" if not source else "/scans",
    )
    binding = told(archive, read(tmp_path, EAD_OF_TWO_VOLUMES, "aid.xml"))
    assert bindings(archive) == [
        (f"{source}001.jpg", 0, "2", 1),
        (f"{source}002.jpg", 0, "2", 2),
    ]
    assert binding.problems == tuple(
        f"aid.xml, line {line}: the page '{source}{name}' was assigned to 2 on line {line + 3}, "
        "whose path matches it better."
        for line, name in ((3, "001.jpg"), (4, "002.jpg"))
    )


def test_of_a_table_of_several_volumes_that_which_is_there_has_its_pages(
    archive: Archive, tmp_path: Path
) -> None:
    add_pages(archive, "001.jpg", "002.jpg", folder="/scans/vol2")
    rows = "A,vol1/001.jpg\nA,vol1/002.jpg\nB,vol2/001.jpg\nB,vol2/002.jpg\n"
    binding = into(archive, tmp_path, f"reference,source\n{rows}")
    assert (binding.pages, binding.unmet) == (2, ())
    assert bindings(archive) == [("001.jpg", 0, "B", 1), ("002.jpg", 0, "B", 2)]


def test_a_page_that_two_paths_fit_alike_is_given_to_neither_document(
    archive: Archive, tmp_path: Path
) -> None:
    add_pages(archive, "001.jpg", "002.jpg", folder="/elsewhere")
    table = "reference,source\nA,vol1/001.jpg\nB,vol2/001.jpg\nA,vol1/002.jpg\n"
    binding = into(archive, tmp_path, table)
    assert bindings(archive) == [("001.jpg", 0, None, 0), ("002.jpg", 0, "A", 1)]
    alike = "equally well, so it was assigned to neither: write more of its path."
    assert binding.problems == (
        f"documents.csv, line 2: the page '001.jpg' may be that of B on line 3 {alike}",
        f"documents.csv, line 3: the page '001.jpg' may be that of A on line 2 {alike}",
    )


def test_a_path_that_agrees_as_a_whole_goes_before_one_that_agrees_no_further(
    archive: Archive, tmp_path: Path
) -> None:
    add_pages(archive, "001.jpg")
    binding = into(archive, tmp_path, "reference,source\nA,vol1/001.jpg\nB,001.jpg\n")
    assert bindings(archive) == [("001.jpg", 0, "B", 1)]
    assert len(binding.problems) == 1


@pytest.mark.parametrize("written", ["{0}/f. 1r", "https/x/{0}/f. 1r", "v-{0}/f. 1r", "f. 1r"])
def test_a_claim_is_compared_with_no_more_paths_where_more_volumes_have_its_name(
    monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    compared: list[str] = []

    def counted(path: str) -> list[str]:
        compared.append(path)
        return path_parts(path)

    monkeypatch.setattr("ingest.documents.binding.path_parts", counted)
    needed = []
    for volumes in (5, 50):
        compared.clear()
        held = [Held(f"{at}/f. 1r", f"/in/{at}/f. 1r", "0" * 64) for at in range(volumes)]
        claims = tuple(
            PageClaim("href", f"A {at}", 1, (written.format(at),)) for at in range(volumes)
        )
        claims_met(held, [DocumentsFile("a.xml", (), claims)])
        needed.append(len(compared) / volumes)
    assert needed[0] == needed[1]


def test_of_an_archives_pages_those_are_held_that_are_called_as_the_claims_files() -> None:
    def held() -> Iterator[Held]:
        for at in range(5_000):
            yield Held(f"{at}/{at}.jpg", f"/in/{at}/{at}.jpg", None)

    claims = (PageClaim("7.jpg", "A", 2), PageClaim("/elsewhere/8/8.JPG", "A", 3))
    tracemalloc.start()
    claimed = claims_met(held(), [DocumentsFile("a.csv", (), claims)])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert list(claimed.owners) == [("7/7.jpg", None), ("8/8.jpg", None)]
    assert peak < 200_000


def test_no_page_is_asked_for_where_none_is_claimed(archive: Archive, tmp_path: Path) -> None:
    add_pages(archive, "a.jpg", "b.jpg")
    asked: list[str] = []
    event.listen(archive.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    assert into(archive, tmp_path, "reference,title\nA,Bill\n").pages == 0
    assert not any("pages" in statement for statement in asked)
    assert into(archive, tmp_path, "reference,source\nA,b.jpg\n").pages == 1
    (looked_through,) = (one for one in asked if "FROM pages" in one and "WHERE" not in one)
    assert looked_through.startswith(
        "SELECT pages.source, pages.location, pages.sha256, pages.frame \nFROM pages ORDER"
    )


CONTENT = {name: name[0] * 64 for name in ("a", "b", "c")}


def add_files(archive: Archive, *files: tuple[str, str, str]) -> None:
    """Add a page of each file: its source, its place and its content."""
    with archive.session() as session:
        session.add_all(
            Page(
                source=source,
                location=location,
                sha256=CONTENT[content],
                **dict.fromkeys(("width", "height", "size", "mtime_ns"), 1),
            )
            for source, location, content in files
        )


@pytest.mark.parametrize(
    ("written", "content", "found"),
    [
        ("1.jpg", "a", "1.jpg"),
        ("1.jpg", "b", "vol2/1.jpg"),
        ("vol7/1.jpg", "b", "vol2/1.jpg"),
        ("vol2/1.jpg", "a", "1.jpg"),  # the volumes were called otherwise there
        ("1.jpg", "c", None),  # the same page in two files
        ("4.jpg", "c", "4.jpg"),
        ("x/vol2/3.jpg", "c", "vol2/3.jpg"),
        ("3.jpg", "a", None),  # called as two, with the content of one called otherwise
        ("4.jpg", "a", "4.jpg"),  # somebody has written another page's name
        ("scan.jpg", "a", "1.jpg"),  # files were called otherwise there
        ("1.jpg", "d", None),
    ],
)
def test_a_page_is_found_by_its_content_where_it_is_called_so(
    archive: Archive, tmp_path: Path, written: str, content: str, found: str | None
) -> None:
    add_files(
        archive,
        ("1.jpg", "/s/vol1/1.jpg", "a"),
        ("vol2/1.jpg", "/s/vol2/1.jpg", "b"),
        ("3.jpg", "/s/vol1/3.jpg", "c"),
        ("vol2/3.jpg", "/s/vol2/3.jpg", "c"),
        ("4.jpg", "/s/vol1/4.jpg", "c"),
    )
    told_of = into(
        archive, tmp_path, f"reference,source,SHA-256\nA,{written},{content.upper() * 64}\n"
    )
    given = [source for source, _, reference, _ in bindings(archive) if reference]
    assert given == ([found] if found else [])
    assert len(told_of.problems) == (found is None)
