from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from ingest.batch import retry_quarantined
from ingest.manner import Manner
from ingest.rehearsal import rehearse
from retrieval.catalogue.archive import Archive, create_archive
from tests.ingest.scans import SQUARES, boxes, crops_of, dump, pages_of, scan


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
