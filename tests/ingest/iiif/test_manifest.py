from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.iiif.manifest import Manifest, Painting, read_manifest
from retrieval.catalogue.errors import MetadataError
from tests.ingest.iiif_server import body_3, canvas_2, canvas_3, manifest_2, manifest_3

SECOND = manifest_2(
    "https://example.org/m2",
    [
        canvas_2("https://example.org/c/1", "1r", "https://example.org/1.jpg", "https://x/1"),
        canvas_2("https://example.org/c/2", "1v", "https://example.org/2.jpg"),
    ],
    metadata=[{"label": "Date", "value": "1702"}],
    attribution="X",
    license="https://example.org/by",
)
THIRD = manifest_3(
    "https://example.org/m3",
    [
        canvas_3("https://example.org/c/1", "1r", body_3("https://example.org/1.jpg", "https://x")),
        canvas_3("https://example.org/c/2", "1v", [body_3("https://example.org/2.jpg")]),
    ],
    metadata=[{"label": {"en": ["Date"]}, "value": {"en": ["1702"]}}],
    requiredStatement={"label": {"en": ["By"]}, "value": {"en": ["X"]}},
    rights="https://example.org/by",
)


def read(document: Any) -> Manifest:
    return read_manifest(json.dumps(document).encode(), "manifest.json")


@pytest.mark.parametrize("document", [SECOND, THIRD], ids=["version 2", "version 3"])
def test_both_versions_say_the_same(document: dict[str, Any]) -> None:
    found = read(document)
    assert [(one.labels, one.values) for one in found.metadata] == [(("Date",), ("1702",))]
    assert (found.attribution, found.rights) == ("X", "https://example.org/by")
    first, second = found.canvases
    assert (first.id, first.label, first.width, first.height) == (
        "https://example.org/c/1",
        "1r",
        2000,
        1600,
    )
    assert first.paintings[0].image == "https://example.org/1.jpg"
    assert first.paintings[0].service in ("https://x", "https://x/1")
    assert second.paintings == (Painting("https://example.org/2.jpg", None),)


def test_choices_and_regions_give_their_first_image() -> None:
    region = {"type": "SpecificResource", "source": body_3("https://x/whole.jpg")}
    choice = {"type": "Choice", "items": [region, body_3("https://x/other.jpg")]}
    old = {
        "@type": "oa:Choice",
        "default": {"@id": "https://x/first.jpg", "@type": "dctypes:Image"},
        "item": [{"@id": "https://x/uv.jpg", "@type": "dctypes:Image"}, "rdf:nil"],
    }
    (canvas,) = read(manifest_3("https://x/m", [canvas_3("https://x/c", "1", choice)])).canvases
    assert canvas.paintings == (Painting("https://x/whole.jpg", None),)
    given = canvas_2("https://x/c", "1", "")
    given["images"][0]["resource"] = old
    (canvas,) = read(manifest_2("https://x/m", [given])).canvases
    assert canvas.paintings == (Painting("https://x/first.jpg", None),)


@pytest.mark.parametrize(
    "body",
    [
        {"id": "https://x/1", "format": "image/jpeg"},
        {"id": "https://x/1.JPG"},
        {"id": "https://x/iiif/1/full/max/0/default.jpg?v=2"},
        {"id": "https://x/1", "type": "image"},
        {"id": "https://x/1", "type": "dcTypes:Image"},
        {"id": "https://x/1", "type": "http://purl.org/dc/dcmitype/Image"},
        {"id": "https://x/1", "type": "http://purl.org/dc/dcmitype/StillImage"},
        {"id": "https://x/1", "type": ["sc:Layer", "dctypes:Image"]},
    ],
)
def test_an_image_is_known_however_its_type_is_written(body: dict[str, Any]) -> None:
    (third,) = read(manifest_3("https://x/m", [canvas_3("https://x/c", "1", body)])).canvases
    assert third.paintings == (Painting(body["id"], None),)
    given = canvas_2("https://x/c", "1", "")
    given["images"][0]["resource"] = {f"@{name}": said for name, said in body.items()}
    given["images"][0]["resource"] |= {"format": body.get("format")}
    (second,) = read(manifest_2("https://x/m", [given])).canvases
    assert second.paintings == third.paintings


