from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select

from ingest.batch import retry_quarantined
from ingest.manner import Manner
from ingest.reading import file_digest
from ingest.rehearsal import rehearse
from retrieval.catalogue.archive import Archive, create_archive
from retrieval.catalogue.tables import Mark, Page
from tests.ingest.scans import SQUARES, boxes, crops_of, dump, pages_of, rows, scan


def test_a_second_run_does_nothing(archive: Archive, tmp_path: Path) -> None:
    scan(tmp_path / "in" / "a.png", (1, 1))
    scan(tmp_path / "in" / "b" / "c.png", (1, 1), (2, 2))
    (tmp_path / "in" / "d.png").write_bytes(b"junk")
    pages_of(archive, tmp_path / "in")
    before = dump(archive, moments=True)
    report = pages_of(archive, tmp_path / "in")
    assert dump(archive, moments=True) == before
    assert (report.added, report.changed, report.moved, report.unchanged) == (0, 0, 0, 2)
    assert (report.marks, report.failed) == (0, 1)


def test_unchanged_files_are_not_even_opened(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(tmp_path / "in" / "a.png", (1, 1))
    pages_of(archive, tmp_path / "in")

    def no_reading(*_: object) -> None:
        raise AssertionError("it was hashed")

    monkeypatch.setattr("ingest.whereabouts.file_digest", no_reading)
    monkeypatch.setattr("ingest.workers._Worker", no_reading)
    assert pages_of(archive, tmp_path / "in", workers=2).unchanged == 1


def test_what_another_segmenter_proposed_stays(archive: Archive, tmp_path: Path) -> None:
    scan(tmp_path / "in" / "a.png", (1, 1))
    pages_of(archive, tmp_path / "in", segmenter="squares-1")
    before = dump(archive, moments=True)
    report = pages_of(archive, tmp_path / "in", segmenter="squares-2")
    assert (report.unchanged, report.changed) == (1, 0)
    assert dump(archive, moments=True) == before


def test_new_proposals_name_the_segmenter_they_are_from(archive: Archive, tmp_path: Path) -> None:
    path = scan(tmp_path / "in" / "a.png", (1, 1))
    pages_of(archive, tmp_path / "in", segmenter="squares-1")
    scan(path, (2, 2))
    scan(tmp_path / "in" / "b.png", (3, 3))
    pages_of(archive, tmp_path / "in", segmenter="squares-2")
    found = dump(archive)
    assert {page["segmenter"] for page in found["pages"]} == {"squares-2"}
    assert {mark["origin"] for mark in found["marks"]} == {"squares-2"}


def test_a_file_that_was_only_touched_is_unchanged(archive: Archive, tmp_path: Path) -> None:
    path = scan(tmp_path / "in" / "a.png", (1, 1))
    pages_of(archive, tmp_path / "in")
    marks = dump(archive, moments=True)["marks"]
    os.utime(path, ns=(1, 1))
    report = pages_of(archive, tmp_path / "in")
    assert (report.unchanged, report.changed) == (1, 0)
    assert dump(archive, moments=True)["marks"] == marks
    assert dump(archive)["pages"][0]["mtime_ns"] == 1


def test_new_files_are_added(archive: Archive, tmp_path: Path) -> None:
    scan(tmp_path / "in" / "b.png", (1, 1))
    pages_of(archive, tmp_path / "in")
    scan(tmp_path / "in" / "a.png", (2, 2))
    report = pages_of(archive, tmp_path / "in")
    assert (report.added, report.unchanged) == (1, 1)


def test_sources_that_overlap_are_read_once(archive: Archive, tmp_path: Path) -> None:
    path = scan(tmp_path / "in" / "box" / "a.png", (1, 1))
    assert pages_of(archive, tmp_path / "in", tmp_path / "in" / "box", path).added == 1
    report = pages_of(archive, tmp_path / "in" / "box")
    assert (report.added, report.unchanged, report.moved) == (0, 1, 0)
    assert [page["source"] for page in dump(archive)["pages"]] == ["box/a.png"]


def test_an_archive_among_its_sources_is_not_ingested(tmp_path: Path) -> None:
    scan(tmp_path / "a.png", (1, 1))
    archive = create_archive(tmp_path / "archive")
    for _ in range(2):
        pages_of(archive, tmp_path)
        assert [page["source"] for page in dump(archive)["pages"]] == ["a.png"]
    archive.close()


def test_the_same_name_in_two_sources_is_two_pages(archive: Archive, tmp_path: Path) -> None:
    scan(tmp_path / "one" / "img.png", (0, 0))
    scan(tmp_path / "two" / "img.png", (1, 0))
    for _ in range(2):
        pages_of(archive, tmp_path / "one", tmp_path / "two")
        assert [page["source"] for page in dump(archive)["pages"]] == ["img.png", "two/img.png"]
    assert pages_of(archive, tmp_path / "two").unchanged == 1
    # Another disc, another picture of the same name, and the first is not at hand now.
    shutil.rmtree(tmp_path / "one")
    scan(tmp_path / "three" / "img.png", (2, 0))
    pages_of(archive, tmp_path / "three")
    assert [page["source"] for page in dump(archive)["pages"]] == [
        "img.png",
        "two/img.png",
        "three/img.png",
    ]
    assert boxes(archive, "img.png") == [(0, 0, "proposed")]


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
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = scanned_alike(tmp_path / "in", "1.tif", "2.tif")
    copied = shutil.copy2(scan(tmp_path / "in" / "3.tif", (3, 3)), tmp_path / "in" / "4.tif")
    pages_of(archive, tmp_path / "in")
    hashed: list[str] = []

    def heard(path: Path) -> str | None:
        hashed.append(path.name)
        return file_digest(path)

    monkeypatch.setattr("ingest.whereabouts.file_digest", heard)
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
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        scan(tmp_path / "in" / f"{number}.png", (number, 1))
    pages_of(archive, tmp_path / "in")
    scan(tmp_path / "in" / "1.png", (3, 3), size=(300, 80))
    hashed: list[str] = []

    def heard(path: Path) -> str | None:
        hashed.append(path.name)
        return file_digest(path)

    monkeypatch.setattr("ingest.whereabouts.file_digest", heard)
    report = pages_of(archive, tmp_path / "in")
    assert (report.changed, report.unchanged) == (1, 3)
    assert hashed == ["1.png"]


@pytest.fixture
def crops(archive: Archive, tmp_path: Path) -> Path:
    """A folder of two crops that are in, in a folder with a scan of the same name as one."""
    scan(tmp_path / "in" / "scans" / "a.png", (0, 0), (2, 2))
    scan(tmp_path / "in" / "crops" / "a.png", (1, 1), size=(60, 60))
    scan(tmp_path / "in" / "crops" / "1" / "b.png", (0, 1), size=(60, 60))
    pages_of(archive, tmp_path / "in" / "scans")
    crops_of(archive, tmp_path / "in" / "crops")
    return tmp_path / "in" / "crops"


def test_crops_below_a_folder_of_pages_stay_crops(archive: Archive, crops: Path) -> None:
    scan(crops / "new.png", (0, 0))
    before = dump(archive)
    said = rehearse(archive, [crops.parent])
    report = pages_of(archive, crops.parent)
    assert (said.new, said.unchanged, said.left_as_crops) == (1, 3, 2)
    assert (report.added, report.unchanged, report.left_as_crops) == (1, 3, 2)
    assert dump(archive)["marks"][: len(before["marks"])] == before["marks"]
    assert dump(archive)["pages"][:3] == before["pages"]
    assert boxes(archive, "crops/new.png") == [(0, 0, "proposed")]


def test_crops_that_were_moved_or_changed_stay_crops(archive: Archive, crops: Path) -> None:
    before = dump(archive)
    (crops / "1" / "b.png").rename(crops / "moved.png")
    scan(crops / "a.png", (0, 0), (2, 2), size=(60, 60))
    report = pages_of(archive, crops.parent)
    assert (report.moved, report.changed, report.left_as_crops) == (1, 0, 2)
    assert dump(archive)["marks"] == before["marks"]
    report = crops_of(archive, crops)  # what has changed is read when it is given as what it is
    assert (report.unchanged, report.changed, report.left_as_crops) == (1, 1, 0)


def test_crops_are_pages_where_their_own_folder_or_file_is_given_so(
    archive: Archive, crops: Path
) -> None:
    report = pages_of(archive, crops)
    assert (report.changed, report.left_as_crops) == (1, 1)
    assert boxes(archive, "crops/a.png") == [(20, 20, "proposed")]
    assert boxes(archive, "1/b.png") == [(0, 0, "confirmed")]
    report = pages_of(archive, crops / "1" / "b.png")
    assert (report.changed, report.left_as_crops) == (1, 0)
    assert boxes(archive, "1/b.png") == [(0, 20, "proposed")]


@pytest.fixture
def volumes(archive: Archive, tmp_path: Path) -> Path:
    """A folder of two volumes of scans that are in, and of one scan beside these."""
    scan(tmp_path / "in" / "vol1" / "a.png", (0, 0), (2, 2))
    scan(tmp_path / "in" / "vol2" / "b.png", (1, 1))
    scan(tmp_path / "in" / "c.png", (3, 3))
    pages_of(archive, tmp_path / "in")
    return tmp_path / "in"


def test_pages_below_a_folder_of_crops_stay_pages(archive: Archive, volumes: Path) -> None:
    scan(volumes / "vol1" / "new.png", (0, 0), size=(40, 40))
    before = dump(archive)
    said = rehearse(archive, [volumes], as_crops=True)
    assert (said.new, said.changed, said.unchanged) == (1, ("c.png",), 2)
    assert (said.left_as_pages, said.left_as_crops, said.made_crops) == (2, 0, 1)
    report = crops_of(archive, volumes)
    assert (report.added, report.changed, report.unchanged) == (1, 1, 2)
    assert (report.left_as_pages, report.left_as_crops, report.made_crops) == (2, 0, 1)
    assert [mark for mark in dump(archive)["marks"] if mark["page_id"] in (2, 3)] == [
        mark for mark in before["marks"] if mark["page_id"] in (2, 3)
    ]
    assert boxes(archive, "vol1/new.png") == [(0, 0, "confirmed")]
    assert boxes(archive, "c.png") == [(0, 0, "confirmed")]
    report = crops_of(archive, volumes / "vol1")
    assert (report.changed, report.left_as_pages, report.made_crops) == (1, 0, 1)
    assert boxes(archive, "vol1/a.png") == [(0, 0, "confirmed")]
    said = rehearse(archive, [volumes / "vol1"])
    report = pages_of(archive, volumes / "vol1")
    assert (said.made_pages, report.made_pages, report.made_crops) == (2, 2, 0)


def test_pages_that_were_moved_or_changed_stay_pages(archive: Archive, volumes: Path) -> None:
    before = dump(archive)
    (volumes / "vol2" / "b.png").rename(volumes / "vol1" / "moved.png")
    scan(volumes / "vol1" / "a.png", (1, 1))
    (volumes / "c.png").unlink()
    report = crops_of(archive, volumes)
    assert (report.moved, report.changed, report.left_as_pages) == (1, 0, 2)
    assert dump(archive)["marks"] == before["marks"]
    report = pages_of(archive, volumes)
    assert (report.unchanged, report.changed, report.left_as_pages) == (1, 1, 0)


def test_a_crop_in_quarantine_stays_a_crop_when_it_is_tried_again(
    archive: Archive, crops: Path
) -> None:
    good = (crops / "a.png").read_bytes()
    (crops / "a.png").write_bytes(b"junk")
    assert crops_of(archive, crops).failed == 1
    (crops / "a.png").write_bytes(good)
    before = dump(archive)["marks"]
    report = retry_quarantined(archive, SQUARES, Manner(workers=0))
    assert (report.unchanged, report.healed, report.failed) == (1, 1, 0)
    assert dump(archive)["marks"] == before
