from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from retrieval.catalogue.archive import Archive, create_archive
from tests.ingest.scans import boxes, dump, pages_of, scan


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

    monkeypatch.setattr("ingest.discovery.file_digest", no_reading)
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
    scan(tmp_path / "in" / "b.png", (1, 1))
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
