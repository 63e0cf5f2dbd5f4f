from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator, Set
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save

from retrieval.shards import (
    STEP,
    PageKey,
    PageRegions,
    coded,
    decoded,
    each_page,
    in_pixels,
    most_regions,
    pages_in,
    parts_of_sides,
    read_shard,
    shard_paths,
    tidy_shards,
    write_shard,
)

SIZE = 8


def page(number: int, regions: int = 3) -> PageRegions:
    rng = np.random.default_rng(number)
    return PageRegions(
        PageKey(f"{number:064x}", number % 2),
        rng.integers(0, 65_536, (regions, 4)).astype(np.uint16),
        rng.random(regions) < 0.5,
        rng.integers(-127, 128, (regions, SIZE)).astype(np.int8),
    )


def same(one: PageRegions, other: PageRegions) -> bool:
    return (
        one.page == other.page
        and np.array_equal(one.boxes, other.boxes)
        and np.array_equal(one.slid, other.slid)
        and np.array_equal(one.codes, other.codes)
    )


@given(st.lists(st.integers(0, 5), min_size=1, max_size=5))
def test_a_shard_gives_back_its_pages(tmp_path_factory: pytest.TempPathFactory, counts) -> None:
    folder = tmp_path_factory.mktemp("shards")
    pages = [page(number, count) for number, count in enumerate(counts)]
    read = read_shard(write_shard(folder, "s", pages), SIZE, "s")
    assert read is not None
    assert all(same(*both) for both in zip(read, pages, strict=True))


@pytest.mark.parametrize("damage", ["truncated", "garbled", "empty", "renamed"])
def test_a_damaged_shard_is_not_read(tmp_path: Path, damage: str) -> None:
    path = write_shard(tmp_path, "s", [page(1)])
    content = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(content[:-1])
    elif damage == "garbled":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        path = path.rename(path.with_stem("0" * 64))
    assert read_shard(path, SIZE) is None
    assert list(each_page(tmp_path, SIZE)) == []
    assert tidy_shards(tmp_path, "s", SIZE, {page(1).page}) == set()
    assert shard_paths(tmp_path) == [], "thrown away, to be made again"


@given(st.binary(max_size=300))
def test_any_bytes_under_their_right_name_are_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / f"{hashlib.sha256(content).hexdigest()}.regions"
    path.write_bytes(content)
    assert read_shard(path, SIZE) is None
    assert read_shard(path, SIZE, "s") is None


def test_another_models_or_schemes_shard_is_not_taken(tmp_path: Path) -> None:
    path = write_shard(tmp_path, "old", [page(1)])
    assert read_shard(path, SIZE + 1) is None
    assert read_shard(path, SIZE, "new") is None
    assert tidy_shards(tmp_path, "new", SIZE, {page(1).page}) == set()


def test_a_shard_copied_from_another_models_folder_is_not_taken(tmp_path: Path) -> None:
    own, other = (tmp_path / model / "everywhere" for model in ("own", "other"))
    first, second = write_shard(own, "s", [page(1)]), write_shard(other, "s", [page(2)])
    copied = Path(shutil.copy(second, own))
    assert read_shard(second, SIZE, "s") is not None
    assert read_shard(copied, SIZE, "s") is None and pages_in(copied) == set()
    assert [one.page for one in each_page(own, SIZE)] == [page(1).page]
    wanted = {page(number).page for number in (1, 2)}
    assert tidy_shards(own, "s", SIZE, wanted) == {page(1).page}
    assert shard_paths(own) == [first]


def test_a_shard_that_does_not_say_its_model_is_that_of_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "own" / "everywhere"
    named = write_shard(folder, "s", [page(1)])
    arrays = load_file(named)
    del arrays["model"]
    content = save(arrays, {"scheme": "s"})
    path = folder / f"{hashlib.sha256(content).hexdigest()}.regions"
    path.write_bytes(content)
    named.unlink()
    assert tidy_shards(folder, "s", SIZE, {page(1).page}) == {page(1).page}
    assert shard_paths(folder) == [path], "left as it is"
    assert pages_in(path) == {page(1).page}


def test_how_many_regions_there_are_at_the_most_is_told_by_the_files_alone(tmp_path: Path) -> None:
    assert most_regions(tmp_path, SIZE) == 0
    write_shard(tmp_path, "s", [page(number, 300) for number in range(20)])
    write_shard(tmp_path, "s", [page(20, 1000)])
    (tmp_path / f"{'0' * 64}.regions").symlink_to(tmp_path / "gone")
    assert 7000 <= most_regions(tmp_path, SIZE) <= 7200


