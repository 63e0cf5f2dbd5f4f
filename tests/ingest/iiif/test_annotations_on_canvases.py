from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.annotations.formats import ANNOTATION_FORMATS
from ingest.annotations.importing import FileReport, import_annotations
from retrieval.catalogue.archive import Archive
from tests.ingest.annotations.exported import exported_text
from tests.ingest.iiif.taking_in import QUICK
from tests.ingest.iiif_server import Server, body_3, canvas_3, jpeg, manifest_3
from tests.ingest.scans import dump, page_image, pages_of

CANVAS = "https://example.org/c/1"


def take_in(archive: Archive, server: Server, width: int, height: int) -> None:
    """Ingest a canvas so large, painted with an image of 200 x 150 pixels."""
    server.files["/1.jpg"] = jpeg(page_image((3, 3), size=(200, 150)))
    canvas = canvas_3(CANVAS, "1r", [body_3(server.url("/1.jpg"))])
    manifest = manifest_3(
        server.url("/m.json"),
        [canvas | {"width": width, "height": height}],
        requiredStatement={"label": {"en": ["By"]}, "value": {"en": ["The Archive"]}},
        rights="http://creativecommons.org/licenses/by/4.0/",
    )
    server.files["/m.json"] = json.dumps(manifest).encode()
    pages_of(archive, server.url("/m.json"), courtesy=QUICK)


def exported(archive: Archive, form: str) -> dict[str, Any]:
    written: dict[str, Any] = json.loads(exported_text(archive, ANNOTATION_FORMATS[form]))
    return written


def imported(archive: Archive, path: Path, value: object) -> FileReport:
    path.write_text(json.dumps(value), encoding="utf-8")
    (report,) = import_annotations(archive, [path])
    return report


@pytest.mark.parametrize(("width", "height"), [(200, 150), (600, 450), (67, 50)])
def test_marks_go_out_on_the_canvas_that_was_fetched_and_come_back(
    archive: Archive, server: Server, tmp_path: Path, width: int, height: int
) -> None:
    take_in(archive, server, width, height)
    marks = dump(archive)["marks"]
    assert marks
    for form in ("webannotation", "iiif"):
        written = exported(archive, form)
        if form == "iiif":
            (canvas,) = written["items"]
            assert (canvas["id"], canvas["width"], canvas["height"]) == (CANVAS, width, height)
            annotations = canvas["annotations"][0]["items"]
            assert {one["target"]["source"] for one in annotations} == {CANVAS}
        else:
            annotations = written["items"]
            (target,) = [annotations[0]["target"]["source"]]
            assert (target["id"], target["width"], target["height"]) == (CANVAS, width, height)
        for mark, one in zip(marks, annotations, strict=True):
            fragment = one["target"]["selector"]["value"].removeprefix("xywh=pixel:")
            drawn = [float(side) for side in fragment.split(",")]
            scales = [width / 200, height / 150] * 2
            box = [mark[side] for side in ("x", "y", "width", "height")]
            assert drawn == pytest.approx([b * s for b, s in zip(box, scales, strict=True)], 1e-3)
        report = imported(archive, tmp_path / "back.json", written)
        assert (report.unchanged, report.refused) == (len(marks), ())
    assert dump(archive)["marks"] == marks


@pytest.mark.parametrize(
    "target",
    [
        {
            "type": "SpecificResource",
            "source": {"id": CANVAS, "type": "Canvas", "width": 400, "height": 300},
            "selector": {"type": "FragmentSelector", "value": "xywh=300,200,40,60"},
        },
        f"{CANVAS}#xywh=300,200,40,60",
    ],
    ids=["told", "known"],
)
def test_a_strangers_annotation_in_units_of_the_canvas_finds_its_place(
    archive: Archive, server: Server, tmp_path: Path, target: object
) -> None:
    take_in(archive, server, 400, 300)
    before = len(dump(archive)["marks"])
    annotation = {"type": "Annotation", "motivation": "tagging", "target": target}
    assert imported(archive, tmp_path / "x.json", annotation).added == 1
    mark = dump(archive)["marks"][before]
    assert [mark[side] for side in ("x", "y", "width", "height")] == [150, 100, 20, 30]


