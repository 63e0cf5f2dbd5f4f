from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.annotations.annotation import AnnotatedImage, Annotation, Understood
from ingest.annotations.exporting import file_names
from ingest.annotations.formats import ANNOTATION_FORMATS, EXPORT_FORMATS, understand
from ingest.annotations.page_xml import NAMESPACE
from ingest.annotations.web_annotation import BASE
from retrieval.catalogue.errors import MetadataError
from tests.ingest.annotations.drawn import images

A_BOX = Annotation((10, 20, 30, 40), status="confirmed", mark=7)
PAGE = AnnotatedImage(("a/b.png",), (A_BOX,), 0, 500, 400, "0" * 64, page=1)

anything = pytest.mark.parametrize("form", sorted(ANNOTATION_FORMATS))


def written(form: str, some: list[AnnotatedImage]) -> list[bytes]:
    one = ANNOTATION_FORMATS[form]
    groups = [[image] for image in some] if one.a_file_an_image else [some]
    return [one.write(group, BASE).encode() for group in groups]


def all_said(said: Understood) -> list[Annotation]:
    return [one for image in said.images for one in image.annotations]


def only(content: str | bytes | dict[str, Any] | list[Any]) -> Annotation:
    (one,) = all_said(said_by(content))
    return one


def said_by(content: str | bytes | dict[str, Any] | list[Any]) -> Understood:
    if isinstance(content, dict | list):
        content = json.dumps(content)
    return understand(content.encode() if isinstance(content, str) else content, "x")[1]


@anything
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(some=images())
def test_what_is_written_is_read_as_it_was(form: str, some: list[AnnotatedImage]) -> None:
    found: dict[str, AnnotatedImage] = {}
    for content in written(form, some):
        kind, said = understand(content, "x")
        assert (kind, said.refused) == (form, ())
        for image in said.images:
            source = next(one.source for one in some if one.source in image.names)
            assert source not in found
            found[source] = image
    for image in some:
        if not image.annotations and form in ("csv", "webannotation", "iiif"):
            assert image.source not in found  # they have a line a mark
            continue
        read = found[image.source]
        assert read.frame == image.frame
        if form != "csv":
            assert (read.width, read.height) == (image.width, image.height)
            assert read.sha256 == image.sha256
        assert read.annotations == image.annotations


@settings(max_examples=200)
@given(content=st.binary() | st.text().map(str.encode))
def test_random_content_is_refused_or_understood(content: bytes) -> None:
    for head in (b"", b"<", b"{", b"[", b"mark,source,x,y,width,height\n1,"):
        try:
            understand(head + content, "x")
        except MetadataError as error:
            assert str(error).endswith(".")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["Annotation", "rect", "polygon", "xywh=1,2,3", "FragmentSelector"]),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside),
    max_leaves=6,
)  # fmt: skip


@anything
@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_spoilt_file_is_refused_or_understood(form: str, data: st.DataObject) -> None:
    polygon = Annotation((0, 0, 9, 9), ((0, 0), (9, 0), (9, 9)), score=0.5, origin="x")
    content = written(form, [AnnotatedImage(**{**vars(PAGE), "annotations": (A_BOX, polygon)})])[0]
    if data.draw(st.booleans()) and content.startswith(b"{"):
        content = json.dumps(_with_another_value(json.loads(content), data)).encode()
    else:
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(content)))
            gone = data.draw(st.integers(0, 20))
            content = content[:at] + data.draw(st.binary(max_size=5)) + content[at + gone :]
    try:
        _, said = understand(content, "of theirs")
    except MetadataError as error:
        assert "of theirs" in str(error)
        return
    for one in all_said(said):
        assert one.box[2] > 0 and one.box[3] > 0
        assert one.status in (None, "proposed", "confirmed", "rejected")
        assert one.score is None or 0 <= one.score <= 1
        assert one.polygon is None or len(one.polygon) >= 3


