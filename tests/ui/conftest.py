"""The archives that the tests of the commands ask; each file of tests has its own."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from ingest.synthetic.archive import draw_archive
from tests.drawn_marks import drawn_mark
from tests.ui.running import run


@pytest.fixture(scope="module")
def marks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of a dozen drawn marks, indexed with the bundled weights; crops beside it."""
    folder = tmp_path_factory.mktemp("marks")
    for seed in range(12):
        path = folder / f"crops/merchant {seed % 3}/{seed:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), drawn_mark(seed))
    (folder / "crops/notes.txt").write_text("no image")
    assert run("ingest", folder / "archive", folder / "crops", "--as", "marks").exit_code == 0
    assert run("index", folder / "archive").exit_code == 0
    return folder


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small synthetic archive, ingested as pages with documents, and indexed."""
    folder = tmp_path_factory.mktemp("pages")
    draw_archive(folder / "scans", seed=3, identities=3, pages=3, size=(700, 900))
    done = run(
        "ingest", folder / "archive", folder / "scans/pages",
        "--documents", folder / "scans/documents.csv",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert run("index", folder / "archive").exit_code == 0
    return folder


@pytest.fixture(scope="module")
def labels(marks: Path) -> Path:
    """Labels of the dozen marks, three merchants; half in the split `test`; one unknown source."""
    path = marks / "labels.csv"
    rows = [
        f"merchant {seed % 3}/{seed:02}.png,merchant {seed % 3},{'test' if seed < 6 else 'train'}"
        for seed in range(12)
    ]
    path.write_text("\n".join(["source,label,split", *rows, "gone.png,merchant 0,test"]))
    return path
