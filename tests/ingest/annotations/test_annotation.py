from __future__ import annotations

from ingest.annotations.annotation import Annotation


def test_annotations_are_comparable_but_for_where_they_stood() -> None:
    assert Annotation((0, 0, 1, 1), where="a") == Annotation((0, 0, 1, 1), where="b")
