"""Documents in MODS, alone or within METS.

The reference is an `identifier` or `shelfLocator`, that which is written as The National Archives
do if there is one; internal files of Goobi and Kitodo, whose MODS holds nothing but `metadata`
by name, are read as far as they have a shelf mark and a title.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ingest.documents.hrefs import is_image_name, page_names
from ingest.documents.record import (
    Description,
    DocumentsFile,
    Gathering,
    PageClaim,
    add_detail,
    tidy,
)
from ingest.documents.ships import named_as
from ingest.documents.xml_stream import Element, let_go
from retrieval.catalogue.errors import MetadataError
from retrieval.catalogue.references import parse_reference, series_of
from retrieval.catalogue.spelling import plain_word

_REFERENCES = {
    *("reference", "referencecode", "ref", "archivalreference", "cataloguereference"),
    *("catalogreference", "unitid", "callnumber", "shelfmark", "shelfmarksource", "local"),
}
#: Identifiers of a record, a copy on the web or a printed book.
_NO_REFERENCES = {
    *("uri", "url", "urn", "purl", "doi", "hdl", "handle", "ark", "iiif"),
    *("isbn", "issn", "ismn", "lccn", "oclc", "stocknumber", "vd16", "vd17", "vd18"),
}
_GOOBI_REFERENCES = ("shelfmarksource", "shelfmark", "singledigcollectionshelfmark")
_CALLED = {
    "abstract": "abstract",
    "accessCondition": "access",
    "genre": "kind",
    "language": "language",
    "physicalDescription": "physical description",
    "tableOfContents": "contents",
    "typeOfResource": "type",
}
_FIELDS = frozenset(["title", "date", "ship", "place", "captain"])
#: Parts that say nothing here: references are taken after all others.
_NO_PARTS = frozenset(["identifier", "recordInfo"])
_DATES = ("dateCreated", "dateIssued", "dateCaptured", "dateOther", "copyrightDate", "dateValid")


@dataclass(eq=False)
class Mods(Description):
    """A MODS record: the reference ("" where it has none), its fields, details and images."""

    reference: str = ""
    images: list[tuple[str, int]] = field(default_factory=list)


def read_mods(name: str, elements: Iterator[tuple[bool, Element]]) -> DocumentsFile:
    """Read the documents of a MODS file, one record or a collection, from its elements.

    Raises MetadataError, which names the file and line.
    """
    gathering = Gathering(name)
    for began, element in elements:
        if began or element.name != "mods" or (element.parent and element.parent.parent):
            continue
        record = parse_mods(element)
        let_go(element)
        if not record.reference:
            raise MetadataError(
                f"{name}, line {record.line}: the record has no reference. It needs an identifier "
                "or a shelfLocator."
            )
        reference = gathering.describe(record.reference, record.fields, record.details, record.line)
        for href, line in record.images:
            gathering.claim(PageClaim(href, reference, line, page_names(href)))
    file = gathering.finished()
    if not file.documents:
        raise MetadataError(f"{name}: it has no MODS record. Give a file with at least one.")
    return file


def parse_mods(mods: Element) -> Mods:
    """Return what a `mods` element says."""
    one = Mods(mods.line)
    for element in mods.children():
        _take_part(one, element)
    candidates = _reference_candidates(mods)
    chosen = next((text for _, text in candidates if parse_reference(text)), "")
    one.reference = chosen or (candidates[0][1] if candidates else "")
    for identifier in mods.children("identifier"):
        text = tidy(identifier.text())
        if text and text != one.reference:
            kind = identifier.get("type")
            add_detail(one.details, "identifier", f"{kind}: {text}" if kind else text)
    hosts = [e for e in mods.children("relatedItem") if e.get("type") in {"host", "series"}]
    for part in (part for host in hosts for part in host.descendants("identifier", "shelfLocator")):
        if series := series_of(part.text()):
            one.fields.setdefault("series", series)
    return one


def _reference_candidates(mods: Element) -> list[tuple[int, str]]:
    """Return what may be the reference, the likeliest first, as (rank, text)."""
    found: list[tuple[int, str]] = []
    for identifier in mods.children("identifier"):
        kind = plain_word(identifier.get("type"))
        if kind not in _NO_REFERENCES and identifier.get("invalid") != "yes":
            found.append((0 if kind in _REFERENCES else 2, identifier.text()))
    for location in mods.children("location"):
        found += [(1, one.text()) for one in location.descendants("shelfLocator")]
    for extension in mods.children("extension"):
        for one in extension.descendants("metadata"):
            if plain_word(one.get("name")) in _GOOBI_REFERENCES:
                found.append((1, one.text()))
    for record in mods.children("recordInfo"):
        found += [(3, one.text()) for one in record.children("recordIdentifier")]
    return sorted(
        ((rank, tidy(text)) for rank, text in found if tidy(text)), key=lambda one: one[0]
    )


def _take_part(one: Mods, element: Element) -> None:
    """Take in one part of a record; whatever has no meaning here becomes a detail."""
    if element.name not in _NO_PARTS:
        _PARTS.get(element.name, _take_other)(one, element)


def _take_title(one: Mods, element: Element) -> None:
    plain = not element.get("type") and "title" not in one.fields
    _set(one, "title" if plain else "other title", _title(element))


def _take_location(one: Mods, element: Element) -> None:
    for part in element.children("url"):
        if is_image_name(part.text()) and page_names(part.text()):
            one.images.append((part.text(), part.line))
        else:
            _set(one, "link", part.text())
    for part in element.children("physicalLocation"):
        _set(one, "repository", part.text())


def _take_note(one: Mods, element: Element) -> None:
    kind = element.get("type", "displayLabel")
    _set(one, f"note ({kind})" if kind else "note", element.text())


def _take_related(one: Mods, element: Element) -> None:
    parts = [*map(_title, element.children("titleInfo"))]
    parts += [part.text() for part in element.children("identifier")]
    kind = element.get("type", "displayLabel")
    called = "part of" if kind in {"host", "series"} else f"related ({kind or 'item'})"
    _set(one, called, ", ".join(filter(None, parts)) or element.text())


def _take_language(one: Mods, element: Element) -> None:
    terms = element.children("languageTerm")
    worded = [term for term in terms if term.get("type") == "text"] or terms
    _set(one, "language", ", ".join(term.text() for term in worded))


def _take_extension(one: Mods, element: Element) -> None:
    for part in element.descendants("metadata"):
        _take_goobi(one, part)
    if not any(element.descendants("metadata")):
        _set(one, "extension", element.text())


def _take_other(one: Mods, element: Element) -> None:
    label = element.get("displayLabel")
    _set(one, label or _CALLED.get(element.name, element.name), element.text())


def _take_goobi(one: Mods, element: Element) -> None:
    name, text = element.get("name"), element.text()
    if plain_word(name) == "titledocmain" and "title" not in one.fields:
        _set(one, "title", text)
    elif name and plain_word(name) not in _GOOBI_REFERENCES:
        _set(one, name, text)


def _title(element: Element) -> str:
    said = {part.name: part.text() for part in element.children()}
    title = f"{said.get('nonSort', '')} {said.get('title', '')}".strip()
    if said.get("subTitle"):
        title = f"{title}: {said['subTitle']}"
    parts = [said[part] for part in ("partNumber", "partName") if said.get(part)]
    return ". ".join(filter(None, [title, *parts])) or element.text()


def _take_name(one: Mods, element: Element) -> None:
    roles = _roles(element)
    name = _name(element)
    if found := named_as(name, [*roles, element.get("displayLabel")]):
        _set(one, *found)
    else:
        role = next((role for role in roles if len(role) > 3), roles[0] if roles else "")
        _set(one, role.casefold() or "name", name)


def _roles(name: Element) -> list[str]:
    """Return a name's roles; MODS before 3.0 writes them without a term."""
    parts = [role.children("roleTerm") or [role] for role in name.children("role")]
    return [part.text() for part in itertools.chain.from_iterable(parts)]


