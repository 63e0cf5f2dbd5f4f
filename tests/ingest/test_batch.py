from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image
from sqlalchemy import inspect, select, text

from ingest.batch import IngestReport, Progress, ingest_crops, ingest_pages
from ingest.segmentation import Proposal
from retrieval.catalogue.archive import Archive, create_archive, open_archive
from retrieval.catalogue.errors import ArchiveBusy, ArchiveError, MetadataError, SourceError
from retrieval.catalogue.tables import Embedding, Failure, Identity, IdentityMark, Mark, Model, Page
from retrieval.crops import crop_path, load_crop


def propose(image: np.ndarray) -> list[Proposal]:
    """Take every dark rectangle of the test pages for a mark: they lie on a grid of 20 pixels."""
    found = []
    for y in range(0, image.shape[0] - 19, 20):
        for x in range(0, image.shape[1] - 19, 20):
            if image[y : y + 20, x : x + 20].mean() < 128:
                found.append(Proposal(x, y, 20, 20, 0.75))
    return found


def scan(path: Path, *marks: tuple[int, int], size: tuple[int, int] = (100, 80)) -> Path:
    """Write a page with a dark square at each (column, row) of a grid of 20 pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(page_image(*marks, size=size)).save(path)
    return path


def page_image(*marks: tuple[int, int], size: tuple[int, int] = (100, 80)) -> np.ndarray:
    image = np.full((size[1], size[0], 3), 230, np.uint8)
    for column, row in marks:
        image[20 * row : 20 * row + 20, 20 * column : 20 * column + 20] = (
            10 + column,
            10 + row,
            10,
        )
    return image


def pages_of(archive: Archive, *sources: Path, **options: Any) -> IngestReport:
    options = {"propose": propose, "segmenter": "squares-1", "workers": 1} | options
    return ingest_pages(archive, sources, **options)


def crops_of(archive: Archive, *sources: Path, **options: Any) -> IngestReport:
    return ingest_crops(archive, sources, **{"workers": 1} | options)


def dump(archive: Archive, *, moments: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, without the times at which they were written."""
    with archive.engine.connect() as connection:
        return {
            table: [
                {
                    column: value
                    for column, value in row._mapping.items()
                    if moments or not column.endswith("_at")
                }
                for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2"))
            ]
            for table in sorted(inspect(connection).get_table_names())
            if table != "alembic_version"
        }


def crops_in(archive: Archive) -> set[str]:
    return {path.name for path in archive.crops_folder.rglob("*") if path.is_file()}


def rows(archive: Archive, statement: Any) -> list[Any]:
    with archive.session() as session:
        return [tuple(row) for row in session.execute(statement)]


def boxes(archive: Archive, source: str) -> list[tuple[int, int, str]]:
    return rows(
        archive,
        select(Mark.x, Mark.y, Mark.status)
        .join(Page, Mark.page_id == Page.id)
        .where(Page.source == source)
        .order_by(Mark.x, Mark.y),
    )