def _with_another_value(value: Any, data: st.DataObject) -> Any:
    """Put something else in the place of one value, somewhere."""
    if isinstance(value, dict) and value and data.draw(st.integers(0, 4)):
        key = data.draw(st.sampled_from(sorted(value)))
        return {**value, key: _with_another_value(value[key], data)}
    if isinstance(value, list) and value and data.draw(st.integers(0, 4)):
        at = data.draw(st.integers(0, len(value) - 1))
        return [*value[:at], _with_another_value(value[at], data), *value[at + 1 :]]
    return data.draw(json_values)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "none of webannotation"),
        ("a,b\n1,2\n", "none of webannotation"),
        ("{" * 100_000, "no JSON"),
        ("[" * 100_000, "nested more than 64 deep"),
        ("[" * 100 + "]" * 100, "nested more than 64 deep"),
        ('{"a": NaN}', "NaN is no number"),
        ("9" * 5000, "none of webannotation"),
        ("[" + "9" * 5000 + "]", "no JSON"),
        ("{}", "no Web Annotation"),
        ('{"@type": "sc:Manifest"}', "Presentation 2"),
        ("<PcGts>", "no XML"),
        ("<PcGts/>", "no PAGE-XML"),
        ("<a>" * 100, "elements more than 64 deep"),
        (f'<PcGts xmlns="{NAMESPACE}"/>', "names no image"),
        ('<?xml version="1.0" encoding="utf-7"?><a/>', "encoding"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "has a DOCTYPE"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "has a DOCTYPE"),
        ('source,x,y,width,height\n"a,1,2,3,4\n', "line 2"),
        ("source,x,y,width,height\na,1,2,3,4,5\n", "there are 6 fields"),
        ('{"images": [{}], "annotations": []}', "of image 1"),
        ('{"images": [{"id": 1}], "annotations": []}', "image 1 has no file_name"),
        ('{"_via_img_metadata": {"a": {"regions": []}}}', "an image without a filename"),
    ],
)
def test_a_file_that_breaks_its_rules_is_refused(content: str, said: str) -> None:
    with pytest.raises(MetadataError, match=re.escape(said)):
        said_by(content)


def test_entities_are_not_expanded_even_in_utf_16() -> None:
    lines = ['<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY x0 "lol">']
    lines += [f'<!ENTITY x{n} "{f"&x{n - 1};" * 10}">' for n in range(1, 12)]
    with pytest.raises(MetadataError, match="DOCTYPE"):
        understand("\n".join([*lines, "]><a>&x11;</a>"]).encode("utf-16"), "x")


@anything
def test_the_same_marks_are_written_byte_for_byte_alike(form: str) -> None:
    mark = Annotation((1, 2, 3, 4), created=datetime(2026, 1, 2, tzinfo=UTC))
    image = AnnotatedImage(**{**vars(PAGE), "annotations": (mark,)})
    assert written(form, [image]) == written(form, [image])


# Web Annotations ------------------------------------------------------------------------------


def annotation(target: Any, **more: Any) -> dict[str, Any]:
    return {"type": "Annotation", "id": "https://elsewhere.org/1", "target": target, **more}


@pytest.mark.parametrize(
    ("fragment", "box", "percent"),
    [
        ("xywh=1,2,3,4", (1, 2, 3, 4), False),
        ("xywh=pixel:1,2,3.5,4", (1, 2, 3.5, 4), False),
        ("xywh=percent:10,20,30.5,40", (10, 20, 30.5, 40), True),
        ("t=1&xywh=1,2,3,4", (1, 2, 3, 4), False),
        ("xywh=pixel%3A1%2C2%2C3%2C4", (1, 2, 3, 4), False),
    ],
)
def test_a_fragment_is_read_in_a_selector_and_in_the_address(
    fragment: str, box: tuple[float, ...], percent: bool
) -> None:
    selector = {"type": "FragmentSelector", "value": fragment}
    for target in (
        f"https://x.org/c#{fragment}",
        {"id": f"https://x.org/c#{fragment}", "type": "Canvas"},
        {"source": "https://x.org/c", "selector": selector},
        {"source": {"id": "https://x.org/c"}, "selector": [{"type": "Other"}, selector]},
        [{"source": "https://x.org/c", "selector": selector}],
    ):
        (image,) = said_by([annotation(target)]).images
        (one,) = image.annotations
        assert image.names == ("https://x.org/c",)
        assert (one.box, one.percent, one.status, one.mark) == (box, percent, None, None)


