from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from ingest.annotations.formats import ANNOTATION_FORMATS, EXPORT_FORMATS, Format
from ingest.annotations.importing import import_annotations
from ingest.batch import resegment_pages
from ingest.csv_text import table_text
from ingest.manner import Manner
from ingest.segmentation import Proposal, Segmenter
from ingest.taken_back import TAKEN_BACK
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import ArchiveError
from retrieval.catalogue.tables import Identity, IdentityMark, Mark
from retrieval.crops import load_crop
from tests.ingest.annotations.exported import exported_text
from tests.ingest.annotations.five_pages import coco, imported, only_marks, written
from tests.ingest.scans import boxes, dump, page_image, pages_of, propose, scan


def test_what_a_person_confirmed_moved_or_rejected_outlives_the_segmentation(
    filled: Archive, scans: Path, tmp_path: Path
) -> None:
    scan(scans / "a/1.png", (0, 0), (1, 1), (2, 2), (3, 3))
    pages_of(filled, scans)
    text = exported_text(filled, ANNOTATION_FORMATS["csv"])
    rows = list(csv.DictReader(io.StringIO(text)))
    mine = {row["x"]: row for row in rows if row["source"] == "a/1.png"}
    mine["0"]["status"] = "confirmed"
    mine["20"]["status"] = "rejected"
    mine["40"]["x"] = "44"  # moved, and still called proposed
    mine["40"]["polygon"] = "44,40 64,40 60,60"
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    report = imported(filled, tmp_path / "corrected.csv", out.getvalue())
    assert (report.added, report.updated, report.unchanged) == (0, 3, len(rows) - 3)
    wanted = [(0, 0, "confirmed"), (20, 20, "rejected"), (44, 40, "confirmed"),
              (60, 60, "proposed")]  # fmt: skip
    assert boxes(filled, "a/1.png") == wanted
    moved = only_marks(filled, "a/1.png")[2]
    assert moved.origin == "import:corrected.csv"
    before = dump(filled)["marks"]

    def propose_others(image: np.ndarray) -> list[Proposal]:
        return [*propose(image), Proposal(80, 0, 10, 10, 0.9)]

    scan(scans / "a/1.png", (0, 0), (1, 1), (2, 2), (3, 3), (4, 3))  # scanned again
    pages_of(filled, scans, propose=propose_others, segmenter="squares-2")
    after = {row["id"]: row for row in dump(filled)["marks"]}
    for row in before:
        if row["status"] != "proposed":
            assert {**after[row["id"]], "crop": ""} == {**row, "crop": ""}
    assert boxes(filled, "a/1.png") == [*wanted, (80, 0, "proposed"), (80, 60, "proposed")]


def test_a_mark_that_was_moved_where_moments_are_in_milliseconds_is_that_mark(
    filled: Archive, tmp_path: Path
) -> None:
    first, second = only_marks(filled, "a/1.png")
    with filled.writing() as session:
        for mark, microsecond in ((first, 859_951), (second, 859_000)):
            moment = datetime(2026, 1, 2, 3, 4, 45, microsecond, UTC)
            session.get_one(Mark, mark.id).created_at = moment
    page = json.loads(exported_text(filled, ANNOTATION_FORMATS["webannotation"]))
    items = {one["id"].rpartition("/")[2]: one for one in page["items"]}
    assert items[f"{first.id}"]["created"] == "2026-01-02T03:04:45.859951Z"
    for one in items.values():
        moment = datetime.fromisoformat(one["created"])
        # As Annotorious 3 writes it back: JavaScript's Date has no more.
        one["created"] = f"{moment.isoformat(timespec='milliseconds')[:-6]}Z"
    for mark in (first, second):
        items[f"{mark.id}"]["target"]["selector"]["value"] = f"xywh=pixel:60,{mark.y},20,20"
    report = imported(filled, tmp_path / "moved.json", page)
    assert (report.added, report.updated, report.unchanged) == (0, 2, len(items) - 2)
    now = only_marks(filled, "a/1.png")
    assert [(one.id, one.x, one.status) for one in now] == [
        (first.id, 60, "confirmed"), (second.id, 60, "confirmed"),
    ]  # fmt: skip
    assert [one.created_at.microsecond for one in now] == [859_951, 859_000]
    later = datetime(2026, 1, 2, 3, 4, 45, 861_000, UTC).isoformat()
    said = {"mark": first.id, "created": later}
    region = {"bbox": [60, 45, 9, 9], "attributes": said}
    assert imported(filled, tmp_path / "x.json", coco("a/1.png", region)).added == 1


