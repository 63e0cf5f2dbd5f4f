from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from retrieval.catalogue.parts import in_parts


@given(st.lists(st.integers()), st.integers(1, 9))
def test_parts_are_the_list_again_and_none_is_empty_or_too_long(items: list[int], n: int) -> None:
    parts = list(in_parts(items, n))
    assert [item for part in parts for item in part] == items
    assert all(0 < len(part) <= n for part in parts)
    assert all(len(part) == n for part in parts[:-1])
