from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.documents.dates import read_date
from ingest.documents.edtf import parse_edtf


@pytest.mark.parametrize(
    ("written", "years"),
    [
        ("1745", (1745, 1745)),
        ("12 March 1702", (1702, 1702)),
        ("1702-03-12", (1702, 1702)),
        ("12/03/1702", (1702, 1702)),
        ("1702-03", (1702, 1702)),
        ("1700-1705", (1700, 1705)),
        ("1700–1705", (1700, 1705)),
        ("1705-1700", (1700, 1705)),
        ("1744-45", (1744, 1745)),
        ("1744/5", (1744, 1745)),
        ("11 March 1702 - 24 April", (1702, 1702)),
        ("Michaelmas 1702 - 24th April 1703", (1702, 1703)),
        ("undated, 1702 - 30 June 1702", (1702, 1702)),
        ("1 janvier 1702 - 14 mars 1702", (1702, 1702)),
        ("between 3 June 1702/14 June 1702", (1702, 1702)),
        ("Lady Day 1744-45, in March", (1744, 1745)),
        ("20 January 1744/45", (1744, 1745)),
        ("c. 1690", (1690, 1690)),
        ("[1698?]", (1698, 1698)),
        ("1702~", (1702, 1702)),
        ("between 1699 and 1702", (1699, 1702)),
        ("1690s", (1690, 1699)),
        ("169X", (1690, 1699)),
        ("16XX", (1600, 1699)),
        ("1700s", (1700, 1799)),
        ("17th century", (1601, 1700)),
        ("late 17th-18th century", (1601, 1800)),
        ("before 1700", (None, 1700)),
        ("after 1650", (1650, None)),
        ("n.d.", (None, None)),
        ("", (None, None)),
        ("12345", (None, None)),
        ("HCA 32/1234", (1234, 1234)),
    ],
)
def test_dates(written: str, years: tuple[int | None, int | None]) -> None:
    read = read_date(written)
    assert (read.year_from, read.year_to) == years


@given(
    st.text(max_size=60) | st.text(st.sampled_from("0123456789-/xX cstbefornad.~?"), max_size=30)
)
def test_no_date_upsets(written: str) -> None:
    read = read_date(written)
    first, last = read.year_from, read.year_to
    assert first is None or 1000 <= first <= 2100
    assert last is None or 1000 <= last <= 2100
    if first is not None and last is not None:
        assert first <= last


@given(st.integers(1000, 2099), st.integers(1000, 2099))
def test_ranges_of_years(one: int, other: int) -> None:
    read = read_date(f"{one} - {other}")
    assert (read.year_from, read.year_to) == (min(one, other), max(one, other))


@pytest.mark.parametrize(
    ("written", "edtf"),
    [
        ("c. 1702", "1702~"),
        ("c1702", "1702~"),
        ("[c. 1702?]", "1702%"),
        ("[1702]", "1702"),
        ("? 1702", "1702?"),
        ("1702-1704", "1702/1704"),
        ("1744-45", "1744/1745"),
        ("c.1700-c.1705", "1700~/1705~"),
        ("11 March 1702", "1702-03-11"),
        ("Tuesday, March 11th, 1702", "1702-03-11"),
        ("1702 Mar 11 - 1703 Apr 4", "1702-03-11/1703-04-04"),
        ("11-14 March 1702", "1702-03-11/1702-03-14"),
        ("Mar.-May 1702", "1702-03/1702-05"),
        ("11 March to 4 April 1702", "1702-03-11/1702-04-04"),
        ("25/03/1702", "1702-03-25"),
        ("17020311", "1702-03-11"),
        ("before 1710", "[..1710]"),
        ("after c. 1650", "[1650~..]"),
        ("between 1699 and 1702", "[1699..1702]"),
        ("1702 or 1703", "[1702,1703]"),
        ("1702 and 1704", "{1702,1704}"),
        ("since 1702", "1702/.."),
        ("1690s", "169X"),
        ("1700s", "17XX"),
        ("17th century", "1601/1700"),
        ("17th-18th centuries", "1601/1800"),
        # What is not clear is left unread.
        ("Michaelmas term 1702", None),
        ("late 17th century", None),
        ("12/03/1702", None),
        ("1702-21", None),
        ("spring 1702", None),
        ("29 February 1701", None),
        ("1705-1700", None),
        ("11 June 1701/2", None),
        ("14 William III", None),
        ("n.d.", None),
    ],
)
def test_wordings_as_edtf(written: str, edtf: str | None) -> None:
    assert read_date(written).edtf == edtf


