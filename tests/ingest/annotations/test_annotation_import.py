from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import delete, insert, select, update

from ingest.annotations.annotation import Annotation
from ingest.annotations.exporting import annotated_images, export_file, export_text
from ingest.annotations.formats import ANNOTATION_FORMATS, EXPORT_FORMATS
from ingest.annotations.importing import FileReport, import_annotations
from ingest.segmentation import Proposal
from retrieval.catalogue.archive import Archive, create_archive, open_archive
from retrieval.catalogue.errors import ArchiveBusy, QueryError
from retrieval.catalogue.tables import Mark, Page
from retrieval.crops import load_crop
from tests.ingest.annotations.drawn import marks as drawn_marks
from tests.ingest.scans import boxes, crops_in, dump, page_image, pages_of, propose, scan

WIDTH, HEIGHT = 100, 80

TROUBLE = "ö (2);\u2028&<{.png"


def make_scans(folder: Path) -> Path:
    """Five pages: two alike in name, one with two images, one whose name asks for trouble."""
    scan(folder / "a/1.png", (0, 0), (1, 1))
    scan(folder / "b/1.png", (2, 2))
    scan(folder / "b" / TROUBLE, (3, 3))
    with tifffile.TiffWriter(folder / "b/two.tif") as writer:
        for column in (0, 4):
            writer.write(page_image((column, 0)), photometric="rgb")
    return folder


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    return make_scans(tmp_path / "in")


@pytest.fixture
def filled(archive: Archive, scans: Path) -> Archive:
    pages_of(archive, scans)
    return archive


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Archive, Archive]]:
    """Two archives of the same pages."""
    folder = tmp_path_factory.mktemp("two")
    scans = make_scans(folder / "in")
    made = [create_archive(folder / name) for name in ("one", "other")]
    pages_of(made[0], scans)
    # Other ids, and other sources: found by what they end in.
    pages_of(made[1], scans / "b/two.tif", scans / f"b/{TROUBLE}")
    pages_of(made[1], scans)
    yield made[0], made[1]
    for one in made:
        one.close()


def all_marks(archive: Archive) -> list[Any]:
    """What there is of each mark but for ids and crops, in an order that does not need them."""
    with archive.session() as session:
        images = annotated_images(session)
    found = [
        (image.sha256, image.frame, replace(one, mark=None))
        for image in images
        for one in image.annotations
    ]
    return sorted(found, key=repr)


def emptied(archive: Archive) -> None:
    with archive.writing() as session:
        session.execute(delete(Mark))


def written(archive: Archive, form: str, folder: Path) -> list[Path]:
    """Export into a new place; return the files."""
    folder.mkdir(exist_ok=True, parents=True)
    one = ANNOTATION_FORMATS[form]
    place = folder / f"{form}.d" if one.a_file_an_image else folder / f"marks{one.suffix}"
    for old in [place] if place.is_file() else place.rglob("*.xml"):
        old.unlink()
    export_file(archive, one, place)
    return sorted(place.rglob("*.xml")) if one.a_file_an_image else [place]


def only_marks(archive: Archive, source: str) -> list[Mark]:
    with archive.session() as session:
        found = list(
            session.scalars(
                select(Mark).join(Page).where(Page.source == source).order_by(Mark.x, Mark.id)
            )
        )
        session.expunge_all()
    return found


def imported(archive: Archive, path: Path, content: Any) -> FileReport:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    (report,) = import_annotations(archive, [path])
    return report


def coco(source: str, *regions: dict[str, Any], **image: Any) -> dict[str, Any]:
    return {
        "images": [{"id": 1, "file_name": source, **image}],
        "annotations": [{"id": at, "image_id": 1, **one} for at, one in enumerate(regions)],
    }


def test_marks_of_the_two_archives_have_other_ids(two: tuple[Archive, Archive]) -> None:
    pages = [dump(archive)["pages"] for archive in two]
    assert [page["source"] for page in pages[0]] != [page["source"] for page in pages[1]]


@pytest.mark.parametrize("form", sorted(ANNOTATION_FORMATS))
@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_out_and_into_an_empty_archive_and_out_gives_the_same_marks(
    form: str, data: st.DataObject, two: tuple[Archive, Archive], tmp_path: Path
) -> None:
    one, other = two
    emptied(one)
    emptied(other)
    with one.writing() as session:
        rows = []
        for page in session.scalars(select(Page.id)).all():
            for mark in data.draw(st.lists(drawn_marks(WIDTH, HEIGHT), max_size=2)):
                x, y, width, height = mark.box
                rows.append(
                    dict(
                        page_id=page, x=x, y=y, width=width, height=height, crop="0" * 64,
                        polygon=mark.polygon, status=mark.status, score=mark.score,
                        origin=mark.origin, created_at=mark.created,
                    )
                )  # fmt: skip
        if rows:
            session.execute(insert(Mark), rows)
    files = written(one, form, tmp_path / "1")
    reports = import_annotations(other, files)
    assert [report.refused for report in reports] == [()] * len(files)
    assert sum(report.added for report in reports) == len(rows)
    assert all_marks(other) == all_marks(one)
    again = import_annotations(other, files)
    assert sum(report.unchanged for report in again) == len(rows)
    files = written(other, form, tmp_path / "2")
    emptied(one)
    import_annotations(one, files)
    assert all_marks(other) == all_marks(one)


