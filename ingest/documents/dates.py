"""What an archivist wrote as a date: as EDTF where it is clear, and its years."""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.documents.edtf import Edtf, parse_edtf

_MONTHS = [name[:3].casefold() for name in calendar.month_name[1:]]
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
#: How months begin in the languages of the papers: a figure before one is its day.
_MONTH_ABROAD = (
    r"(?:jan|gen|ene|feb|fe[vb]|fév|mar|mär|maa|mrt|apr|avr|abr|mai|may|mei|mag|jun|jui|giu|jul|lug|"
    r"aug|aou|aoû|ago|sep|set|oct|okt|ott|out|nov|dec|déc|dez|dic)"
)
_YEAR = r"(?:1[0-9]{3}|20[0-9]{2})"
_DAY = r"[0-9]{1,2}(?:st|nd|rd|th)?"
_DUAL = rf"(?P<year>{_YEAR})(?:/(?P<next>[0-9]{{1,4}}))?"

#: A day or a month in a year, in the orders that people and catalogues write.
_POINTS = [
    re.compile(pattern)
    for pattern in (
        rf"(?:(?P<old>{_DAY})(?: (?P<old_month>{_MONTH}))?/)?(?P<day>{_DAY})(?: of)? "
        rf"(?P<month>{_MONTH}),? {_DUAL}",
        rf"(?P<month>{_MONTH}) (?P<day>{_DAY}),? {_DUAL}",
        rf"{_DUAL},? (?P<month>{_MONTH}) (?P<day>{_DAY})",
        rf"(?P<month>{_MONTH}),? {_DUAL}",
        rf"{_DUAL},? (?P<month>{_MONTH})",
    )
]
_ABOUT = re.compile(
    r"(?:c(?:a|irca)?(?:\.|\b|(?=[0-9]))|about\b|around\b|abt\b\.?|approx(?:imately|\.)?) ?"
)
_PERHAPS = re.compile(r"(?:probably|possibly|perhaps|\?) ?")
_WEEKDAY = re.compile(r"(?:mon|tues|wednes|thurs|fri|satur|sun)day,? ")
_STYLE = re.compile(
    r"[\s,]*\(?\b(?:(?P<old>o\. ?s\b\.?|os\b|old style|julian(?: calendar)?)"
    r"|(?P<new>n\. ?s\b\.?|ns\b|new style|gregorian(?: calendar)?))\)?$"
)


@dataclass(frozen=True)
class ReadDate:
    """What a written date says.

    `edtf` is None where the wording is not clear; the years may be known all the same. `calendar`
    says what the writing tells of old style and new style, None where it tells nothing.
    """

    edtf: str | None
    year_from: int | None
    year_to: int | None
    calendar: str | None


@dataclass(frozen=True)
class _Point:
    """One date of the writing: EDTF, a further year by the other reckoning, a remark."""

    edtf: str
    also: int | None = None
    calendar: str | None = None


def read_date(written: str, normal: str | None = None) -> ReadDate:
    """Read a date as an archivist writes it: English wording, ISO 8601, or EDTF itself.

    `normal` is the same date for machines, where the file has it: ISO 8601 or EDTF, and it is
    believed. Days and months are not converted from the Julian calendar; a year that is written
    double (11 March 1701/2) is given as counted from 1 January, and both years are its years.
    What is not clear is not guessed: `edtf` is None, and the years are those of `years_said`.
    """
    text = _plain(written)
    style = _STYLE.search(text)
    if style:
        text = text[: style.start()]
    remark = ("old style" if style["old"] else "new style") if style else None
    point = _read(text)
    date = _for_machines(normal) or (parse_edtf(point.edtf) if point else None)
    if date is None:
        years = years_said(written)
        return ReadDate(None, *(years if any(years) else years_said(normal or "")), remark)
    first, last = date.year_from, date.year_to
    if point:
        remark = point.calendar or remark
        if point.also is not None and first is not None and last is not None:
            first, last = min(point.also, first), max(point.also, last)
    return ReadDate(date.text, first, last, remark)


