"""Documents as BibTeX, for a reference manager: one @misc a document, with its marks' pages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ingest.annotations.annotation import AnnotatedImage
from retrieval.catalogue.references import sort_key

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{char: "\\" + char for char in "{}$&#%_"},
}


def write_bibtex(images: Iterable[AnnotatedImage]) -> Iterator[str]:
    """Give one entry a document; `pages` are those with a confirmed mark, counted from 1.

    Where none is confirmed they are those with a proposal: many of these are not marks, so that the
    note counts them apart.
    """
    documents: dict[str, list[AnnotatedImage]] = {}
    for image in images:
        if image.document:
            documents.setdefault(image.document["reference"], []).append(image)
    entries: list[str] = []
    keys: set[str] = set()
    for reference in sorted(documents, key=sort_key):
        pages = documents[reference]
        key = _key(reference, keys)
        fields = _fields(pages[0].document or {}, pages)
        lines = [f"  {name} = {{{value}}}" for name, value in fields.items()]
        entries.append(",\n".join([f"@misc{{{key}", *lines]) + "\n}\n")
    yield "\n".join(entries)


def _fields(document: dict[str, Any], pages: Sequence[AnnotatedImage]) -> dict[str, str]:
    confirmed, proposed = (_pages_of(pages, status) for status in ("confirmed", "proposed"))
    notes = [
        f"{label}: {_escaped(str(document[name]))}"
        for name, label in (("ship", "Ship"), ("captain", "Captain"), ("place", "Place"))
        if document.get(name)
    ]
    notes.append(_counted(len(confirmed), len(proposed)))
    fields = {
        "title": "{" + _escaped(str(document.get("title") or document["reference"])) + "}",
        "year": str(document["year_from"]) if document.get("year_from") else "",
        "date-as-written": _escaped(str(document.get("date") or "")),
        "howpublished": _escaped(str(document["reference"])),
        "pages": ", ".join(_spans(sorted(set(confirmed or proposed)))),
        "note": "; ".join(notes),
    }
    return {name: value for name, value in fields.items() if value}


def _pages_of(pages: Sequence[AnnotatedImage], status: str) -> list[int]:
    """Return the number of its page, as the document orders them, of each mark of the status."""
    in_order = sorted(pages, key=lambda one: (one.ordinal, one.page))
    return [
        number
        for number, page in enumerate(in_order, start=1)
        for one in page.annotations
        if one.status == status
    ]


def _counted(confirmed: int, proposed: int) -> str:
    if not confirmed and not proposed:
        return "No merchant's marks"
    plural = "s" if confirmed > 1 else ""
    also = f", {proposed} proposed" if proposed else ""
    return f"{confirmed or 'No'} merchant's mark{plural} confirmed{also}"


def _spans(numbers: Sequence[int]) -> list[str]:
    """Return 1, 2, 3, 7 as 1--3 and 7."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return [str(first) if first == last else f"{first}--{last}" for first, last in spans]


def _key(reference: str, taken: set[str]) -> str:
    plain = unicodedata.normalize("NFKD", reference).encode("ascii", "ignore").decode().lower()
    wanted = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "document"
    key, number = wanted, 1
    while key in taken:
        number += 1
        key = f"{wanted}.{number}"
    taken.add(key)
    return key


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(char, char) for char in " ".join(text.split()))