@pytest.mark.parametrize("form", sorted(ANNOTATION_FORMATS))
def test_importing_what_was_exported_changes_nothing(
    form: str, filled: Archive, tmp_path: Path
) -> None:
    with filled.writing() as session:
        session.get_one(Mark, 1).status = "rejected"
    before = dump(filled, moments=True)
    for _ in range(2):
        reports = import_annotations(filled, written(filled, form, tmp_path / "out"))
        assert sum(report.unchanged for report in reports) == len(before["marks"])
        assert dump(filled, moments=True) == before


def test_a_new_mark_is_a_persons_and_its_crop_is_cut_from_the_master(
    filled: Archive, scans: Path, tmp_path: Path
) -> None:
    region = {"bbox": [35, 30, 30.2, 20]}
    report = imported(filled, tmp_path / "theirs.json", coco("a/1.png", region))
    assert (report.format, report.added, report.refused) == ("coco", 1, ())
    new = only_marks(filled, "a/1.png")[-1]
    assert (new.x, new.y, new.width, new.height) == (35, 30, 30, 20)
    assert (new.status, new.score, new.origin) == ("confirmed", None, "import:theirs.json")
    image = np.array(Image.open(scans / "a/1.png"))
    assert np.array_equal(load_crop(filled, new.crop), image[30:50, 35:65])
    before = dump(filled, moments=True)
    report = imported(filled, tmp_path / "theirs.json", coco("a/1.png", region))
    assert (report.added, report.updated, report.unchanged) == (0, 0, 1)
    assert dump(filled, moments=True) == before


def test_the_second_image_of_a_file_is_cut_from_the_second(filled: Archive, tmp_path: Path) -> None:
    marks = [{"bbox": [70, 0, 30, 30]}]
    (said,) = imported(filled, tmp_path / "x.json", coco("two.tif", *marks)).refused
    assert "2 images" in said and "'two.tif'" in said
    assert imported(filled, tmp_path / "x.json", coco("two.tif", *marks, frame=1)).added == 1
    new = only_marks(filled, "b/two.tif")[1]
    assert new.x == 70
    assert np.array_equal(load_crop(filled, new.crop), page_image((4, 0))[:30, 70:])
    (said,) = imported(filled, tmp_path / "x.json", coco("two.tif", *marks, frame=2)).refused
    assert "no image number 3" in said


def test_what_a_person_confirmed_moved_or_rejected_outlives_the_segmentation(
    filled: Archive, scans: Path, tmp_path: Path
) -> None:
    scan(scans / "a/1.png", (0, 0), (1, 1), (2, 2), (3, 3))
    pages_of(filled, scans)
    text = export_text(filled, ANNOTATION_FORMATS["csv"])
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


def test_an_old_file_does_not_take_a_persons_word_back(filled: Archive, tmp_path: Path) -> None:
    (old,) = written(filled, "webannotation", tmp_path / "out")
    with filled.writing() as session:
        session.execute(update(Mark).values(status="confirmed"))
        session.get_one(Mark, 1).status = "rejected"
    before = dump(filled)
    (report,) = import_annotations(filled, [old])
    assert report.unchanged == len(before["marks"])
    assert dump(filled) == before


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
    # A table without the moment: the same id is the same mark only where the two overlap.
    table = "mark,source,x,y,width,height\n{},a/1.png,{},0,15,15\n"
    assert imported(filled, tmp_path / "x.csv", table.format(mark.id, 60)).added == 1
    assert imported(filled, tmp_path / "x.csv", table.format(mark.id, 9)).updated == 1
    assert only_marks(filled, "a/1.png")[1].id == mark.id
    other = only_marks(filled, "b/1.png")[0]
    assert imported(filled, tmp_path / "x.csv", table.format(other.id, 60)).unchanged == 1


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
    assert report.remarks == ()
    report = imported(filled, tmp_path / "x.csv", table.format(mark.id, 1, "confirmed"))
    assert "outline" in report.remarks[0]
    assert only_marks(filled, "a/1.png")[0].polygon is None


