from __future__ import annotations

import json

from ingest.annotations.annotation import AnnotatedImage
from ingest.annotations.formats import EXPORT_FORMATS
from tests.ingest.annotations.understood import PAGE, all_said, annotation, said_by


def test_images_and_transcriptions_are_no_marks() -> None:
    manifest = json.loads(EXPORT_FORMATS["iiif"].text([PAGE]))
    manifest["items"][0]["annotations"][0]["items"].append(
        annotation("c#xywh=1,2,3,4", motivation="supplementing")
    )
    said = said_by(manifest)
    assert len(all_said(said)) == 1
    assert "1 annotation skipped" in said.remarks[0]


def test_pages_of_annotations_that_are_elsewhere_are_said() -> None:
    manifest = json.loads(EXPORT_FORMATS["iiif"].text([PAGE]))
    manifest["items"][0]["annotations"] = [{"id": "https://x.org/1", "type": "AnnotationPage"}]
    (said,) = said_by(manifest).refused
    assert "only links to 1 of its annotation pages: download" in said


def test_a_manifest_of_strangers_names_its_images_too() -> None:
    manifest = json.loads(EXPORT_FORMATS["iiif"].at("https://x.org/").text([PAGE]))
    body = manifest["items"][0]["items"][0]["items"][0]["body"]
    body["service"] = [{"id": "https://images.org/1", "type": "ImageService3"}]
    (image,) = said_by(manifest).images
    assert image.names[-1] == "https://images.org/1"
    assert image.names[:2] == ("https://x.org/canvas/a%2Fb.png", "a/b.png")


def test_a_manifest_has_what_presentation_3_asks_for() -> None:
    second = AnnotatedImage(
        ("c.tif",), (), 2, 50, 40, page=2, ordinal=1, document={"reference": "HCA 32/1"}
    )
    manifest = json.loads(EXPORT_FORMATS["iiif"].at("https://x.org/").text([PAGE, second]))
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
