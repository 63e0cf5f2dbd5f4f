from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.catalogue.documents import Facets, Filters
from retrieval.catalogue.errors import QueryError
from ui.where import as_catalogued, as_named, parse_where


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
        (["year=1702..", "year=..1710"], Filters(year_from=1702, year_to=1710)),
        (["year=1700..1705", "year=1702..1710"], Filters(year_from=1702, year_to=1705)),
        (["year=1702", "year=1700.."], Filters(year_from=1702, year_to=1702)),
        (["ship=De Hoop", "ship=de hoop"], Filters(ship="De Hoop")),
    ],
)
def test_conditions(conditions: list[str], filters: Filters) -> None:
    assert parse_where(conditions) == filters


@pytest.mark.parametrize(
    "text",
    ["year", "year=", "year=..", "year=17", "year=1702-1710", "year=1710..1702", "x=1"],
)
def test_refused(text: str) -> None:
    with pytest.raises(QueryError):
        parse_where([text])


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        (["ship=A", "ship=B"], "The ship cannot be both 'A' and 'B': all conditions must match."),
        (["series=HCA 32", "year=1702", "series=HCA 30"], "The series cannot be both 'HCA 32'"),
        (["year=1702", "year=1703.."], "No year fits 'year=1703..' and the conditions before it"),
    ],
)
def test_conditions_that_cannot_all_hold_are_refused(conditions: list[str], said: str) -> None:
    with pytest.raises(QueryError, match=re.escape(said)):
        parse_where(conditions)


def test_names_are_met_whatever_their_case() -> None:
    known = Facets(("HCA 32", "HCA 42"), ("Élise", "Las Animas"), 1700, 1750)
    asked = Filters(year_from=1702, series="hca 32", ship="élise")
    assert as_catalogued(asked, known) == Filters(year_from=1702, series="HCA 32", ship="Élise")
    assert as_catalogued(Filters(), known) == Filters()
    with pytest.raises(QueryError, match=r"ship 'Las Animos'\. Perhaps 'Las Animas'"):
        as_catalogued(Filters(ship="Las Animos"), known)
    with pytest.raises(QueryError, match=r"series 'XY 9'\.$"):
        as_catalogued(Filters(series="XY 9"), known)


def test_an_identity_is_met_in_any_case_and_one_that_is_not_is_refused() -> None:
    names = ["Jan de Vries", "the anchor"]
    assert as_named("THE ANCHOR", names) == "the anchor"
    with pytest.raises(
        QueryError,
        match=r"^No mark is identified as 'Jan Vries'\. Perhaps 'Jan de Vries'\?$",
    ):
        as_named("Jan Vries", names)


@given(st.text(max_size=30))
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        assert isinstance(parse_where([text]), Filters)
    except QueryError as error:
        assert str(error)
