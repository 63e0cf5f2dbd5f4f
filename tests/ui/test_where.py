from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.catalogue.documents import Filters
from retrieval.catalogue.errors import QueryError
from ui.where import parse_where


@pytest.mark.parametrize(
    ("conditions", "filters"),
    [
        ([], Filters()),
        (["series=HCA 32"], Filters(series="HCA 32")),
        (["ship = De Hoop"], Filters(ship="De Hoop")),
        (["year=1702"], Filters(year_from=1702, year_to=1702)),
        (["year=1702..1710"], Filters(year_from=1702, year_to=1710)),
        (["year=1702.."], Filters(year_from=1702)),
        (["year=..1710"], Filters(year_to=1710)),
        (["year=..1710", "ship=A=B"], Filters(year_to=1710, ship="A=B")),
    ],
)
def test_conditions(conditions: list[str], filters: Filters) -> None:
    assert parse_where(conditions) == filters


@pytest.mark.parametrize("text", ["year", "year=", "year=..", "year=17", "year=1702-1710", "x=1"])
def test_refused(text: str) -> None:
    with pytest.raises(QueryError):
        parse_where([text])


@given(st.text(max_size=30))
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        assert isinstance(parse_where([text]), Filters)
    except QueryError as error:
        assert str(error)
