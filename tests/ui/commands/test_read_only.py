"""An archive that cannot be written: on a full disk, or in a folder that may only be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.full_disk import no_file_larger_than
from tests.plain_user import with_mode
from tests.ui.running import run

Refusing = Callable[[Path], AbstractContextManager[None]]


@pytest.fixture(params=["full", "read-only"])
def refusing(request: pytest.FixtureRequest) -> Refusing:
    """Has the disk of an archive refuse to be written meanwhile."""
    if request.param == "full":
        return lambda _: no_file_larger_than(0)
    return lambda archive: with_mode(archive, 0o555)


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


def test_what_reads_goes_on_and_says_that_it_only_reads(
    marks: Path, labels: Path, refusing: Refusing
) -> None:
    archive = marks / "archive"
    sketch = marks / "crops/merchant 1/01.png"
    asked: list[tuple[object, ...]] = [
        ("search", archive, sketch, "--json"),
        ("search", archive, "--mark", 3),
        ("search", archive, "--page", 2, "--region", "0,0,60,60"),
        ("status", archive, "--json"),
        ("export", archive, "--format", "csv"),
        ("export", archive, "--format", "documents"),
        ("annotate", "export", archive, "--format", "iiif"),
        ("evaluate", archive, "--labels", labels, "--json"),
    ]
    before = _files(archive)
    as_written = [run(*arguments) for arguments in asked]
    with refusing(archive):
        as_read = [run(*arguments) for arguments in asked]
    for written, read in zip(as_written, as_read, strict=True):
        assert read.exit_code == written.exit_code, read.output
        assert read.stdout == written.stdout
        assert f"{archive} cannot be written to (its disk is full or" in read.stderr
        assert "only read" not in written.stderr
    assert _files(archive) == before


@pytest.mark.parametrize("index", ["gone", "damaged"])
def test_an_index_that_cannot_be_kept_is_made_for_the_search(
    marks: Path, refusing: Refusing, index: str
) -> None:
    archive, sketch = marks / "archive", marks / "crops/merchant 1/01.png"
    answer = run("search", archive, sketch, "--json").stdout
    for path in (archive / "index").glob("*/*"):
        path.unlink() if index == "gone" else path.write_bytes(b"x")
    with refusing(archive):
        done = run("search", archive, sketch, "--json")
    assert done.exit_code == 0, done.output
    assert [one["mark"] for one in json.loads(done.stdout)["results"]] == [
        one["mark"] for one in json.loads(answer)["results"]
    ]


def test_pictures_go_elsewhere(marks: Path, tmp_path: Path) -> None:
    archive = marks / "archive"
    with with_mode(archive, 0o555):
        done = run("export", archive, "--format", "crops", "--output", tmp_path / "crops")
    assert done.exit_code == 0, done.output
    assert len(list((tmp_path / "crops").glob("*.png"))) == 12


def test_what_writes_says_what_to_do(marks: Path, refusing: Refusing) -> None:
    archive, table = marks / "archive", marks / "marks.csv"
    run("annotate", "export", archive, "--format", "csv", "--output", table)
    with refusing(archive):
        for arguments in (
            ("ingest", archive, marks / "crops", "--as", "marks"),
            ("ingest", archive, "--forget", "merchant 1/01.png"),
            ("index", archive),
            ("group", archive),
            ("train", archive, "--steps", 1),
            ("annotate", "import", archive, table),
        ):
            done = run(*arguments)
            assert done.exit_code == 2, done.output
            assert "cannot be written" in done.stderr
            assert "heck that the disk is available, has free space and is writable" in done.stderr
