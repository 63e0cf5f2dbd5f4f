from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import ArchiveError
from retrieval.crops import (
    LONGEST_SIDE,
    crop_path,
    load_crop,
    load_crops,
    write_crop,
    write_crops,
)

images = st.tuples(st.integers(1, 40), st.integers(1, 40)).flatmap(
    lambda size: arrays.arrays(np.uint8, (*size, 3))
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(images)
def test_a_crop_comes_back_as_it_was(archive: Archive, image: np.ndarray) -> None:
    sha256 = write_crop(archive.crops_folder, image)
    assert np.array_equal(load_crop(archive, sha256), image)
    assert write_crop(archive.crops_folder, image.copy()) == sha256


def test_a_crop_is_named_by_its_content(archive: Archive) -> None:
    sha256 = write_crop(archive.crops_folder, np.full((4, 4, 3), 7, np.uint8))
    path = crop_path(archive, sha256)
    assert path == archive.folder / "crops" / sha256[:2] / f"{sha256}.png"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def test_a_crop_is_written_once(archive: Archive) -> None:
    image = np.full((4, 4, 3), 7, np.uint8)
    path = crop_path(archive, write_crop(archive.crops_folder, image))
    before = path.stat()
    write_crop(archive.crops_folder, image)
    after = path.stat()
    assert before.st_ino == after.st_ino
    assert before.st_mtime_ns <= after.st_mtime_ns, "it says when it was stored last"


def test_several_crops_are_written_at_once_in_the_order_given(archive: Archive) -> None:
    images = [np.full((4, 4 + shade % 5, 3), shade, np.uint8) for shade in range(40)]
    twice = [*images, *images]
    stored = write_crops(archive.crops_folder, iter(twice))
    assert stored[:40] == stored[40:]
    for image, sha256 in zip(twice, stored, strict=True):
        assert np.array_equal(load_crop(archive, sha256), image)
    files = [path for path in archive.crops_folder.rglob("*") if path.is_file()]
    assert len(files) == 40
    assert write_crops(archive.crops_folder, []) == []


def test_of_several_crops_one_that_cannot_be_written_is_said(archive: Archive) -> None:
    images = [np.full((4, 4, 3), shade, np.uint8) for shade in range(12)]
    path = crop_path(archive, write_crop(archive.crops_folder, images[5]))
    path.unlink()
    path.parent.rmdir()
    path.parent.write_bytes(b"a file where a folder belongs")
    with pytest.raises(OSError, match=str(path.parent)):
        write_crops(archive.crops_folder, images)


def test_a_large_crop_is_averaged_down_to_its_longest_side(archive: Archive) -> None:
    image = np.zeros((768, 384, 3), np.uint8)
    image[::2] = 200  # lines that plain subsampling would keep or drop whole
    small = load_crop(archive, write_crop(archive.crops_folder, image))
    assert small.shape == (LONGEST_SIDE, 192, 3)
    assert np.all(small == 100)
    sliver = load_crop(archive, write_crop(archive.crops_folder, np.zeros((4000, 2, 3), np.uint8)))
    assert sliver.shape == (LONGEST_SIDE, 1, 3)


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_only_a_sha256_names_a_crop(archive: Archive, name: str) -> None:
    with pytest.raises(ArchiveError, match="not the name of a crop"):
        crop_path(archive, name)


def test_a_crop_that_is_gone_or_damaged_is_reported(archive: Archive) -> None:
    sha256 = write_crop(archive.crops_folder, np.full((4, 4, 3), 7, np.uint8))
    path = crop_path(archive, sha256)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(ArchiveError, match="damaged"):
        load_crop(archive, sha256)
    path.unlink()
    with pytest.raises(ArchiveError, match="cannot be read"):
        load_crop(archive, sha256)


def test_of_several_crops_those_that_can_be_read_are_given_and_the_others_named(
    archive: Archive,
) -> None:
    images = [np.full((4, 4, 3), shade, np.uint8) for shade in (7, 8, 9)]
    stored = [write_crop(archive.crops_folder, image) for image in images]
    crop_path(archive, stored[1]).unlink()
    unread: list[str] = []
    found = dict(load_crops(archive, list(zip((31, 32, 33), stored, strict=True)), unread))
    assert list(found) == [0, 2]
    assert np.array_equal(found[0], images[0]) and np.array_equal(found[2], images[2])
    (said,) = unread
    assert said.startswith(f"mark 32: The crop {crop_path(archive, stored[1])} cannot be read")
