from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from ingest.batch import ingest_pages
from ingest.manner import Manner
from retrieval.catalogue.archive import Archive, open_archive
from retrieval.catalogue.tables import Document, Page
from tests.ingest.scans import scan
from tests.ui.running import run


@pytest.fixture(autouse=True)
def _two_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.demo.PAGES", 2)
    monkeypatch.setattr("ui.demo.IDENTITIES", 2)


def held(folder: Path) -> tuple[list[str], int]:
    """The sources of an archive's pages, and how many documents it has."""
    archive = open_archive(folder)
    try:
        with archive.session() as session:
            sources = list(session.scalars(select(Page.source).order_by(Page.id)))
            return sources, session.scalar(select(func.count(Document.id))) or 0
    finally:
        archive.close()


def test_the_demo_is_made_once_and_again(tmp_path: Path) -> None:
    made = run("demo", tmp_path / "demo", "--only-make")
    assert made.exit_code == 0, made.output
    before = held(tmp_path / "demo")
    assert len(before[0]) == before[1] == 2
    assert run("demo", tmp_path / "demo", "--only-make").exit_code == 0
    assert held(tmp_path / "demo") == before


def test_no_demo_is_mixed_into_an_archive_of_other_pages(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    for name in ("a.png", "b.png"):
        scan(tmp_path / "mine" / name)
    ingest_pages(archive, [tmp_path / "mine"], manner=Manner(workers=1))
    refused = run("demo", archive.folder, "--only-make")
    assert refused.exit_code == 2
    assert (
        f"{archive.folder} contains 2 pages that the demo did not make, such as 'a.png': choose "
        "another folder for the demo. To open this archive: "
        f"prizemarks serve {archive.folder}\n"
    ) in refused.stderr
    assert held(archive.folder) == (["a.png", "b.png"], 0)
    assert not archive.folder.with_name("archive-scans").exists()


def test_a_folder_that_is_no_archive_is_refused_before_anything_is_drawn(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo/notes.txt").write_text("mine")
    refused = run("demo", tmp_path / "demo", "--only-make")
    assert refused.exit_code == 2
    assert "is not an archive and not empty" in refused.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo"]
