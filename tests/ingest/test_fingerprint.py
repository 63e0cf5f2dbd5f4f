from __future__ import annotations

import io
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from ingest.fingerprint import BYTES, Looks, looks_of
from ingest.resemblance import MOST, Fingerprints
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.resemblances import resemblances, same_again
from retrieval.catalogue.tables import Page, Resemblance
from retrieval.ink import Pixels
from tests.ingest.scans import crops_of, dump, pages_of, rows, written_page


def jpeg(image: Pixels, quality: int) -> Pixels:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream).convert("RGB"))


def shifted(image: Pixels) -> Pixels:
    height, width = image.shape[:2]
    move = np.array([[1, 0, 0.01 * width], [0, 1, -0.01 * height]], np.float32)
    return np.asarray(
        cv2.warpAffine(image, move, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


CHANGES = {
    "quality 40": lambda image: jpeg(image, 40),
    "60 %": lambda image: cv2.resize(image, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA),
    "brighter": lambda image: np.clip(image * 1.15 + 8, 0, 255).astype(np.uint8),
    "darker": lambda image: np.clip(image * 0.75, 0, 255).astype(np.uint8),
    "shifted": shifted,
}


def distance(one: Looks, other: Looks) -> int:
    theirs = np.frombuffer(other.fingerprint, np.uint8)
    return min(
        int(np.bitwise_count(np.frombuffer(ours, np.uint8) ^ theirs).sum())
        for ours in (one.fingerprint, *one.shifted)
    )


@pytest.mark.parametrize("change", CHANGES)
def test_a_page_is_known_again(change: str) -> None:
    for seed in range(4):
        page = written_page(seed)
        before, after = looks_of(page), looks_of(np.ascontiguousarray(CHANGES[change](page)))
        assert before is not None and after is not None
        assert distance(after, before) <= MOST


def test_pages_that_are_laid_out_alike_are_not_the_same() -> None:
    looks = [found for seed in range(12) if (found := looks_of(written_page(seed)))]
    assert len(looks) == 12
    for at, one in enumerate(looks):
        assert all(distance(one, other) > MOST for other in looks[:at])


@pytest.mark.parametrize("noise", [0, 3, 10])
def test_blank_pages_have_no_fingerprint(noise: int) -> None:
    rng = np.random.default_rng(noise)
    light = np.linspace(190, 240, 700)[None, :, None]
    page = np.clip(light + rng.normal(0, noise, (900, 700, 1)), 0, 255).astype(np.uint8)
    assert looks_of(np.repeat(page, 3, axis=2)) is None
    assert looks_of(np.zeros((8, 900, 3), np.uint8)) is None


@pytest.mark.parametrize("noise", [0, 2, 6])
def test_pages_with_nothing_but_rules_have_no_fingerprint(noise: int) -> None:
    page = np.full((1400, 1000, 3), 220.0)
    page += np.random.default_rng(noise).normal(0, noise, (1400, 1000, 1))
    page[100:1300:40, 60:940] -= 60
    page[101:1300:40, 60:940] -= 60
    assert looks_of(np.clip(page, 0, 255).astype(np.uint8)) is None


def test_real_pages_do_not_resemble_each_other(data: Path) -> None:
    paths = sorted((data / "pages").glob("FONDUE*AEG*"))[:6]  # the most alike there are
    looks = {}
    for path in paths:
        with Image.open(path) as image:
            image.draft("RGB", (1000, 1000))
            looks[path.name] = looks_of(np.asarray(image.convert("RGB")))
    prints = [found for found in looks.values() if found is not None]
    assert len(prints) == len(paths) >= 4
    for at, one in enumerate(prints):
        assert all(distance(one, other) > MOST for other in prints[:at])


def test_fingerprints_in_memory(archive: Archive) -> None:
    rng = np.random.default_rng(1)
    prints = {page: rng.bytes(BYTES) for page in rng.permutation(3000).tolist()}
    known = Fingerprints()
    with archive.session() as session:
        known.load(session)
    for page, fingerprint in prints.items():
        known.put(page, fingerprint)
    flipped = np.frombuffer(prints[7], np.uint8).copy()
    flipped[:5] ^= 255
    known.put(4000, flipped.tobytes())
    assert known.near(Looks(prints[7], ())) == {7: 0, 4000: 40}
    assert known.near(Looks(prints[8], (prints[7],))) == {8: 0, 7: 0, 4000: 40}
    known.remove([7, 5000])
    assert known.near(Looks(prints[7], ())) == {4000: 40}
    assert known.of(7) is None and known.of(8) == prints[8]


def save(path: Path, image: Pixels, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, **options)
    return path


def like(archive: Archive) -> list[tuple[int, int]]:
    statement = select(Resemblance.page_id, Resemblance.like_id).order_by(Resemblance.page_id)
    return rows(archive, statement)


def test_an_image_of_several_in_a_file_is_called_by_its_number(
    archive: Archive, tmp_path: Path
) -> None:
    pages = [Image.fromarray(written_page(seed)) for seed in (1, 2)]
    save(tmp_path / "in" / "1.png", written_page(2))
    pages[0].save(tmp_path / "in" / "2.tif", save_all=True, append_images=pages[1:])
    shutil.copy(tmp_path / "in" / "2.tif", tmp_path / "in" / "3.tif")
    (found,) = pages_of(archive, tmp_path / "in").resembling
    assert (found.called, found.like_called) == ("2.tif, image 2", "1.png")
    with archive.session() as session:
        assert same_again(session, found.page) == (["3.tif, image 2"], ["1.png"])
        assert same_again(session, found.like) == ([], ["2.tif, image 2"])


def test_the_same_page_saved_again_is_flagged_and_kept(archive: Archive, tmp_path: Path) -> None:
    source = tmp_path / "in"
    save(source / "1.png", written_page(1))
    save(source / "2.png", written_page(2))
    save(source / "3.jpg", written_page(1), quality=45)
    report = pages_of(archive, source)
    assert report.added == 3 and report.duplicates == 0
    (found,) = report.resembling
    assert (found.source, found.like_source) == ("3.jpg", "1.png")
    assert 0 <= found.distance <= MOST
    with archive.session() as session:
        assert resemblances(session) == [found]
        assert same_again(session, found.like) == ([], ["3.jpg"])
        assert same_again(session, found.page) == ([], ["1.png"])
    # A later run compares with what the archive holds.
    save(source / "4.tif", CHANGES["60 %"](written_page(2)))
    assert [one.like_source for one in pages_of(archive, source).resembling] == ["2.png"]
    assert pages_of(archive, source).resembling == ()
    assert like(archive) == [(3, 1), (4, 2)]


def test_byte_equal_copies_are_not_flagged_twice(archive: Archive, tmp_path: Path) -> None:
    path = save(tmp_path / "in" / "1.png", written_page(1))
    (tmp_path / "in" / "2.png").write_bytes(path.read_bytes())
    save(tmp_path / "in" / "3.jpg", written_page(1), quality=45)
    report = pages_of(archive, tmp_path / "in")
    assert report.duplicates == 1
    assert like(archive) == [(3, 1)]
    with archive.session() as session:
        assert same_again(session, 2) == (["1.png"], ["3.jpg"])
    # The original changes: its copy takes its place, and is what the other looks like.
    save(path, written_page(5))
    pages_of(archive, tmp_path / "in")
    assert like(archive) == [(3, 2)]


def test_a_page_that_changes_is_compared_anew(archive: Archive, tmp_path: Path) -> None:
    save(tmp_path / "in" / "1.png", written_page(1))
    save(tmp_path / "in" / "2.jpg", written_page(1), quality=60)
    save(tmp_path / "in" / "3.png", written_page(3))
    pages_of(archive, tmp_path / "in")
    assert like(archive) == [(2, 1)]
    save(tmp_path / "in" / "1.png", CHANGES["60 %"](written_page(3)))
    report = pages_of(archive, tmp_path / "in")
    assert report.changed == 1
    assert like(archive) == [(3, 1)]


def test_pages_read_before_there_were_fingerprints(archive: Archive, tmp_path: Path) -> None:
    path = save(tmp_path / "in" / "1.png", written_page(1))
    pages_of(archive, tmp_path / "in")
    with archive.session() as session:
        session.execute(Page.__table__.update().values(fingerprint=None))
    save(tmp_path / "in" / "2.jpg", written_page(1), quality=60)
    assert pages_of(archive, tmp_path / "in").resembling == ()
    Image.open(path).save(path, compress_level=1)  # read again, it has one
    assert like(archive) == []
    pages_of(archive, tmp_path / "in")
    assert like(archive) == [(2, 1)]


def test_crops_of_marks_are_not_compared(archive: Archive, tmp_path: Path) -> None:
    save(tmp_path / "in" / "1.png", written_page(1))
    save(tmp_path / "in" / "2.jpg", written_page(1), quality=60)
    assert crops_of(archive, tmp_path / "in").resembling == ()
    assert {page["fingerprint"] for page in dump(archive)["pages"]} == {None}
