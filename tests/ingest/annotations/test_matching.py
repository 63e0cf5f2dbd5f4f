from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import event

from ingest.annotations.exporting import export_file
from ingest.annotations.formats import ANNOTATION_FORMATS, EXPORT_FORMATS, Format
from ingest.annotations.importing import FileReport, import_annotations
from retrieval.catalogue.archive import Archive
from tests.ingest.annotations.five_pages import TROUBLE, coco, imported, only_marks, written
from tests.ingest.scans import boxes, dump, pages_of, scan


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


def test_a_name_as_macos_writes_it_is_that_of_the_page(
    filled: Archive, scans: Path, tmp_path: Path
) -> None:
    region = {"bbox": [50, 0, 9, 9]}
    content = coco(unicodedata.normalize("NFD", f"x/B/{TROUBLE}"), region)
    assert imported(filled, tmp_path / "x.json", content).added == 1
    assert (50, 0, "confirmed") in boxes(filled, f"b/{TROUBLE}")
    scan(scans / "c/b" / TROUBLE, (0, 3))
    pages_of(filled, scans)
    content = coco(unicodedata.normalize("NFD", f"b/{TROUBLE}"), region)
    assert imported(filled, tmp_path / "x.json", content).unchanged == 1


def test_what_is_called_as_one_page_and_has_the_content_of_another_is_left_out(
    filled: Archive, tmp_path: Path
) -> None:
    sha256 = {row["source"]: row["sha256"] for row in dump(filled)["pages"]}
    region = {"bbox": [50, 0, 9, 9]}
    content = coco("a/1.png", region, region, sha256=sha256["b/1.png"])
    before = dump(filled)
    assert imported(filled, tmp_path / "x.json", content).refused == (
        "'a/1.png': its SHA-256 is that of another page, 'b/1.png': correct its name or, if the "
        "name is right, empty its sha256; its 2 marks are left out.",
    )
    assert dump(filled) == before
    content = coco("a/1.png", region, sha256="0" * 64)
    assert imported(filled, tmp_path / "x.json", content).added == 1


@pytest.mark.parametrize(
    ("address", "x"),
    [
        ("http://localhost:8080/scans/b/1.png", 50),
        ("https://x.org/B/1.PNG", 50),
        ("file:///home/me/scans/b/1.png", 50),
        ("https://x.org/iiif/b%2F1.png", 50),
        ("https://x.org/iiif/3/b%2F1.png/info.json", 50),
        ("https://x.org/iiif/3/b%2F1.png/full/max/0/default.jpg", 50),
        ("https://x.org/iiif/3/b%2F1.png/full/200,/0/default.jpg", 25),
        ("https://x.org/iiif/3/b%2F1.png/full/,160/0/default.jpg", 25),
    ],
)
def test_an_address_that_nobody_knows_is_taken_for_a_path(
    filled: Archive, tmp_path: Path, address: str, x: int
) -> None:
    content = {"type": "Annotation", "target": f"{address}#xywh=50,0,10,10"}
    assert imported(filled, tmp_path / "x.json", content).refused == ()
    assert (x, 0, "confirmed") in boxes(filled, "b/1.png")
    rect = {"shape_attributes": {"name": "rect", "x": 60, "y": 40, "width": 10, "height": 10}}
    project = {"1": {"filename": address, "size": -1, "regions": [rect]}}
    assert imported(filled, tmp_path / "y.json", project).added == 1


@pytest.fixture
def volumes(archive: Archive, tmp_path: Path) -> Archive:
    """Two volumes, the one in a folder of the other's: each has its f1.png, of other bytes, and its
    f2.png, of another size; and the one a f3.png."""
    folder = tmp_path / "vol1"
    for name, below in (("f1.png", (0, 0)), ("f2.png", (1, 1)), ("f3.png", (2, 2))):
        scan(folder / name, below)
    scan(folder / "vol2/f1.png", (0, 0), (2, 2))
    scan(folder / "vol2/f2.png", (0, 0), size=(120, 80))
    pages_of(archive, folder)
    return archive