@pytest.mark.parametrize(
    ("written", "edtf", "years", "remark"),
    [
        (
            "11 March 1701/2",
            "1702-03-11",
            (1701, 1702),
            "old style: 1701 as years were then counted, 1702 as they are now",
        ),
        (
            "March 1699/1700",
            "1700-03",
            (1699, 1700),
            "old style: 1699 as years were then counted, 1700 as they are now",
        ),
        (
            "1744/5",
            "1744/1745",
            (1744, 1745),
            "written 1744/5: old style, or from one year to the next",
        ),
        (
            "16/27 April 1745",
            "1745-04-27",
            (1745, 1745),
            "old style 16 April, new style 27 April",
        ),
        (
            "30 March/10 April 1745",
            "1745-04-10",
            (1745, 1745),
            "old style 30 March, new style 10 April",
        ),
        ("11 March 1702 (O.S.)", "1702-03-11", (1702, 1702), "old style"),
        ("11 March 1702, new style", "1702-03-11", (1702, 1702), "new style"),
        (
            "29 February 1700",
            "1700-02",
            (1700, 1700),
            "old style (29 February is a day of that calendar)",
        ),
        ("14/27 April 1745", None, (1745, 1745), None),
        ("11 March 1702", "1702-03-11", (1702, 1702), None),
    ],
)
def test_old_style_and_new_style(
    written: str, edtf: str | None, years: tuple[int, int], remark: str | None
) -> None:
    read = read_date(written)
    assert (read.edtf, (read.year_from, read.year_to), read.calendar) == (edtf, years, remark)


def test_the_date_for_machines_is_believed() -> None:
    read = read_date("in the reign of Anne", "1702-03-08/1714-08-01")
    assert (read.edtf, read.year_from, read.year_to) == ("1702-03-08/1714-08-01", 1702, 1714)
    assert read_date("c. 1702", "17020101/17021231").edtf == "1702-01-01/1702-12-31"
    assert read_date("11 March 1701/2", "1702-03-11").year_from == 1701
    assert read_date("1702", "nonsense").edtf == "1702"
    read = read_date("Queen Anne's reign", "1702-1714")
    assert (read.edtf, read.year_from, read.year_to) == ("1702/1714", 1702, 1714)
    read = read_date("Queen Anne's reign", "1702 bis zum Tod 1714")
    assert (read.edtf, read.year_from, read.year_to) == (None, 1702, 1714)


#: Pieces of dates, so that random ones are nearly some.
PIECES = (
    *("1702", "1701/2", "170X", "17th century", "c. ", "?", "~", "/", "-", " - ", "..", "[", "]"),
    *("before ", "between ", " and ", " or ", "from ", " to ", "March ", "30 ", "11/22 ", "feb"),
    *("-03", "-11", "XX", "{", "}", ",", "s", " O.S.", "1/", "29 February "),
)
pieces = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)


@given(st.text(max_size=40) | pieces, st.none() | st.text(max_size=20) | pieces)
def test_what_is_read_is_edtf_and_its_years(written: str, normal: str | None) -> None:
    read = read_date(written, normal)
    for year in (read.year_from, read.year_to):
        assert year is None or 1000 <= year <= 2100
    if read.edtf is None:
        return
    known = parse_edtf(read.edtf)
    assert known is not None and known.text == read.edtf
    if known.year_from is None or known.year_to is None:
        assert (read.year_from, read.year_to) == (known.year_from, known.year_to)
    else:
        assert read.year_from is not None and read.year_to is not None
        assert known.year_from - 1 <= read.year_from <= known.year_from
        assert known.year_to <= read.year_to <= known.year_to + 1


@given(pieces)
def test_reading_what_was_read_changes_nothing(written: str) -> None:
    read = read_date(written)
    if read.edtf is not None:
        assert read_date("", read.edtf).edtf == read.edtf
        assert read_date(read.edtf).edtf == read.edtf


@given(st.dates(date(1000, 1, 1), date(2099, 12, 31)))
def test_every_day_is_read(day: date) -> None:
    written = f"{day.day} {day:%B} {day.year}"
    assert read_date(written).edtf == f"{day:%Y-%m-%d}" == read_date(f"{day}").edtf