@pytest.mark.parametrize(
    ("svg", "polygon", "remark"),
    [
        ('<svg xmlns="http://www.w3.org/2000/svg"><polygon points="1,2 3,4 5,0"/></svg>',
         ((1, 2), (3, 4), (5, 0)), False),
        ('<svg><g><polygon points="1 2, 3 4, 5 0"/></g></svg>', ((1, 2), (3, 4), (5, 0)), False),
        ('<svg><path d="M1,2L3,4 5,0Z"/></svg>', ((1, 2), (3, 4), (5, 0)), False),
        ('<svg><path d="m1 2l2 2 2-4l-4 2z"/></svg>', ((1, 2), (3, 4), (5, 0)), False),
        ('<svg><path d="M0 0H5V9h-5z"/></svg>', ((0, 0), (5, 0), (5, 9), (0, 9)), False),
        ('<svg><path d="M0 0c1 1 2 2 3 3s5 5 6-9z"/></svg>', ((0, 0), (3, 3), (9, -6)), True),
    ],
)  # fmt: skip
def test_outlines_in_svg(svg: str, polygon: Any, remark: bool) -> None:
    target = {"source": "c", "selector": {"type": "SvgSelector", "value": svg}}
    said = said_by(annotation(target))
    (one,) = all_said(said)
    assert one.polygon == polygon
    assert bool(said.remarks) == remark


@pytest.mark.parametrize(
    ("svg", "box"),
    [
        ('<svg><rect x="1" y="2" width="3" height="4"/></svg>', (1, 2, 3, 4)),
        ('<svg><circle cx="5" cy="6" r="2"/></svg>', (3, 4, 4, 4)),
        ('<svg><ellipse cx="5" cy="6" rx="2" ry="3"/></svg>', (3, 3, 4, 6)),
    ],
)
def test_other_shapes_in_svg_are_boxes(svg: str, box: tuple[float, ...]) -> None:
    one = only(annotation({"source": "c", "selector": {"type": "SvgSelector", "value": svg}}))
    assert (one.box, one.polygon) == (box, None)


@pytest.mark.parametrize(
    ("selector", "said"),
    [
        ({"type": "SvgSelector", "value": "<svg><text/></svg>"}, "draws nothing"),
        ({"type": "SvgSelector", "value": "<svg"}, "no XML"),
        ({"type": "SvgSelector", "value": '<!DOCTYPE svg><svg><path d="M0 0"/></svg>'}, "DOCTYPE"),
        ({"type": "SvgSelector", "value": '<svg><path d="M0 0 L"/></svg>'}, "cannot be read"),
        ({"type": "SvgSelector", "value": '<svg><path d="M0 0 5 5"/></svg>'}, "fewer than 3"),
        ({"type": "SvgSelector", "value": '<svg transform="scale(2)"/>'}, "transformed"),
        ({"type": "FragmentSelector", "value": "xywh=1,2,3"}, "not four numbers"),
        ({"type": "FragmentSelector", "value": "xywh=1,2,0,3"}, "no area"),
        ({"type": "FragmentSelector", "value": "xywh=a,2,3,3"}, "x is no number"),
        ({"type": "FragmentSelector", "value": "t=1"}, "no xywh"),
        ({"type": "TextQuoteSelector", "exact": "x"}, "selects no region"),
    ],
)
def test_a_selector_that_selects_no_region_is_refused_alone(selector: Any, said: str) -> None:
    good = annotation("https://x.org/c#xywh=1,2,3,4")
    found = said_by([annotation({"source": "c", "selector": selector}), good])
    assert len(all_said(found)) == 1
    (sentence,) = found.refused
    assert said in sentence and "https://elsewhere.org/1" in sentence


def test_the_status_is_a_tag_that_any_tool_can_change() -> None:
    body = [{"type": "TextualBody", "purpose": "tagging", "value": "Rejected"}]
    assert only(annotation("c#xywh=1,2,3,4", body=body)).status == "rejected"
    body.append({"type": "TextualBody", "purpose": "tagging", "value": "confirmed"})
    (said,) = said_by(annotation("c#xywh=1,2,3,4", body=body)).refused
    assert "at once" in said
    body = [{"type": "TextualBody", "purpose": "commenting", "value": "confirmed"}]
    assert only(annotation("c#xywh=1,2,3,4", body=body)).status is None


def test_images_and_transcriptions_are_no_marks() -> None:
    manifest = json.loads(EXPORT_FORMATS["iiif"].write([PAGE], BASE))
    manifest["items"][0]["annotations"][0]["items"].append(
        annotation("c#xywh=1,2,3,4", motivation="supplementing")
    )
    said = said_by(manifest)
    assert len(all_said(said)) == 1
    assert "1 annotations passed over" in said.remarks[0]


