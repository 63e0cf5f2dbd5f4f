from __future__ import annotations

from pathlib import Path

from retrieval.catalogue.archive import Archive
from tests.ingest.annotations.five_pages import coco, imported, only_marks
from tests.ingest.scans import boxes


def test_boxes_on_a_smaller_copy_are_brought_to_the_master(filled: Archive, tmp_path: Path) -> None:
    region = {"bbox": [10, 5, 10, 10]}
    report = imported(filled, tmp_path / "x.json", coco("a/1.png", region, width=50, height=40))
    assert "scaled to the page's 100 x 80" in report.remarks[0]
    assert only_marks(filled, "a/1.png")[1].width == 20
    assert (20, 10, "confirmed") in boxes(filled, "a/1.png")
    for size in ((33, 26), (33, 27), (32, 26)):  # 1/3, however it was rounded
        content = coco("a/1.png", region, width=size[0], height=size[1])
        assert imported(filled, tmp_path / "y.json", content).refused == ()
    (said,) = imported(
        filled, tmp_path / "z.json", coco("a/1.png", region, width=80, height=100)
    ).refused
    assert "a different shape" in said and "80 x 100" in said


def test_percent_are_of_the_page(filled: Archive, tmp_path: Path) -> None:
    content = {"type": "Annotation", "target": "a/1.png#xywh=percent:50,25,10,12.5"}
    assert imported(filled, tmp_path / "x.json", content).added == 1
    new = only_marks(filled, "a/1.png")[-1]
    assert (new.x, new.y, new.width, new.height) == (50, 20, 10, 10)


def test_what_leaves_the_page_is_cut_off_and_said(filled: Archive, tmp_path: Path) -> None:
    report = imported(
        filled,
        tmp_path / "x.json",
        coco(
            "a/1.png",
            {"bbox": [90, 70, 30, 30]},
            {"bbox": [100, 0, 5, 5]},
            {"bbox": [-50, -50, 1e300, 60]},
            {"segmentation": [[80, 40, 120, 40, 120, 60]]},
            {"segmentation": [[200, 40, 220, 40, 220, 60]]},
        ),
    )
    assert report.added == 3
    assert ["annotation 1" in report.refused[0], "annotation 4" in report.refused[1]] == [True] * 2
    assert "outside the page" in report.refused[0]
    assert len(report.remarks) == 3 and "cut off" in report.remarks[0]
    found = {(one.x, one.y, one.width, one.height): one for one in only_marks(filled, "a/1.png")}
    assert set(found) >= {(90, 70, 10, 10), (0, 0, 100, 10), (80, 40, 20, 10)}
    assert found[80, 40, 20, 10].polygon == [[100, 50], [80, 40], [100, 40]]
