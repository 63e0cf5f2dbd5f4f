"""Documents in a finding aid: EAD 2002, with its namespace or without, and EAD3.

A component is a document when it has a `unitid` and either images of its own or no component
with a `unitid` below it: series and boxes only lend theirs. What has no `unitid` is part of the
component around it. A `unitid` such as "Item 1", which recurs under other components with a
reference, is led by theirs.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ingest.documents.hrefs import is_image_name, page_names
from ingest.documents.record import (
    LONGEST,
    Description,
    DocumentsFile,
    Gathering,
    PageClaim,
    add_detail,
    series_within,
)
from ingest.documents.ships import named_as
from ingest.documents.xml_stream import Element, let_go
from retrieval.catalogue.errors import MetadataError
from retrieval.catalogue.references import normalise_reference, parse_reference, series_of

_COMPONENTS = frozenset(["archdesc", "c", *(f"c{level:02d}" for level in range(1, 13))])
_NAMES = ("persname", "corpname", "famname", "name")
#: What elements are called among a document's details; others keep their names.
_CALLED = {
    "accessrestrict": "access",
    "acqinfo": "acquisition",
    "altformavail": "copies",
    "bioghist": "history",
    "corpname": "corporate body",
    "custodhist": "custodial history",
    "didnote": "note",
    "famname": "family",
    "genreform": "kind",
    "geogname": "place",
    "langmaterial": "language",
    "materialspec": "material",
    "name": "name",
    "odd": "note",
    "originalsloc": "originals",
    "origination": "creator",
    "persname": "person",
    "physdesc": "physical description",
    "physdescset": "physical description",
    "physdescstructured": "physical description",
    "physloc": "physical location",
    "phystech": "physical condition",
    "relatedmaterial": "related material",
    "scopecontent": "scope and content",
    "userestrict": "use",
}
_HEADINGS = frozenset(["head"])
#: Parts that say nothing here: references are taken before.
_NO_PARTS = frozenset(["unitid", "head"])
#: In the type of a `unitid` that is a database's address, as ArchivesSpace exports it, or was the
#: reference before.
_NO_REFERENCE = re.compile(
    r"(?<![a-z])uri(?![a-z])|superseded|former|previous|(?<![a-z])old|ancien|alternative"
)
#: In that of one which is an address for good: the reference of what has no other.
_ADDRESS = re.compile(r"(?<![a-z])(?:ark|handle)(?![a-z])")


@dataclass(eq=False)
class _Component(Description):
    level: str = ""
    written: str = ""
    reference: str = ""
    in_full: str = ""  # the reference, led by those around it unless it says all
    leads: bool = False  # the reference leads those of the components below
    series: str = ""
    claims: list[tuple[int, str, tuple[str, ...]]] = field(default_factory=list)
    has_documents: bool = False


def read_ead(name: str, elements: Iterator[tuple[bool, Element]]) -> DocumentsFile:
    """Read the documents of a finding aid from its elements.

    Raises MetadataError, which names the file and line.
    """
    gathering = Gathering(name)
    documents: list[_Component] = []
    around: list[_Component] = []
    nodes: list[Element] = []  # of `around`
    for began, element in elements:
        if element.name in _COMPONENTS:
            if began:
                around.append(_Component(element.line, level=element.get("level")))
                nodes.append(element)
                continue
            nodes.pop()
            _close(gathering, documents, around.pop(), around)
            let_go(element)
        elif not began and nodes and element.parent is nodes[-1]:
            _take_in(around, element)
            let_go(element)
        elif not began and not nodes and element.parent and element.parent.parent is None:
            let_go(element)  # the finding aid's own header
    _tell_apart(documents)
    documents.reverse()
    while documents:  # each is let go of, as there may be very many
        _describe(gathering, documents.pop())
    file = gathering.finished()
    if not file.documents:
        raise MetadataError(
            f"{name}: no component has a unitid, so it describes no document. Give its components "
            "unitids."
        )
    return file


def _take_in(around: list[_Component], element: Element) -> None:
    """Take in what a component says in one of its elements."""
    one = around[-1]
    if element.name == "did":
        _identify(around, element)
        for child in element.children():
            _take_part(one, child)
    elif element.name not in {"dsc", "head"}:
        _take_part(one, element)


def _identify(around: list[_Component], did: Element) -> None:
    """Take a component's reference and series from its `did`, and from those around it."""
    one, above = around[-1], around[:-1]
    unitids = [
        (text, _kind(unitid)) for unitid in did.children("unitid") if (text := unitid.text())
    ]
    lasting = [said for said in unitids if not _NO_REFERENCE.search(said[1])]
    references = [text for text, kind in lasting if not _ADDRESS.search(kind)]
    one.leads = bool(references)
    written = next((text for text in references if parse_reference(text)), "")
    one.written = written or next(iter(references or [text for text, _ in lasting]), "")
    for other, _ in unitids:
        if other != one.written:
            add_detail(one.details, "other reference", other)
    named = next((upper for upper in reversed(above) if upper.leads), None)
    if one.written and not one.leads:
        one.reference = one.in_full = normalise_reference(one.written)
    elif one.written:
        one.reference = normalise_reference(_whole(one.written, named.reference if named else ""))
        one.in_full = one.reference
        if named and parse_reference(one.reference) is None:
            one.in_full = normalise_reference(_below(named.in_full, one.written))
    inherited = next((upper.series for upper in reversed(above) if upper.series), "")
    one.series = series_within(one.reference, inherited)
    if one.level == "series" and not series_of(one.reference):
        title = " ".join(e.text() for e in did.children("unittitle"))
        called = one.reference if one.leads else title
        one.series = called if len(called) <= LONGEST["series"] else one.series


