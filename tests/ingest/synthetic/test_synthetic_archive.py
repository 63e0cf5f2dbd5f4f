from __future__ import annotations

import csv
import json
import re
import shutil
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ingest.batch import ingest_crops, ingest_pages
from ingest.synthetic.archive import (
    TRUTH_COLUMNS,
    Truth,
    draw_archive,
)
from ingest.synthetic.records import COLUMNS
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import ArchiveError
from retrieval.evaluation.evaluate import cases_of
from retrieval.evaluation.labels import find_marks, read_labels

SIZE = (700, 1000)


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    folder = tmp_path_factory.mktemp("synthetic")
    return draw_archive(folder, seed=3, identities=10, pages=12, size=SIZE, workers=2)


def _bytes(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _grey(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("L"), np.float32)


def test_same_seed_gives_same_bytes_with_any_number_of_workers(
    truth: Truth, tmp_path: Path
) -> None:
    draw_archive(tmp_path, seed=3, identities=10, pages=12, size=SIZE, workers=1)
    assert _bytes(tmp_path) == _bytes(truth.folder)


def test_another_seed_gives_another_archive(truth: Truth, tmp_path: Path) -> None:
    other = draw_archive(tmp_path, seed=4, identities=10, pages=2, size=SIZE)
    assert other.documents != truth.documents[:2]
    first = (other.pages_folder / other.documents[0].source).read_bytes()
    assert first not in _bytes(truth.folder).values()


def test_a_second_run_writes_nothing_and_a_cut_off_run_is_taken_up(
    truth: Truth, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(truth.folder, folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.*")}
    again = draw_archive(folder, seed=3, identities=10, pages=12, size=SIZE)
    assert again.marks == truth.marks
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.*")} == before

    lost = again.pages_folder / truth.documents[5].source
    lost.unlink()
    broken = again.pages_folder / truth.documents[2].source
    broken.write_bytes(broken.read_bytes()[:100])
    (folder / "truth.csv").unlink()
    draw_archive(folder, seed=3, identities=10, pages=12, size=SIZE)
    assert _bytes(folder) == _bytes(truth.folder)


def test_boxes_lie_on_the_page_and_hold_ink_to_their_edges(truth: Truth) -> None:
    assert len(truth.marks) >= 10
    for mark in truth.marks:
        page = _grey(truth.pages_folder / mark.source)
        assert page.shape == (SIZE[1], SIZE[0])
        assert mark.x >= 0 and mark.y >= 0
        assert mark.x + mark.width <= SIZE[0] and mark.y + mark.height <= SIZE[1]
        assert max(mark.width, mark.height) >= 12
        box = page[mark.y : mark.y + mark.height, mark.x : mark.x + mark.width]
        paper = np.percentile(page[max(0, mark.y - 20) : mark.y + mark.height + 20], 75)
        ink = box < paper - 25
        assert ink.mean() > 0.03, mark
        # Tight: each outermost fifth of the box is touched by ink.
        fifth_down, fifth_across = max(2, mark.height // 5), max(2, mark.width // 5)
        for side in (
            ink[:fifth_down],
            ink[-fifth_down:],
            ink[:, :fifth_across],
            ink[:, -fifth_across:],
        ):
            assert side.any(), mark


def test_marks_on_a_page_do_not_cover_each_other(truth: Truth) -> None:
    pairs = [pair for pair in combinations(truth.marks, 2) if pair[0].source == pair[1].source]
    assert pairs
    for one, other in pairs:
        across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
        down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
        shared = max(0, across) * max(0, down)
        assert shared < 0.1 * min(one.width * one.height, other.width * other.height)


def test_truth_file_says_what_was_returned(truth: Truth) -> None:
    with (truth.folder / "truth.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == TRUTH_COLUMNS
    assert [tuple(row.values()) for row in rows] == [
        tuple(str(getattr(mark, column)) for column in TRUTH_COLUMNS) for mark in truth.marks
    ]
    assert {row["place"] for row in rows} <= {"margin", "text"}
    assert set(truth.identities) == {row["identity"] for row in rows}


def test_every_mark_on_the_pages_is_sketched_once_on_clean_paper(truth: Truth) -> None:
    with (truth.folder / "sketches.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == ("source", "identity")
    assert [row["identity"] for row in rows] == list(truth.identities)
    assert {row["source"] for row in rows} == {p.name for p in truth.sketches_folder.iterdir()}
    for row in rows:
        sketch = _grey(truth.sketches_folder / row["source"])
        assert (sketch > 250).mean() > 0.7, "clean paper"
        assert (sketch < 60).mean() > 0.005, "black ink"
        with Image.open(truth.sketches_folder / row["source"]) as image:
            assert image.info["Comment"].startswith("synthetic")


def test_labels_tell_sketches_from_crops_as_evaluate_reads_them(
    truth: Truth, archive: Archive
) -> None:
    ingest_pages(archive, [truth.pages_folder])
    ingest_crops(archive, [truth.sketches_folder])
    labels = read_labels(truth.folder / "labels.csv")
    assert [label.kind for label in labels].count("crop") == len(truth.marks)
    found = find_marks(archive, labels, "labels.csv")
    assert not found.unknown
    assert found.sketches is not None
    assert found.sketches.sum() == len(truth.identities)
    assert "sketch → crop" in {case.name for case in cases_of(found)}


def test_every_planned_mark_is_on_its_page(truth: Truth) -> None:
    for document in truth.documents:
        found = [mark.identity for mark in truth.marks if mark.source == document.source]
        assert found == [f"merchant-{identity:04d}" for identity in document.identities]


def test_everything_says_that_it_is_synthetic(truth: Truth) -> None:
    with (truth.folder / "documents.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 12
    for row in rows:
        assert "SYNTHETIC" in row["title"]
        assert row["note"].startswith("synthetic")
        assert re.fullmatch(r"HCA 32/9\d{3}/\d+", row["reference"])
        assert 1652 <= int(row["date"][-4:]) <= 1815
        with Image.open(truth.pages_folder / row["source"]) as page:
            assert json.loads(page.info["comment"])["note"].startswith("synthetic")
    assert len({row["reference"] for row in rows}) == len({row["source"] for row in rows}) == 12


def test_other_peoples_pictures_are_not_mixed_in(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "holiday.jpg").write_bytes(b"")
    with pytest.raises(ArchiveError, match=r"holiday\.jpg"):
        draw_archive(tmp_path, pages=1, identities=1, size=SIZE)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"pages": 0}, "0 pages"),
        ({"identities": -1}, "-1 identities"),
        ({"size": (10, 10)}, "10 x 10"),
        ({"size": (9000, 2000)}, "9000 x 2000"),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_anything_is_written(
    tmp_path: Path, counts: dict[str, object], message: str
) -> None:
    with pytest.raises(ArchiveError, match=message):
        draw_archive(tmp_path / "new", **counts)  # type: ignore[arg-type]
    assert not (tmp_path / "new").exists()