@pytest.mark.parametrize(
    ("image", "box"),
    [
        ("", [40, 20, 20, 30]),
        ("/info.json", [40, 20, 20, 30]),
        ("/full/max/0/default.jpg", [40, 20, 20, 30]),
        ("/full/full/0/native.jpg", [40, 20, 20, 30]),
        ("/full/100,/0/default.jpg", [80, 40, 40, 60]),
        ("/full/!400,100/0/default.jpg", [60, 30, 30, 45]),
        ("/full/!900,900/0/default.jpg", [40, 20, 20, 30]),
        ("/full/pct:50/0/default.jpg", [80, 40, 40, 60]),
        ("/full/^400,300/0/default.jpg", [20, 10, 10, 15]),
    ],
)
def test_a_mark_on_the_image_of_a_canvas_finds_its_page(
    archive: Archive, server: Server, tmp_path: Path, image: str, box: list[int]
) -> None:
    service = server.image("a", page_image((3, 3), size=(200, 150)), version=3)
    canvas = canvas_3(CANVAS, "1r", [body_3(f"{service}/full/100,/0/default.jpg", service)])
    canvas |= {"width": 200, "height": 150}
    server.files["/m.json"] = json.dumps(manifest_3(server.url("/m.json"), [canvas])).encode()
    pages_of(archive, server.url("/m.json"), courtesy=QUICK)
    annotation = {"type": "Annotation", "target": f"{service}{image}#xywh=40,20,20,30"}
    assert imported(archive, tmp_path / "x.json", annotation).refused == ()
    mark = dump(archive)["marks"][-1]
    assert [mark[side] for side in ("x", "y", "width", "height")] == pytest.approx(box, abs=1)


def test_a_mark_on_an_image_of_unknown_size_is_left_out(
    archive: Archive, server: Server, tmp_path: Path
) -> None:
    """The canvas is larger than the page: so may the image be that the service has."""
    service = server.image("a", page_image((3, 3), size=(200, 150)), version=3)
    canvas = canvas_3(CANVAS, "1r", [body_3(server.url("/a.jpg"), service)])
    canvas |= {"width": 400, "height": 300}
    server.files["/m.json"] = json.dumps(manifest_3(server.url("/m.json"), [canvas])).encode()
    pages_of(archive, server.url("/m.json"), courtesy=QUICK)
    for address in (service, f"{service}/info.json", server.url("/a.jpg")):
        annotation = {"type": "Annotation", "target": f"{address}#xywh=40,20,20,30"}
        (said,) = imported(archive, tmp_path / "x.json", annotation).refused
        assert "the size of the image that its boxes were drawn on is unknown" in said
        source = {"id": address, "width": 400, "height": 300}
        selector = {"type": "FragmentSelector", "value": "xywh=40,20,20,30"}
        told = {"type": "Annotation", "target": {"source": source, "selector": selector}}
        assert imported(archive, tmp_path / "x.json", told).refused == ()
    assert (dump(archive)["marks"][-1]["x"], dump(archive)["marks"][-1]["width"]) == (20, 10)


def test_a_mark_on_the_very_file_that_was_fetched_is_in_its_pixels(
    archive: Archive, server: Server, tmp_path: Path
) -> None:
    take_in(archive, server, 400, 300)
    annotation = {"type": "Annotation", "target": f"{server.url('/1.jpg')}#xywh=40,20,20,30"}
    assert imported(archive, tmp_path / "x.json", annotation).remarks == ()
    mark = dump(archive)["marks"][-1]
    assert [mark[side] for side in ("x", "y", "width", "height")] == [40, 20, 20, 30]


def test_rights_and_attribution_stay_with_a_canvas(archive: Archive, server: Server) -> None:
    take_in(archive, server, 200, 150)
    (canvas,) = exported(archive, "iiif")["items"]
    assert canvas["rights"] == "http://creativecommons.org/licenses/by/4.0/"
    assert canvas["requiredStatement"]["value"] == {"none": ["The Archive"]}


def test_a_picture_goes_out_where_it_was_fetched_from(archive: Archive, server: Server) -> None:
    service = server.image("a", page_image((3, 3), size=(200, 150)), version=3)
    server.files["/2.png"] = jpeg(page_image((2, 2), size=(200, 150)))
    bodies = [
        [body_3(f"{service}/full/max/0/default.jpg", service)],
        [{"type": "Image", "service": [{"id": service, "type": "ImageService3"}]}],
        [body_3(server.url("/2.png"))],
    ]
    canvases = [canvas_3(f"{CANVAS}{at}", f"{at}r", body) for at, body in enumerate(bodies)]
    server.files["/m.json"] = json.dumps(manifest_3(server.url("/m.json"), canvases)).encode()
    pages_of(archive, server.url("/m.json"), courtesy=QUICK)
    said = [canvas["items"][0]["items"][0]["body"] for canvas in exported(archive, "iiif")["items"]]
    offered = [{"id": service, "type": "ImageService2", "profile": "level0"}]
    size = {"type": "Image", "width": 200, "height": 150}
    whole = {"id": f"{service}/full/max/0/default.jpg", "format": "image/jpeg", "service": offered}
    assert said == [
        size | whole,
        size | whole,
        size | {"id": server.url("/2.png"), "format": "image/png"},
    ]


def test_an_image_that_does_not_fill_its_canvas_goes_out_on_one_of_our_own(
    archive: Archive, server: Server
) -> None:
    take_in(archive, server, 400, 600)
    (canvas,) = exported(archive, "iiif")["items"]
    assert canvas["id"] != CANVAS
    assert (canvas["width"], canvas["height"]) == (200, 150)