def test_pages_are_found_by_what_a_file_says(filled: Archive, scans: Path, tmp_path: Path) -> None:
    sha256 = {row["source"]: row["sha256"] for row in dump(filled)["pages"]}
    content = coco("b/1.png", {"bbox": [50, 0, 9, 9]})
    assert imported(filled, tmp_path / "x.json", content).added == 1
    for image in (
        {"file_name": str(scans / "b/1.png")},
        {"file_name": "somewhere\\in\\B\\1.PNG"},
        {"file_name": "./b/1.png"},
        {"file_name": "1.png", "sha256": sha256["b/1.png"].upper()},
        {"file_name": "renamed.png", "sha256": sha256["b/1.png"]},
    ):
        content["images"] = [{"id": 1, **image}]
        assert imported(filled, tmp_path / "x.json", content).unchanged == 1, image
    assert len(only_marks(filled, "b/1.png")) == 2


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("1.png", "may be any of 2 pages, such as 'a/1.png' and 'b/1.png'"),
        ("c.png", "no such page"),
        ("../a/1.png", "no such page"),
        ("https://x.org/a/1.png", "no such page"),
        ("c/1.png", "no such page"),
    ],
)
def test_what_matches_no_page_is_said_by_name_and_the_rest_goes_in(
    filled: Archive, tmp_path: Path, name: str, said: str
) -> None:
    content = coco(name, {"bbox": [50, 0, 9, 9]})
    content["images"].append({"id": 2, "file_name": "a/1.png"})
    content["annotations"].append({"id": 9, "image_id": 2, "bbox": [50, 0, 9, 9]})
    report = imported(filled, tmp_path / "x.json", content)
    (sentence,) = report.refused
    assert said in sentence and repr(name) in sentence and "its mark is left out" in sentence
    assert report.added == 1


def test_boxes_on_a_smaller_copy_are_brought_to_the_master(filled: Archive, tmp_path: Path) -> None:
    region = {"bbox": [10, 5, 10, 10]}
    report = imported(filled, tmp_path / "x.json", coco("a/1.png", region, width=50, height=40))
    assert "brought to the page's 100 x 80" in report.remarks[0]
    assert only_marks(filled, "a/1.png")[1].width == 20
    assert (20, 10, "confirmed") in boxes(filled, "a/1.png")
    for size in ((33, 26), (33, 27), (32, 26)):  # 1/3, however it was rounded
        content = coco("a/1.png", region, width=size[0], height=size[1])
        assert imported(filled, tmp_path / "y.json", content).refused == ()
    (said,) = imported(
        filled, tmp_path / "z.json", coco("a/1.png", region, width=80, height=100)
    ).refused
    assert "another shape" in said and "80 x 100" in said


def test_percent_are_of_the_page(filled: Archive, tmp_path: Path) -> None:
    content = {"type": "Annotation", "target": "a/1.png#xywh=percent:50,25,10,12.5"}
    assert imported(filled, tmp_path / "x.json", content).added == 1
    new = only_marks(filled, "a/1.png")[-1]
    assert (new.x, new.y, new.width, new.height) == (50, 20, 10, 10)


def test_what_leaves_the_page_is_cut_off_and_said(filled: Archive, tmp_path: Path) -> None:
    report = imported(
        filled,
        tmp_path / "x.json",
        coco(
            "a/1.png",
            {"bbox": [90, 70, 30, 30]},
            {"bbox": [100, 0, 5, 5]},
            {"bbox": [-50, -50, 1e300, 60]},
            {"segmentation": [[80, 40, 120, 40, 120, 60]]},
            {"segmentation": [[200, 40, 220, 40, 220, 60]]},
        ),
    )
    assert report.added == 3
    assert ["annotation 1" in report.refused[0], "annotation 4" in report.refused[1]] == [True] * 2
    assert "outside the page" in report.refused[0]
    assert len(report.remarks) == 3 and "cut off" in report.remarks[0]
    found = {(one.x, one.y, one.width, one.height): one for one in only_marks(filled, "a/1.png")}
    assert set(found) >= {(90, 70, 10, 10), (0, 0, 100, 10), (80, 40, 20, 10)}
    assert found[80, 40, 20, 10].polygon == [[100, 50], [80, 40], [100, 40]]


def test_a_master_that_cannot_be_read_is_said_and_the_rest_goes_in(
    filled: Archive, scans: Path, tmp_path: Path
) -> None:
    before, crops = dump(filled), crops_in(filled)
    (scans / "b/1.png").unlink()
    (scans / "b/two.tif").write_bytes(b"II*\0 cut short")
    scan(scans / "a/1.png", (4, 3))  # changed since it was ingested
    content: dict[str, Any] = {"images": [], "annotations": []}
    pages = [("a/1.png", 0), ("b/1.png", 0), ("b/two.tif", 1), (f"b/{TROUBLE}", 0)]
    for at, (source, frame) in enumerate(pages):
        content["images"].append({"id": at, "file_name": source, "frame": frame})
        content["annotations"].append({"id": at, "image_id": at, "bbox": [50, 0, 9, 9]})
    report = imported(filled, tmp_path / "x.json", content)
    assert report.added == 1
    said = "\n".join(report.refused)
    assert "'a/1.png': no marks taken over, its master has changed" in said
    assert "'b/1.png': no marks taken over, its master cannot be read. It cannot be opened" in said
    assert "'b/two.tif', image 2: no marks taken over, its master has changed" in said
    after = dump(filled)
    assert len(after["marks"]) == len(before["marks"]) + 1
    assert len(crops_in(filled)) <= len(crops) + 1