def _kind(unitid: Element) -> str:
    return f"{unitid.get('type')} {unitid.get('localtype')}".casefold()


def _whole(written: str, above: str) -> str:
    """Return a reference in full: "5" below "HCA 32/1234" is "HCA 32/1234/5"."""
    if not above or not re.fullmatch(r"/?[0-9]+[A-Za-z]?(?:[-–/][0-9]+[A-Za-z]?)*", written):
        return written
    return _below(above, written)


def _below(above: str, written: str) -> str:
    return f"{above}{' ' if above.isalpha() else '/'}{written.removeprefix('/')}"


def _take_part(one: _Component, element: Element) -> None:
    """Take in one part of a description; whatever has no meaning here becomes a detail."""
    if element.name not in _NO_PARTS:
        _PARTS.get(element.name, _take_other)(one, element)


def _take_title(one: _Component, element: Element) -> None:
    one.set("title", element.text())
    _take_dates(one, element.children("unitdate"))
    _take_names(one, element)


def _take_date(one: _Component, element: Element) -> None:
    _take_dates(one, [element])


def _take_physloc(one: _Component, element: Element) -> None:
    linked = [part for part in element.descendants("ref", "extref", "ptr", "extptr")]
    for part in linked:
        _claim(one, part, part.get("href"))
    text = element.text()
    if not linked and is_image_name(text):
        _claim(one, element, text)
    else:
        _detail(one, "physloc", text)


def _take_headings(one: _Component, element: Element) -> None:
    for part in element.descendants(
        *_NAMES, "geogname", "subject", "genreform", "function", "occupation", "title"
    ):
        _take_heading(one, part)


def _take_origination(one: _Component, element: Element) -> None:
    _take_names(one, element)
    _detail(one, "origination", element.text())


def _take_container(one: _Component, element: Element) -> None:
    _detail(one, "container", f"{element.get('type', 'localtype')} {element.text()}")


def _take_other(one: _Component, element: Element) -> None:
    for part in element.descendants("dao", "daogrp", "daoset"):
        _take_pages(one, part)
    _take_names(one, element)
    _detail(one, element.name, element.text(without=_HEADINGS))


def _take_dates(one: _Component, dates: list[Element]) -> None:
    for date in dates:
        normal = date.get("normal")
        if date.name == "unitdatestructured":
            ends = list(date.descendants("datesingle", "fromdate", "todate"))
            text = " - ".join(part for end in ends if (part := end.text()))
            standard = [end.get("standarddate") for end in ends]
            normal = "/".join(standard) if len(ends) <= 2 and all(standard) else ""
        else:
            text = date.text()
        known, before = one.fields.get("date"), one.fields.get("normal")
        if known and before and before == normal:
            continue
        if known and (before or not normal or date.name == "unitdate"):
            add_detail(one.details, "other date", text or normal)
        elif known:
            one.fields["normal"] = normal  # the same date again, for machines
        elif text or normal:
            one.set("date", text or normal)
            one.fields["normal"] = normal


