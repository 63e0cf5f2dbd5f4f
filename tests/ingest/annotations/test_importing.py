from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select, update

from ingest.annotations.formats import ANNOTATION_FORMATS
from ingest.annotations.importing import import_annotations
from retrieval.catalogue.archive import Archive, open_archive
from retrieval.catalogue.errors import ArchiveBusy
from retrieval.catalogue.tables import DiscardedCrop, Mark
from retrieval.crops import load_crop
from tests.ingest.annotations.exported import exported_text
from tests.ingest.annotations.five_pages import TROUBLE, coco, imported, only_marks
from tests.ingest.scans import crops_in, dump, page_image, pages_of, scan


def test_a_new_mark_is_a_persons_and_its_crop_is_cut_from_the_master(
    filled: Archive, scans: Path, tmp_path: Path
) -> None:
    region = {"bbox": [35, 30, 30.2, 20]}
    report = imported(filled, tmp_path / "theirs.json", coco("a/1.png", region))
    assert (report.format, report.added, report.refused) == ("coco", 1, ())
    new = only_marks(filled, "a/1.png")[-1]
    assert (new.x, new.y, new.width, new.height) == (35, 30, 30, 20)
    assert (new.status, new.score, new.origin) == ("confirmed", None, "import:theirs.json")
    image = np.array(Image.open(scans / "a/1.png"))
    assert np.array_equal(load_crop(filled, new.crop), image[30:50, 35:65])
    before = dump(filled, moments=True)
    report = imported(filled, tmp_path / "theirs.json", coco("a/1.png", region))
    assert (report.added, report.updated, report.unchanged) == (0, 0, 1)
    assert dump(filled, moments=True) == before


def test_the_picture_of_a_mark_that_was_moved_is_discarded(filled: Archive, tmp_path: Path) -> None:
    first = only_marks(filled, "a/1.png")[0]
    region = {"bbox": [first.x, first.y, 15, 17], "attributes": {"mark": first.id}}
    report = imported(filled, tmp_path / "moved.json", coco("a/1.png", region))
    assert (report.added, report.updated, report.refused) == (0, 1, ())
    assert only_marks(filled, "a/1.png")[0].crop != first.crop
    with filled.session() as session:
        assert session.scalars(select(DiscardedCrop.crop)).all() == [first.crop]


def test_the_second_image_of_a_file_is_cut_from_the_second(filled: Archive, tmp_path: Path) -> None:
    marks = [{"bbox": [70, 0, 30, 30]}]
    (said,) = imported(filled, tmp_path / "x.json", coco("two.tif", *marks)).refused
    assert "2 images" in said and "'two.tif'" in said
    assert imported(filled, tmp_path / "x.json", coco("two.tif", *marks, frame=1)).added == 1
    new = only_marks(filled, "b/two.tif")[1]
    assert new.x == 70
    assert np.array_equal(load_crop(filled, new.crop), page_image((4, 0))[:30, 70:])
    (said,) = imported(filled, tmp_path / "x.json", coco("two.tif", *marks, frame=2)).refused
    assert "no image number 3" in said


def test_a_table_of_an_older_scan_is_brought_to_the_new_ones_size(
    filled: Archive, scans: Path, tmp_path: Path
) -> None:
    before = only_marks(filled, "a/1.png")[0]
    table = exported_text(filled, ANNOTATION_FORMATS["csv"])
    with Image.open(scans / "a/1.png") as image:
        image.resize((2 * image.width, 2 * image.height)).save(scans / "a/1.png")
    with filled.writing() as session:
        session.execute(update(Mark).where(Mark.id == before.id).values(status="confirmed"))
    pages_of(filled, scans)
    doubled = only_marks(filled, "a/1.png")[0]
    assert (doubled.x, doubled.width) == (2 * before.x, 2 * before.width)
    report = imported(filled, tmp_path / "x.csv", table)
    assert any("scaled to the page's" in remark for remark in report.remarks)
    assert any("a different scan" in remark for remark in report.remarks)
    again = only_marks(filled, "a/1.png")[0]
    assert (again.x, again.y, again.width) == (doubled.x, doubled.y, doubled.width)


def test_a_master_that_cannot_be_read_is_said_and_the_rest_goes_in(
    filled: Archive, scans: Path, tmp_path: Path
) -> None:
    before, crops = dump(filled), crops_in(filled)
    (scans / "b/1.png").unlink()
    (scans / "b/two.tif").write_bytes(b"II*\0 cut short")
    scan(scans / "a/1.png", (4, 3))  # changed since it was ingested
    content: dict[str, Any] = {"images": [], "annotations": []}
    pages = [("a/1.png", 0), ("b/1.png", 0), ("b/two.tif", 1), (f"b/{TROUBLE}", 0)]
    for at, (source, frame) in enumerate(pages):
        content["images"].append({"id": at, "file_name": source, "frame": frame})
        content["annotations"].append({"id": at, "image_id": at, "bbox": [50, 0, 9, 9]})
    report = imported(filled, tmp_path / "x.json", content)
    assert report.added == 1
    said = "\n".join(report.refused)
    assert "'a/1.png': no marks imported, its master has changed" in said
    assert "'b/1.png': no marks imported, its master cannot be read. It cannot be opened" in said
    assert "'b/two.tif', image 2: no marks imported, its master has changed" in said
    after = dump(filled)
    assert len(after["marks"]) == len(before["marks"]) + 1
    assert len(crops_in(filled)) <= len(crops) + 1


def test_a_file_that_was_only_touched_is_the_same_master(
    filled: Archive, scans: Path, tmp_path: Path
) -> None:
    (scans / "a/1.png").touch()
    assert imported(filled, tmp_path / "x.json", coco("a/1.png", {"bbox": [50, 0, 9, 9]})).added


def test_one_file_that_cannot_be_understood_keeps_no_other_out(
    filled: Archive, tmp_path: Path
) -> None:
    (tmp_path / "bad.xml").write_text("<PcGts")
    (tmp_path / "good.csv").write_text("source,x,y,width,height\na/1.png,50,0,9,9\na/1.png,1,1,,\n")
    bad, good = import_annotations(filled, [tmp_path / "bad.xml", tmp_path / "good.csv"])
    assert (bad.format, good.format, good.added) == (None, "csv", 1)
    assert "not XML" in bad.refused[0] and "line 3" in good.refused[0]


def test_a_file_goes_in_whole_or_not_at_all(
    filled: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dump(filled)
    regions = [{"bbox": [0, 0, 20, 21]}, {"bbox": [50, 0, 9, 9]}]

    def broken(*_: object) -> None:
        raise RuntimeError("pulled the plug")

    monkeypatch.setattr("ingest.annotations.importing.update", broken)
    with pytest.raises(RuntimeError):
        imported(filled, tmp_path / "x.json", coco("a/1.png", *regions))
    assert dump(filled) == before


def test_an_archive_that_is_busy_is_not_imported_into(filled: Archive, tmp_path: Path) -> None:
    with filled.lock():
        other = open_archive(filled.folder)
        try:
            with pytest.raises(ArchiveBusy):
                imported(other, tmp_path / "x.json", coco("a/1.png"))
        finally:
            other.close()