def test_a_file_that_was_only_touched_is_the_same_master(
    filled: Archive, scans: Path, tmp_path: Path
) -> None:
    (scans / "a/1.png").touch()
    assert imported(filled, tmp_path / "x.json", coco("a/1.png", {"bbox": [50, 0, 9, 9]})).added


def test_one_file_that_cannot_be_understood_keeps_no_other_out(
    filled: Archive, tmp_path: Path
) -> None:
    (tmp_path / "bad.xml").write_text("<PcGts")
    (tmp_path / "good.csv").write_text("source,x,y,width,height\na/1.png,50,0,9,9\na/1.png,1,1,,\n")
    bad, good = import_annotations(filled, [tmp_path / "bad.xml", tmp_path / "good.csv"])
    assert (bad.format, good.format, good.added) == (None, "csv", 1)
    assert "no XML" in bad.refused[0] and "line 3" in good.refused[0]


def test_a_file_goes_in_whole_or_not_at_all(
    filled: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dump(filled)
    regions = [{"bbox": [0, 0, 20, 20]}, {"bbox": [50, 0, 9, 9]}]

    def broken(*_: object) -> None:
        raise RuntimeError("pulled the plug")

    monkeypatch.setattr("ingest.annotations.importing.update", broken)
    with pytest.raises(RuntimeError):
        imported(filled, tmp_path / "x.json", coco("a/1.png", *regions))
    assert dump(filled) == before


def test_an_archive_that_is_busy_is_not_imported_into(filled: Archive, tmp_path: Path) -> None:
    with filled.lock():
        other = open_archive(filled.folder)
        try:
            with pytest.raises(ArchiveBusy):
                imported(other, tmp_path / "x.json", coco("a/1.png"))
        finally:
            other.close()


def test_rejected_marks_are_written_unless_they_are_not_wanted(filled: Archive) -> None:
    with filled.writing() as session:
        session.get_one(Mark, 1).status = "rejected"
    count = len(dump(filled)["marks"])
    for form in (*ANNOTATION_FORMATS.values(), EXPORT_FORMATS["csv"]):
        if form.a_file_an_image:
            continue
        whole = export_text(filled, form)
        less = export_text(filled, form, without_rejected=True)
        assert whole.count("rejected") - less.count("rejected") == 1
    rows = list(csv.reader(io.StringIO(export_text(filled, EXPORT_FORMATS["csv"]))))
    assert len(rows) == count + 1
    assert [int(row[0]) for row in rows[1:]] == list(range(1, count + 1))


def test_a_folder_gets_one_file_a_page(filled: Archive, tmp_path: Path) -> None:
    done = export_file(filled, ANNOTATION_FORMATS["page-xml"], tmp_path / "out")
    assert (done.pages, done.files) == (5, 5)
    (tmp_path / "web").mkdir()
    export_file(filled, ANNOTATION_FORMATS["webannotation"], tmp_path / "web")
    assert sorted(path.name for path in (tmp_path / "web/b").iterdir()) == [
        "1.json", "two.2.json", "two.json", "ö (2);\u2028&_{.json",
    ]  # fmt: skip
    with pytest.raises(QueryError, match="one file a page"):
        export_text(filled, ANNOTATION_FORMATS["page-xml"])


def test_nothing_is_written_out_of_the_folder(filled: Archive, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out/a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(QueryError, match="leads out"):
        export_file(filled, ANNOTATION_FORMATS["page-xml"], tmp_path / "out")
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("base", ["ftp://x.org", "x", "https://x.org/#", "https://x y"])
def test_a_base_that_is_no_address_is_refused(filled: Archive, base: str) -> None:
    with pytest.raises(QueryError, match="is no address"):
        export_text(filled, ANNOTATION_FORMATS["iiif"], base=base)


def test_a_manifest_that_was_published_comes_back(filled: Archive, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(
        export_text(filled, ANNOTATION_FORMATS["iiif"], base="https://x.org/marks")
    )
    (report,) = import_annotations(filled, [tmp_path / "m.json"])
    assert (report.format, report.unchanged) == ("iiif", len(dump(filled)["marks"]))
    assert report.refused == ()


def test_annotations_are_comparable_but_for_where_they_stood() -> None:
    assert Annotation((0, 0, 1, 1), where="a") == Annotation((0, 0, 1, 1), where="b")
