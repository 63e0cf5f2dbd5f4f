from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select

from ingest.reading import file_digest
from ingest.rehearsal import rehearse
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.tables import Mark, Page
from tests.ingest.scans import boxes, dump, pages_of, rows, scan


def test_a_moved_master_takes_its_page_along(archive: Archive, tmp_path: Path) -> None:
    path = scan(tmp_path / "in" / "a.png", (1, 1))
    scan(tmp_path / "in" / "c.png", (2, 1))
    pages_of(archive, tmp_path / "in")
    before = dump(archive, moments=True)
    (tmp_path / "in" / "box 2").mkdir()
    moved = path.rename(tmp_path / "in" / "box 2" / "b.png")
    report = pages_of(archive, tmp_path / "in")
    assert (report.added, report.moved, report.unchanged) == (0, 1, 1)
    after = dump(archive, moments=True)
    assert after["marks"] == before["marks"]
    page = after["pages"][0]
    assert page == before["pages"][0] | {"source": "box 2/b.png", "location": str(moved)}
    assert pages_of(archive, tmp_path / "in").unchanged == 2


def test_a_whole_source_may_move(archive: Archive, tmp_path: Path) -> None:
    for number in range(3):
        scan(tmp_path / "in" / f"{number}.png", (number, 1))
    pages_of(archive, tmp_path / "in")
    before = dump(archive)
    (tmp_path / "in").rename(tmp_path / "elsewhere")
    report = pages_of(archive, tmp_path / "elsewhere")
    assert (report.added, report.moved) == (0, 3)
    assert [page["source"] for page in dump(archive)["pages"]] == ["0.png", "1.png", "2.png"]
    assert dump(archive)["marks"] == before["marks"]


