from __future__ import annotations

from typing import Any

import pytest

from tests.ingest.annotations.understood import all_said, annotation, only, said_by


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
    ("selector", "said"),
    [
        ({"type": "SvgSelector", "value": "<svg><text/></svg>"}, "its SVG has no outline"),
        ({"type": "SvgSelector", "value": "<svg"}, "not XML"),
        ({"type": "SvgSelector", "value": '<!DOCTYPE svg><svg><path d="M0 0"/></svg>'}, "DOCTYPE"),
        ({"type": "SvgSelector", "value": '<svg><path d="M0 0 L"/></svg>'}, "cannot be read"),
        ({"type": "SvgSelector", "value": '<svg><path d="M0 0 5 5"/></svg>'}, "fewer than 3"),
        ({"type": "SvgSelector", "value": '<svg transform="scale(2)"/>'}, "transform"),
        ({"type": "FragmentSelector", "value": "xywh=1,2,3"}, "not have four numbers"),
        ({"type": "FragmentSelector", "value": "xywh=1,2,0,3"}, "no area"),
        ({"type": "FragmentSelector", "value": "xywh=a,2,3,3"}, "x is not a number"),
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


@pytest.mark.parametrize("nothing", [None, [], {}])
def test_an_annotation_without_a_target_is_refused_alone(nothing: Any) -> None:
    found = said_by([annotation(nothing), annotation("https://x.org/c#xywh=1,2,3,4")])
    assert len(all_said(found)) == 1
    (sentence,) = found.refused
    assert "its target names no canvas" in sentence


def test_types_may_be_lists() -> None:
    selector = {"type": ["Selector", "FragmentSelector"], "value": "xywh=1,2,3,4"}
    one = annotation({"source": "c", "selector": selector}) | {"type": ["Annotation"]}
    page = {"type": ["http://x.org/Mine", "AnnotationPage"], "items": [one]}
    (image,) = said_by(page).images
    assert [each.box for each in image.annotations] == [(1, 2, 3, 4)]


def test_the_status_is_a_tag_that_any_tool_can_change() -> None:
    body = [{"type": "TextualBody", "purpose": "tagging", "value": "Rejected"}]
    assert only(annotation("c#xywh=1,2,3,4", body=body)).status == "rejected"
    body.append({"type": "TextualBody", "purpose": "tagging", "value": "confirmed"})
    (said,) = said_by(annotation("c#xywh=1,2,3,4", body=body)).refused
    assert "at once" in said
    body = [{"type": "TextualBody", "purpose": "commenting", "value": "confirmed"}]
    assert only(annotation("c#xywh=1,2,3,4", body=body)).status is None