def _take_names(one: _Component, element: Element) -> None:
    """Take the ship and the captain from names within a sentence."""
    for part in element.descendants(*_NAMES):
        if found := named_as(part.text(), _roles(part)):
            one.set(*found)


def _take_heading(one: _Component, element: Element) -> None:
    text = element.text()
    if element.name in _NAMES and (found := named_as(text, _roles(element))):
        one.set(*found)
    elif element.name == "geogname":
        one.set("place", text)
    else:
        _detail(one, element.name, text)


def _roles(element: Element) -> list[str]:
    return [element.get(name) for name in ("role", "relator", "localtype", "type")]


def _take_pages(one: _Component, element: Element) -> None:
    """Take the images that a digital archival object is, one after another."""
    parts = [element] if element.name == "dao" else element.children("dao", "daoloc")
    for part in parts:
        said = [part.get(name) for name in ("role", "localtype", "label", "linkrole", "linktitle")]
        if "thumb" not in " ".join(said).casefold():
            _claim(one, part, part.get("href"))
    if text := " ".join(part.text() for part in element.children("daodesc", "descriptivenote")):
        _detail(one, "images", text)


def _claim(one: _Component, element: Element, href: str) -> None:
    if names := page_names(href):
        one.claims.append((element.line, href, names))
    elif href:
        _detail(one, "link", href)


def _detail(one: _Component, name: str, text: str) -> None:
    one.detail(_CALLED.get(name, name), text)


#: What takes in a part of a description, by the name of its element; of others `_take_other` does.
_PARTS: Mapping[str, Callable[[_Component, Element], None]] = {
    "unittitle": _take_title,
    "unitdate": _take_date,
    "unitdatestructured": _take_date,
    "dao": _take_pages,
    "daogrp": _take_pages,
    "daoset": _take_pages,
    "physloc": _take_physloc,
    "controlaccess": _take_headings,
    "origination": _take_origination,
    "container": _take_container,
    "geogname": _take_heading,
}


def _close(
    gathering: Gathering, documents: list[_Component], one: _Component, above: list[_Component]
) -> None:
    """Make a component a document, or hand what it has to the one around it."""
    upper = above[-1] if above else None
    if one.reference and (one.claims or not one.has_documents):
        for outer in above:
            if called := f"{outer.reference} {outer.fields.get('title', '')}".strip():
                add_detail(one.details, "part of", called)
        documents.append(one)
    elif upper is not None and not one.reference:
        upper.claims += one.claims
        if title := one.fields.get("title"):
            add_detail(upper.details, "contents", title)
    elif not one.reference:
        for line, href, _ in one.claims:
            gathering.problems.append(
                f"{gathering.name}, line {line}: {href!r} is in no component with a "
                "unitid, so it belongs to no document."
            )
    if upper is not None:
        upper.has_documents = upper.has_documents or one.has_documents or bool(one.reference)


def _tell_apart(documents: list[_Component]) -> None:
    """Give documents that have a reference in common, but not in full, their reference in full."""
    in_full: dict[str, set[str]] = defaultdict(set)
    for one in documents:
        in_full[one.reference].add(one.in_full)
    for one in documents:
        if len(in_full[one.reference]) > 1 and one.reference != one.in_full:
            one.reference = one.in_full


def _describe(gathering: Gathering, one: _Component) -> None:
    """Add a document and its claims to what has been gathered."""
    if one.series:
        one.fields["series"] = one.series
    if one.written != one.reference and parse_reference(one.written) is None:
        add_detail(one.details, "reference as written", one.written)
    written = one.written if parse_reference(one.written) else one.reference
    reference = gathering.describe(written, one.fields, one.details, one.line)
    for line, href, names in one.claims:
        gathering.claim(PageClaim(href, reference, line, names))
