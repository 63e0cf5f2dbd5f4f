"""What the page says in words. Plain text: whoever shows it escapes it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from retrieval.catalogue.canvases import CanvasRow
from retrieval.catalogue.documents import Filters
from retrieval.catalogue.source_names import image_called
from ui.canvases import beyond
from ui.web.view import View
from ui.wording import COMMON, alikeness, counted, known

#: The Unicode characters around a text that runs the way its first letter does, whatever is beside.
_ISOLATE, _END = "\u2068", "\u2069"
#: Bidirectional classes of what is written from the right, and of what orders other characters.
_FROM_THE_RIGHT = {"R", "AL", "AN"}
_ORDERING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def isolated(text: str) -> str:
    """Return what others wrote so that it cannot reorder our words and numbers beside it.

    Text without a letter written from the right, or a character that orders others, stays as it
    is.
    """
    classes = [unicodedata.bidirectional(letter) for letter in text]
    if (_FROM_THE_RIGHT | _ORDERING).isdisjoint(classes):
        return text
    kept = (letter for letter, of in zip(text, classes, strict=True) if of not in _ORDERING)
    return f"{_ISOLATE}{''.join(kept)}{_END}"


def likeness(unrelated: float, one: str = "mark") -> str:
    """Say how alike `one` is from the share of unrelated ones that are at least as alike."""
    share = alikeness(unrelated, one)
    if unrelated >= COMMON:
        return share
    return f"{share} {'looks' if share.startswith('1 in') else 'look'} this alike"


def narrowed(where: Filters) -> str:
    """Say what a search is narrowed to; an empty text when to nothing."""
    parts = [isolated(part) for part in (where.series, where.ship) if part]
    if where.year_from is not None and where.year_to is not None:
        parts.append(f"{where.year_from}–{where.year_to}")
    elif where.year_from is not None:
        parts.append(f"{where.year_from} and later")
    elif where.year_to is not None:
        parts.append(f"{where.year_to} and earlier")
    return ", ".join(parts)


def nothing_found(one: str, scope: str, *, left_out: bool) -> str:
    """Say why a search found no `one`: what it is narrowed to, or that all are `left_out` of it."""
    others = f"No {one} but those that you chose"
    if scope:
        return f"{others if left_out else f'No {one}'} matches the filters: {scope}."
    if left_out:
        return f"{others} can be found here."
    return "All indexed marks have since been rejected or removed."


def reference(document: Mapping[str, Any] | None, source: str) -> str:
    """Return what to call the place of a mark: the document's reference, or the file's name."""
    return known((document or {}).get("reference")) or source


def cited(document: Mapping[str, Any] | None, source: str, canvas: CanvasRow | None) -> str:
    """Return what a page is cited as: "HCA 32/1, f. 12r", its reference or file, and its label.

    A file fetched from a canvas mostly ends with the label, and a document may be called so: then
    it is not repeated.
    """
    name = reference(document, source)
    left = beyond(canvas, document)
    label = known(left.label) if left is not None else ""
    if not label or (name == source and name.endswith(label)):
        return isolated(name)
    return f"{isolated(name)}, {isolated(label)}"


def citation(
    where: str,
    source: str,
    frame: int,
    box: tuple[int, int, int, int],
    size: tuple[int, int],
    what: str,
) -> str:
    """Return a text to cite a place by: what its page is `cited` as, its file, its box.

    `size` is the page's in pixels, `what` says what is there and in which archive. The text is
    plain: nothing is `isolated` in it.
    """
    where = where.replace(_ISOLATE, "").replace(_END, "")
    of_file = where == source or where.startswith(f"{source}, ")
    page = image_called(where if of_file else f"{where}, {source}", frame)
    x, y, width, height = box
    return f"{page}, box {x},{y},{width},{height} of {size[0]} × {size[1]} pixels, {what}"


def ship_and_date(document: Mapping[str, Any] | None) -> str:
    """Return "De Hoop, 1702", as much of it as is known, or that nothing is."""
    if document is None:
        return "not catalogued"
    parts = [known(document.get("ship")), known(document.get("date"))]
    beside = ", ".join(isolated(part) for part in parts if part)
    return beside or isolated(known(document.get("title")))


def by_chance(searched: int) -> str:
    """Say how many of `searched` marks chance alone makes as alike as one in 2,000 is."""
    expected = searched / 2000
    if expected < 0.95:
        return f"about 1 time in {round(1 / max(expected, 1e-3)):,}"
    return f"about {counted(round(expected), 'time')}"


#: What a document's fields are called on the page, in their order.
_LABELS = {
    "reference": "Reference",
    "title": "Title",
    "date": "Date",
    "series": "Series",
    "ship": "Ship",
    "captain": "Captain",
    "place": "Place",
}
#: Shown through the date, or not for people.
_UNSHOWN = {"year_from", "year_to", "details"}


def metadata_rows(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return a document's (label, value) rows: the known fields first, then every other column."""
    rows = [(label, known(document.get(name))) for name, label in _LABELS.items()]
    others = {**document, **(document.get("details") or {})}
    for name, value in others.items():
        if name not in _LABELS and name not in _UNSHOWN:
            label = name.replace("_", " ")
            rows.append((label[:1].upper() + label[1:], known(value)))
    return [(label, value) for label, value in rows if value]