def test_a_bare_name_is_that_of_a_page_only_if_no_other_has_it(
    volumes: Archive, tmp_path: Path
) -> None:
    region = {"bbox": [50, 0, 9, 9]}
    (said,) = imported(volumes, tmp_path / "x.json", coco("f1.png", region)).refused
    assert said == (
        "'f1.png': it matches 2 pages, such as 'f1.png' and 'vol2/f1.png': write more of its "
        "path; its mark is left out."
    )
    for name in ("f3.png", "vol1/f1.png", str(tmp_path / "vol1/f2.png"), "vol2/f1.png"):
        assert imported(volumes, tmp_path / "x.json", coco(name, region)).added == 1
        assert (50, 0, "confirmed") in boxes(volumes, name.rpartition("vol1/")[2])


def test_the_size_of_file_or_image_tells_pages_of_one_name_apart(
    volumes: Archive, tmp_path: Path
) -> None:
    region = {"bbox": [50, 0, 9, 9]}
    for name, source, image in (
        ("f2.png", "vol2/f2.png", {"width": 120, "height": 80}),
        ("f2.png", "f2.png", {"width": 100, "height": 80}),
    ):
        assert imported(volumes, tmp_path / "x.json", coco(name, region, **image)).added == 1
        assert (50, 0, "confirmed") in boxes(volumes, source)
    content = coco("f1.png", region, width=100, height=80)
    (said,) = imported(volumes, tmp_path / "x.json", content).refused
    assert "matches 2 pages" in said
    size = (tmp_path / "vol1/vol2/f1.png").stat().st_size
    assert size != (tmp_path / "vol1/f1.png").stat().st_size
    shape = {"name": "rect", "x": 50, "y": 0, "width": 9, "height": 9}
    regions = [{"shape_attributes": shape, "region_attributes": {}}]
    for told, added in ((-1, 0), (size + 10_000, 0), (size, 1)):
        project = {"f1": {"filename": "f1.png", "size": told, "regions": regions}}
        assert imported(volumes, tmp_path / "x.json", project).added == added
    assert (50, 0, "confirmed") in boxes(volumes, "vol2/f1.png")
    table = (
        "filename,file_size,region_shape_attributes\n"
        f'f1.png,{size},"{json.dumps(shape | {"x": 70}).replace(chr(34), 2 * chr(34))}"\n'
    )
    assert imported(volumes, tmp_path / "x.csv", table).added == 1
    assert (70, 0, "confirmed") in boxes(volumes, "vol2/f1.png")


@pytest.mark.parametrize("form", [*ANNOTATION_FORMATS.values(), EXPORT_FORMATS["csv"]])
def test_our_own_files_find_their_page_by_its_bare_name(
    volumes: Archive, tmp_path: Path, form: Format
) -> None:
    before = dump(volumes, moments=True)
    place = tmp_path / ("out" if form.a_file_an_image else f"out{form.suffix}")
    export_file(volumes, form, place)
    reports = import_annotations(
        volumes, sorted(place.rglob("*.xml")) if form.a_file_an_image else [place]
    )
    assert sum(one.unchanged for one in reports) == len(before["marks"])
    assert dump(volumes, moments=True) == before