def test_pages_that_are_put_together_while_they_are_read_are_not_lost(tmp_path: Path) -> None:
    pages = {page(number).page: page(number) for number in range(5)}
    for one in pages.values():
        write_shard(tmp_path, "s", [one])
    reading = each_page(tmp_path, SIZE)
    found = [next(reading), next(reading)]
    assert tidy_shards(tmp_path, "s", SIZE, set(pages)) == set(pages)
    assert len(shard_paths(tmp_path)) == 1
    found += reading
    assert len(found) == 5, "each once"
    assert all(same(one, pages[one.page]) for one in found)


def test_tidying_puts_pages_together_once_and_drops_those_that_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.shards.FULL", 4)
    for number in range(7):
        write_shard(tmp_path, "s", [page(number)])
    write_shard(tmp_path, "s", [page(2), page(3)])  # as a kill in the middle of tidying leaves it
    (tmp_path / ".unfinished-1").write_bytes(b"half")
    wanted = {page(number).page for number in range(6)}
    assert tidy_shards(tmp_path, "s", SIZE, wanted) == wanted
    found = {known.page: known for known in each_page(tmp_path, SIZE)}
    assert set(found) == wanted
    assert all(same(found[page(number).page], page(number)) for number in range(6))
    assert len(shard_paths(tmp_path)) == 2
    assert len(list(tmp_path.iterdir())) == 2
    before = {path: path.stat().st_mtime_ns for path in shard_paths(tmp_path)}
    assert tidy_shards(tmp_path, "s", SIZE, wanted) == wanted
    assert {path: path.stat().st_mtime_ns for path in shard_paths(tmp_path)} == before


class Wanted(Set):
    """A set that counts how often all of it was gone through."""

    def __init__(self, keys: Iterable[PageKey]) -> None:
        self._keys, self.walks = frozenset(keys), 0

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[PageKey]:
        self.walks += 1
        return iter(self._keys)


@pytest.mark.parametrize("scheme", ["new", "old"])
def test_tidying_many_shards_takes_no_look_at_every_page_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setattr("retrieval.shards.FULL", 2)
    for number in range(0, 12, 2):
        write_shard(tmp_path, scheme, [page(number), page(number + 1)])
    wanted = Wanted(page(number).page for number in range(12))
    before = shard_paths(tmp_path)
    kept = tidy_shards(tmp_path, "new", SIZE, wanted)
    assert kept == (set(wanted) if scheme == "new" else set())
    assert shard_paths(tmp_path) == before
    assert wanted.walks <= 2, "one of them is this test's"


def test_pages_of_another_scheme_stay_until_they_are_replaced(tmp_path: Path) -> None:
    old = write_shard(tmp_path, "old", [page(1), page(2), page(3)])
    wanted = {page(1).page, page(2).page, page(4).page}
    assert tidy_shards(tmp_path, "new", SIZE, wanted) == set(), "to be looked through anew"
    assert not old.exists(), "page 3 has gone"
    assert {known.page for known in each_page(tmp_path, SIZE)} == {page(1).page, page(2).page}
    (kept,) = shard_paths(tmp_path)
    assert read_shard(kept, SIZE, "old") is not None
    tidy_shards(tmp_path, "new", SIZE, wanted)
    assert shard_paths(tmp_path) == [kept], "nothing more to do"

    anew = page(1, regions=5)
    write_shard(tmp_path, "new", [anew, page(4)])
    assert tidy_shards(tmp_path, "new", SIZE, wanted) == {page(1).page, page(4).page}
    found = {known.page: known for known in each_page(tmp_path, SIZE)}
    assert set(found) == wanted, "page 2, which could not be read anew, is still searched"
    assert same(found[page(1).page], anew)
    write_shard(tmp_path, "new", [page(2)])
    assert tidy_shards(tmp_path, "new", SIZE, wanted) == wanted
    assert all(read_shard(path, SIZE, "new") is not None for path in shard_paths(tmp_path))


def test_codes_are_as_near_as_a_byte_allows() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(50, 128)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert np.abs(decoded(coded(vectors)) - vectors).max() <= STEP / 2 + 1e-6


@given(
    st.integers(1, 30_000),
    st.integers(1, 30_000),
    st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)),
)
def test_boxes_come_back_to_the_pixel(width: int, height: int, shares) -> None:
    box = np.array([[int(s * side) for s, side in zip(shares, [width, height] * 2, strict=True)]])
    back = in_pixels(parts_of_sides(box, (width, height)), np.array([width, height]))
    np.testing.assert_array_equal(back, box)
