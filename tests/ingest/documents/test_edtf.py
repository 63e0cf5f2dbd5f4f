from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.documents.edtf import parse_edtf


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("1702", (1702, 1702)),
        ("1702-03", (1702, 1702)),
        ("1702-03-11", (1702, 1702)),
        ("1702~", (1702, 1702)),
        ("1702-03?", (1702, 1702)),
        ("1702-03-11%", (1702, 1702)),
        ("170X", (1700, 1709)),
        ("17XX", (1700, 1799)),
        ("1702-XX", (1702, 1702)),
        ("1702-03-XX", (1702, 1702)),
        ("1702-XX-XX", (1702, 1702)),
        ("1702-22", (1702, 1702)),
        ("1704-02-29", (1704, 1704)),
        ("1702/1704", (1702, 1704)),
        ("1702-03/1702", (1702, 1702)),
        ("1702~/1704?", (1702, 1704)),
        ("170X/1715-03-11", (1700, 1715)),
        ("1702/..", (1702, None)),
        ("1702/", (1702, None)),
        ("../1704", (None, 1704)),
        ("[1702..1704]", (1702, 1704)),
        ("[..1704]", (None, 1704)),
        ("[1702..]", (1702, None)),
        ("[1702, 1704]", (1702, 1704)),
        ("{1702,1704-03}", (1702, 1704)),
    ],
)
def test_dates_and_their_years(text: str, years: tuple[int | None, int | None]) -> None:
    date = parse_edtf(text)
    assert date is not None
    assert (date.year_from, date.year_to) == years
    assert date.text == text.replace(" ", "")


@pytest.mark.parametrize(
    "text",
    [
        *("", "17", "0999", "2100", "12345", "17a2", "-1702", "Y170002", "nonsense"),
        *("1702-3", "1702-13", "1702-00", "1702-02-29", "1700-02-29", "1702-04-31"),
        *("170X-03", "1702-XX-11", "1702-22-01", "1702-03-11T10:00:00"),
        *("/", "../..", "1704/1702", "1702-04/1702-03", "1702/1703/1704"),
        *("[..]", "[1702]", "[1702,]", "[1702..1701]", "{1702"),
    ],
)
def test_other_texts(text: str) -> None:
    assert parse_edtf(text) is None


@given(
    st.text(max_size=30)
    | st.text(st.sampled_from("0123456789-/.X[]{}~?%,"), max_size=24)
    | st.from_regex(r"17[0-9X]{2}(-[01][0-9X]){0,2}[~?%]?", fullmatch=True)
    | st.from_regex(r"1[67][0-9]{2}(-0[1-9])?/18[01][0-9][~?%]?", fullmatch=True)
    | st.from_regex(r"\[1[67][0-9]{2}(,|\.\.)18[01][0-9]\]", fullmatch=True)
)
def test_reading_twice_changes_nothing(text: str) -> None:
    date = parse_edtf(text)
    if date is not None:
        assert parse_edtf(date.text) == date
        if date.year_from is not None and date.year_to is not None:
            assert 1000 <= date.year_from <= date.year_to <= 2099