@pytest.mark.parametrize(
    "body",
    [
        {"id": "https://x/1"},
        {"id": "https://x/1.mp3"},
        {"id": "https://x/1.jpg", "format": "audio/mpeg"},
        {"id": "https://x/1", "format": "application/pdf"},
        {"id": "https://x/1.jpg", "type": "Text"},
        {"id": "https://x/1", "type": "http://purl.org/dc/dcmitype/MovingImage"},
        {"format": "image/jpeg"},
        {"id": "https://[x/1.jpg"},
    ],
)
def test_what_does_not_say_that_it_is_an_image_is_none(body: dict[str, Any]) -> None:
    (canvas,) = read(manifest_3("https://x/m", [canvas_3("https://x/c", "1", body)])).canvases
    assert canvas.paintings == ()


def test_what_is_no_picture_is_not_taken_for_one() -> None:
    canvas = canvas_3("https://x/c", "1", {"id": "https://x/a.mp3", "type": "Sound"})
    nothing = canvas_3("https://x/e", "3", None)
    nothing["items"][0]["items"] += [None, "https://x/annotation"]
    comment = copy.deepcopy(canvas_3("https://x/d", "2", body_3("https://x/note.jpg")))
    comment["items"][0]["items"][0]["motivation"] = "commenting"
    found = read(manifest_3("https://x/m", [canvas, comment, nothing]))
    assert [one.paintings for one in found.canvases] == [(), (), ()]


def test_a_service_that_is_no_image_service_is_passed_over() -> None:
    body = body_3("https://x/1.jpg")
    body["service"] = [
        {"@id": "https://x/login", "profile": "http://iiif.io/api/auth/1/login"},
        {
            "@id": "https://x/1/",
            "@type": "ImageService2",
            "profile": ["http://iiif.io/api/image/2/level1.json", {"maxWidth": 9}],
        },
    ]
    (canvas,) = read(manifest_3("https://x/m", [canvas_3("https://x/c", "1", body)])).canvases
    assert canvas.paintings == (Painting("https://x/1.jpg", "https://x/1"),)


def test_canvases_without_ids_or_with_the_same_are_told_apart() -> None:
    canvases = [canvas_3("https://x/c", "1", body_3("https://x/1.jpg")) for _ in range(3)]
    del canvases[2]["id"]
    found = read(manifest_3("https://x/m", canvases)).canvases
    assert [one.id for one in found] == [
        "https://x/c",
        "https://x/c#canvas-2",
        "https://x/m#canvas-3",
    ]


def test_texts_are_plain_and_storable() -> None:
    found = read(
        manifest_3(
            "https://x/m",
            [],
            label={"nl": ["Brief"], "en": ["<p>A&nbsp;letter<br>to \ud800\u0000you</p>"]},
            summary={"nl": ["1 < 2 & 3 > 2"]},
        )
    )
    assert found.label == "A letter to you"
    assert found.summary == "1 < 2 & 3 > 2"


@pytest.mark.parametrize(
    ("summary", "kept"),
    [
        ({"none": ["A bundle.", "Letters, mostly."]}, "A bundle. Letters, mostly."),
        (
            {"nl": ["Een bundel.", "Brieven."], "en": ["A bundle.", "Letters."]},
            "A bundle. Letters.",
        ),
        (["A bundle.", "<p>Letters.</p>"], "A bundle. Letters."),
        ([{"@value": "Een bundel", "@language": "nl"}, {"@value": "A", "@language": "en"}], "A"),
        ({"none": [""]}, None),
    ],
)
def test_a_summary_of_several_paragraphs_is_kept_whole(summary: object, kept: str | None) -> None:
    assert read(manifest_3("https://x/m", [], summary=summary)).summary == kept
    assert read(manifest_2("https://x/m", [], description=summary)).summary == kept


