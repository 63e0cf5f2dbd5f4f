from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.missing import missing_masters
from retrieval.catalogue.archive import Archive
from tests.ingest.scans import pages_of, scan


def test_masters_that_are_gone_are_named_in_natural_order(archive: Archive, tmp_path: Path) -> None:
    for number in (2, 9, 10):
        scan(tmp_path / "in" / "a" / f"{number}.png", (1, number % 4))
    scan(tmp_path / "in" / "b" / "1.png", (0, 0))
    pages_of(archive, tmp_path / "in")
    assert missing_masters(archive) == ()
    (tmp_path / "in" / "a" / "10.png").unlink()
    (tmp_path / "in" / "a" / "9.png").unlink()
    assert missing_masters(archive) == ("a/9.png", "a/10.png")
    (tmp_path / "in" / "b").rename(tmp_path / "elsewhere")
    assert missing_masters(archive) == ("a/9.png", "a/10.png", "b/1.png")


def test_files_are_not_asked_for_one_by_one(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        scan(tmp_path / "in" / f"{number}.png", (number, 0))
    pages_of(archive, tmp_path / "in")
    (tmp_path / "in" / "2.png").unlink()
    asked: list[str] = []
    stat = Path.stat

    def heard(path: Path) -> os.stat_result:
        asked.append(path.name)
        return stat(path)

    monkeypatch.setattr(Path, "stat", heard)
    assert missing_masters(archive) == ("2.png",)
    assert asked == ["2.png"]


def test_a_folder_that_may_not_be_listed_is_asked_for_its_files(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(tmp_path / "in" / "a.png", (0, 0))
    pages_of(archive, tmp_path / "in")

    def refused(_folder: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refused)
    assert missing_masters(archive) == ()
    (tmp_path / "in" / "a.png").unlink()
    assert missing_masters(archive) == ("a.png",)
