from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from ingest.batch import retry_quarantined
from ingest.documents.claims import Claimed, claims_met
from ingest.manner import Manner, Progress
from retrieval.catalogue.archive import Archive, create_archive, open_archive
from retrieval.catalogue.errors import ArchiveBusy, ArchiveError, MetadataError, SourceError
from retrieval.catalogue.tables import Mark
from retrieval.crops import crop_path, load_crop
from tests.ingest.scans import crops_in, crops_of, dump, page_image, pages_of, rows, scan


def test_pages_get_the_segmenters_proposals(archive: Archive, tmp_path: Path) -> None:
    path = scan(tmp_path / "in" / "box 1" / "a.png", (1, 2), (3, 0))
    report = pages_of(archive, tmp_path / "in")
    assert (report.added, report.marks, report.failed) == (1, 2, 0)
    (page,) = dump(archive)["pages"]
    assert page["source"] == "box 1/a.png"
    assert page["location"] == str(path)
    assert (page["width"], page["height"], page["segmenter"]) == (100, 80, "squares-1")
    first, second = dump(archive)["marks"]
    assert (first["x"], first["y"], first["width"], first["height"]) == (60, 0, 20, 20)
    assert (first["status"], first["score"], first["origin"]) == ("proposed", 0.75, "squares-1")
    assert np.array_equal(load_crop(archive, second["crop"]), page_image((1, 2))[40:60, 20:40])


def test_crops_are_confirmed_marks(archive: Archive, tmp_path: Path) -> None:
    scan(tmp_path / "in" / "10.png", (0, 0), size=(30, 20))
    scan(tmp_path / "in" / "9.png", (1, 0), size=(40, 20))
    report = crops_of(archive, tmp_path / "in")
    assert (report.added, report.marks) == (2, 2)
    assert [page["source"] for page in dump(archive)["pages"]] == ["9.png", "10.png"]
    mark = dump(archive)["marks"][0]
    assert (mark["x"], mark["y"], mark["width"], mark["height"]) == (0, 0, 40, 20)
    assert (mark["status"], mark["score"], mark["origin"]) == ("confirmed", None, "ingest")
    assert dump(archive)["pages"][0]["segmenter"] is None
    assert load_crop(archive, mark["crop"]).shape == (20, 40, 3)


def test_masters_are_not_touched(archive: Archive, tmp_path: Path) -> None:
    path = scan(tmp_path / "in" / "a.png", (1, 1))
    before = path.read_bytes(), path.stat().st_mtime_ns, sorted((tmp_path / "in").iterdir())
    pages_of(archive, tmp_path / "in")
    assert before == (
        path.read_bytes(),
        path.stat().st_mtime_ns,
        sorted((tmp_path / "in").iterdir()),
    )


def test_progress_counts_every_file_once(archive: Archive, tmp_path: Path) -> None:
    for number in range(5):
        scan(tmp_path / "in" / f"{number}.png", (number, 0))
    (tmp_path / "in" / "5.png").write_bytes(b"junk")
    for _ in range(2):
        seen: list[Progress] = []
        pages_of(archive, tmp_path / "in", progress=seen.append)
        assert [event.done for event in seen] == [1, 2, 3, 4, 5, 6]
        assert {event.total for event in seen} == {6}
        assert {event.name for event in seen} == {f"{number}.png" for number in range(6)}