@pytest.mark.parametrize("kept", [("mark", "created"), ("mark",), ()])
def test_a_mark_that_was_not_moved_stays_as_it_is_where_the_file_says_no_status(
    filled: Archive, tmp_path: Path, kept: tuple[str, ...]
) -> None:
    rejected, proposed = only_marks(filled, "a/1.png")
    with filled.writing() as session:
        session.get_one(Mark, rejected.id).status = "rejected"
    content = json.loads(exported_text(filled, ANNOTATION_FORMATS["coco"]))
    for one in content["annotations"]:
        one["attributes"] = {key: one["attributes"][key] for key in kept}
    before = dump(filled, moments=True)
    report = imported(filled, tmp_path / "x.json", content)
    assert (report.added, report.updated, report.unchanged) == (0, 0, len(before["marks"]))
    assert dump(filled, moments=True) == before
    for one in content["annotations"]:
        if one["id"] in (rejected.id, proposed.id):
            one["bbox"][2] += 1
    report = imported(filled, tmp_path / "y.json", content)
    assert (report.added, report.updated, report.unchanged) == (0, 2, len(before["marks"]) - 2)
    assert [(one.id, one.status) for one in only_marks(filled, "a/1.png")] == [
        (rejected.id, "confirmed"), (proposed.id, "confirmed"),
    ]  # fmt: skip


def test_the_word_of_a_file_counts_where_a_mark_was_not_moved(
    filled: Archive, tmp_path: Path
) -> None:
    said = {"status": "confirmed"}
    regions = [{"bbox": [0, 0, 20, 20], "attributes": said}, {"bbox": [20, 20, 20, 20]}]
    report = imported(filled, tmp_path / "x.json", coco("a/1.png", *regions))
    assert (report.updated, report.unchanged) == (1, 1)
    assert [one.status for one in only_marks(filled, "a/1.png")] == ["confirmed", "proposed"]


def test_an_old_file_does_not_take_a_persons_word_back(filled: Archive, tmp_path: Path) -> None:
    (old,) = written(filled, "webannotation", tmp_path / "out")
    with filled.writing() as session:
        session.execute(update(Mark).values(status="confirmed"))
        session.get_one(Mark, 1).status = "rejected"
    before = dump(filled)
    (report,) = import_annotations(filled, [old])
    assert report.unchanged == len(before["marks"])
    assert dump(filled) == before


def corrected(text: str, mark: int, **changes: object) -> str:
    """Return a table with other values in the row of one mark."""
    rows = list(csv.DictReader(io.StringIO(text)))
    for row in rows:
        if row["mark"] == str(mark):
            row.update({name: str(value) for name, value in changes.items()})
    return table_text(list(rows[0]), [list(row.values()) for row in rows])


@pytest.mark.parametrize("form", [ANNOTATION_FORMATS["csv"], EXPORT_FORMATS["csv"]])
@pytest.mark.parametrize("x", [30, 60])  # beside where it was, and away from there
def test_two_people_may_correct_copies_of_one_export(
    filled: Archive, tmp_path: Path, form: Format, x: int
) -> None:
    first, second = only_marks(filled, "a/1.png")
    given = exported_text(filled, form)
    alice = exported_text(filled, ANNOTATION_FORMATS["csv"])
    alice = corrected(alice, second.id, x=x, status="confirmed")
    assert imported(filled, tmp_path / "alice.csv", alice).updated == 1
    report = imported(filled, tmp_path / "bob.csv", corrected(given, first.id, status="rejected"))
    assert (report.added, report.updated) == (0, 1)
    assert report.remarks == (
        "1 mark stays where a person put it, although the file has another box with status "
        f"proposed: mark {second.id} on 'a/1.png'. To move them anyway, set their status to "
        "confirmed.",
    )
    now = only_marks(filled, "a/1.png")
    assert [(one.id, one.x, one.status, one.origin) for one in now] == [
        (first.id, 0, "rejected", "import:bob.csv"),
        (second.id, x, "confirmed", "import:alice.csv"),
    ]
    page = page_image((0, 0), (1, 1))
    assert np.array_equal(load_crop(filled, now[1].crop), page[20:40, x : x + 20])


