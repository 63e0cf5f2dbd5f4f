from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from sqlalchemy import select

from ingest.batch import retry_quarantined
from ingest.manner import Manner, Progress
from ingest.rehearsal import rehearse
from ingest.report import IngestReport
from ingest.segmentation import Proposal
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.tables import Failure
from tests.ingest.scans import (
    SQUARES,
    boxes,
    crops_of,
    dump,
    page_image,
    pages_of,
    propose,
    quarantine,
    scan,
)
from tests.plain_user import with_mode


def test_the_run_goes_on_after_files_that_cannot_be_read(archive: Archive, tmp_path: Path) -> None:
    good = scan(tmp_path / "in" / "a.png", (1, 1)).read_bytes()
    (tmp_path / "in" / "b.png").write_bytes(good[: len(good) // 2])
    (tmp_path / "in" / "c.jpg").write_bytes(b"")
    (tmp_path / "in" / "d.tif").write_bytes(b"II*\0 nonsense")
    (tmp_path / "in" / "e.png").write_bytes(b"%PDF-1.4 ...")
    scan(tmp_path / "in" / "f.png", (2, 1))
    report = pages_of(archive, tmp_path / "in")
    assert (report.added, report.failed) == (2, 4)
    listed = quarantine(archive)
    assert [row["source"] for row in listed] == ["b.png", "c.jpg", "d.tif", "e.png"]
    assert all(row["reason"] and row["advice"] and row["failed_at"] for row in listed)
    assert listed[0]["location"] == str(tmp_path / "in" / "b.png")
    assert "PDF" in listed[3]["reason"]


def test_a_file_leaves_quarantine_when_it_can_be_read(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(b"junk")
    (tmp_path / "in" / "b.png").write_bytes(b"junk")
    assert pages_of(archive, tmp_path / "in").failed == 2
    scan(tmp_path / "in" / "a.png", (1, 1))
    (tmp_path / "in" / "b.png").unlink()
    report = pages_of(archive, tmp_path / "in")
    assert (report.added, report.failed) == (1, 0)
    assert quarantine(archive) == []


def test_no_spreadsheet_runs_the_name_of_a_file(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "=1+1.png").write_bytes(b"junk")
    for _ in range(2):
        assert pages_of(archive, tmp_path / "in").failed == 1
        (row,) = quarantine(archive)
        assert (row["source"], row["frame"]) == ("'=1+1.png", "0")
        assert row["location"] == str(tmp_path / "in" / "=1+1.png")


def test_a_page_whose_master_breaks_is_kept(archive: Archive, tmp_path: Path) -> None:
    path = scan(tmp_path / "in" / "a.png", (1, 1))
    pages_of(archive, tmp_path / "in")
    before = dump(archive)
    path.write_bytes(b"junk")
    assert pages_of(archive, tmp_path / "in").failed == 1
    assert dump(archive)["pages"] == before["pages"]
    assert dump(archive)["marks"] == before["marks"]


def test_one_bad_image_of_a_tiff_is_one_failure(archive: Archive, tmp_path: Path) -> None:
    path = tmp_path / "in" / "a.tif"
    path.parent.mkdir()
    with tifffile.TiffWriter(path) as writer:
        for column in range(3):
            noise = np.random.default_rng(column).integers(0, 9, (80, 100, 3), dtype=np.uint8)
            writer.write(page_image((column, 0)) + noise, photometric="rgb", compression="lzw")
    whole = path.read_bytes()
    with tifffile.TiffFile(path) as tiff:
        offset = tiff.pages[1].dataoffsets[0]
    path.write_bytes(whole[: offset + 50] + b"\xff" * 500 + whole[offset + 550 :])
    report = pages_of(archive, tmp_path / "in")
    assert (report.added, report.failed) == (2, 1)
    assert [row["frame"] for row in quarantine(archive)] == ["1"]
    assert pages_of(archive, tmp_path / "in").unchanged == 2
    path.write_bytes(whole)
    report = pages_of(archive, tmp_path / "in")
    assert (report.added, report.changed, report.failed) == (1, 2, 0)
    assert sorted(page["frame"] for page in dump(archive)["pages"]) == [0, 1, 2]


def test_too_many_pixels_go_to_quarantine(archive: Archive, tmp_path: Path) -> None:
    scan(tmp_path / "in" / "a.png", (1, 1))
    assert pages_of(archive, tmp_path / "in", max_pixels=7_999).failed == 1
    assert "7,999" in quarantine(archive)[0]["reason"]
    assert pages_of(archive, tmp_path / "in", max_pixels=8_000).failed == 0


def test_a_page_that_upsets_the_segmentation_goes_to_quarantine(
    archive: Archive, tmp_path: Path
) -> None:
    def upset(image: np.ndarray) -> list[Proposal]:
        if image[0, 0, 0] < 100:
            raise ZeroDivisionError("float division")
        return propose(image)

    scan(tmp_path / "in" / "a.png", (0, 0))
    scan(tmp_path / "in" / "b.png", (1, 1))
    report = pages_of(archive, tmp_path / "in", propose=upset)
    assert (report.added, report.failed) == (1, 1)
    assert "ZeroDivisionError" in quarantine(archive)[0]["reason"]


def hang_on_a_dark_corner(image: np.ndarray) -> list[Proposal]:
    while image[0, 0, 0] < 100:
        time.sleep(60)
    return propose(image)


def test_a_file_whose_reading_never_ends_goes_to_quarantine(
    archive: Archive, tmp_path: Path
) -> None:
    for number in range(6):
        scan(tmp_path / "in" / f"{number}.png", (0 if number == 2 else 1, 0))
    report = pages_of(
        archive, tmp_path / "in", propose=hang_on_a_dark_corner, workers=2, max_minutes=0.2
    )
    assert (report.added, report.failed) == (5, 1)
    (row,) = quarantine(archive)
    assert row["source"] == "2.png"
    assert (
        "more than 0.2 minutes" in row["reason"]
        and "max_minutes in prizemarks.toml" in row["advice"]
    )


def test_a_file_without_permission(archive: Archive, tmp_path: Path) -> None:
    with with_mode(scan(tmp_path / "in" / "a.png", (0, 0)), 0):
        assert pages_of(archive, tmp_path / "in").failed == 1
    assert "Permission" in quarantine(archive)[0]["reason"]


def test_failures_have_stable_rows(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(b"junk")
    pages_of(archive, tmp_path / "in")
    with archive.session() as session:
        failure = session.scalars(select(Failure)).one()
        assert (failure.source, failure.frame, failure.size) == ("a.png", 0, 4)


def test_what_would_fail_again_is_left_alone(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "in" / "a.png"
    scan(path, (1, 1))
    scan(tmp_path / "in" / "b.png", (2, 1))
    path.write_bytes(path.read_bytes()[:-40])
    assert pages_of(archive, tmp_path / "in").failed == 1
    before = dump(archive, moments=True)

    def no_reading(*_: object) -> None:
        raise AssertionError("it was read")

    with monkeypatch.context() as patch:
        patch.setattr("ingest.whereabouts.file_digest", no_reading)
        report = pages_of(archive, tmp_path / "in")
    assert (report.failed, report.left, report.unchanged, report.healed) == (1, 1, 1, 0)
    assert dump(archive, moments=True) == before
    # Other limits may be enough for it, and so may what was mended.
    assert pages_of(archive, tmp_path / "in", max_minutes=11.0).left == 0
    assert pages_of(archive, tmp_path / "in", max_minutes=11.0).left == 1
    scan(path, (1, 1))
    report = pages_of(archive, tmp_path / "in")
    assert (report.added, report.failed, report.left, report.healed) == (1, 0, 0, 1)


def test_a_page_whose_master_broke_is_not_read_at_every_run(
    archive: Archive, tmp_path: Path
) -> None:
    path = scan(tmp_path / "in" / "a.png", (1, 1))
    whole = path.read_bytes()
    pages_of(archive, tmp_path / "in")
    path.write_bytes(b"junk")
    assert pages_of(archive, tmp_path / "in").left == 0
    assert pages_of(archive, tmp_path / "in").left == 1
    path.write_bytes(whole)
    report = pages_of(archive, tmp_path / "in")
    assert (report.unchanged, report.failed, report.left, report.healed) == (1, 0, 0, 1)


def retry(archive: Archive, **manner: Any) -> IngestReport:
    return retry_quarantined(archive, SQUARES, Manner(**{"workers": 0} | manner))


def test_what_stands_in_quarantine_can_be_tried_again(archive: Archive, tmp_path: Path) -> None:
    for number in range(3):
        scan(tmp_path / "in" / "box" / f"{number}.png", (number, 1))
    (tmp_path / "in" / "junk.png").write_bytes(b"junk")
    scan(tmp_path / "away" / "later.png", (0, 3))
    sick = {"box/1.png", "box/2.png"}

    def upset(image: np.ndarray) -> list[Proposal]:
        if any(image[25, 20 * column + 5, 0] < 100 for column in (1, 2)):
            raise MemoryError
        return propose(image)

    (tmp_path / "in" / "gone.png").write_bytes(b"junk")
    report = pages_of(archive, tmp_path / "in", propose=upset)
    assert {row["source"] for row in quarantine(archive)} == sick | {"junk.png", "gone.png"}
    assert pages_of(archive, tmp_path / "in").left == 4  # the files are as they were
    (tmp_path / "in" / "gone.png").unlink()
    scan(tmp_path / "in" / "new.png", (0, 3))
    report = retry(archive)
    assert (report.added, report.healed, report.failed, report.left) == (2, 2, 2, 0)
    assert [row["source"] for row in quarantine(archive)] == ["gone.png", "junk.png"]
    assert [page["source"] for page in dump(archive)["pages"]] == ["box/0.png", *sorted(sick)]
    report = retry(archive)
    assert (report.added, report.healed, report.failed) == (0, 0, 2)
    assert pages_of(archive, tmp_path / "in").failed == 1


def test_each_file_is_tried_again_as_what_it_was_given_as(archive: Archive, tmp_path: Path) -> None:
    for folder in ("crops", "scans"):
        scan(tmp_path / folder / "good.png", (0, 0), (2, 2))
        (tmp_path / folder / "mended.png").write_bytes(b"junk")
        (tmp_path / folder / "other.png").write_bytes(b"junk")
    assert crops_of(archive, tmp_path / "crops").failed == 2
    pages_of(archive, tmp_path / "scans")
    shutil.copy(tmp_path / "scans" / "good.png", tmp_path / "scans" / "mended.png")
    scan(tmp_path / "crops" / "mended.png", (1, 1), (3, 3))
    before = dump(archive)
    said = rehearse(archive, None)
    assert (said.new, said.copies) == (2, ("scans/mended.png",))
    assert [one.source for one in said.unreadable] == ["scans/other.png", "other.png"]
    assert dump(archive) == before
    seen: list[Progress] = []
    report = retry(archive, progress=seen.append)
    assert (report.added, report.healed, report.failed, report.marks) == (2, 2, 2, 3)
    assert [(event.done, event.total) for event in seen] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert boxes(archive, "mended.png") == [(0, 0, "confirmed")]
    assert boxes(archive, "scans/mended.png") == [(0, 0, "proposed"), (40, 40, "proposed")]
    scan(tmp_path / "crops" / "other.png", (1, 1))  # tried once more, as the same
    assert retry(archive).failed == 1
    assert boxes(archive, "other.png") == [(0, 0, "confirmed")]


def test_a_crop_is_tried_again_as_a_crop_by_a_version_of_a_long_name(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.run.program_version", lambda: "0.2.0.dev1+" + "local" * 40)
    path = tmp_path / "crops" / "a.png"
    path.parent.mkdir()
    path.write_bytes(b"junk")
    for left in (0, 1):
        report = crops_of(archive, tmp_path / "crops")
        assert (report.failed, report.left) == (1, left)
    assert pages_of(archive, tmp_path / "crops").left == 0  # as a page it may be readable
    crops_of(archive, tmp_path / "crops")
    scan(path, (1, 1))
    assert (retry(archive).failed, boxes(archive, "a.png")) == (0, [(0, 0, "confirmed")])


def test_a_crop_that_a_disk_did_not_give_is_tried_again_as_a_crop(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(tmp_path / "crops" / "a.png", (1, 1))

    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("ingest.sources.read_png", broken)
        assert crops_of(archive, tmp_path / "crops").failed == 1
        assert retry(archive).failed == 1
    assert retry(archive).failed == 0
    assert boxes(archive, "a.png") == [(0, 0, "confirmed")]


def test_images_of_one_file_are_tried_again_together(archive: Archive, tmp_path: Path) -> None:
    path = tmp_path / "in" / "a.tif"
    path.parent.mkdir()
    with tifffile.TiffWriter(path) as writer:
        for column in range(3):
            writer.write(page_image((column, 0)), photometric="rgb")

    def upset(image: np.ndarray) -> list[Proposal]:
        if image[5, 25, 0] < 100:
            raise ZeroDivisionError
        return propose(image)

    report = pages_of(archive, tmp_path / "in", propose=upset)
    assert (report.added, report.failed) == (2, 1)
    report = retry(archive)
    assert (report.added, report.unchanged, report.healed, report.failed) == (1, 2, 1, 0)