def credit(canvas: CanvasRow | None) -> str:
    """Return whose image a page is, and under which rights, in one line; "" if unknown."""
    left = beyond(canvas, None)
    if left is None:
        return ""
    parts = (known(left.attribution), known(left.rights))
    return " · ".join(isolated(part) for part in parts if part)


def canvas_lines(
    canvas: CanvasRow | None, document: Mapping[str, Any] | None
) -> list[tuple[str, str]]:
    """Return (label, value) rows of what the canvas says and the document does not."""
    left = beyond(canvas, document)
    if left is None:
        return []
    rows = [
        ("Page", known(left.label)),
        ("Attribution of the image", known(left.attribution)),
        ("Rights in the image", known(left.rights)),
    ]
    return [(label, value) for label, value in rows if value]


def said_to_be(status: str, identity: str | None) -> str:
    """Say on a mark's card that it is confirmed and which identity it belongs to, if so."""
    parts = ["confirmed"] if status == "confirmed" else []
    if identity is not None:
        parts.append(f"identified as “{isolated(identity)}”")
    return ", ".join(parts)


def named_already(count: int, of: int, name: str) -> str:
    """Say how many of some marks have a name, and what another name would make of them."""
    name = isolated(name)
    if count == of:
        return (
            f"They are all identified as “{name}”. If you give another name, they will have both."
        )
    return (
        f"{count} of the {of} {'is' if count == 1 else 'are'} identified as “{name}”. With that "
        f"name the others join {'it' if count == 1 else 'them'}; with another, "
        f"{'it' if count == 1 else 'they'} will have both."
    )


def said_on(person: str | None, moment: datetime | None) -> str:
    """Say who said something and when: "Ada said on 3 May 2026"."""
    day = f"{moment.day} {moment:%B %Y}" if moment is not None else "an unknown date"
    return f"{isolated(person or 'A person')} said on {day}"


#: A mark's status in words.
STATUS = {
    "proposed": "proposed by the program",
    "confirmed": "confirmed",
    "rejected": "rejected by a person",
}


def back_to(beneath: View, search: str) -> str:
    """Return the label of the way back to the view `beneath`; a search is called `search`."""
    if beneath.identity is not None:
        return "Back to the identity"
    if beneath.group is not None:
        return "Back to the group"
    return f"Back to the {search if beneath.proposals is None else 'proposals'}"


def mark_in_words(mark: int, status: str, archive: str) -> str:
    """Return how a citation names a mark of the archive of this name."""
    said = "" if status == "confirmed" else f" ({STATUS[status]})"
    return f"mark {mark}{said} in the archive {archive}"


_MARKDOWN = re.compile(r"([!-/:-@\[-`{-~])")


def as_markdown(text: str) -> str:
    """Return Markdown that shows `text` as it is: names of files and ships may hold anything."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))
