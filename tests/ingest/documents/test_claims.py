from __future__ import annotations

import tracemalloc
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import event

from ingest.documents.claimed_pages import Held
from ingest.documents.claims import claims_met
from ingest.documents.record import DocumentsFile, Gathering, PageClaim
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.source_names import PathEnds, path_parts
from retrieval.catalogue.tables import Page
from tests.ingest.documents.claiming import Told, add_pages, bindings, into, told
from tests.ingest.documents.reading import read


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
    assert "line 2" in binding.problems[0] and "matches 2 pages" in binding.problems[0]


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
    assert binding.problems[0].startswith("a.xml, line 7: 'href' matches 2 pages")
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
        f"documents.csv, line 2: the page '001.jpg' fits B on line 3 {alike}",
        f"documents.csv, line 3: the page '001.jpg' fits A on line 2 {alike}",
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

    monkeypatch.setattr("ingest.documents.claimed_pages.path_parts", counted)
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


def test_a_claim_without_content_is_not_looked_for_among_all_pages_of_its_files_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found: list[str] = []
    ending_in = PathEnds.ending_in

    def counted(ends: PathEnds, parts: Sequence[str]) -> list[str]:
        found.extend(sources := ending_in(ends, parts))
        return sources

    monkeypatch.setattr(PathEnds, "ending_in", counted)
    needed = []
    for volumes in (5, 50):
        found.clear()
        held = [Held(f"{at}/1.jpg", f"/in/{at}/1.jpg", "0" * 64) for at in range(volumes)]
        claims = tuple(PageClaim(one.source, one.source, 1) for one in held)
        owners = claims_met(held, [DocumentsFile("a.csv", (), claims)]).owners
        assert len(owners) == volumes
        needed.append(len(found) / volumes)
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
