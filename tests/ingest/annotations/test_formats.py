from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.annotations.annotation import AnnotatedImage, Annotation
from ingest.annotations.formats import ANNOTATION_FORMATS, EXPORT_FORMATS, understand
from ingest.annotations.page_xml import NAMESPACE
from retrieval.catalogue.errors import MetadataError
from tests.ingest.annotations.drawn import images
from tests.ingest.annotations.understood import A_BOX, PAGE, all_said, said_by

anything = pytest.mark.parametrize("form", sorted(ANNOTATION_FORMATS))


def written(form: str, some: list[AnnotatedImage]) -> list[bytes]:
    one = ANNOTATION_FORMATS[form]
    groups = [[image] for image in some] if one.a_file_an_image else [some]
    return [one.text(group).encode() for group in groups]


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
        ("", "not in a known format (webannotation"),
        ("a,b\n1,2\n", "not in a known format (webannotation"),
        ("{" * 100_000, "not JSON"),
        ("[" * 100_000, "nested more than 64 deep"),
        ("[" * 100 + "]" * 100, "nested more than 64 deep"),
        ('{"a": NaN}', "NaN is not a JSON number"),
        ("9" * 5000, "not in a known format (webannotation"),
        ("[" + "9" * 5000 + "]", "not JSON"),
        ("{}", "neither a Web Annotation"),
        ('{"@type": "sc:Manifest"}', "Presentation 2"),
        ("<PcGts>", "not XML"),
        ("<PcGts/>", "not PAGE-XML"),
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


def test_documents_are_listed_in_the_order_of_their_references() -> None:
    references = ["HCA 32/10", "HCA 4/1", "HCA 32/9"]
    pages = [
        AnnotatedImage(
            (f"{at}.png",), width=1, height=1, page=at,
            document={"reference": reference},
        )
        for at, reference in enumerate(references, start=1)
    ]  # fmt: skip
    in_order = ["HCA 4/1", "HCA 32/9", "HCA 32/10"]
    bibtex = EXPORT_FORMATS["bibtex"].text(pages)
    assert re.findall(r"howpublished = \{([^}]*)\}", bibtex) == in_order
    manifest = json.loads(EXPORT_FORMATS["iiif"].text(pages))
    assert [one["label"]["none"] for one in manifest["structures"]] == [[one] for one in in_order]
