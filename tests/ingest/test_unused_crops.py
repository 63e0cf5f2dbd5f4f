"""Pictures of marks go with the last mark that has them, and not under somebody's hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from ingest.batch import resegment_pages
from ingest.forgetting import forget
from ingest.manner import Manner
from ingest.segmentation import Proposal, Segmenter
from ingest.unused_crops import JUST_WANTED, discard_crops, remove_unused_crops
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.tables import DiscardedCrop, Mark
from retrieval.crops import crop_path, load_crop, write_crop
from tests.ingest.scans import dump, pages_of, scan


@pytest.fixture
def pages(archive: Archive, tmp_path: Path) -> Iterator[list[str]]:
    """Two pages of two marks each, of which one mark looks the same; their pictures are old.

    The third is no mark's.
    """
    scan(tmp_path / "in/1.png", (0, 0), (2, 2))
    scan(tmp_path / "in/2.png", (1, 1), (3, 3))
    pages_of(archive, tmp_path / "in")
    crops = [mark["crop"] for mark in dump(archive)["marks"]]
    with archive.writing() as session:
        session.execute(update(Mark).where(Mark.id == 3).values(crop=crops[0]))
    for crop in crops:
        _age(archive, crop)
    yield crops


def _age(archive: Archive, crop: str) -> None:
    path = crop_path(archive, crop)
    old = path.stat().st_mtime - 2 * JUST_WANTED
    os.utime(path, (old, old))


def _kept(archive: Archive) -> set[str]:
    return {path.stem for path in archive.crops_folder.rglob("*.png")}


def test_pictures_go_with_the_page_but_not_another_marks(
    archive: Archive, pages: list[str]
) -> None:
    assert _kept(archive) == set(pages)
    forget(archive, ["1.png"])
    assert _kept(archive) == set(pages) - {pages[1]}
    assert {mark["crop"] for mark in dump(archive)["marks"]} <= _kept(archive)


def test_a_picture_that_was_just_wanted_stays(archive: Archive, pages: list[str]) -> None:
    picture = load_crop(archive, pages[1])
    assert write_crop(archive.crops_folder, picture) == pages[1]
    forget(archive, ["1.png"])
    assert pages[1] in _kept(archive)
    assert not list(archive.crops_folder.rglob(".unfinished-*"))


def test_a_picture_that_is_wanted_while_it_goes_is_written_anew(
    archive: Archive, pages: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    picture, replace = load_crop(archive, pages[1]), Path.replace

    def replaced(self: Path, target: Path) -> Path:
        done = replace(self, target)
        if self.stem == pages[1]:
            write_crop(archive.crops_folder, picture)
        return done

    monkeypatch.setattr(Path, "replace", replaced)
    forget(archive, ["1.png"])
    assert pages[1] in _kept(archive)


def test_what_is_gone_already_and_what_is_used_is_passed_over(
    archive: Archive, pages: list[str]
) -> None:
    with archive.writing() as session:
        discard_crops(session, [*pages, "0" * 64])
    remove_unused_crops(archive)
    assert _kept(archive) == set(pages) - {pages[2]}


def test_pictures_of_replaced_proposals_go_and_those_of_judged_marks_stay(
    archive: Archive, pages: list[str], tmp_path: Path
) -> None:
    """Of two pages' four proposals one was confirmed, one looks like another, and all move."""
    with archive.writing() as session:
        session.execute(update(Mark).where(Mark.id == 1).values(status="confirmed"))
    moved = Segmenter("squares-2", lambda page: [Proposal(5, 5, 20, 20, 0.9)])
    resegment_pages(archive, moved, Manner(workers=0))
    assert _kept(archive) - {pages[2]} == {mark["crop"] for mark in dump(archive)["marks"]}
    assert pages[0] in _kept(archive)
    assert not {pages[1], pages[3]} & _kept(archive)


def test_the_picture_of_a_confirmed_mark_goes_when_it_is_cut_anew(
    archive: Archive, pages: list[str], tmp_path: Path
) -> None:
    with archive.writing() as session:
        session.execute(update(Mark).where(Mark.id == 2).values(status="confirmed"))
    scan(tmp_path / "in/1.png", (0, 0), (1, 3))
    pages_of(archive, tmp_path / "in")
    assert pages[1] not in _kept(archive)
    assert _kept(archive) - {pages[2]} == {mark["crop"] for mark in dump(archive)["marks"]}


def _discarded(archive: Archive) -> list[str]:
    with archive.session() as session:
        return list(session.scalars(select(DiscardedCrop.crop)))


@pytest.mark.parametrize("at_once", [1, 500_000])
def test_a_run_deletes_what_one_that_was_killed_left(
    archive: Archive, pages: list[str], monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """It was killed between the catalogue and the pictures."""

    def killed(archive: Archive) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ingest.unused_crops._AT_ONCE", at_once)
    with monkeypatch.context() as killing:
        killing.setattr("ingest.forgetting.remove_unused_crops", killed)
        with pytest.raises(KeyboardInterrupt):
            forget(archive, ["1.png", "2.png"])
    assert _kept(archive) == set(pages) and set(_discarded(archive)) == {pages[0], *pages[1::2]}
    forget(archive, [])
    assert _kept(archive) == {pages[2]} and not _discarded(archive)


def test_a_picture_that_was_just_wanted_goes_the_next_time(
    archive: Archive, pages: list[str]
) -> None:
    write_crop(archive.crops_folder, load_crop(archive, pages[1]))
    forget(archive, ["1.png"])
    assert _discarded(archive) == [pages[1]]
    _age(archive, pages[1])
    forget(archive, [])
    assert pages[1] not in _kept(archive) and not _discarded(archive)