def quarantine(archive: Archive) -> list[dict[str, str]]:
    with (archive.folder / "quarantine.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


# What comes in --------------------------------------------------------------------------------


def test_pages_get_the_segmenters_proposals(archive: Archive, tmp_path: Path) -> None:
    path = scan(tmp_path / "in" / "box 1" / "a.png", (1, 2), (3, 0))
    report = pages_of(archive, tmp_path / "in")
    assert (report.added, report.marks, report.failed) == (1, 2, 0)
    (page,) = dump(archive)["pages"]
    assert page["source"] == "box 1/a.png"
    assert page["location"] == str(path)
    assert (page["width"], page["height"], page["segmenter"]) == (100, 80, "squares-1")
    first, second = dump(archive)["marks"]
    assert (first["x"], first["y"], first["width"], first["height"]) == (60, 0, 20, 20)
    assert (first["status"], first["score"], first["origin"]) == ("proposed", 0.75, "squares-1")
    assert np.array_equal(load_crop(archive, second["crop"]), page_image((1, 2))[40:60, 20:40])


def test_crops_are_confirmed_marks(archive: Archive, tmp_path: Path) -> None:
    scan(tmp_path / "in" / "10.png", (0, 0), size=(30, 20))
    scan(tmp_path / "in" / "9.png", (1, 0), size=(40, 20))
    report = crops_of(archive, tmp_path / "in")
    assert (report.added, report.marks) == (2, 2)
    assert [page["source"] for page in dump(archive)["pages"]] == ["9.png", "10.png"]
    mark = dump(archive)["marks"][0]
    assert (mark["x"], mark["y"], mark["width"], mark["height"]) == (0, 0, 40, 20)
    assert (mark["status"], mark["score"], mark["origin"]) == ("confirmed", None, "ingest")
    assert dump(archive)["pages"][0]["segmenter"] is None
    assert load_crop(archive, mark["crop"]).shape == (20, 40, 3)


def test_proposals_are_kept_within_the_page(archive: Archive, tmp_path: Path) -> None:
    def wild(_image: np.ndarray) -> list[Proposal]:
        return [
            Proposal(-10, -10, 30, 30, 1.5),
            Proposal(90, 70, 500, 500, -1.0),
            Proposal(200, 0, 5, 5, 0.5),
            Proposal(5, 5, 0, 9, 0.5),
        ]

    scan(tmp_path / "in" / "a.png")
    pages_of(archive, tmp_path / "in", propose=wild)
    assert [
        (mark["x"], mark["y"], mark["width"], mark["height"], mark["score"])
        for mark in dump(archive)["marks"]
    ] == [(0, 0, 20, 20, 1.0), (90, 70, 10, 10, 0.0)]


def test_every_image_of_a_tiff_is_a_page(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with tifffile.TiffWriter(tmp_path / "in" / "a.tif") as writer:
        writer.write(page_image((0, 0)), photometric="rgb")
        writer.write(page_image((1, 0), (2, 0)), photometric="rgb")
    report = pages_of(archive, tmp_path / "in")
    assert (report.added, report.marks) == (2, 3)
    assert [page["frame"] for page in dump(archive)["pages"]] == [0, 1]
    assert pages_of(archive, tmp_path / "in").unchanged == 2


def test_masters_are_not_touched(archive: Archive, tmp_path: Path) -> None:
    path = scan(tmp_path / "in" / "a.png", (1, 1))
    before = path.read_bytes(), path.stat().st_mtime_ns, sorted((tmp_path / "in").iterdir())
    pages_of(archive, tmp_path / "in")
    assert before == (
        path.read_bytes(),
        path.stat().st_mtime_ns,
        sorted((tmp_path / "in").iterdir()),
    )


def test_progress_counts_every_file_once(archive: Archive, tmp_path: Path) -> None:
    for number in range(5):
        scan(tmp_path / "in" / f"{number}.png", (number, 0))
    (tmp_path / "in" / "5.png").write_bytes(b"junk")
    for _ in range(2):
        seen: list[Progress] = []
        pages_of(archive, tmp_path / "in", progress=seen.append)
        assert [event.done for event in seen] == [1, 2, 3, 4, 5, 6]
        assert {event.total for event in seen} == {6}
        assert {event.name for event in seen} == {f"{number}.png" for number in range(6)}


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


# A second run --------------------------------------------------------------------------------


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

    monkeypatch.setattr("ingest.batch._sha256", no_reading)
    monkeypatch.setattr("ingest.workers._pool", no_reading)
    assert pages_of(archive, tmp_path / "in", workers=2).unchanged == 1


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


def test_a_changed_page_gets_new_proposals_and_keeps_peoples_marks(
    archive: Archive, tmp_path: Path
) -> None:
    path = scan(tmp_path / "in" / "a.png", (0, 0), (1, 1), (2, 2), (3, 3))
    pages_of(archive, tmp_path / "in")
    with archive.writing() as session:
        confirmed, proposed, rejected, named = session.scalars(select(Mark).order_by(Mark.x)).all()
        confirmed.status, rejected.status = "confirmed", "rejected"
        confirmed.polygon = [[0, 0], [20, 0], [20, 20]]
        identity = Identity(name="van der Meer")
        session.add(identity)
        session.add(Model(id="m", architecture="dcgan", objective="contrastive", origin="trained"))
        session.flush()
        session.add(
            IdentityMark(
                identity_id=identity.id, mark_id=named.id, certainty="possible", said_by="a"
            )
        )
        for mark in (confirmed, proposed):
            session.add(Embedding(mark_id=mark.id, model_id="m", crop=mark.crop, vector=b""))
        kept = {confirmed.id, rejected.id, named.id}
        old_crop = confirmed.crop
    # Scanned again at twice the size, darker, with one mark more.
    image = page_image((0, 0), (1, 1), (2, 2), (3, 3), (4, 0)).repeat(2, axis=0).repeat(2, axis=1)
    Image.fromarray(image // 2 + 5).save(path)

    def propose_larger(image: np.ndarray) -> list[Proposal]:
        return [
            Proposal(2 * one.x, 2 * one.y, 40, 40, 0.5)
            for one in propose(np.where(image < 60, 0, 255)[::2, ::2])
        ]

    report = pages_of(archive, tmp_path / "in", propose=propose_larger)
    assert (report.added, report.changed) == (0, 1)
    assert boxes(archive, "a.png") == [
        (0, 0, "confirmed"),
        (40, 40, "proposed"),
        (80, 80, "rejected"),
        (120, 120, "proposed"),
        (160, 0, "proposed"),
    ]
    with archive.session() as session:
        assert set(session.scalars(select(Mark.id))) >= kept
        mark = session.get_one(Mark, min(kept))
        assert (mark.width, mark.height) == (40, 40)
        assert mark.polygon == [[0, 0], [40, 0], [40, 40]]
        assert mark.crop != old_crop
        assert np.array_equal(load_crop(archive, mark.crop), (image // 2 + 5)[:40, :40])
        assert session.scalars(select(Embedding.mark_id)).all() == [mark.id]
        page = session.scalars(select(Page)).one()
        assert (page.width, page.height) == (200, 160)


def test_a_changed_crop_stays_the_same_mark(archive: Archive, tmp_path: Path) -> None:
    path = scan(tmp_path / "in" / "a.png", (0, 0), size=(40, 20))
    crops_of(archive, tmp_path / "in")
    (before,) = dump(archive)["marks"]
    scan(path, (1, 0), size=(80, 60))
    report = crops_of(archive, tmp_path / "in")
    (after,) = dump(archive)["marks"]
    assert (report.changed, report.added) == (1, 0)
    assert after["id"] == before["id"] and after["crop"] != before["crop"]
    assert (after["width"], after["height"], after["status"]) == (80, 60, "confirmed")


def test_what_was_ingested_as_the_wrong_kind_can_be_ingested_again(
    archive: Archive, tmp_path: Path
) -> None:
    scan(tmp_path / "in" / "a.png", (0, 0), (2, 2))
    pages_of(archive, tmp_path / "in")
    assert crops_of(archive, tmp_path / "in").changed == 1
    assert boxes(archive, "a.png") == [(0, 0, "confirmed")]
    assert crops_of(archive, tmp_path / "in").unchanged == 1
    assert pages_of(archive, tmp_path / "in").changed == 1
    assert boxes(archive, "a.png") == [(0, 0, "proposed"), (40, 40, "proposed")]


def test_images_that_left_a_tiff_leave_the_archive(archive: Archive, tmp_path: Path) -> None:
    path = tmp_path / "in" / "a.tif"
    path.parent.mkdir()

    def write(count: int) -> None:
        with tifffile.TiffWriter(path) as writer:
            for column in range(count):
                writer.write(page_image((column, 0)), photometric="rgb")

    write(4)
    pages_of(archive, tmp_path / "in")
    with archive.writing() as session:
        session.scalars(select(Mark).where(Mark.x == 60)).one().status = "confirmed"
    write(1)
    pages_of(archive, tmp_path / "in")
    # The last one's mark is a person's: it is not thrown away.
    assert [page["frame"] for page in dump(archive)["pages"]] == [0, 3]
    assert pages_of(archive, tmp_path / "in").changed == 0


# Moved and copied ----------------------------------------------------------------------------


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


def test_a_copy_is_a_page_of_its_own_and_flagged(archive: Archive, tmp_path: Path) -> None:
    path = scan(tmp_path / "in" / "a.png", (1, 1))
    pages_of(archive, tmp_path / "in")
    shutil.copy(path, tmp_path / "in" / "b.png")
    report = pages_of(archive, tmp_path / "in")
    assert (report.added, report.duplicates, report.moved) == (1, 1, 0)
    first, second = dump(archive)["pages"]
    assert (first["duplicate_of"], second["duplicate_of"]) == (None, first["id"])
    assert boxes(archive, "b.png") == boxes(archive, "a.png")


def test_copies_in_one_run_are_flagged_too(archive: Archive, tmp_path: Path) -> None:
    path = scan(tmp_path / "in" / "a.png", (1, 1))
    for name in ("b.png", "c.png"):
        shutil.copy(path, tmp_path / "in" / name)
    assert pages_of(archive, tmp_path / "in").duplicates == 2
    assert [page["duplicate_of"] for page in dump(archive)["pages"]] == [None, 1, 1]


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


def test_a_copy_of_a_page_that_changes_is_a_copy_no_more(archive: Archive, tmp_path: Path) -> None:
    path = scan(tmp_path / "in" / "a.png", (1, 1))
    for name in ("b.png", "c.png"):
        shutil.copy(path, tmp_path / "in" / name)
    pages_of(archive, tmp_path / "in")
    scan(path, (2, 2))
    pages_of(archive, tmp_path / "in")
    assert [page["duplicate_of"] for page in dump(archive)["pages"]] == [None, None, 2]


# Inputs that cannot be read ------------------------------------------------------------------


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


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_a_file_without_permission(archive: Archive, tmp_path: Path) -> None:
    scan(tmp_path / "in" / "a.png", (0, 0)).chmod(0)
    assert pages_of(archive, tmp_path / "in").failed == 1
    assert "Permission" in quarantine(archive)[0]["reason"]


def test_a_file_that_changes_while_it_is_read_is_not_believed(
    archive: Archive, tmp_path: Path
) -> None:
    path = scan(tmp_path / "in" / "a.png", (1, 1))

    def meddle(image: np.ndarray) -> list[Proposal]:
        os.utime(path, ns=(7, 7))
        return propose(image)

    assert pages_of(archive, tmp_path / "in", propose=meddle).failed == 1
    assert "changed while" in quarantine(archive)[0]["reason"]
    assert pages_of(archive, tmp_path / "in").added == 1


def test_no_room_for_crops_ends_the_run(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(tmp_path / "in" / "a.png", (1, 1))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("retrieval.crops.write_atomically", full)
        with pytest.raises(ArchiveError, match="No space left"):
            pages_of(archive, tmp_path / "in")
    assert dump(archive)["pages"] == []
    assert pages_of(archive, tmp_path / "in").added == 1


# Documents -----------------------------------------------------------------------------------

TABLE = """\
reference,title,date,ship,source,folio
HCA 32/1/1,Bill of lading,1745,De Hoop,b.png,3r
HCA 32/1/1,,,,a.png,3v
HCA 32/1/2,Letter,c. 1690,,,
"""


def test_documents_come_with_the_pages_or_later(archive: Archive, tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.png"):
        scan(tmp_path / "in" / name, (1, 1))
    (tmp_path / "documents.csv").write_text(TABLE, encoding="utf-8")
    other = create_archive(tmp_path / "other")
    together = pages_of(other, tmp_path / "in", documents=tmp_path / "documents.csv")
    pages_of(archive, tmp_path / "in")
    later = pages_of(archive, tmp_path / "in", documents=tmp_path / "documents.csv")
    for report in (together, later):
        assert (report.documents, report.bound) == (2, 2)
        assert (report.pages_without_document, report.documents_without_pages) == (1, 1)
        assert report.problems == ()
    assert dump(archive) == dump(other)
    first, second, third = dump(archive)["pages"]
    # The rows say b before a: the file names do not.
    assert [(page["document_id"], page["ordinal"]) for page in (second, first, third)] == [
        (1, 1),
        (1, 2),
        (None, 0),
    ]
    before = dump(archive, moments=True)
    assert pages_of(archive, tmp_path / "in", documents=tmp_path / "documents.csv").documents == 0
    assert dump(archive, moments=True) == before
    other.close()


def test_a_bad_documents_file_stops_before_anything_is_written(
    archive: Archive, tmp_path: Path
) -> None:
    scan(tmp_path / "in" / "a.png", (1, 1))
    (tmp_path / "documents.csv").write_text("title\nno reference\n", encoding="utf-8")
    with pytest.raises(MetadataError, match=r"documents\.csv, line 1"):
        pages_of(archive, tmp_path / "in", documents=tmp_path / "documents.csv")
    assert dump(archive)["pages"] == []


def test_a_missing_source_stops_before_anything_is_written(
    archive: Archive, tmp_path: Path
) -> None:
    scan(tmp_path / "in" / "a.png", (1, 1))
    with pytest.raises(SourceError, match="does not exist"):
        pages_of(archive, tmp_path / "in", tmp_path / "typo")
    assert dump(archive)["pages"] == []


# Processes -----------------------------------------------------------------------------------


def test_several_workers_give_what_one_gives(archive: Archive, tmp_path: Path) -> None:
    for number in range(9):
        scan(tmp_path / "in" / f"{number}.png", *[(column, 1) for column in range(number % 4)])
    (tmp_path / "in" / "4.png").write_bytes(b"junk")
    other = create_archive(tmp_path / "other")
    pages_of(archive, tmp_path / "in", workers=1)
    pages_of(other, tmp_path / "in", workers=3)
    assert dump(archive) == dump(other)
    assert crops_in(archive) == crops_in(other)
    other.close()


def test_two_runs_at_once_are_refused(archive: Archive, tmp_path: Path) -> None:
    scan(tmp_path / "in" / "a.png", (1, 1))
    other = open_archive(archive.folder)
    with other.lock(), pytest.raises(ArchiveBusy):
        pages_of(archive, tmp_path / "in")
    assert dump(archive)["pages"] == []
    other.close()


PROGRAM = """
import signal, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from test_batch import propose
from ingest.batch import ingest_pages
from retrieval.catalogue.archive import create_archive

def slowly(image):
    time.sleep(0.02)
    return propose(image)

if __name__ == "__main__":
    # A process started in the background by a shell has Ctrl-C ignored, and hands that on.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    ingest_pages(
        create_archive(sys.argv[1]),
        [Path(sys.argv[2])],
        propose=slowly,
        segmenter="squares-1",
        workers=2,
        progress=lambda event: print(event.done, flush=True),
    )
    print("torch" in sys.modules)
"""


def start(program: Path, archive: Path, source: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(program), str(archive), str(source), str(Path(__file__).parent)],
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def many(tmp_path: Path) -> tuple[Path, Path]:
    """A program that ingests, and a source of pages of every sort."""
    source = tmp_path / "in"
    rng = np.random.default_rng(5)
    for number in range(24):
        path = scan(source / f"{number}.png", *[(column, number % 4) for column in range(4)])
        # Pages large enough that each is a transaction of its own, and copies among them.
        noise = rng.integers(0, 9, (700, 1000, 3), dtype=np.uint8)
        image = np.asarray(Image.open(path))
        noise[:80, :100] += image
        noise[80:] += 200
        noise[:80, 100:] += 200
        Image.fromarray(noise).save(path, compress_level=0)
    shutil.copy(source / "3.png", source / "19.png")
    (source / "11.png").write_bytes(b"junk")
    with tifffile.TiffWriter(source / "7.tif") as writer:
        for column in range(4):
            writer.write(page_image((column, 0)), photometric="rgb")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    return program, source


def test_a_run_that_is_killed_goes_on_where_it_stopped(
    archive: Archive, tmp_path: Path, many: tuple[Path, Path]
) -> None:
    program, source = many
    whole = create_archive(tmp_path / "whole")
    pages_of(whole, source)
    expected, crops = dump(whole), crops_in(whole)
    whole.close()
    assert len(expected["pages"]) > 20

    stops: Sequence[int] = (1, 9, 17)
    left = []
    for stop in stops:
        with start(program, archive.folder, source) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if int(line) >= stop:
                    break
            os.kill(process.pid, signal.SIGKILL)
        left.append(len(dump(archive)["pages"]))
    assert left == sorted(left) and left[0] < left[-1] < len(expected["pages"])

    stray = archive.crops_folder / next(iter(crops))[:2] / ".unfinished-x"
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"half a cr")
    with start(program, archive.folder, source) as process:
        assert process.stdout is not None
        output = process.stdout.read().split()
    assert process.returncode == 0
    assert output[-1] == "False"  # torch was not imported
    assert dump(archive) == expected
    assert crops_in(archive) == crops
    assert [row["source"] for row in quarantine(archive)] == ["11.png"]


def test_ctrl_c_stops_the_run_and_keeps_what_was_done(
    archive: Archive, many: tuple[Path, Path]
) -> None:
    program, source = many
    with start(program, archive.folder, source) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.stdout.read()
    assert process.returncode not in (0, -signal.SIGKILL)
    done = len(dump(archive)["pages"])
    assert done >= 1
    with archive.lock():
        pass
    report = pages_of(archive, source)
    assert report.unchanged == done and report.failed == 1


def test_workers_end_with_a_parent_that_is_killed(
    archive: Archive, many: tuple[Path, Path]
) -> None:
    program, source = many
    with start(program, archive.folder, source) as process:
        assert process.stdout is not None
        process.stdout.readline()
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        if not children.exists():
            process.kill()
            pytest.skip("this system does not list a process's children")
        workers = [int(child) for child in children.read_text().split()]
        os.kill(process.pid, signal.SIGKILL)
        process.stdout.read()  # ends when the last process that may write to it has ended
    assert workers
    for worker in workers:
        assert not is_running_ingest(worker)


def is_running_ingest(process: int) -> bool:
    try:
        command = Path(f"/proc/{process}/cmdline").read_bytes()
        return b"spawn_main" in command
    except OSError:
        return False


def test_failures_have_stable_rows(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(b"junk")
    pages_of(archive, tmp_path / "in")
    with archive.session() as session:
        failure = session.scalars(select(Failure)).one()
        assert (failure.source, failure.frame, failure.size) == ("a.png", 0, 4)


def test_real_drawings(archive: Archive, data: Path) -> None:
    folder = next(path for path in sorted((data / "drawn" / "Tagalog").iterdir()) if path.is_dir())
    report = crops_of(archive, folder)
    assert report.added == report.marks == len(list(folder.glob("*.png")))
    crops = rows(archive, select(Mark.crop))
    assert all(crop_path(archive, crop).is_file() for (crop,) in crops)
