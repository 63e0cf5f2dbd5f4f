"""Reference codes: as The National Archives (Kew) write them, and the order people expect."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

#: Characters of a sort key that are kept: beyond them two references count as equal.
SORT_KEY_LENGTH = 255

_DASHES = re.compile(r"[‐-―−]")
_REPOSITORY = re.compile(
    r"(?:(?:the\s+)?national\s+archives|tna|pro|kew|gb[\s/-]*0*66)"
    r"(?:\s*\([^()]{1,20}\))?(?:[\s,:;/]+)",
    re.IGNORECASE,
)
_SERIES = re.compile(r"([A-Za-z]{1,4})\s*([0-9]{1,4})(?![0-9A-Za-z])")
_PART = re.compile(
    r"""\s*/\s*
    (?P<first>[0-9]{1,9})(?P<suffix>(?:[A-Z](?![A-Z]))?)
    (?:\s*-\s*(?P<last>[0-9]{1,9})(?P<last_suffix>(?:[A-Z](?![A-Z]))?))?
    (?:\s*(?:pt|part)\.?\s*(?P<volume>[0-9]{1,9}))?
    (?![0-9A-Za-z])""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True)
class Part:
    """What stands between two slashes: "5", "5A", the range "5-7", or "1234 pt 1"."""

    first: int
    suffix: str = ""
    last: int | None = None
    last_suffix: str = ""
    volume: int | None = None

    def __str__(self) -> str:
        last = "" if self.last is None else f"-{self.last}{self.last_suffix}"
        volume = "" if self.volume is None else f" pt {self.volume}"
        return f"{self.first}{self.suffix}{last}{volume}"


@dataclass(frozen=True)
class Reference:
    """A reference in parts: department "HCA", series 32, parts (1234, 5); as text, the usual form.

    `rest` is what follows and has no such form, such as "f. 12r".
    """

    department: str
    series: int
    parts: tuple[Part, ...] = ()
    rest: str = ""

    def __str__(self) -> str:
        parts = "".join(f"/{part}" for part in self.parts)
        return f"{self.department} {self.series}{parts}{self.rest}"


def parse_reference(text: str) -> Reference | None:
    """Read a reference as The National Archives write it, in any spacing and case.

    The repository's name may stand before it. None for what does not begin with the letters of
    a department and the number of a series.
    """
    plain = _DASHES.sub("-", _plain(text))
    while (repository := _REPOSITORY.match(plain)) and _SERIES.match(plain, repository.end()):
        plain = plain[repository.end() :]
    series = _SERIES.match(plain)
    if series is None:
        return None
    parts: list[Part] = []
    at = series.end()
    while found := _PART.match(plain, at):
        last, volume = found["last"], found["volume"]
        parts.append(
            Part(
                int(found["first"]),
                found["suffix"].upper(),
                None if last is None else int(last),
                (found["last_suffix"] or "").upper(),
                None if volume is None else int(volume),
            )
        )
        at = found.end()
    rest = plain[at:].rstrip(" .,;:/")
    department = series[1]
    if not (department.isupper() or (department.islower() and parts)):
        return None  # "Box 7", "page 3"
    if rest and not rest[0].isspace() and rest[0] not in "/,.:;(-[":
        return None  # "E 5th", "A 1_2": no number of a series
    return Reference(department.upper(), int(series[2]), tuple(parts), rest)


def normalise_reference(text: str) -> str:
    """Return a reference in its usual form; one of another kind with its spaces put in order.

    "HCA32/1234/5", "TNA, hca 32 / 1234 / 005" and "HCA 32/1234/5 " are "HCA 32/1234/5".
    Normalising twice changes nothing.
    """
    parsed = parse_reference(text)
    return _plain(text) if parsed is None else str(parsed)


def series_of(reference: str) -> str | None:
    """Return the series of a reference: "HCA 32" of "HCA32/12/5", "TNA, hca 32/12", "HCA 32, f. 3".

    It may stand in capitals after other words as well: "Public Record Office: HCA 32/12". None for
    what is not written as The National Archives (Kew) do: "Box 7", "page 3".
    """
    parsed = parse_reference(reference)
    if parsed is not None:
        return f"{parsed.department} {parsed.series}"
    found = re.search(r"[\s,:;]([A-Z]{1,4})\s*([0-9]{1,4})\s*(?:/|$)", reference)
    return f"{found[1]} {int(found[2])}" if found else None


def sort_key(text: str) -> str:
    """Return what texts with numbers are sorted by, so that HCA 32/9 comes before HCA 32/10.

    Each number is led by how many digits it has. Compare keys by code point (PostgreSQL:
    collation "C"), not by a language's rules, which pass over spaces and slashes.
    """

    def led(number: re.Match[str]) -> str:
        digits = number[0].lstrip("0") or "0"
        return f"{min(len(digits), 99):02d}{digits}"

    return re.sub(r"[0-9]+", led, _plain(text).casefold())[:SORT_KEY_LENGTH]


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