def _for_machines(normal: str | None) -> Edtf | None:
    """Return a date that a file gives for machines; where it is neither ISO 8601 nor EDTF, read."""
    if not normal:
        return None
    if (date := parse_edtf(_dashed(normal))) is not None:
        return date
    point = _read(_plain(normal))
    return parse_edtf(point.edtf) if point else None


def _plain(written: str) -> str:
    text = unicodedata.normalize("NFKC", written).casefold()
    text = " ".join(re.sub(r"[‐-―−]", "-", text).split()).strip(" ,;:")
    return text if text.endswith("..") or text.startswith("..") else text.strip(" .,;:")


def _dashed(normal: str) -> str:
    """Return ISO 8601 with its dashes, where they were left out: 17020311 is 1702-03-11."""
    text = re.sub(r"(?<![0-9X-])([12][0-9]{3})([0-9]{2})([0-9]{2})(?![0-9])", r"\1-\2-\3", normal)
    return re.sub(r"T[0-9:.]+Z?(?=/|$)", "", text, flags=re.IGNORECASE)


def _read(text: str) -> _Point | None:
    if re.fullmatch(rf"{_YEAR}-2[1-4]", text):
        return None  # a season of 1702 to EDTF, and 1702 to 1721 to many a catalogue
    if (date := parse_edtf(_dashed(text))) is not None:
        return _Point(date.text)
    text = " ".join(re.sub(r"[\[\]]", "", text).split())  # in brackets: the cataloguer's date
    return _read_open(text) or _read_century(text) or _read_range(text) or _read_point(text)


def _read_open(text: str) -> _Point | None:
    """ "before 1710", "after 1650", "between 1699 and 1702", "from 1702"."""
    for words, form in (
        (r"(?:before|bef\b\.?|ante\b|not after|no later than|by)", "[..{}]"),
        (r"(?:after|aft\b\.?|post\b|not before|no earlier than)", "[{}..]"),
        (r"(?:until|up to|to)", "../{}"),
        (r"(?:since|from)", "{}/.."),
    ):
        found = re.fullmatch(rf"{words} (.+)", text)
        if found and (point := _read_point(found[1])):
            return _Point(form.format(point.edtf), None, point.calendar)
    found = re.fullmatch(r"(?:between )?(.+?) (and|or) (.+)", text)
    if found and (first := _read_point(found[1])) and (last := _read_point(found[3])):
        if text.startswith("between "):
            form = "[{}..{}]" if found[2] == "and" else ""
        else:
            form = "{{{},{}}}" if found[2] == "and" else "[{},{}]"
        return _Point(
            form.format(first.edtf, last.edtf), None, _together(first.calendar, last.calendar)
        )
    return None


def _read_century(text: str) -> _Point | None:
    ordinal = r"(1[1-9]|2[01])(?:st|nd|rd|th)"
    found = re.fullmatch(
        rf"(?:the )?{ordinal}(?: ?(?:-|to) ?{ordinal})? (?:c|century|centuries|cent)\.?", text
    )
    if found is None:
        return None
    first, last = int(found[1]), int(found[2] or found[1])
    return _Point(f"{first * 100 - 99}/{last * 100}")  # not 16XX, which is 1600-1699


def _read_range(text: str) -> _Point | None:
    """ "1702-1704", "1744-45", "11-14 March 1702", "from 11 March 1702 to 4 April 1703"."""
    text = re.sub(r"^from ", "", text)
    short = re.fullmatch(rf"({_YEAR}) ?- ?([0-9]{{1,2}})", text)
    if short:
        # 1702-03 does not come here: it is March 1702 to EDTF.
        return _Point(f"{short[1]}/{short[1][: 4 - len(short[2])]}{short[2]}")
    for dash in re.finditer(r" ?- ?| (?:to|till|until) ", text):
        start, end = text[: dash.start()], text[dash.end() :]
        last = _read_point(end)
        first = last and (_read_point(start) or _read_point(_completed(start, end)))
        if first and last and not first.edtf.startswith("[") and "/" not in first.edtf + last.edtf:
            years = [point.also for point in (first, last) if point.also is not None]
            return _Point(
                f"{first.edtf}/{last.edtf}",
                min(years) if years else None,
                _together(first.calendar, last.calendar),
            )
    return None