def test_pages_of_annotations_that_are_elsewhere_are_said() -> None:
    manifest = json.loads(EXPORT_FORMATS["iiif"].write([PAGE], BASE))
    manifest["items"][0]["annotations"] = [{"id": "https://x.org/1", "type": "AnnotationPage"}]
    (said,) = said_by(manifest).refused
    assert "fetch them" in said


def test_a_manifest_of_strangers_names_its_images_too() -> None:
    manifest = json.loads(EXPORT_FORMATS["iiif"].write([PAGE], "https://x.org/"))
    body = manifest["items"][0]["items"][0]["items"][0]["body"]
    body["service"] = [{"id": "https://images.org/1", "type": "ImageService3"}]
    (image,) = said_by(manifest).images
    assert image.names[-1] == "https://images.org/1"
    assert image.names[:2] == ("https://x.org/canvas/a%2Fb.png", "a/b.png")


def test_a_manifest_has_what_presentation_3_asks_for() -> None:
    second = AnnotatedImage(
        ("c.tif",), (), 2, 50, 40, page=2, ordinal=1, document={"reference": "HCA 32/1"}
    )
    manifest = json.loads(EXPORT_FORMATS["iiif"].write([PAGE, second], "https://x.org/"))
    assert manifest["@context"] == "http://iiif.io/api/presentation/3/context.json"
    assert manifest["id"].startswith("https://") and manifest["label"]
    first, last = manifest["items"]
    assert first["label"] == {"none": ["c.tif"]}  # of a document: before those of none
    assert first["id"] == "https://x.org/canvas/c.tif?frame=2"
    for canvas in (first, last):
        (painting,) = canvas["items"][0]["items"]
        assert painting["target"] == canvas["id"]
        assert painting["body"]["type"] == "Image"
        assert (canvas["width"], canvas["height"]) != (None, None)
    (one,) = last["annotations"][0]["items"]
    assert one["target"]["source"] == last["id"]
    assert one["target"]["selector"]["value"] == "xywh=pixel:10,20,30,40"
    (document,) = manifest["structures"]
    assert document["items"] == [{"id": first["id"], "type": "Canvas"}]
    assert "/scans/" not in json.dumps(manifest)


# PAGE-XML -------------------------------------------------------------------------------------


def page_xml(regions: str, version: str = "2019-07-15") -> str:
    return (
        f'<PcGts xmlns="{NAMESPACE[:-10]}{version}"><Page imageFilename="b.png" imageWidth="500" '
        f'imageHeight="400">{regions}</Page></PcGts>'
    )


def test_page_xml_of_transkribus() -> None:
    said = said_by(
        page_xml(
            '<TextRegion id="t"><Coords points="0,0 9,0 9,9"/>'
            '<GraphicRegion id="g" custom="structure {type:mark;}">'
            '<Coords points="30,40 50,40 50,80 30,80"/></GraphicRegion></TextRegion>'
            '<GraphicRegion id="h"><Coords points="1,2 3,4 5,0"/></GraphicRegion>'
            '<GraphicRegion id="i"><Coords points="1,2 3,4"/></GraphicRegion>'
            '<GraphicRegion id="j"/>',
            "2013-07-15",
        )
    )
    (image,) = said.images
    assert (image.names, image.width, image.height) == (("b.png",), 500, 400)
    box, outline = image.annotations
    assert (box.box, box.polygon, box.status) == ((30, 40, 20, 40), None, None)
    assert outline.polygon == ((1, 2), (3, 4), (5, 0))
    assert ["'i'" in said.refused[0], "'j'" in said.refused[1]] == [True, True]
    assert said.remarks == ("1 TextRegion passed over: no mark.",)


def test_a_text_region_is_a_mark_where_its_custom_says_so() -> None:
    one = only(
        page_xml(
            '<TextRegion id="t" custom="readingOrder {index:0;} prizemarks {status:rejected;}">'
            '<Coords points="0,0 9,0 9,9"/></TextRegion>'
        )
    )
    assert one.status == "rejected"