def test_what_people_said_and_a_file_contradicts_is_kept_and_the_files_word_is_its_own(
    filled: Archive, tmp_path: Path
) -> None:
    first, second = (mark.id for mark in only_marks(filled, "a/1.png"))
    with filled.writing() as session:
        for mark, status, origin in ((first, "confirmed", "person:Ada"), (second, "rejected", "x")):
            judged = session.get_one(Mark, mark)
            judged.status, judged.origin = status, origin
    text = exported_text(filled, ANNOTATION_FORMATS["csv"])
    text = corrected(text, first, status="rejected")
    text = corrected(text, second, status="confirmed", origin="person:Bo")
    report = imported(filled, tmp_path / "x.csv", text)
    assert (report.updated, report.refused) == (2, ())
    assert report.remarks == (
        "The file contradicts earlier judgements of 2 marks, which are kept in taken-back.csv: "
        f"mark {first} on 'a/1.png', mark {second} on 'a/1.png'.",
    )
    assert [(one.status, one.origin) for one in only_marks(filled, "a/1.png")] == [
        ("rejected", "import:x.csv"), ("confirmed", "person:Bo"),
    ]  # fmt: skip
    kept = list(csv.DictReader(io.StringIO((filled.folder / TAKEN_BACK).read_text())))
    assert [(row["of"], row["said"], row["said_by"], row["taken_back_by"]) for row in kept] == [
        (f"mark {first}", "it is a mark", "Ada", "import:x.csv"),
        (f"mark {second}", "it is not a mark", "A person", "Bo"),
    ]
    report = imported(filled, tmp_path / "x.csv", text)
    assert (report.updated, report.remarks) == (0, ())


def test_nobody_is_contradicted_without_a_line_of_it(filled: Archive, tmp_path: Path) -> None:
    with filled.writing() as session:
        session.get_one(Mark, 1).status = "confirmed"
    text = corrected(exported_text(filled, ANNOTATION_FORMATS["csv"]), 1, status="rejected")
    (filled.folder / TAKEN_BACK).mkdir()
    before = dump(filled, moments=True)
    with pytest.raises(ArchiveError, match=r"taken-back\.csv cannot be written"):
        imported(filled, tmp_path / "x.csv", text)
    assert dump(filled, moments=True) == before


def test_a_mark_of_an_identity_is_not_rejected_by_a_file(filled: Archive, tmp_path: Path) -> None:
    first, second = (mark.id for mark in only_marks(filled, "a/1.png"))
    with filled.writing() as session:
        session.get_one(Mark, first).status = "confirmed"
        session.add(Identity(id=1, name="Jan"))
        session.flush()
        session.add(IdentityMark(identity_id=1, mark_id=first, certainty="certain", said_by="A"))
    text = exported_text(filled, EXPORT_FORMATS["csv"])
    for mark in (first, second):
        text = corrected(text, mark, status="rejected", x=5)
    report = imported(filled, tmp_path / "x.csv", text)
    assert (report.updated, report.remarks) == (1, ())
    assert report.refused == (
        f"'a/1.png', line 2: mark {first} is identified as 'Jan', and was not changed: to reject "
        "it, first take the identity back on the web page, where its group is shown.",
    )
    assert [(one.id, one.x, one.status) for one in only_marks(filled, "a/1.png")] == [
        (first, 0, "confirmed"), (second, 5, "rejected"),
    ]  # fmt: skip
    assert not (filled.folder / TAKEN_BACK).exists()
    report = imported(filled, tmp_path / "x.csv", corrected(text, first, status="confirmed"))
    assert (report.updated, report.refused) == (1, ())
    assert [(one.id, one.x) for one in only_marks(filled, "a/1.png")] == [(first, 5), (second, 5)]