def _completed(start: str, end: str) -> str:
    """Return the beginning of a range with the month and year that only its end has."""
    tail = re.search(rf"(?:{_MONTH},? )?{_YEAR}(?:/[0-9]{{1,4}})?$", end)
    if tail is None:
        return start
    if re.fullmatch(_DAY, start):
        return f"{start} {tail[0]}"
    year = re.sub(rf"^{_MONTH},? ", "", tail[0])
    return f"{start} {year}"


def _read_point(text: str) -> _Point | None:
    """One date, perhaps "c." before it or "?" after it."""
    about = perhaps = False
    while True:
        if found := _ABOUT.match(text):
            about, text = True, text[found.end() :]
        elif found := _PERHAPS.match(text):
            perhaps, text = True, text[found.end() :]
        elif found := _WEEKDAY.match(text):
            text = text[found.end() :]
        else:
            break
    text = text.strip(" .,;:()")
    if text.endswith("?"):
        perhaps, text = True, text[:-1].rstrip(" (")
    point = _read_bare(text)
    if point is None or not (about or perhaps):
        return point
    if point.edtf[-1] in "?~%" or "/" in point.edtf:
        return None
    return _Point(
        point.edtf + ("%" if about and perhaps else "~" if about else "?"),
        point.also,
        point.calendar,
    )


