from __future__ import annotations

from typing import Any

import pytest

from tests.ingest.annotations.understood import all_said, annotation, only, said_by


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