def test_a_master_that_became_two_moves_once(archive: Archive, tmp_path: Path) -> None:
    path = scan(tmp_path / "in" / "a.png", (1, 1))
    pages_of(archive, tmp_path / "in")
    shutil.copy(path, tmp_path / "in" / "c.png")
    path.rename(tmp_path / "in" / "b.png")
    report = pages_of(archive, tmp_path / "in")
    assert (report.moved, report.added, report.duplicates) == (1, 1, 1)
    assert [(page["source"], page["duplicate_of"]) for page in dump(archive)["pages"]] == [
        ("b.png", None),
        ("c.png", 1),
    ]


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files whose digests are taken."""
    names: list[str] = []

    def heard(path: Path) -> str | None:
        names.append(path.name)
        return file_digest(path)

    monkeypatch.setattr("ingest.whereabouts.file_digest", heard)
    return names


def confirm_all(archive: Archive) -> None:
    """Have a person confirm every mark: it is to stay on its image."""
    with archive.writing() as session:
        for mark in session.scalars(select(Mark)):
            mark.status = "confirmed"


def confirmed(archive: Archive) -> dict[str, list[tuple[int, str]]]:
    """Where each page's confirmed marks lie and what they show, by the page's name."""
    found: dict[str, list[tuple[int, str]]] = {}
    for source, x, crop in rows(
        archive,
        select(Page.source, Mark.x, Mark.crop)
        .join(Mark, Mark.page_id == Page.id)
        .where(Mark.status == "confirmed")
        .order_by(Mark.id),
    ):
        found.setdefault(source, []).append((x, crop))
    return found


def numbered_masters(
    archive: Archive, folder: Path, count: int
) -> dict[str, list[tuple[int, str]]]:
    """Take in 1.png to so many, each with a confirmed mark of its own; return `confirmed`."""
    for number in range(1, count + 1):
        scan(folder / f"{number}.png", (number, number))
    pages_of(archive, folder)
    confirm_all(archive)
    return confirmed(archive)


def swap(one: Path, other: Path) -> None:
    aside = one.rename(one.with_name("aside"))
    other.rename(one)
    aside.rename(other)


@pytest.mark.parametrize("at_once", [1, 400])
def test_pages_follow_masters_that_were_numbered_anew(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("ingest.discovery._AT_ONCE", at_once)
    monkeypatch.setattr("ingest.discovery._GROUP_FILES", at_once)
    marks = numbered_masters(archive, tmp_path / "in", 3)
    before = dump(archive, moments=True)
    for number in (3, 2, 1):  # a first page was missed
        (tmp_path / "in" / f"{number}.png").rename(tmp_path / "in" / f"{number + 1}.png")
    scan(tmp_path / "in" / "1.png", (0, 0))
    said = rehearse(archive, [tmp_path / "in"])
    assert dump(archive, moments=True) == before
    report = pages_of(archive, tmp_path / "in")
    assert (report.added, report.changed, report.moved, report.duplicates) == (1, 0, 3, 0)
    assert (said.new, said.changed, said.moved, said.copies) == (1, (), 3, ())
    assert confirmed(archive) == {f"{int(name[0]) + 1}.png": marks[name] for name in marks}
    after = dump(archive, moments=True)
    assert after["marks"][:3] == before["marks"]
    for page, old in zip(after["pages"], before["pages"], strict=False):
        name = f"{old['id'] + 1}.png"
        assert page == old | {"source": name, "location": str(tmp_path / "in" / name)}
    assert after["pages"][3]["source"] == "1.png"
    assert boxes(archive, "1.png") == [(0, 0, "proposed")]
    assert pages_of(archive, tmp_path / "in").unchanged == 4


def test_masters_that_changed_names_keep_their_pages(archive: Archive, tmp_path: Path) -> None:
    marks = numbered_masters(archive, tmp_path / "in", 3)
    swap(tmp_path / "in" / "1.png", tmp_path / "in" / "3.png")
    said = rehearse(archive, [tmp_path / "in"])
    report = pages_of(archive, tmp_path / "in")
    for one in (said, report):
        assert (one.moved, one.unchanged) == (2, 1)
    assert (said.new, said.changed, report.added, report.changed) == (0, (), 0, 0)
    assert confirmed(archive) == {
        "1.png": marks["3.png"],
        "2.png": marks["2.png"],
        "3.png": marks["1.png"],
    }
    assert pages_of(archive, tmp_path / "in").unchanged == 3


def scanned_alike(folder: Path, *names: str) -> list[Path]:
    """Write scans of one size and one date, as they come out of an archive of files."""
    paths = [scan(folder / name, (at, at)) for at, name in enumerate(names)]
    for path in paths:
        os.utime(path, (1_000_000_000, 1_000_000_000))
    assert len({path.stat().st_size for path in paths}) == 1
    return paths


@pytest.mark.parametrize("at_once", [1, 400])
def test_masters_of_one_size_and_date_that_changed_names_keep_their_pages(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("ingest.discovery._AT_ONCE", at_once)
    one, two, three, _ = scanned_alike(tmp_path / "in", "1.tif", "2.tif", "3.tif", "4.tif")
    pages_of(archive, tmp_path / "in")
    confirm_all(archive)
    marks = confirmed(archive)
    swap(one, two)
    swap(one, three)
    said = rehearse(archive, [tmp_path / "in"])
    report = pages_of(archive, tmp_path / "in")
    for it in (said, report):
        assert (it.moved, it.unchanged) == (3, 1)
    assert (said.new, said.changed, report.added, report.changed) == (0, (), 0, 0)
    assert confirmed(archive) == {
        "1.tif": marks["3.tif"],
        "2.tif": marks["1.tif"],
        "3.tif": marks["2.tif"],
        "4.tif": marks["4.tif"],
    }
    after = dump(archive, moments=True)
    assert pages_of(archive, tmp_path / "in").unchanged == 4
    assert dump(archive, moments=True) == after


def test_a_new_scan_of_the_size_and_date_of_others_before_them_moves_their_pages(
    archive: Archive, tmp_path: Path
) -> None:
    one, two = scanned_alike(tmp_path / "in", "1.tif", "2.tif")
    (new,) = scanned_alike(tmp_path, "new.tif")
    Image.open(new).rotate(180).save(new)
    os.utime(new, (1_000_000_000, 1_000_000_000))
    pages_of(archive, tmp_path / "in")
    confirm_all(archive)
    marks = confirmed(archive)
    two.rename(tmp_path / "in" / "3.tif")
    one.rename(two)
    new.rename(one)
    report = pages_of(archive, tmp_path / "in")
    assert (report.added, report.moved, report.changed) == (1, 2, 0)
    assert confirmed(archive) == {"2.tif": marks["1.tif"], "3.tif": marks["2.tif"]}


def test_files_of_one_size_and_date_are_read_again_where_their_contents_differ(
    archive: Archive, tmp_path: Path, hashed: list[str]
) -> None:
    one, _ = scanned_alike(tmp_path / "in", "1.tif", "2.tif")
    copied = shutil.copy2(scan(tmp_path / "in" / "3.tif", (3, 3)), tmp_path / "in" / "4.tif")
    pages_of(archive, tmp_path / "in")
    hashed.clear()
    assert pages_of(archive, tmp_path / "in").unchanged == 4
    assert hashed == ["1.tif", "2.tif"]
    copied.unlink()
    one.unlink()
    assert pages_of(archive, tmp_path / "in").unchanged == 2
    assert hashed == ["1.tif", "2.tif"]


def test_a_place_keeps_its_name_when_its_master_goes_to_another(
    archive: Archive, tmp_path: Path
) -> None:
    one = scan(tmp_path / "one" / "img.png", (0, 0))
    two = scan(tmp_path / "two" / "img.png", (1, 0))
    pages_of(archive, one.parent, two.parent)
    confirm_all(archive)
    marks = confirmed(archive)
    swap(one, two)
    assert pages_of(archive, two.parent, one.parent).moved == 2
    assert confirmed(archive) == {"img.png": marks["two/img.png"], "two/img.png": marks["img.png"]}


def test_what_was_kept_under_another_name_takes_its_page_along(
    archive: Archive, tmp_path: Path
) -> None:
    path = scan(tmp_path / "in" / "a.png", (1, 1))
    pages_of(archive, tmp_path / "in")
    confirm_all(archive)
    marks = confirmed(archive)
    path.rename(tmp_path / "in" / "b.png")
    scan(path, (2, 2))
    said = rehearse(archive, [tmp_path / "in"])
    report = pages_of(archive, tmp_path / "in")
    assert (report.added, report.changed, report.moved, report.duplicates) == (1, 0, 1, 0)
    assert (said.new, said.changed, said.moved, said.copies) == (1, (), 1, ())
    assert confirmed(archive) == {"b.png": marks["a.png"]}
    assert boxes(archive, "a.png") == [(40, 40, "proposed")]


def test_renumbered_masters_may_be_given_one_after_the_other(
    archive: Archive, tmp_path: Path
) -> None:
    marks = numbered_masters(archive, tmp_path / "in", 2)
    for number in (2, 1):
        (tmp_path / "in" / f"{number}.png").rename(tmp_path / "in" / f"{number + 1}.png")
    for number in (3, 2):
        assert pages_of(archive, tmp_path / "in" / f"{number}.png").moved == 1
    assert confirmed(archive) == {"2.png": marks["1.png"], "3.png": marks["2.png"]}


@pytest.mark.parametrize(
    ("stem", "kept_bytes"), [("x" * 244, 240), ("x" + "\N{GREEK SMALL LETTER OMEGA}" * 121, 239)]
)
def test_a_page_of_a_long_name_whose_place_another_master_took_waits_for_its_own(
    archive: Archive, tmp_path: Path, stem: str, kept_bytes: int
) -> None:
    path = scan(tmp_path / "in" / f"{stem}.png", (1, 1))
    other = scan(tmp_path / "in" / "b.png", (2, 1))
    pages_of(archive, tmp_path / "in")
    path.rename(tmp_path / "elsewhere.png")
    other.rename(path)
    assert pages_of(archive, tmp_path / "in").moved == 1
    waiting = next(page for page in dump(archive)["pages"] if "replaced" in page["source"])
    kept = stem.encode()[:kept_bytes].decode()
    assert waiting["source"] == f"{kept} (replaced).png"
    assert waiting["location"] == str(tmp_path / "in" / waiting["source"])
    assert pages_of(archive, tmp_path / "in").unchanged == 1
    (tmp_path / "elsewhere.png").rename(tmp_path / "in" / "c.png")
    assert pages_of(archive, tmp_path / "in").moved == 1


def test_a_page_whose_place_another_master_took_waits_for_its_own(
    archive: Archive, tmp_path: Path
) -> None:
    marks = numbered_masters(archive, tmp_path / "in", 2)
    (tmp_path / "in" / "2.png").rename(tmp_path / "elsewhere.png")
    (tmp_path / "in" / "1.png").rename(tmp_path / "in" / "2.png")
    said = rehearse(archive, [tmp_path / "in"])
    report = pages_of(archive, tmp_path / "in")
    for one in (said, report):
        assert (one.moved, one.unchanged) == (1, 0)
    assert (report.added, report.changed) == (0, 0)
    assert confirmed(archive) == {"2.png": marks["1.png"], "2 (replaced).png": marks["2.png"]}
    assert pages_of(archive, tmp_path / "in").unchanged == 1
    (tmp_path / "elsewhere.png").rename(tmp_path / "in" / "3.png")
    report = pages_of(archive, tmp_path / "in")
    assert (report.moved, report.unchanged, report.added) == (1, 1, 0)
    assert confirmed(archive) == {"2.png": marks["1.png"], "3.png": marks["2.png"]}


def test_a_copy_over_another_page_changes_that_page(archive: Archive, tmp_path: Path) -> None:
    for number in (1, 2):
        scan(tmp_path / "in" / f"{number}.png", (number, number))
    pages_of(archive, tmp_path / "in")
    shutil.copy(tmp_path / "in" / "1.png", tmp_path / "in" / "2.png")
    report = pages_of(archive, tmp_path / "in")
    assert (report.changed, report.unchanged, report.moved) == (1, 1, 0)
    assert [page["duplicate_of"] for page in dump(archive)["pages"]] == [None, 1]


def test_copies_that_were_moved_take_a_page_each(archive: Archive, tmp_path: Path) -> None:
    path = scan(tmp_path / "in" / "1.png", (1, 1))
    shutil.copy(path, tmp_path / "in" / "2.png")
    pages_of(archive, tmp_path / "in")
    (tmp_path / "in" / "2.png").rename(tmp_path / "in" / "3.png")
    path.rename(tmp_path / "in" / "2.png")
    report = pages_of(archive, tmp_path / "in")
    assert (report.moved + report.unchanged, report.added, report.changed) == (2, 0, 0)
    assert [page["source"] for page in dump(archive)["pages"]] == ["3.png", "2.png"]


def test_where_a_page_lies_is_asked_of_files_that_may_have_it(
    archive: Archive, tmp_path: Path, hashed: list[str]
) -> None:
    for number in range(4):
        scan(tmp_path / "in" / f"{number}.png", (number, 1))
    pages_of(archive, tmp_path / "in")
    scan(tmp_path / "in" / "1.png", (3, 3), size=(300, 80))
    hashed.clear()
    report = pages_of(archive, tmp_path / "in")
    assert (report.changed, report.unchanged) == (1, 3)
    assert hashed == ["1.png"]