def _read_bare(text: str) -> _Point | None:
    date = parse_edtf(text)
    if date is not None and "/" not in text and text[0] not in "[{":
        return _Point(date.text)
    if found := re.fullmatch(r"(1[0-9]{2}|20[0-9])0'?s", text):
        return _Point(f"{found[1][:2]}XX" if found[1].endswith("0") else f"{found[1]}X")
    if found := re.fullmatch(rf"({_YEAR})/([0-9]{{1,2}})", text):
        first, second = int(found[1]), _next_year(found[1], found[2])
        if second is None:
            return None
        remark = f"written {text}: old style, or from one year to the next"
        return _Point(f"{first}/{second}", None, remark)
    if found := re.fullmatch(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([12][0-9]{3})", text):
        day, month = int(found[1]), int(found[3])
        if month > 12 or (day <= 12 and day != month):
            return None  # 3/4/1702 is in April to the British and in March to Americans
        return _dated(int(found[4]), month, day)
    for pattern in _POINTS:
        if found := pattern.fullmatch(text):
            return _worded(found.groupdict())
    return None


def _worded(said: dict[str, str | None]) -> _Point | None:
    written = said["year"] or ""
    month = 1 + _MONTHS.index((said["month"] or "")[:3])
    day = int(re.sub(r"\D", "", said.get("day") or "") or 0) or None
    if said["next"]:
        year = _next_year(written, said["next"])
        # The English year began on 25 March until 1752: only before it has a day two years.
        if year is None or (month, day or 1) > (3, 25) or said.get("old"):
            return None
        point = _dated(year, month, day)
        remark = f"old style: {written} as years were then counted, {year} as they are now"
        return point and _Point(point.edtf, int(written), remark)
    point = _dated(int(written), month, day)
    if point is None or not said.get("old") or day is None:
        return point
    return _two_days(point, int(written), month, day, said)


def _two_days(
    point: _Point, year: int, month: int, day: int, said: dict[str, str | None]
) -> _Point | None:
    """16/27 April 1745: the day by both calendars, of which EDTF knows the Gregorian alone."""
    old_day = int(re.sub(r"\D", "", said["old"] or ""))
    other = said.get("old_month")
    old_month = 1 + _MONTHS.index(other[:3]) if other else month
    apart = day - old_day
    if old_month != month:
        if old_month % 12 + 1 != month:
            return None
        apart += 31 if old_month in (1, 3, 5, 7, 8, 10, 12) else 30 if old_month != 2 else 28
        if old_month == 2 and year % 4 == 0:
            apart += 1
    if apart not in (10, 11, 12):
        return None
    names = [f"{old_day} {calendar.month_name[old_month]}", f"{day} {calendar.month_name[month]}"]
    return _Point(point.edtf, None, f"old style {names[0]}, new style {names[1]}")


def _dated(year: int, month: int, day: int | None) -> _Point | None:
    edtf = f"{year}-{month:02d}" + (f"-{day:02d}" if day is not None else "")
    if (date := parse_edtf(edtf)) is not None:
        return _Point(date.text)
    if (month, day) == (2, 29) and year % 100 == 0:
        return _Point(f"{year}-02", None, "old style (29 February is a day of that calendar)")
    return None


def _next_year(year: str, following: str) -> int | None:
    """Return the year after, where `following` (2, 02 or 1702 after 1701) names that one."""
    after = int(year) + 1
    return after if str(after).endswith(following) else None


def _together(*remarks: str | None) -> str | None:
    return "; ".join(dict.fromkeys(remark for remark in remarks if remark)) or None


def years_said(date: str) -> tuple[int | None, int | None]:
    """Return the first and last year that any wording speaks of, from 1000 to 2099.

    Knows years in any wording, ranges (1700-1705, 1744-45), Old Style years (1744/5), decades
    (1690s, 169X), centuries (17th century, 16XX), and "before" and "after", which leave one side
    open as None. (None, None) where there is no year.
    """
    text = unicodedata.normalize("NFKC", date).casefold()
    text = re.sub(r"[‐-―−]", "-", text)
    spans = [*_centuries(text), *_years_and_decades(text), *_second_years(text)]
    if not spans:
        return None, None
    first, last = min(start for start, _ in spans), max(end for _, end in spans)
    if re.match(r"\W*(before|bef\b|ante\b|until\b|not after)", text):
        return None, last
    if re.match(r"\W*(after|aft\b|post\b|since\b|not before)", text):
        return first, None
    return first, last


def _centuries(text: str) -> Iterator[tuple[int, int]]:
    """Give the first and last years of centuries: 17th century, 17th to 18th c."""
    for century in re.finditer(
        r"(?<![0-9])(1[1-9]|2[01])(?:st|nd|rd|th)?(?=(?:\s*(?:-|to|and|or|/)\s*"
        r"(?:1[1-9]|2[01])(?:st|nd|rd|th))?\s*(?:c\b|cent))",
        text,
    ):
        yield int(century[1]) * 100 - 99, int(century[1]) * 100


def _years_and_decades(text: str) -> Iterator[tuple[int, int]]:
    """Give the first and last years of years, decades and centuries in figures: 169x, 1690s."""
    for start, unknown, plural in re.findall(
        r"(?<![0-9])(1[0-9]{1,3}|20[0-9]{0,2})(x{0,2})('?s)?(?![0-9])", text
    ):
        if len(start) + len(unknown) != 4:
            continue
        first = int(start) * 10 ** len(unknown)
        if unknown:
            yield first, first + 10 ** len(unknown) - 1
        elif plural and start.endswith("0"):
            yield first, first + (99 if start.endswith("00") else 9)
        else:
            yield first, first


def _second_years(text: str) -> Iterator[tuple[int, int]]:
    """Give the later years of ranges and double years that are cut short: 1744-45, 1744/5."""
    for year, sign, more in re.findall(
        r"(?<![0-9])(1[0-9]{3}|20[0-9]{2})\s*([-/])\s*([0-9]{1,2})"
        rf"(?![0-9]|\s*[-/.]\s*[0-9]|(?:st|nd|rd|th|\.|er)?\s*(?:of\s+|de\s+)?{_MONTH_ABROAD})",
        text,
    ):
        # 1702-03 is March 1702 to ISO 8601; 1702/3 is the Old Style's double year.
        month = sign == "-" and len(more) == 2 and 1 <= int(more) <= 12
        whole = int(year[: 4 - len(more)] + more)
        if not month and whole > int(year):
            yield whole, whole
