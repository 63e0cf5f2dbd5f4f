from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.listing import image_files, location_of, natural_key, path_of, storable
from retrieval.catalogue.errors import SourceError
from tests.plain_user import with_mode


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_a_folder_is_listed_as_people_sort(tmp_path: Path) -> None:
    touch(tmp_path, "b/10.jpg", "b/9.JPEG", "b/notes.txt", "a.tiff", "B/2.png", "b/1.jpe", "c.TIF")
    listed = image_files(tmp_path)
    assert [file.name for file in listed.files] == [
        "a.tiff",
        "b/1.jpe",
        "B/2.png",
        "b/9.JPEG",
        "b/10.jpg",
        "c.TIF",
    ]
    assert listed.skipped == 1
    assert all(file.path.is_absolute() and file.path.is_file() for file in listed.files)


def test_one_file_is_taken_whatever_its_name(tmp_path: Path) -> None:
    touch(tmp_path, "scan.001")
    (file,) = image_files(tmp_path / "scan.001").files
    assert file.name == "scan.001"


def test_what_is_no_master_is_passed_over(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "a.png",
        "._a.png",
        ".cache/b.png",
        "@eaDir/c.png",
        "__MACOSX/d.png",
        "archive/archive.db",
        "archive/crops/ab/e.png",
        "archive/scans/f.png",
        "crops/g.png",
    )
    assert [file.name for file in image_files(tmp_path).files] == [
        "a.png",
        "archive/scans/f.png",
        "crops/g.png",
    ]


def test_links_do_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    touch(tmp_path, "in/a.png", "out/secret.png")
    (tmp_path / "in" / "link.png").symlink_to(tmp_path / "out" / "secret.png")
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    listed = image_files(tmp_path / "in")
    assert [file.name for file in listed.files] == ["a.png"]
    assert listed.skipped == 2


def test_what_may_not_be_looked_at_is_named_and_keeps_nothing_else_out(tmp_path: Path) -> None:
    touch(tmp_path, "in/a.png", "in/shut/b.png", "in/seen/c.png", "in/seen/deep/d.png")
    (tmp_path / "in" / "link.png").symlink_to(tmp_path / "in" / "seen" / "c.png")
    (tmp_path / "in" / "out.png").symlink_to(tmp_path / "seen" / "c.png")
    touch(tmp_path, "seen/c.png")
    folder = tmp_path / "in"
    with (
        with_mode(folder / "shut", 0),
        with_mode(folder / "seen", 0o444),
        with_mode(tmp_path / "seen", 0o444),
    ):
        listed = image_files(folder)
        with pytest.raises(SourceError, match="shut cannot be listed: Permission denied"):
            image_files(folder / "shut")
        with pytest.raises(SourceError, match=r"b\.png cannot be opened: Permission denied"):
            image_files(folder / "shut" / "b.png")
    assert [file.name for file in listed.files] == ["a.png", "link.png", "seen/c.png"]
    assert listed.unlisted == (folder / "seen" / "deep", folder / "shut")
    assert listed.skipped == 1


def test_a_source_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        image_files(tmp_path / "absent")


@given(st.lists(st.text(st.sampled_from("aB10/9é٣"), min_size=1, max_size=8)))
def test_natural_order_is_an_order(names: list[str]) -> None:
    once = sorted(names, key=natural_key)
    assert sorted(reversed(once), key=natural_key) == once


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_names_that_are_no_utf8_can_be_stored_and_found_again(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9 %41.png"
    try:
        Path(os.fsdecode(raw)).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system keeps no such names")
    (file,) = image_files(tmp_path).files
    assert file.name == "caf\\xe9 %41.png"
    location = location_of(file.path)
    location.encode()
    assert path_of(location) == file.path
    assert path_of(location_of(tmp_path / "a %41.png")) == tmp_path / "a %41.png"


def test_names_are_stored_composed() -> None:
    assert storable("cafe\u0301.png") == "caf\u00e9.png"
