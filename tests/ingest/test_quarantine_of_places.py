from __future__ import annotations

import os
from pathlib import Path

import pytest
import tifffile

from ingest.batch import retry_quarantined
from ingest.manner import Manner
from ingest.rehearsal import rehearse
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.tables import Failure
from tests.ingest.scans import (
    SQUARES,
    dump,
    page_image,
    pages_of,
    quarantine,
    scan,
)


def volume(path: Path, large: int) -> Path:
    """Write three pages of which one, `large`, has more pixels than `FEW`."""
    path.parent.mkdir(exist_ok=True)
    with tifffile.TiffWriter(path) as writer:
        for column in range(3):
            size = (200, 160) if column == large else (100, 80)
            writer.write(page_image((column, large), size=size), photometric="rgb")
    return path


FEW = 10_000


def names_and_frames(archive: Archive) -> list[tuple[str, int]]:
    return sorted((page["source"], page["frame"]) for page in dump(archive)["pages"])


@pytest.mark.parametrize("by", ["renaming", "copying"])
def test_what_was_not_read_of_a_file_follows_it(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.setattr("ingest.rehearsal.SEGMENTER", "squares-1")
    path = volume(tmp_path / "in" / "vol.tif", 1)
    report = pages_of(archive, tmp_path / "in", max_pixels=FEW)
    assert (report.added, report.failed) == (2, 1)
    path.rename(tmp_path / "in" / "volume.tif")
    if by == "copying":
        os.utime(tmp_path / "in" / "volume.tif", ns=(7, 7))
    said = rehearse(archive, [tmp_path / "in"], Manner(max_pixels=FEW))
    report = pages_of(archive, tmp_path / "in", max_pixels=FEW)
    for one in (said, report):
        assert (one.moved, one.left, one.unchanged) == (2, 1, 0)
    assert (report.failed, said.changed, said.unreadable) == (1, (), ())
    (row,) = quarantine(archive)
    assert (row["source"], row["frame"]) == ("volume.tif", "1")
    assert row["location"] == str(tmp_path / "in" / "volume.tif")

    def no_reading(*_: object) -> None:
        raise AssertionError("it was read")

    with monkeypatch.context() as patch:
        patch.setattr("ingest.whereabouts.file_digest", no_reading)
        report = pages_of(archive, tmp_path / "in", max_pixels=FEW)
    assert (report.unchanged, report.left, report.failed) == (2, 1, 1)
    report = pages_of(archive, tmp_path / "in")
    assert (report.added, report.unchanged, report.failed, report.healed) == (1, 2, 0, 1)
    assert names_and_frames(archive) == [("volume.tif", frame) for frame in range(3)]


def test_what_was_not_read_of_a_file_waits_for_it_as_its_pages_do(
    archive: Archive, tmp_path: Path
) -> None:
    path = volume(tmp_path / "in" / "vol.tif", 1)
    scan(tmp_path / "in" / "other.png", (1, 1))
    pages_of(archive, tmp_path / "in", max_pixels=FEW)
    path.rename(tmp_path / "vol.tif")
    assert pages_of(archive, tmp_path / "in", max_pixels=FEW).failed == 1
    (tmp_path / "vol.tif").rename(path)
    report = pages_of(archive, tmp_path / "in", max_pixels=FEW)
    assert (report.unchanged, report.left, report.failed) == (3, 1, 1)
    report = pages_of(archive, tmp_path / "in")
    assert (report.added, report.failed, report.healed) == (1, 0, 1)
    assert names_and_frames(archive)[-3:] == [("vol.tif", frame) for frame in range(3)]


def test_what_may_be_read_now_is_read_where_its_file_was_moved(
    archive: Archive, tmp_path: Path
) -> None:
    path = volume(tmp_path / "in" / "vol.tif", 1)
    pages_of(archive, tmp_path / "in", max_pixels=FEW)
    path.rename(tmp_path / "in" / "volume.tif")
    said = rehearse(archive, [tmp_path / "in"])
    assert (said.changed, said.new, said.moved) == (("volume.tif",), 0, 0)
    report = pages_of(archive, tmp_path / "in")
    assert (report.added, report.unchanged, report.failed, report.left) == (1, 2, 0, 0)
    assert names_and_frames(archive) == [("volume.tif", frame) for frame in range(3)]
    assert pages_of(archive, tmp_path / "in").unchanged == 3


def test_what_was_not_read_follows_files_that_change_names(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.rehearsal.SEGMENTER", "squares-1")
    one = volume(tmp_path / "in" / "1.tif", 1)
    two = volume(tmp_path / "in" / "2.tif", 2)
    report = pages_of(archive, tmp_path / "in", max_pixels=FEW)
    assert (report.added, report.failed) == (4, 2)
    for path, new in ((two, "3.tif"), (one, "2.tif")):
        path.rename(tmp_path / "in" / new)
    said = rehearse(archive, [tmp_path / "in"], Manner(max_pixels=FEW))
    report = pages_of(archive, tmp_path / "in", max_pixels=FEW)
    for told in (said, report):
        assert (told.moved, told.left) == (4, 2)
    assert (report.added, report.failed) == (0, 2)
    assert [(row["source"], row["frame"]) for row in quarantine(archive)] == [
        ("2.tif", "1"),
        ("3.tif", "2"),
    ]
    report = pages_of(archive, tmp_path / "in")
    assert (report.added, report.unchanged, report.failed, report.healed) == (2, 4, 0, 2)


def test_what_broke_in_the_place_of_a_master_does_not_follow_it(
    archive: Archive, tmp_path: Path
) -> None:
    path = scan(tmp_path / "in" / "a.png", (1, 1))
    whole = path.read_bytes()
    pages_of(archive, tmp_path / "in")
    path.write_bytes(b"junk")
    assert pages_of(archive, tmp_path / "in").failed == 1
    (tmp_path / "in" / "b.png").write_bytes(whole)
    for moved in (1, 0):
        report = pages_of(archive, tmp_path / "in")
        assert (report.moved, report.left, report.failed, report.added) == (moved, 1, 1, 0)
    assert [row["source"] for row in quarantine(archive)] == ["a.png"]
    assert names_and_frames(archive) == [("b.png", 0)]


def test_what_stood_in_the_place_of_a_moved_master_leaves_quarantine(
    archive: Archive, tmp_path: Path
) -> None:
    path = scan(tmp_path / "in" / "a.png", (1, 1))
    (tmp_path / "in" / "b.png").write_bytes(b"junk")
    assert pages_of(archive, tmp_path / "in").failed == 1
    path.rename(tmp_path / "in" / "b.png")
    report = pages_of(archive, tmp_path / "in")
    assert (report.moved, report.failed) == (1, 0)
    assert names_and_frames(archive) == [("b.png", 0)]


def broken(path: Path) -> bytes:
    """Write a page that ends too early; return the whole of it."""
    whole = scan(path, (1, 1)).read_bytes()
    path.write_bytes(whole[:-40])
    return whole


def test_a_mended_file_that_is_given_by_itself_leaves_quarantine(
    archive: Archive, tmp_path: Path
) -> None:
    path = tmp_path / "in" / "sub" / "b.png"
    whole = broken(path)
    assert pages_of(archive, tmp_path / "in").failed == 1
    path.write_bytes(whole)
    report = pages_of(archive, path)
    assert (report.added, report.failed, report.healed) == (1, 0, 1)
    assert names_and_frames(archive) == [("sub/b.png", 0)]
    report = pages_of(archive, tmp_path / "in")
    assert (report.unchanged, report.failed, report.left) == (1, 0, 0)


def test_a_file_that_is_still_broken_keeps_its_one_row(archive: Archive, tmp_path: Path) -> None:
    path = tmp_path / "in" / "sub" / "b.png"
    broken(path)
    pages_of(archive, tmp_path / "in")
    os.utime(path, ns=(7, 7))
    report = pages_of(archive, path)
    assert (report.added, report.failed, report.left) == (0, 1, 0)
    assert [row["source"] for row in quarantine(archive)] == ["sub/b.png"]


@pytest.mark.parametrize("again", ["the folder", "the file", "what stands in quarantine"])
def test_a_row_under_another_name_goes_when_its_file_is_read(
    archive: Archive, tmp_path: Path, again: str
) -> None:
    path = tmp_path / "in" / "sub" / "b.png"
    whole = broken(path)
    pages_of(archive, tmp_path / "in")
    path.write_bytes(whole)
    pages_of(archive, tmp_path / "in")
    with archive.writing() as session:  # as an earlier version left it
        session.add(
            Failure(
                source="b.png", frame=0, location=str(path), size=9, mtime_ns=9, reason="It ends."
            )
        )
    if again == "what stands in quarantine":
        report = retry_quarantined(archive, SQUARES, Manner(workers=0))
    else:
        report = pages_of(archive, path if again == "the file" else tmp_path / "in")
    assert (report.added, report.unchanged, report.failed) == (0, 1, 0)
    assert quarantine(archive) == []
    assert names_and_frames(archive) == [("sub/b.png", 0)]
