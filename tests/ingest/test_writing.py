from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from sqlalchemy import select

from ingest.batch import resegment_pages
from ingest.confirming import judge_mark
from ingest.manner import Manner
from ingest.rehearsal import rehearse
from ingest.report import IngestReport
from ingest.segmentation import Proposal, Segmenter
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.groups import (
    ProposedGroup,
    groups_to_judge,
    next_group,
    replace_proposed_groups,
)
from retrieval.catalogue.judgements import refuse_group
from retrieval.catalogue.marks import MarkRow, mark_rows, marks_to_embed
from retrieval.catalogue.tables import Embedding, Identity, IdentityMark, Mark, Model, Page
from retrieval.crops import load_crop
from tests.ingest.scans import (
    boxes,
    crops_of,
    dump,
    page_image,
    pages_of,
    propose,
    quarantine,
    scan,
)


def _seen(archive: Archive, mark: int) -> MarkRow:
    with archive.session() as session:
        return mark_rows(session, [mark])[mark]


def searched(archive: Archive) -> list[str]:
    """Return the sources of the marks that a search finds."""
    with archive.session() as session:
        marks = [mark for mark, _ in marks_to_embed(session, "m", "ink")]
        return sorted(row.source for row in mark_rows(session, marks).values())


def test_a_changed_page_gets_new_proposals_and_keeps_peoples_marks(
    archive: Archive, tmp_path: Path
) -> None:
    path = scan(tmp_path / "in" / "a.png", (0, 0), (1, 1), (2, 2), (3, 3))
    pages_of(archive, tmp_path / "in")
    with archive.writing() as session:
        confirmed, proposed, rejected, named = session.scalars(select(Mark).order_by(Mark.x)).all()
        confirmed.status, rejected.status = "confirmed", "rejected"
        confirmed.polygon = [[0, 0], [20, 0], [20, 20]]
        identity = Identity(name="van der Meer")
        session.add(identity)
        session.add(Model(id="m", architecture="dcgan", objective="contrastive", origin="trained"))
        session.flush()
        session.add(
            IdentityMark(
                identity_id=identity.id, mark_id=named.id, certainty="possible", said_by="a"
            )
        )
        for mark in (confirmed, proposed):
            session.add(Embedding(mark_id=mark.id, model_id="m", crop=mark.crop, vector=b""))
        kept = {confirmed.id, rejected.id, named.id}
        old_crop = confirmed.crop
    # Scanned again at twice the size, darker, with one mark more.
    image = page_image((0, 0), (1, 1), (2, 2), (3, 3), (4, 0)).repeat(2, axis=0).repeat(2, axis=1)
    Image.fromarray(image // 2 + 5).save(path)

    def propose_larger(image: np.ndarray) -> list[Proposal]:
        return [
            Proposal(2 * one.x, 2 * one.y, 40, 40, 0.5)
            for one in propose(np.where(image < 60, 0, 255)[::2, ::2])
        ]

    report = pages_of(archive, tmp_path / "in", propose=propose_larger)
    assert (report.added, report.changed) == (0, 1)
    assert boxes(archive, "a.png") == [
        (0, 0, "confirmed"),
        (40, 40, "proposed"),
        (80, 80, "rejected"),
        (120, 120, "proposed"),
        (160, 0, "proposed"),
    ]
    with archive.session() as session:
        assert set(session.scalars(select(Mark.id))) >= kept
        mark = session.get_one(Mark, min(kept))
        assert (mark.width, mark.height) == (40, 40)
        assert mark.polygon == [[0, 0], [40, 0], [40, 40]]
        assert mark.crop != old_crop
        assert np.array_equal(load_crop(archive, mark.crop), (image // 2 + 5)[:40, :40])
        assert session.scalars(select(Embedding.mark_id)).all() == [mark.id]
        page = session.scalars(select(Page)).one()
        assert (page.width, page.height) == (200, 160)


def test_a_mark_judged_while_its_changed_page_is_read_waits_for_the_next_run(
    archive: Archive, tmp_path: Path
) -> None:
    path = tmp_path / "in" / "a.tif"
    path.parent.mkdir()

    def write(row: int) -> None:
        with tifffile.TiffWriter(path) as writer:
            for column in range(2):
                writer.write(page_image((column, row), (4, 3)), photometric="rgb")

    def judged_meanwhile(image: np.ndarray) -> list[Proposal]:
        judge_mark(archive, _seen(archive, 3), "confirmed", "Ada")
        return propose(image)

    write(0)
    pages_of(archive, tmp_path / "in")
    before = dump(archive)
    write(1)
    report = pages_of(archive, tmp_path / "in", propose=judged_meanwhile)
    assert (report.changed, report.failed) == (1, 1)
    (row,) = quarantine(archive)
    assert (row["source"], row["frame"]) == ("a.tif", "1")
    assert row["reason"] == "A mark on it was judged while it was being read."
    assert row["advice"] == "Ingest it again."
    now = dump(archive)
    assert now["pages"][0]["sha256"] != now["pages"][1]["sha256"]
    assert now["pages"][1] == before["pages"][1]
    assert [mark for mark in now["marks"] if mark["page_id"] == 2] == [
        before["marks"][2] | {"status": "confirmed", "origin": "person:Ada"},
        before["marks"][3],
    ]
    report = pages_of(archive, tmp_path / "in")
    assert (report.changed, report.unchanged, report.failed, report.healed) == (1, 1, 0, 1)
    mark = next(mark for mark in dump(archive)["marks"] if mark["id"] == 3)
    assert mark["status"] == "confirmed"
    assert np.array_equal(
        load_crop(archive, mark["crop"]),
        page_image((1, 1), (4, 3))[mark["y"] :, mark["x"] :][:20, :20],
    )


def test_a_mark_judged_while_its_page_is_looked_through_anew_stays(
    archive: Archive, tmp_path: Path
) -> None:
    scan(tmp_path / "in" / "a.png", (0, 0), (1, 1))
    pages_of(archive, tmp_path / "in")
    before = dump(archive)["marks"][1]

    def judged_meanwhile(image: np.ndarray) -> list[Proposal]:
        judge_mark(archive, _seen(archive, before["id"]), "confirmed", "Ada")
        return propose(image)

    report = resegment_pages(archive, Segmenter("squares-2", judged_meanwhile), Manner(workers=0))
    assert (report.changed, report.failed, report.marks) == (1, 0, 1)
    assert before | {"status": "confirmed", "origin": "person:Ada"} in dump(archive)["marks"]


def test_marks_of_a_group_that_was_refused_stay_and_are_not_grouped_again(
    archive: Archive, tmp_path: Path
) -> None:
    scan(tmp_path / "in" / "a.png", (0, 0), (1, 1), (2, 2), (3, 3))
    pages_of(archive, tmp_path / "in")
    refused, waiting = ProposedGroup((1, 2), (0.9, 0.9)), ProposedGroup((3, 4), (0.8, 0.8))
    with archive.writing() as session:
        session.add(Model(id="m", architecture="dcgan", objective="contrastive", origin="trained"))
        session.flush()
        replace_proposed_groups(session, "m", 1e-4, 0.8, [refused, waiting])
        first = next_group(session)
        assert first is not None
        refuse_group(session, first, seen=(1, 2), said_by="Ada")
    resegment_pages(archive, Segmenter("squares-2", propose), Manner(workers=0))
    with archive.writing() as session:
        found = session.execute(select(Mark.id, Mark.x, Mark.origin).order_by(Mark.x)).all()
        assert [(x, origin) for _, x, origin in found] == [
            (0, "squares-1"),
            (20, "squares-1"),
            (40, "squares-2"),
            (60, "squares-2"),
        ]
        assert [mark for mark, _, _ in found][:2] == [1, 2]
        assert replace_proposed_groups(session, "m", 1e-4, 0.8, [refused]) == 1, "it is settled"
        assert groups_to_judge(session) == 0


def test_a_changed_crop_stays_the_same_mark(archive: Archive, tmp_path: Path) -> None:
    path = scan(tmp_path / "in" / "a.png", (0, 0), size=(40, 20))
    crops_of(archive, tmp_path / "in")
    (before,) = dump(archive)["marks"]
    scan(path, (1, 0), size=(80, 60))
    report = crops_of(archive, tmp_path / "in")
    (after,) = dump(archive)["marks"]
    assert (report.changed, report.added) == (1, 0)
    assert after["id"] == before["id"] and after["crop"] != before["crop"]
    assert (after["width"], after["height"], after["status"]) == (80, 60, "confirmed")


def test_what_was_ingested_as_the_wrong_kind_can_be_ingested_again(
    archive: Archive, tmp_path: Path
) -> None:
    scan(tmp_path / "in" / "a.png", (0, 0), (2, 2))
    pages_of(archive, tmp_path / "in")
    assert crops_of(archive, tmp_path / "in").changed == 1
    assert boxes(archive, "a.png") == [(0, 0, "confirmed")]
    assert crops_of(archive, tmp_path / "in").unchanged == 1
    assert pages_of(archive, tmp_path / "in").changed == 1
    assert boxes(archive, "a.png") == [(0, 0, "proposed"), (40, 40, "proposed")]


def test_images_that_left_a_tiff_leave_the_archive(archive: Archive, tmp_path: Path) -> None:
    path = tmp_path / "in" / "a.tif"
    path.parent.mkdir()

    def write(count: int) -> None:
        with tifffile.TiffWriter(path) as writer:
            for column in range(count):
                writer.write(page_image((column, 0)), photometric="rgb")

    write(4)
    pages_of(archive, tmp_path / "in")
    with archive.writing() as session:
        session.scalars(select(Mark).where(Mark.x == 60)).one().status = "confirmed"
    write(1)
    pages_of(archive, tmp_path / "in")
    # The last one's mark is a person's: it is not thrown away.
    assert [page["frame"] for page in dump(archive)["pages"]] == [0, 3]
    assert pages_of(archive, tmp_path / "in").changed == 0


def test_a_copy_is_a_page_of_its_own_and_flagged(archive: Archive, tmp_path: Path) -> None:
    path = scan(tmp_path / "in" / "a.png", (1, 1))
    pages_of(archive, tmp_path / "in")
    shutil.copy(path, tmp_path / "in" / "b.png")
    report = pages_of(archive, tmp_path / "in")
    assert (report.added, report.duplicates, report.moved) == (1, 1, 0)
    first, second = dump(archive)["pages"]
    assert (first["duplicate_of"], second["duplicate_of"]) == (None, first["id"])
    assert boxes(archive, "b.png") == boxes(archive, "a.png")


def test_copies_in_one_run_are_flagged_too(archive: Archive, tmp_path: Path) -> None:
    path = scan(tmp_path / "in" / "a.png", (1, 1))
    for name in ("b.png", "c.png"):
        shutil.copy(path, tmp_path / "in" / name)
    assert pages_of(archive, tmp_path / "in").duplicates == 2
    assert [page["duplicate_of"] for page in dump(archive)["pages"]] == [None, 1, 1]


def test_a_copy_of_a_page_that_changes_is_a_copy_no_more(archive: Archive, tmp_path: Path) -> None:
    path = scan(tmp_path / "in" / "a.png", (1, 1))
    for name in ("b.png", "c.png"):
        shutil.copy(path, tmp_path / "in" / name)
    pages_of(archive, tmp_path / "in")
    scan(path, (2, 2))
    pages_of(archive, tmp_path / "in")
    assert [page["duplicate_of"] for page in dump(archive)["pages"]] == [None, None, 2]


def test_proposals_on_a_copy_are_sought_once_it_is_a_copy_no_more(
    archive: Archive, tmp_path: Path
) -> None:
    path = scan(tmp_path / "in" / "a.png", (1, 1))
    shutil.copy(path, tmp_path / "in" / "b.png")
    pages_of(archive, tmp_path / "in")
    assert searched(archive) == ["a.png"]
    scan(path, (2, 2))
    pages_of(archive, tmp_path / "in")
    assert searched(archive) == ["a.png", "b.png"]


def test_crops_are_marks_each_even_of_equal_files(archive: Archive, tmp_path: Path) -> None:
    path = scan(tmp_path / "in" / "a.png", (1, 1))
    shutil.copy(path, tmp_path / "in" / "b.png")
    assert crops_of(archive, tmp_path / "in").duplicates == 1
    with archive.session() as session:
        assert len(marks_to_embed(session, "m", "ink")) == 2


def test_a_page_is_no_copy_of_a_crop(archive: Archive, tmp_path: Path) -> None:
    path = scan(tmp_path / "cut" / "a.png", (1, 1))
    crops_of(archive, tmp_path / "cut")
    (tmp_path / "in").mkdir()
    shutil.copy(path, tmp_path / "in" / "b.png")
    assert rehearse(archive, [tmp_path / "in"]).copies == ()
    assert pages_of(archive, tmp_path / "in").duplicates == 0
    with archive.session() as session:  # the crop's mark and the page's proposal
        assert len(marks_to_embed(session, "m", "ink")) == 2


@pytest.mark.parametrize("name", ["a.png", "b.png"])
@pytest.mark.parametrize("first", [crops_of, pages_of])
def test_of_equal_files_none_is_the_copy_of_one_of_the_other_kind(
    archive: Archive, tmp_path: Path, first: Callable[..., IngestReport], name: str
) -> None:
    then = pages_of if first is crops_of else crops_of
    path = scan(tmp_path / "in" / "a.png", (1, 1), (2, 2))
    shutil.copy(path, tmp_path / "in" / "b.png")
    first(archive, tmp_path / "in")
    assert then(archive, tmp_path / "in" / name).changed == 1
    assert [page["duplicate_of"] for page in dump(archive)["pages"]] == [None, None]
    other = "b.png" if name == "a.png" else "a.png"
    page, crop = (name, other) if then is pages_of else (other, name)
    assert searched(archive) == sorted([page, page, crop])
    assert then(archive, tmp_path / "in" / "a.png", tmp_path / "in" / "b.png").changed == 1
    ids = [page["duplicate_of"] for page in dump(archive)["pages"]]
    assert ids == ([None, 1] if name == "a.png" else [2, None])


def test_a_file_that_changes_while_it_is_read_is_not_believed(
    archive: Archive, tmp_path: Path
) -> None:
    path = scan(tmp_path / "in" / "a.png", (1, 1))

    def meddle(image: np.ndarray) -> list[Proposal]:
        os.utime(path, ns=(7, 7))
        return propose(image)

    assert pages_of(archive, tmp_path / "in", propose=meddle).failed == 1
    assert "changed while" in quarantine(archive)[0]["reason"]
    assert pages_of(archive, tmp_path / "in").added == 1


def test_proposals_are_kept_within_the_page(archive: Archive, tmp_path: Path) -> None:
    def wild(_image: np.ndarray) -> list[Proposal]:
        return [
            Proposal(-10, -10, 30, 30, 1.5),
            Proposal(90, 70, 500, 500, -1.0),
            Proposal(200, 0, 5, 5, 0.5),
            Proposal(5, 5, 0, 9, 0.5),
        ]

    scan(tmp_path / "in" / "a.png")
    pages_of(archive, tmp_path / "in", propose=wild)
    assert [
        (mark["x"], mark["y"], mark["width"], mark["height"], mark["score"])
        for mark in dump(archive)["marks"]
    ] == [(0, 0, 20, 20, 1.0), (90, 70, 10, 10, 0.0)]


def test_every_image_of_a_tiff_is_a_page(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with tifffile.TiffWriter(tmp_path / "in" / "a.tif") as writer:
        writer.write(page_image((0, 0)), photometric="rgb")
        writer.write(page_image((1, 0), (2, 0)), photometric="rgb")
    report = pages_of(archive, tmp_path / "in")
    assert (report.added, report.marks) == (2, 3)
    assert [page["frame"] for page in dump(archive)["pages"]] == [0, 1]
    assert pages_of(archive, tmp_path / "in").unchanged == 2