def read_through(archive: Archive, work: Callable[[], object]) -> list[str]:
    """Return what is asked of all pages, not of those with some value, while `work` is done."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "FROM pages" in statement and "IN (" not in statement:
            asked.append(" ".join(statement.split()))

    event.listen(archive.engine, "before_cursor_execute", note)
    work()
    event.remove(archive.engine, "before_cursor_execute", note)
    return asked


@pytest.mark.parametrize("form", sorted(ANNOTATION_FORMATS))
def test_pages_that_a_file_of_ours_names_are_found_without_a_look_at_the_others(
    filled: Archive, tmp_path: Path, form: str
) -> None:
    files = written(filled, form, tmp_path / "out")
    assert read_through(filled, lambda: import_annotations(filled, files)) == []


def test_of_several_files_the_names_are_sought_in_one_look_at_all(
    filled: Archive, tmp_path: Path
) -> None:
    files = [tmp_path / f"{at}.json" for at in range(3)]
    for file, name in zip(files, ("in/a/1.png", "cb0618f6-two.tif", "gone.png"), strict=True):
        file.write_text(json.dumps(coco(name, {"bbox": [50, 0, 9, 9]}, frame=0)))
    done: list[FileReport] = []
    asked = read_through(filled, lambda: done.extend(import_annotations(filled, files)))
    assert asked == ["SELECT DISTINCT pages.source FROM pages"]
    assert [(one.added, len(one.refused)) for one in done] == [(1, 0), (1, 0), (0, 1)]


def test_files_of_more_regions_than_are_held_at_once_all_go_in(
    filled: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.annotations.importing._REGIONS_AT_ONCE", 2)
    files = [tmp_path / f"{at}.json" for at in range(4)]
    for at, file in enumerate(files):
        file.write_text(json.dumps(coco("in/a/1.png", {"bbox": [20 * at, 60, 9, 9]})))
    files[1].write_text("no annotations")
    done: list[FileReport] = []
    asked = read_through(filled, lambda: done.extend(import_annotations(filled, files)))
    assert [(one.file, one.added) for one in done] == [
        (str(file), int(file != files[1])) for file in files
    ]
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("1.png", "matches 2 pages, such as 'a/1.png' and 'b/1.png'"),
        ("c.png", "no such page"),
        ("../a/1.png", "no such page"),
        ("https://x.org/c/1.png", "no page of the archive has this address"),
        ("https://x.org/1.png", "matches 2 pages, such as 'a/1.png' and 'b/1.png'"),
        ("https://x.org/1", "ends as it does: write the page's source instead"),
        ("https://x.org/a%2F1.png/0,0,9,9/max/0/default.jpg", "address of a part of an image"),
        ("https://x.org/a%2F1.png/full/max/90/default.jpg", "or of a rotated image"),
        ("https://[x.org/a/1.png", "no page of the archive has this address"),
        ("c/1.png", "no such page"),
        ("a/1.png\ud800", "no such page"),
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


@pytest.mark.parametrize(
    "name",
    [
        "images\\cb0618f6-two.TIF",
        "images/cb0618f6-two.tif",
        "cb0618f6-two.tif",
        "..\\..\\label-studio\\media\\upload\\4\\cb0618f6-two.tif",
        "/data/upload/4/cb0618f6-two.tif",
    ],
)
def test_a_page_is_found_by_the_name_that_label_studio_makes_of_an_upload(
    filled: Archive, tmp_path: Path, name: str
) -> None:
    content = coco(name, {"bbox": [50, 0, 9, 9]}, frame=1)
    assert imported(filled, tmp_path / "x.json", content).added == 1
    assert [one.x for one in only_marks(filled, "b/two.tif")] == [0, 50, 80]


def test_the_name_of_an_upload_is_cut_last_and_only_where_one_page_is_left(
    filled: Archive, scans: Path, tmp_path: Path
) -> None:
    scan(scans / "c/cb0618f6-two.tif", (0, 0))
    pages_of(filled, scans)
    content = coco("cb0618f6-two.tif", {"bbox": [50, 0, 9, 9]})
    assert imported(filled, tmp_path / "x.json", content).added == 1
    assert [one.x for one in only_marks(filled, "c/cb0618f6-two.tif")] == [0, 50]
    for name, said in (
        ("images/cb0618f6-1.png", "matches 2 pages, such as 'a/1.png' and 'b/1.png'"),
        ("images/cb0618f-two.tif", "no such page"),
        ("images/cb0618fg-two.tif", "no such page"),
        ("images/cb0618f7-", "no such page"),
    ):
        content = coco(name, {"bbox": [50, 0, 9, 9]}, frame=1)
        (sentence,) = imported(filled, tmp_path / "x.json", content).refused
        assert said in sentence