def test_a_proposal_that_a_file_moved_is_moved_though_somebody_has_judged_it_meanwhile(
    filled: Archive, tmp_path: Path
) -> None:
    mark = only_marks(filled, "a/1.png")[1]
    given = exported_text(filled, ANNOTATION_FORMATS["csv"])
    with filled.writing() as session:
        judged = session.get_one(Mark, mark.id)
        judged.status, judged.origin = "rejected", "person:Ada"
    report = imported(filled, tmp_path / "x.csv", corrected(given, mark.id, x=30))
    assert (report.updated, report.remarks) == (1, ())
    now = only_marks(filled, "a/1.png")[1]
    assert (now.x, now.status, now.origin) == (30, "rejected", "import:x.csv")


def test_a_box_that_two_people_moved_is_nobodys_proposal(filled: Archive, tmp_path: Path) -> None:
    mark = only_marks(filled, "a/1.png")[1]
    given = exported_text(filled, ANNOTATION_FORMATS["csv"])
    for name, x in (("alice.csv", 30), ("bob.csv", 35)):
        moved = corrected(given, mark.id, x=x, status="confirmed")
        assert imported(filled, tmp_path / name, moved).updated == 1
        now = only_marks(filled, "a/1.png")[1]
        assert (now.x, now.origin) == (x, f"import:{name}")


@pytest.mark.parametrize("form", sorted(ANNOTATION_FORMATS))
def test_proposals_of_an_older_segmentation_do_not_come_back(
    filled: Archive, scans: Path, tmp_path: Path, form: str
) -> None:
    old = only_marks(filled, "b/two.tif")[0]
    with filled.writing() as session:
        session.get_one(Mark, old.id).status = "confirmed"
    files = written(filled, form, tmp_path / "out")
    with filled.writing() as session:
        session.get_one(Mark, old.id).status = "proposed"

    def propose_others(image: np.ndarray) -> list[Proposal]:
        found = propose(image)
        return [Proposal(one.x + 5, one.y, 15, 15, 0.5) for one in found if one.x < 60]

    resegment_pages(filled, Segmenter("squares-2", propose_others), Manner(workers=0))
    before = [row for row in dump(filled)["marks"] if row["status"] == "proposed"]
    assert before and {row["origin"] for row in before} == {"squares-2"}
    for _ in range(2):
        reports = import_annotations(filled, files)
        marks = dump(filled)["marks"]
        assert [row for row in marks if row["status"] == "proposed"] == before
        assert [row["origin"] for row in marks if row["status"] == "confirmed"] == ["squares-1"]
    if form == "csv":
        assert reports[0].remarks == (
            "5 proposals were skipped: they come from an older segmentation, since replaced. To "
            "import them anyway, set their status to confirmed.",
        )


def test_a_mark_that_lies_there_already_is_corrected_not_doubled(
    filled: Archive, tmp_path: Path
) -> None:
    count = len(dump(filled)["marks"])
    report = imported(filled, tmp_path / "x.json", coco("a/1.png", {"bbox": [20, 20, 20, 21]}))
    assert (report.added, report.updated) == (0, 1)
    first, second = only_marks(filled, "a/1.png")
    assert (second.status, second.height, second.origin) == ("confirmed", 21, "import:x.json")
    assert second.score == 0.75
    assert first.status == "proposed"
    report = imported(filled, tmp_path / "y.json", coco("a/1.png", {"bbox": [20, 20, 20, 30]}))
    assert (report.added, report.updated) == (1, 0), "over a tenth of it is elsewhere"
    assert len(dump(filled)["marks"]) == count + 1


def test_a_region_that_a_file_has_twice_is_one_mark(filled: Archive, tmp_path: Path) -> None:
    """Several annotators' exports in one, or rows copied in a spreadsheet."""
    there = [
        [60, 40, 20, 20],
        [61, 40, 20, 20],
        [60, 40, 20, 20],
        [20, 20, 20, 21],
        [20, 20, 20, 20],
    ]
    regions = [{"bbox": box} for box in there]
    report = imported(filled, tmp_path / "x.json", coco("a/1.png", *regions))
    assert (report.added, report.updated, report.unchanged) == (1, 0, 1)
    assert report.remarks == ("3 regions were skipped: each lies where another of the file does.",)
    assert boxes(filled, "a/1.png")[-1] == (60, 40, "confirmed")
    report = imported(filled, tmp_path / "x.json", coco("a/1.png", *regions[:2]))
    assert (report.added, report.updated, report.unchanged) == (0, 0, 1)