def _name(element: Element) -> str:
    shown = [part.text() for part in element.children("displayForm")]
    if shown and shown[0]:
        return shown[0]
    parts = element.children("namePart")
    by_kind = {part.get("type"): part.text() for part in reversed(parts)}
    if by_kind.get("family") or by_kind.get("given"):
        names = [by_kind.get("given", ""), by_kind.get("family", "")]
        return " ".join(filter(None, [by_kind.get("termsOfAddress", ""), *names]))
    return ", ".join(part.text() for part in parts if part.get("type") != "date" and part.text())


def _take_subject(one: Mods, element: Element) -> None:
    label = element.get("displayLabel")
    rest: list[str] = []
    for part in element.children():
        text = _name(part) if part.name == "name" else part.text()
        if part.name == "geographic":
            _set(one, "place", text)
        elif part.name == "hierarchicalGeographic":
            levels = [level.text() for level in part.children()]
            _set(one, "place", levels[-1] if levels else text)
        elif part.name in {"name", "topic", "titleInfo"} and (
            found := named_as(
                text,
                [label, *_roles(part)],
            )
        ):
            _set(one, *found)
        elif text:
            rest.append(text)
    _set(one, "subject", " -- ".join(rest) if element.children() else element.text())


def _take_origin(one: Mods, element: Element) -> None:
    chosen = next((name for name in _DATES if element.children(name)), "")
    if chosen and "date" not in one.fields:
        _take_dates(one, element.children(chosen))
        chosen_now = chosen
    else:
        chosen_now = ""
    for part in element.children():
        if part.name == chosen_now:
            continue
        if part.name == "place":
            for term in part.children("placeTerm"):
                called = "place of origin" if term.get("type") != "code" else "country of origin"
                _set(one, called, term.text())
        else:
            _set(one, part.name, part.text())