def test_points_as_they_were_before_2013() -> None:
    one = only(
        page_xml(
            '<GraphicRegion id="t"><Coords><Point x="0" y="0"/><Point x="9" y="0"/>'
            '<Point x="9" y="9"/></Coords></GraphicRegion>',
            "2010-03-19",
        )
    )
    assert one.polygon == ((0, 0), (9, 0), (9, 9))


def test_page_xml_is_in_the_order_that_the_schema_asks_for() -> None:
    root = ElementTree.fromstring(EXPORT_FORMATS["page-xml"].write([PAGE], BASE))
    assert [one.tag for one in root] == [f"{{{NAMESPACE}}}Metadata", f"{{{NAMESPACE}}}Page"]
    assert [one.tag.split("}")[1] for one in root[0]] == ["Creator", "Created", "LastChange"]
    (region,) = root[1]
    assert (region.tag, region.get("type")) == (f"{{{NAMESPACE}}}GraphicRegion", "other")
    assert region[0].get("points") == "10,20 40,20 40,60 10,60"


# COCO, VIA and tables -------------------------------------------------------------------------


def test_coco_of_strangers() -> None:
    said = said_by(
        {
            "images": [{"id": "i", "file_name": "b.png", "width": 500, "height": 400}],
            "categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}],
            "annotations": [
                {"id": 1, "image_id": "i", "bbox": [1, 2, 3.5, 4], "score": 0.5},
                {"id": 2, "image_id": "i", "segmentation": [[0, 0, 9, 0, 9, 9]]},
                {"id": 3, "image_id": "i", "bbox": [1, 2, 3, 4], "segmentation": {"counts": "x"}},
                {"id": 4, "image_id": "other", "bbox": [1, 2, 3, 4]},
                {"id": 5, "image_id": "i", "bbox": [1, 2, 3]},
                {"id": 6, "image_id": "i", "bbox": [1, 2, 3, 4], "score": 7},
                {"id": 7, "image_id": "i", "bbox": [1, 2, 3, 4], "attributes": {"status": "?"}},
            ],
        }
    )
    (image,) = said.images
    assert [one.box for one in image.annotations] == [(1, 2, 3.5, 4), (0, 0, 9, 9), (1, 2, 3, 4)]
    assert image.annotations[0].score == 0.5
    assert image.annotations[0].mark is None, "an id of theirs is no mark of ours"
    assert [re.search(r"annotation (\d)", one)[1] for one in said.refused] == ["5", "6", "7", "4"]
    assert len(said.remarks) == 2


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


def test_via_csv_names_images_that_have_no_region() -> None:
    rows = list(csv.DictReader(io.StringIO(EXPORT_FORMATS["via-csv"].write(
        [PAGE, AnnotatedImage(("c.png",), (), 0, 5, 5)], BASE))))  # fmt: skip
    assert [(row["filename"], row["region_count"]) for row in rows] == [
        ("a/b.png", "1"),
        ("c.png", "0"),
    ]
    assert json.loads(rows[0]["region_attributes"])["status"] == "confirmed"


def test_via_offers_the_three_statuses() -> None:
    project = json.loads(EXPORT_FORMATS["via"].write([PAGE], BASE))
    assert project["_via_attributes"]["region"]["status"]["type"] == "dropdown"
    assert set(project["_via_img_metadata"]) == set(project["_via_image_id_list"])


def test_a_table_from_a_spreadsheet() -> None:
    text = "Source;X;Y;Width;Height;Status\r\nb.png;1;2;3;4;REJECTED\r\n;;;;;\r\nÿ.png;5;6;7;8;\r\n"
    for content in (text.encode("cp1252"), text.encode("utf-8-sig"), text.encode("utf-16")):
        first, second = said_by(content).images
        assert (first.source, second.source) == ("b.png", "ÿ.png")
        assert first.annotations[0].status == "rejected"
        assert second.annotations[0].status is None


def test_a_box_that_was_corrected_in_a_table_goes_before_the_old_outline() -> None:
    text = 'source,x,y,width,height,polygon\nb.png,{},0,9,9,"0,0 9,0 9,9"\n'
    assert only(text.format(0)).polygon == ((0, 0), (9, 0), (9, 9))
    assert only(text.format(1)).polygon is None