def test_a_proposal_of_others_changes_nothing_that_is_there(
    filled: Archive, tmp_path: Path
) -> None:
    before = dump(filled)
    regions = [{"bbox": [20, 20, 20, 21], "attributes": {"status": "proposed", "origin": "them"}}]
    report = imported(filled, tmp_path / "x.json", coco("a/1.png", *regions))
    assert (report.unchanged, dump(filled)) == (1, before)
    regions[0]["bbox"] = [50, 20, 20, 20]
    assert imported(filled, tmp_path / "x.json", coco("a/1.png", *regions)).added == 1
    new = only_marks(filled, "a/1.png")[-1]
    assert (new.status, new.origin) == ("proposed", "them")


def test_the_id_of_another_archive_moves_no_mark_here(filled: Archive, tmp_path: Path) -> None:
    mark = only_marks(filled, "a/1.png")[0]
    said = {"mark": mark.id, "created": "2001-01-01T00:00:00Z"}
    regions = [{"bbox": [0, 0, 30, 30], "attributes": said}]
    report = imported(filled, tmp_path / "x.json", coco("a/1.png", *regions))
    assert (report.added, report.updated) == (1, 0)
    # A table without the moment: the same id is the same mark only where the two share most.
    table = "mark,source,x,y,width,height\n{},a/1.png,{},0,15,15\n"
    assert imported(filled, tmp_path / "x.csv", table.format(mark.id, 60)).added == 1
    assert imported(filled, tmp_path / "x.csv", table.format(mark.id, 12)).added == 1
    assert imported(filled, tmp_path / "x.csv", table.format(mark.id, 4)).updated == 1
    assert only_marks(filled, "a/1.png")[1].id == mark.id
    other = only_marks(filled, "b/1.png")[0]
    assert imported(filled, tmp_path / "x.csv", table.format(other.id, 60)).unchanged == 1


def test_a_box_that_was_moved_in_our_list_of_marks_moves_its_mark(
    filled: Archive, tmp_path: Path
) -> None:
    mark = only_marks(filled, "a/1.png")[0]
    listed = exported_text(filled, EXPORT_FORMATS["csv"])
    rows = list(csv.DictReader(io.StringIO(listed)))
    row = next(one for one in rows if one["mark"] == str(mark.id))
    assert (row["x"], row["width"]) == (str(mark.x), str(mark.width))
    row["x"] = str(mark.x + mark.width - 2)
    report = imported(filled, tmp_path / "x.csv", table_text(list(row), [list(row.values())]))
    assert (report.added, report.updated) == (0, 1)
    row |= {"page": "999", "x": str(mark.x)}
    report = imported(filled, tmp_path / "y.csv", table_text(list(row), [list(row.values())]))
    assert (report.added, report.updated) == (1, 0), "the list of another archive"


def test_what_others_call_a_mark_is_no_number_of_ours(filled: Archive, tmp_path: Path) -> None:
    text = "mark,source,x,y,width,height\nJan de Wit,a/1.png,60,60,15,15\n"
    report = imported(filled, tmp_path / "x.csv", text)
    assert (report.added, report.refused) == (1, ())


def test_an_outline_stays_where_the_box_stays_and_the_file_has_none(
    filled: Archive, tmp_path: Path
) -> None:
    outline = [0, 0, 20, 0, 20, 20]
    imported(filled, tmp_path / "x.json", coco("a/1.png", {"segmentation": [outline]}))
    mark = only_marks(filled, "a/1.png")[0]
    assert mark.polygon == [[0, 0], [20, 0], [20, 20]]
    table = "mark,source,x,y,width,height,status\n{},a/1.png,{},0,20,20,{}\n"
    text = table.format(mark.id, 0, "rejected")
    report = imported(filled, tmp_path / "x.csv", text)
    mark = only_marks(filled, "a/1.png")[0]
    assert (mark.status, mark.polygon) == ("rejected", [[0, 0], [20, 0], [20, 20]])
    assert not any("outline" in said for said in report.remarks)
    report = imported(filled, tmp_path / "x.csv", table.format(mark.id, 1, "confirmed"))
    assert "outline" in report.remarks[0]
    assert only_marks(filled, "a/1.png")[0].polygon is None
