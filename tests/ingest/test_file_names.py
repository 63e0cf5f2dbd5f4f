from __future__ import annotations

import os

import pytest

from ingest.file_names import beginning


@pytest.mark.parametrize(
    ("name", "room", "left"),
    [
        ("a.png", 5, "a.png"),
        ("a.png", 4, "a.pn"),
        ("öö", 3, "ö"),
        ("🜨a", 3, ""),
        ("a", 0, ""),
        ("a", -2, ""),
        ("caf\udce9s", 4, "caf\udce9"),  # a byte that is no UTF-8 is one byte
    ],
)
def test_a_name_keeps_the_whole_characters_that_fit(name: str, room: int, left: str) -> None:
    assert beginning(name, room) == left
    assert len(os.fsencode(left)) <= max(0, room)