def test_the_list_of_marks_has_the_columns_of_the_contract() -> None:
    rows = list(csv.reader(io.StringIO(EXPORT_FORMATS["csv"].write([PAGE], BASE))))
    assert rows[0] == [
        "mark", "source", "page", "x", "y", "width", "height", "status", "score", "reference",
    ]  # fmt: skip
    assert rows[1] == ["7", "a/b.png", "1", "10", "20", "30", "40", "confirmed", "", ""]
    rows = list(csv.reader(io.StringIO(ANNOTATION_FORMATS["csv"].write([PAGE], BASE))))
    assert rows[0][10:] == ["frame", "origin", "created", "polygon"]


# BibTeX, and names of files -------------------------------------------------------------------


def test_bibtex_has_an_entry_a_document_and_the_pages_of_its_marks() -> None:
    document = {
        "reference": "HCA 32/1/1", "title": r"Bill & {list} 100% \x", "date": "c. 1702",
        "year_from": 1702, "ship": "De Hoop", "place": None, "captain": "Jan_Pietersz",
    }  # fmt: skip
    pages = [
        AnnotatedImage(("x",), (one,), page=at, ordinal=at, document=document)
        for at, one in enumerate(
            [A_BOX, A_BOX, Annotation((0, 0, 1, 1), status="rejected"), A_BOX], start=1
        )
    ]
    other = AnnotatedImage(("y",), (), page=9, document={"reference": "HCA-32/1/1"})
    text = EXPORT_FORMATS["bibtex"].write([other, *pages, PAGE], BASE)
    assert [re.search(r"\{(.*),", one)[1] for one in text.split("@misc")[1:]] == [
        "hca-32-1-1", "hca-32-1-1.2",
    ]  # fmt: skip
    first = text.split("@misc")[1]
    assert r"title = {{Bill \& \{list\} 100\% \textbackslash{}x}}" in first
    assert "pages = {1--2, 4}" in first
    assert r"note = {Ship: De Hoop; Captain: Jan\_Pietersz; 3 merchant's marks}" in first
    assert "year = {1702}" in first
    assert "No merchant's marks" in text.split("@misc")[2]


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(some=images())
def test_bibtex_is_balanced_whatever_the_titles(some: list[AnnotatedImage]) -> None:
    text = re.sub(r"\\textbackslash\{\}|\\.", "", EXPORT_FORMATS["bibtex"].write(some, BASE))
    assert text.count("{") == text.count("}")


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(some=images())
def test_names_of_files_stay_in_their_folder_and_are_different(some: list[AnnotatedImage]) -> None:
    names = [name for name, _ in file_names(some, ".xml")]
    assert len({name.casefold() for name in names}) == len(some)
    for name in names:
        path = Path("/folder", name)
        assert ".." not in path.parts and path.is_relative_to("/folder")
        assert all(0 < len(part.encode()) <= 255 for part in path.parts)


def test_names_of_files_are_those_of_the_images() -> None:
    some = [
        AnnotatedImage((source,), frame=frame)
        for source, frame in (
            ("a/1.png", 0), ("a/2.tif", 0), ("a/2.tif", 1), ("b/1.png", 0), ("b/1.jpg", 0),
            ("../../etc/passwd", 0), ("https://x.org/c?d", 0), (".hidden.png", 0),
        )
    ]  # fmt: skip
    assert [name for name, _ in file_names(some, ".xml")] == [
        "a/1.xml", "a/2.xml", "a/2.2.xml", "b/1.png.xml", "b/1.jpg.xml", "etc/passwd.xml",
        "https_/x.org/c_d.xml", "_.hidden.xml",
    ]  # fmt: skip


def test_documents_are_listed_in_the_order_of_their_references() -> None:
    references = ["HCA 32/10", "HCA 4/1", "HCA 32/9"]
    pages = [
        AnnotatedImage(
            (f"{at}.png",), width=1, height=1, location="/x.png", page=at,
            document={"reference": reference},
        )
        for at, reference in enumerate(references, start=1)
    ]  # fmt: skip
    in_order = ["HCA 4/1", "HCA 32/9", "HCA 32/10"]
    bibtex = EXPORT_FORMATS["bibtex"].write(pages, BASE)
    assert re.findall(r"howpublished = \{([^}]*)\}", bibtex) == in_order
    manifest = json.loads(EXPORT_FORMATS["iiif"].write(pages, BASE))
    assert [one["label"]["none"] for one in manifest["structures"]] == [[one] for one in in_order]