def _take_dates(one: Mods, dates: list[Element]) -> None:
    """Take a date as it is written, and as it is coded for machines, whichever there are."""
    said = [date for date in dates if not date.get("encoding")]
    coded = [date for date in dates if date.get("encoding")]
    normal = _coded(coded or said)
    written = " - ".join(part for date in said or coded if (part := date.text()))
    if len(said) > 1 and not any(date.get("point") for date in said):
        written = said[0].text()
        for other in said[1:]:
            _set(one, "other date", other.text())
    _set(one, "date", written)
    if normal and one.fields.get("date") == tidy(written):
        one.fields["normal"] = normal


def _coded(dates: list[Element]) -> str:
    """Return dates as one in EDTF: start and end, or the only one; "" where they say more."""
    points = {date.get("point"): _edtf(date) for date in reversed(dates)}
    if "start" in points or "end" in points:
        end = points.get("end", "..")
        return f"{points.get('start', '..')}/{'..' if end == '9999' else end}"
    alone = dates[0] if len(dates) == 1 else None
    return _edtf(alone) if alone is not None and alone.get("encoding") else ""


def _edtf(date: Element) -> str:
    text = date.text()
    if date.get("encoding") == "marc":
        text = text.replace("u", "X")
    doubt = {"approximate": "~", "questionable": "?"}.get(date.get("qualifier"), "")
    return text if text.endswith(("~", "?", "%")) or "/" in text else text + doubt


def _set(one: Mods, called: str, text: str) -> None:
    """Take a text for the field that is called so; for a detail where there is no such field."""
    if called in _FIELDS:
        one.set(called, text)
    else:
        one.detail(called, text)


#: What takes in a part of a record, by the name of its element; of others `_take_other` does.
_PARTS: Mapping[str, Callable[[Mods, Element], None]] = {
    "titleInfo": _take_title,
    "name": _take_name,
    "originInfo": _take_origin,
    "subject": _take_subject,
    "location": _take_location,
    "note": _take_note,
    "relatedItem": _take_related,
    "language": _take_language,
    "extension": _take_extension,
}
