"""Documents and their pages as a file describes them, gathered row by row, part by part."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ingest.documents.dates import read_date
from ingest.documents.ships import captured_ship
from retrieval.catalogue.errors import MetadataError
from retrieval.catalogue.references import normalise_reference, parse_reference, series_of

#: Characters that a column of the catalogue holds; titles and details have no limit.
LONGEST = {"reference": 255, "series": 64, "date": 255, "ship": 255, "place": 255, "captain": 255}

#: Details that are made here and not found in the file.
AS_WRITTEN, EDTF, CALENDAR = "reference as written", "date (EDTF)", "calendar"

#: What is said of a document beside its fields: each value once, in the order of the file.
Details = dict[str, dict[str, None]]

_FIELDS = ("title", "date", "ship", "place", "captain", "series")
#: Where The National Archives' sentence on a captured ship may stand, beside the title.
_DESCRIPTIONS = ("description", "scope and content", "abstract")


@dataclass(frozen=True)
class DocumentRecord:
    """A document as the file describes it; None where it says nothing."""

    reference: str
    series: str | None
    title: str | None
    date: str | None
    year_from: int | None
    year_to: int | None
    ship: str | None
    place: str | None
    captain: str | None
    details: dict[str, Any]
    dated_for_machines: bool = False  # `date` is no wording, and takes none's place


@dataclass(frozen=True)
class PageClaim:
    """What gives a page to a document: the page's source as written, and the line.

    `names` is empty where the source is a path below the ingested folder, or the end of one.
    Where it is an address that another system uses, `names` are the paths the page may have
    here, the likeliest first. `sha256` is that of the page's file, where it is said. Of a file of
    several images `frame` is the one that is meant, from 0 on; None for all of them.
    """

    source: str
    reference: str
    line: int
    names: tuple[str, ...] = ()
    sha256: str = ""
    frame: int | None = None


@dataclass(frozen=True)
class DocumentsFile:
    """A file that has been read: its documents and claims in its order, and what it left open."""

    name: str
    documents: tuple[DocumentRecord, ...]
    claims: tuple[PageClaim, ...]
    problems: tuple[str, ...] = ()


@dataclass(eq=False)
class Description:
    """What one place of a file says of a document: its fields, and all else as details."""

    line: int
    fields: dict[str, str] = field(default_factory=dict)
    details: Details = field(default_factory=dict)

    def set(self, called: str, text: str) -> None:
        """Set a field that is still empty and has room for the text; else keep it as a detail."""
        text = tidy(text)
        if not text or self.fields.get(called) == text:
            return
        if called not in self.fields and len(text) <= LONGEST.get(called, len(text)):
            self.fields[called] = text
        else:
            self.detail("place" if called == "place" else f"other {called}", text)

    def detail(self, called: str, text: str) -> None:
        """Keep a text that says anything as a detail."""
        if text := tidy(text):
            add_detail(self.details, called, text)


class Gathering:
    """A file while it is read: what it says of a document in several places becomes one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[str] = []
        self._known: dict[str, dict[str, Any]] = {}
        self._claims: list[PageClaim] = []

    def describe(self, written: str, fields: Mapping[str, str], details: Details, line: int) -> str:
        """Add what a place of the file says of a document; return the reference's usual form.

        `fields` are title, date, normal (the date for machines), series, ship, place, captain.
        The first to say something of a field is kept, and a problem names what else is said of it;
        a detail that differs from place to place becomes the list of what they say. Raises
        MetadataError for a reference that is too long.
        """
        written = tidy(written)
        reference = normalise_reference(written)
        if max(len(reference), len(written)) > LONGEST["reference"]:
            raise MetadataError(
                f"{self.name}, line {line}: the reference is longer than "
                f"{LONGEST['reference']} characters."
            )
        known = self._known.setdefault(reference, {"details": {}})
        if written != reference:
            add_detail(known["details"], AS_WRITTEN, written)
        if (normal := fields.get("normal")) and "normal" not in known:
            said = fields.get("date")
            if not said or known.get("date", said) == said:
                known["normal"] = normal
            if not _says_a_year(normal):
                self.problems.append(
                    f"{self.name}, line {line}: the date for machines {normal!r} is neither EDTF "
                    "nor ISO 8601, and says no year."
                )
        left_out = [
            f"{one} {said!r}"
            for one in _FIELDS
            if (said := fields.get(one)) and known.setdefault(one, said) != said
        ]
        if left_out:
            self.problems.append(
                f"{self.name}, line {line}: {reference} was described differently before; left "
                f"out: {', '.join(left_out)}. If it is another document, give it its own "
                "reference."
            )
        for key, values in details.items():
            for value in values:
                add_detail(known["details"], key, value)
        return reference

    def claim(self, claim: PageClaim) -> None:
        """Add a page to a document that has been described."""
        self._claims.append(claim)

    def finished(self) -> DocumentsFile:
        """Return what has been gathered."""
        documents = tuple(_record(reference, known) for reference, known in self._known.items())
        return DocumentsFile(self.name, documents, tuple(self._claims), tuple(self.problems))


def tidy(text: str) -> str:
    """Return a text on one line, composed (NFC), without spaces around it."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def add_detail(details: Details, key: str, value: str) -> None:
    """Add a value to those of a detail, unless it is there."""
    details.setdefault(key, {}).setdefault(value)


def series_within(reference: str, above: str) -> str:
    """Return the series of a reference, or that above it; "" where there is none.

    A series after other words, "AB 12" of "Liasse AB 12", does not count where there is one above.
    """
    if above and parse_reference(reference) is None:
        return above
    return series_of(reference) or above


def _says_a_year(normal: str) -> bool:
    read = read_date("", normal)
    return read.year_from is not None or read.year_to is not None


def _record(reference: str, known: Mapping[str, Any]) -> DocumentRecord:
    normal = known.get("normal")
    date = known.get("date") or normal
    details = {
        key: list(values) if len(values) > 1 else next(iter(values))
        for key, values in known["details"].items()
    }
    years: tuple[int | None, int | None] = (None, None)
    if date:
        read = read_date(date, normal)
        years = read.year_from, read.year_to
        for key, value in ((EDTF, read.edtf), (CALENDAR, read.calendar)):
            if value:
                details.setdefault(key, value)
    described = [text for key, text in details.items() if key.casefold() in _DESCRIPTIONS]
    captured = captured_ship(
        one for one in [known.get("title"), *described] if isinstance(one, str)
    )
    return DocumentRecord(
        reference=reference,
        series=series_within(reference, known.get("series", "")) or None,
        title=known.get("title"),
        date=date,
        year_from=years[0],
        year_to=years[1],
        ship=known.get("ship") or captured.ship,
        place=known.get("place"),
        captain=known.get("captain") or captured.captain,
        details=details,
        dated_for_machines="date" not in known and normal is not None,
    )
