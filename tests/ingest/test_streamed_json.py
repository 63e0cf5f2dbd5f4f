from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.streamed_json import Stream, StreamOfMembers, write_json

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=20,
)  # fmt: skip


def streamed(value: Any) -> Any:
    """The value with its lists and objects as streams."""
    if isinstance(value, list):
        return Stream(streamed(one) for one in value)
    if isinstance(value, dict):
        return StreamOfMembers((key, streamed(one)) for key, one in value.items())
    return value


@given(VALUES)
def test_streams_are_written_as_what_they_give(value: Any) -> None:
    text = "".join(write_json(streamed(value)))
    assert text == json.dumps(value, indent=1) + "\n" == "".join(write_json(value))


def test_items_are_asked_for_while_the_text_is_taken() -> None:
    asked: list[int] = []

    def items() -> Iterator[int]:
        for number in range(50_000):
            asked.append(number)
            yield number

    parts = write_json({"first": Stream(items()), "then": asked})
    text = next(parts)
    assert 1 < len(asked) < 20_000
    told = json.loads(text + "".join(parts))
    assert told["first"] == told["then"] == list(range(50_000))


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        list(write_json(Stream([float("nan")])))