def test_several_texts_of_one_language_are_read() -> None:
    value = {"@value": ["Dutch", "French"], "@language": "en"}
    found = read(manifest_2("https://x/m", [], metadata=[{"label": "Language", "value": value}]))
    assert [one.values for one in found.metadata] == [("Dutch", "French")]


def test_numbers_are_texts_where_texts_are_asked_for() -> None:
    values = [1745, 17.5, {"@value": 12}, {"none": [3, "four"]}, True, None]
    canvas = canvas_2("https://x/c", "", "https://x/1.jpg") | {"label": 12}
    found = read(
        manifest_2(
            "https://x/m",
            [canvas],
            label=1845,
            metadata=[{"label": "Year of capture", "value": value} for value in values],
        )
    )
    assert found.label == "1845"
    assert found.canvases[0].label == "12"
    said = [one.values for one in found.metadata]
    assert said == [("1745",), ("17.5",), ("12",), ("3", "four")]


@pytest.mark.parametrize(
    ("given", "size"),
    [
        ("1000", 1000),
        (" 1000 ", 1000),
        (1000.0, 1000),
        ("", None),
        ("0", None),
        ("-5", None),
        ("1000px", None),
        ("10²", None),
        ("9" * 5000, None),
        (True, None),
        (0.5, None),
    ],
)
def test_a_size_may_be_written_as_text(given: object, size: int | None) -> None:
    canvas = canvas_2("https://x/c", "1", "https://x/1.jpg") | {"width": given, "height": given}
    (found,) = read(manifest_2("https://x/m", [canvas])).canvases
    assert (found.width, found.height) == (size, size)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not JSON"),
        (b"[" * 100_000, "nested more than 64 deep"),
        (b"[" * 100 + b"]" * 100, "nested more than 64 deep"),
        (b'{"type": "Manifest", "height": NaN}', "not JSON: NaN is not a JSON number"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "not a IIIF manifest"),
        (b'{"type": "Canvas"}', "its type is 'Canvas'"),
        (b'{"type": "Manifest"}', "no id"),
        (b'{"type": "Manifest", "id": "x", "items": ["https://x/c"]}', "only named"),
        (b'{"@type": "sc:Collection", "manifests": [{"@id": "https://x/m"}]}', "https://x/m"),
    ],
)
def test_what_is_wrong_is_said(content: bytes, said: str) -> None:
    with pytest.raises(MetadataError, match=said):
        read_manifest(content, "manifest.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def check(document: Any) -> None:
    try:
        found = read(document)
    except MetadataError:
        return
    assert found.id
    assert len({canvas.id for canvas in found.canvases}) == len(found.canvases)
    texts = [found.id, found.label, found.summary, found.attribution, found.rights]
    texts += [text for one in found.metadata for text in (*one.labels, *one.values)]
    for canvas in found.canvases:
        texts += [canvas.id, canvas.label]
        texts += [address for one in canvas.paintings for address in (one.image, one.service)]
        assert canvas.width is None or canvas.width > 0
    for text in texts:
        if text is not None:
            assert text and "\0" not in text and "\n" not in text
            text.encode()


@given(JSON)
def test_any_json_is_read_or_refused(document: Any) -> None:
    check(document)


@given(st.sampled_from([SECOND, THIRD]), st.data())
def test_a_manifest_with_anything_anywhere_is_read_or_refused(
    document: dict[str, Any], data: st.DataObject
) -> None:
    changed = copy.deepcopy(document)
    for _ in range(data.draw(st.integers(1, 3))):
        places = list(places_in(changed))
        holder, key = data.draw(st.sampled_from(places))
        if data.draw(st.booleans()):
            holder[key] = data.draw(JSON)
        else:
            holder[key] = copy.deepcopy(data.draw(st.sampled_from(places))[0])
    check(changed)


def places_in(value: Any) -> Any:
    """Every place of a document: what holds it, and its key there."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(pairs):
        yield value, key
        if isinstance(inner, dict | list):
            yield from places_in(inner)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with pytest.raises(MetadataError):
        read_manifest(content, "manifest.json")
