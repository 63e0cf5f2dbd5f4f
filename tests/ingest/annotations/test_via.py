from __future__ import annotations

import csv
import io
import json

from ingest.annotations.annotation import AnnotatedImage
from ingest.annotations.formats import EXPORT_FORMATS
from tests.ingest.annotations.understood import PAGE, all_said, said_by


def test_shapes_of_via() -> None:
    shapes = [
        {"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4},
        {"name": "circle", "cx": 10, "cy": 10, "r": 5},
        {"name": "ellipse", "cx": 10, "cy": 10, "rx": 5, "ry": 2},
        {"name": "polyline", "all_points_x": [0, 9, 9], "all_points_y": [0, 0, 9]},
        {"name": "point", "cx": 1, "cy": 1},
        {"name": "polygon", "all_points_x": [0, 9, 9], "all_points_y": [0, 0]},
    ]
    regions = [{"shape_attributes": one, "region_attributes": {}} for one in shapes]
    for numbered in (regions, {str(at): one for at, one in enumerate(regions)}):  # VIA 2, VIA 1
        said = said_by({"b.png-1": {"filename": "b.png", "size": -1, "regions": numbered}})
        boxes = [one.box for one in all_said(said)]
        assert boxes == [(1, 2, 3, 4), (5, 5, 10, 10), (5, 8, 10, 4), (0, 0, 9, 9)]
        assert len(said.refused) == 2


def test_a_file_attribute_of_somebodys_own_is_no_number_of_ours() -> None:
    shape = {"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4}
    files = {
        str(at): {
            "filename": f"{at}.png",
            "size": -1,
            "regions": [{"shape_attributes": shape, "region_attributes": {}}],
            "file_attributes": attributes,
        }
        for at, attributes in enumerate(
            [{"height": "31 cm", "width": "20"}, {"frame": "1r", "height": -1}, {"frame": "0"}]
        )
    }
    said = said_by(files)
    assert said.refused == ()
    assert [(one.frame, one.width, one.height) for one in said.images] == [
        (None, 20, None), (None, None, None), (0, None, None),
    ]  # fmt: skip


def test_via_csv_names_images_that_have_no_region() -> None:
    rows = list(csv.DictReader(io.StringIO(EXPORT_FORMATS["via-csv"].text(
        [PAGE, AnnotatedImage(("c.png",), (), 0, 5, 5)]))))  # fmt: skip
    assert [(row["filename"], row["region_count"]) for row in rows] == [
        ("a/b.png", "1"),
        ("c.png", "0"),
    ]
    assert json.loads(rows[0]["region_attributes"])["status"] == "confirmed"


def test_via_offers_the_three_statuses() -> None:
    project = json.loads(EXPORT_FORMATS["via"].text([PAGE]))
    assert project["_via_attributes"]["region"]["status"]["type"] == "dropdown"
    assert set(project["_via_img_metadata"]) == set(project["_via_image_id_list"])