def test_no_room_for_crops_ends_the_run(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(tmp_path / "in" / "a.png", (1, 1))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("retrieval.crops.write_atomically", full)
        with pytest.raises(ArchiveError, match="No space left"):
            pages_of(archive, tmp_path / "in")
    assert dump(archive)["pages"] == []
    assert pages_of(archive, tmp_path / "in").added == 1


TABLE = """\
reference,title,date,ship,source,folio
HCA 32/1/1,Bill of lading,1745,De Hoop,b.png,3r
HCA 32/1/1,,,,a.png,3v
HCA 32/1/2,Letter,c. 1690,,,
"""


def test_documents_come_with_the_pages_or_later(archive: Archive, tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.png"):
        scan(tmp_path / "in" / name, (1, 1))
    (tmp_path / "documents.csv").write_text(TABLE, encoding="utf-8")
    other = create_archive(tmp_path / "other")
    together = pages_of(other, tmp_path / "in", documents=[tmp_path / "documents.csv"])
    pages_of(archive, tmp_path / "in")
    later = pages_of(archive, tmp_path / "in", documents=[tmp_path / "documents.csv"])
    for report in (together, later):
        assert (report.documents, report.bound) == (2, 2)
        assert (report.pages_without_document, report.documents_without_pages) == (1, 1)
        assert report.sources_without_document == ("c.png",)
        assert report.references_without_page == ("HCA 32/1/2",)
        assert report.problems == ()
    assert dump(archive) == dump(other)
    first, second, third = dump(archive)["pages"]
    # The rows say b before a: the file names do not.
    assert [(page["document_id"], page["ordinal"]) for page in (second, first, third)] == [
        (1, 1),
        (1, 2),
        (None, 0),
    ]
    before = dump(archive, moments=True)
    assert pages_of(archive, tmp_path / "in", documents=[tmp_path / "documents.csv"]).documents == 0
    assert dump(archive, moments=True) == before
    other.close()


METS = """\
<mets xmlns="http://www.loc.gov/METS/" xmlns:xlink="http://www.w3.org/1999/xlink">
<dmdSec ID="D"><mdWrap MDTYPE="MODS"><xmlData><mods xmlns="http://www.loc.gov/mods/v3">
<identifier>HCA 32/1/2</identifier></mods></xmlData></mdWrap></dmdSec>
<fileSec><fileGrp><file ID="F"><FLocat xlink:href="https://x.example/scans/c.png"/></file>
<file ID="G"><FLocat xlink:href="https://x.example/scans/gone.png"/></file></fileGrp></fileSec>
<structMap><div DMDID="D"><div><fptr FILEID="F"/></div><div><fptr FILEID="G"/></div></div>
</structMap></mets>
"""


def test_several_documents_files_of_several_kinds(archive: Archive, tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.png"):
        scan(tmp_path / "in" / name, (1, 1))
    (tmp_path / "documents.csv").write_text(TABLE, encoding="utf-8")
    (tmp_path / "mets").write_text(METS, encoding="utf-8")
    report = pages_of(
        archive, tmp_path / "in", documents=[tmp_path / "documents.csv", tmp_path / "mets"]
    )
    assert (report.bound, report.sources_without_document) == (3, ())
    assert (report.pages_without_document, report.documents_without_pages) == (0, 0)
    assert report.problems == (
        "mets, line 6: no page 'https://x.example/scans/gone.png' has been ingested.",
    )
    assert dump(archive)["pages"][2]["document_id"] == 2


@pytest.fixture
def volumes(archive: Archive, tmp_path: Path) -> Path:
    """Two volumes whose files have the same names; the first is in, with its documents file."""
    for number in (1, 2):
        for page in (1, 2):
            scan(tmp_path / f"vol{number}" / f"img{page}.png", (number, page))
        (tmp_path / f"v{number}.csv").write_text(
            f"reference,source\nHCA 32/{number}/1,img1.png\nHCA 32/{number}/1,img2.png\n"
        )
        (tmp_path / f"m{number}.xml").write_text(
            METS.replace("HCA 32/1/2", f"HCA 32/{number}/1")
            .replace("https://x.example/scans/c.png", "images/img1.png")
            .replace("https://x.example/scans/gone.png", "images/img2.png")
        )
    pages_of(archive, tmp_path / "vol1", documents=[tmp_path / "v1.csv"])
    return tmp_path


def bound(archive: Archive) -> list[tuple[str, str | None, int]]:
    references = {one["id"]: one["reference"] for one in dump(archive)["documents"]}
    return [
        (one["source"], references.get(one["document_id"]), one["ordinal"])
        for one in dump(archive)["pages"]
    ]


FIRST_VOLUME = [("img1.png", "HCA 32/1/1", 1), ("img2.png", "HCA 32/1/1", 2)]
BOTH_VOLUMES = [
    *FIRST_VOLUME,
    ("vol2/img1.png", "HCA 32/2/1", 1),
    ("vol2/img2.png", "HCA 32/2/1", 2),
]


@pytest.mark.parametrize("described", ["v2.csv", "m2.xml"])
def test_a_volume_has_its_own_pages_though_its_files_are_named_as_another_volumes(
    archive: Archive, volumes: Path, described: str
) -> None:
    report = pages_of(archive, volumes / "vol2", documents=[volumes / described])
    assert (report.bound, report.problems) == (2, ())
    assert (report.sources_without_document, report.references_without_page) == ((), ())
    assert bound(archive) == BOTH_VOLUMES
    for number in (1, 2):  # and once more
        again = pages_of(archive, volumes / f"vol{number}", documents=[volumes / f"v{number}.csv"])
        assert (again.bound, again.bound_already, again.problems) == (0, 2, ())
        assert bound(archive) == BOTH_VOLUMES


@pytest.mark.parametrize(
    ("described", "line", "named"), [("v2.csv", 3, "img2.png"), ("m2.xml", 6, "images/img2.png")]
)
def test_a_page_that_could_not_be_read_is_not_taken_from_another_volume(
    archive: Archive, volumes: Path, described: str, line: int, named: str
) -> None:
    (volumes / "vol2/img2.png").write_bytes(b"damaged")
    report = pages_of(archive, volumes / "vol2", documents=[volumes / described])
    assert report.problems == (f"{described}, line {line}: no page {named!r} has been ingested.",)
    assert bound(archive) == [*FIRST_VOLUME, ("vol2/img1.png", "HCA 32/2/1", 1)]


def test_which_of_two_volumes_is_meant_is_not_guessed(archive: Archive, volumes: Path) -> None:
    both = [volumes / "v1.csv", volumes / "v2.csv"]
    report = pages_of(archive, volumes / "vol1", volumes / "vol2", documents=both)
    assert report.bound == 0
    assert report.problems[0] == (
        "v1.csv, line 2: 'img1.png' matches 2 pages, such as 'img1.png' and "
        "'vol2/img1.png': write more of its path, 'vol1/img1.png' or 'vol2/img1.png'."
    )
    assert len(report.problems) == 4
    # Which is given no folder.
    report = retry_quarantined(archive, manner=Manner(workers=0, documents=both))
    assert (report.bound, len(report.problems)) == (0, 4)
    for number in (1, 2):
        path = volumes / f"v{number}.csv"
        path.write_text(path.read_text().replace("img", f"vol{number}/img"))
    assert retry_quarantined(archive, manner=Manner(workers=0, documents=both)).problems == ()
    assert bound(archive) == BOTH_VOLUMES


def test_a_bad_documents_file_stops_before_anything_is_written(
    archive: Archive, tmp_path: Path
) -> None:
    scan(tmp_path / "in" / "a.png", (1, 1))
    (tmp_path / "documents.csv").write_text("title\nno reference\n", encoding="utf-8")
    with pytest.raises(MetadataError, match=r"documents\.csv, line 1"):
        pages_of(archive, tmp_path / "in", documents=[tmp_path / "documents.csv"])
    assert dump(archive)["pages"] == []


def test_a_missing_source_stops_before_anything_is_written(
    archive: Archive, tmp_path: Path
) -> None:
    scan(tmp_path / "in" / "a.png", (1, 1))
    with pytest.raises(SourceError, match="does not exist"):
        pages_of(archive, tmp_path / "in", tmp_path / "typo")
    assert dump(archive)["pages"] == []


def test_several_workers_give_what_one_gives(archive: Archive, tmp_path: Path) -> None:
    for number in range(9):
        scan(tmp_path / "in" / f"{number}.png", *[(column, 1) for column in range(number % 4)])
    (tmp_path / "in" / "4.png").write_bytes(b"junk")
    other = create_archive(tmp_path / "other")
    pages_of(archive, tmp_path / "in", workers=0)
    pages_of(other, tmp_path / "in", workers=3)
    assert dump(archive) == dump(other)
    assert crops_in(archive) == crops_in(other)
    other.close()


def test_two_runs_at_once_are_refused(archive: Archive, tmp_path: Path) -> None:
    scan(tmp_path / "in" / "a.png", (1, 1))
    other = open_archive(archive.folder)
    with other.lock(), pytest.raises(ArchiveBusy):
        pages_of(archive, tmp_path / "in")
    assert dump(archive)["pages"] == []
    other.close()


def test_real_drawings(archive: Archive, data: Path) -> None:
    folder = next(path for path in sorted((data / "drawn" / "Tagalog").iterdir()) if path.is_dir())
    report = crops_of(archive, folder)
    assert report.added == report.marks == len(list(folder.glob("*.png")))
    crops = rows(archive, select(Mark.crop))
    assert all(crop_path(archive, crop).is_file() for (crop,) in crops)


def test_others_may_write_while_the_pages_of_claims_are_sought(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(tmp_path / "in" / "a.png", (0, 0))
    (tmp_path / "documents.csv").write_text("reference,source\nHCA 32/1,a.png\n")
    wrote = []

    def sought(*given: Any) -> Claimed:
        with closing(sqlite3.connect(archive.folder / "archive.db", timeout=0)) as other:
            other.execute("BEGIN IMMEDIATE")
            wrote.append(True)
        return claims_met(*given)

    monkeypatch.setattr("ingest.batch.claims_met", sought)
    report = pages_of(archive, tmp_path / "in", documents=[tmp_path / "documents.csv"])
    assert (report.bound, wrote) == (1, [True])
