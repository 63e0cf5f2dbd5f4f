from __future__ import annotations

import os
from pathlib import Path

import pytest

from retrieval.catalogue.errors import RequestError
from retrieval.catalogue.files import check_is_outside, write_atomically, write_texts


def test_content_arrives_whole_and_replaces_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.bin"
    write_atomically(path, b"first")
    write_atomically(path, b"second")
    assert path.read_bytes() == b"second"
    assert [entry.name for entry in path.parent.iterdir()] == ["a.bin"]


def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.bin"
    write_atomically(path, b"old")

    def no_room(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.bin"]


def test_what_is_written_goes_into_a_pipe_that_is_there(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with os.fdopen(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb") as reading:
        assert write_texts(pipe, ["Cádiz\n", "", "1747\n"]) == 12
        assert reading.read() == "Cádiz\n1747\n".encode()
        write_atomically(pipe, b"as a whole")
        assert reading.read() == b"as a whole"
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


def test_what_a_person_names_for_output_is_not_in_the_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    archive = tmp_path / "archive"
    (archive / "crops").mkdir(parents=True)
    (tmp_path / "masters").mkdir()
    (tmp_path / "link").symlink_to(archive)
    (archive / "masters").symlink_to(tmp_path / "masters")
    for folder in (archive, tmp_path / "link"):
        for inside in (
            "archive", "archive/archive.db", "./archive/crops/../new/a.csv", "link", "link/a.csv",
            "archive/masters/a.csv",
        ):  # fmt: skip
            with pytest.raises(RequestError, match="is inside the archive's own folder"):
                check_is_outside(Path(inside), folder)
        for outside in ("archive.csv", ".", "archive/../a.csv", "masters/a.csv"):
            check_is_outside(Path(outside), folder)
