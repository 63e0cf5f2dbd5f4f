"""Dates in the Extended Date/Time Format (EDTF, ISO 8601-2): read, checked, and their years.

https://www.loc.gov/standards/datetime/ : level 0 without times of day, level 1 without years of
more than four digits, and of level 2 the sets with one range or a list in them ("[1702..1704]",
one of these; "{1702,1704}", all of these). Years from 1000 to 2099: others are not dates here.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass

_DATE = re.compile(
    r"(?P<year>(?:1[0-9]|20)(?:[0-9]{2}|[0-9]X|XX))"
    r"(?:-(?P<month>[0-9]{2}|XX)(?:-(?P<day>[0-9]{2}|XX))?)?"
    r"(?P<doubt>[?~%])?"
)
_SEASONS = range(21, 25)


@dataclass(frozen=True)
class Edtf:
    """A date that is proper EDTF, and the years it spans; None for an open or unknown side."""

    text: str
    year_from: int | None
    year_to: int | None


def parse_edtf(text: str) -> Edtf | None:
    """Read an EDTF date; None for anything else, such as 30 February or an end before its start."""
    text = text.strip().replace("x", "X")
    if text[:1] + text[-1:] in {"[]", "{}"}:
        return _parse_set(text)
    if "/" in text:
        return _parse_interval(text)
    return _parse_date(text)


def _parse_date(text: str) -> Edtf | None:
    found = _DATE.fullmatch(text)
    if found is None or not _is_proper(found["year"], found["month"], found["day"]):
        return None
    year = found["year"]
    return Edtf(text, int(year.replace("X", "0")), int(year.replace("X", "9")))


def _is_proper(year: str, month: str | None, day: str | None) -> bool:
    if month is None:
        return True
    if "X" in year:
        return False  # level 2
    if month == "XX":
        return day in (None, "XX")
    if int(month) in _SEASONS:
        return day is None
    if not 1 <= int(month) <= 12:
        return False
    return day in (None, "XX") or 1 <= int(day) <= calendar.monthrange(int(year), int(month))[1]


def _parse_interval(text: str) -> Edtf | None:
    start, _, end = text.partition("/")
    return _span(text, start, end, unknown=("", ".."))


def _parse_set(text: str) -> Edtf | None:
    inside = text[1:-1]
    if ".." in inside:
        start, _, end = inside.partition("..")
        return _span(text, start.strip(), end.strip(), unknown=("",))
    dates = [_parse_date(part.strip()) for part in inside.split(",")]
    if len(dates) < 2 or None in dates:
        return None
    years = [year for one in dates if one for year in (one.year_from, one.year_to) if year]
    return Edtf(re.sub(r"\s", "", text), min(years), max(years))


def _span(text: str, start: str, end: str, unknown: tuple[str, ...]) -> Edtf | None:
    first, last = _parse_date(start), _parse_date(end)
    if (first is None and start not in unknown) or (last is None and end not in unknown):
        return None
    if first is None and last is None:
        return None
    if first is not None and last is not None and _earliest(first) > _latest(last):
        return None
    return Edtf(
        re.sub(r"\s", "", text),
        first.year_from if first else None,
        last.year_to if last else None,
    )


def _earliest(date: Edtf) -> str:
    return f"{date.text.rstrip('?~%').replace('-XX', ''):0<10}".replace("X", "0")


def _latest(date: Edtf) -> str:
    return f"{date.text.rstrip('?~%').replace('-XX', ''):9<10}".replace("X", "9")
