from __future__ import annotations

from typing import Any

import pytest

from retrieval.catalogue.canvases import CanvasRow
from ui.canvases import beyond

FULL = CanvasRow("f. 12r", "The Archive", "https://example.org/r")


@pytest.mark.parametrize(
    ("document", "left"),
    [
        (None, FULL),
        ({"reference": "HCA 32/1", "title": None, "details": None}, FULL),
        (
            {"reference": "HCA 32/1", "details": {"attribution": "The  Archive\n"}},
            CanvasRow("f. 12r", None, "https://example.org/r"),
        ),
        (
            {"reference": "HCA 32/1", "details": {"userestrict": ["x", "https://example.org/r"]}},
            CanvasRow("f. 12r", "The Archive", None),
        ),
        ({"reference": "HCA 32/1", "details": {"folio": "f. 12r"}}, FULL),  # of what, who knows
        (
            {
                "reference": "HCA 32/1",
                "title": "f. 12r",
                "place": "The Archive",
                "details": {"rights": "https://example.org/r"},
            },
            None,
        ),
    ],
)
def test_what_the_document_says_is_not_said_again(
    document: dict[str, Any] | None, left: CanvasRow | None
) -> None:
    assert beyond(FULL, document) == left


def test_of_equal_texts_one_is_said() -> None:
    same = CanvasRow(None, "CC BY 4.0", "CC BY  4.0")
    assert beyond(same, None) == CanvasRow(None, "CC BY 4.0", None)
    assert beyond(None, {"reference": "HCA 32/1"}) is None
