"""Documents and their pages in METS, described by MODS within it, as Goobi and Kitodo write it.

Every `div` that has a MODS record with a reference may be a document; as in a finding aid it is
one when it has pages, or when there is none below it. The pages are the physical divisions, or
those with files where no map is physical, in the order of ORDER. A page belongs to the innermost
document that it is linked to or lies in. Its files are the same page at several sizes.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ingest.documents.hrefs import page_names
from ingest.documents.mods import Mods, parse_mods
from ingest.documents.record import DocumentsFile, Gathering, PageClaim, add_detail, tidy
from ingest.documents.xml_stream import Element, let_go
from retrieval.catalogue.errors import MetadataError

#: Uses of a group of files, the likeliest to be what was ingested first.
_USES = ("master", "original", "archiv", "max", "local", "default", "presentation", "min")
_NO_PAGES = ("thumb", "fulltext", "ocr", "alto", "download", "pdf", "transcript", "audio", "video")
_STREAMED = frozenset(["amdSec", "fileGrp", "structLink", "mets", "behaviorSec", "metsHdr"])


@dataclass(frozen=True)
class _File:
    group: int
    rank: int
    href: str


@dataclass(eq=False)
class _Division:
    """A `div`: which records describe it, which files it has, and where it lies."""

    element: Element
    parent: _Division | None
    depth: int
    physical: bool
    records: list[Mods]
    children: list[_Division] = field(default_factory=list)
    document: Mods | None = None

    @property
    def identifier(self) -> str:
        return self.element.get("ID")


@dataclass
class _Contents:
    """What has been read of a METS file before its documents are made of it."""

    name: str
    label: str = ""
    identifier: str = ""
    records: dict[str, Mods] = field(default_factory=dict)
    files: dict[str, _File] = field(default_factory=dict)
    links: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    maps: list[Element] = field(default_factory=list)


def read_mets(name: str, elements: Iterator[tuple[bool, Element]]) -> DocumentsFile:
    """Read the documents and pages of a METS file from its elements.

    Raises MetadataError, which names the file and line.
    """
    contents = _read(name, elements)
    divisions = [
        division for one in contents.maps for division in _divisions(one, contents.records)
    ]
    documents = _documents(contents, divisions)
    pages = _pages(contents, divisions)
    owned: dict[Mods, list[tuple[PageClaim, str]]] = defaultdict(list)
    gathering = Gathering(name)
    owners = _owners(contents, divisions)
    outer, inner = _nested(divisions)
    outermost = [one for one in documents if one not in inner]
    for division, hrefs in pages:
        _, owner = owners.get(division, (0, None))
        if owner is None and len(outermost) == 1:
            owner = outermost[0]
        if owner is None:
            gathering.problems.append(
                f"{name}, line {division.element.line}: the page {hrefs[0]!r} is linked to no "
                "document."
            )
            continue
        names = dict.fromkeys(each for href in hrefs for each in page_names(href))
        claim = PageClaim(hrefs[0], "", division.element.line, tuple(names))
        owned[owner].append((claim, _label(division)))
    for record in documents:
        claims = owned[record]
        if not claims and record in outer:
            continue
        labels = [label for _, label in claims]
        if any(labels):
            add_detail(record.details, "page labels", ", ".join(one or "-" for one in labels))
        reference = gathering.describe(record.reference, record.fields, record.details, record.line)
        for claim, _ in claims:
            gathering.claim(PageClaim(claim.source, reference, claim.line, claim.names))
    return gathering.finished()


def _read(name: str, elements: Iterator[tuple[bool, Element]]) -> _Contents:
    contents = _Contents(name)
    groups: dict[Element, int] = {}
    for began, element in elements:
        if element.parent is None:
            contents.identifier = element.get("OBJID")
            contents.label = element.get("LABEL")
        elif began or element.parent.name not in _STREAMED:
            continue
        elif element.name == "structMap":
            contents.maps.append(element)
        else:
            if element.name == "dmdSec":
                for mods in itertools.islice(element.descendants("mods"), 1):
                    contents.records[element.get("ID") or f"line {element.line}"] = parse_mods(mods)
            elif element.name == "file":
                group = groups.setdefault(element.parent, len(groups))
                _take_file(contents, element, group)
            elif element.name == "smLink":
                contents.links[element.get("to")].append(element.get("from"))
            let_go(element)
    return contents


def _take_file(contents: _Contents, element: Element, group: int) -> None:
    use, outer = element.get("USE"), element.parent
    while not use and outer is not None:
        use, outer = outer.get("USE"), outer.parent
    use, kind = use.casefold(), element.get("MIMETYPE").casefold()
    if any(word in use for word in _NO_PAGES) or (kind and not kind.startswith("image/")):
        return
    rank = next((at for at, word in enumerate(_USES) if word in use), len(_USES))
    for place in itertools.islice(element.descendants("FLocat"), 1):
        if (href := place.get("href")) and element.get("ID"):
            contents.files[element.get("ID")] = _File(group, rank, href)


def _divisions(structure: Element, records: dict[str, Mods]) -> Iterator[_Division]:
    """Give the divisions of a structural map, outer before inner, in the order of the pages."""
    physical = structure.get("TYPE").casefold() == "physical"

    def below(element: Element, parent: _Division | None, depth: int) -> Iterator[_Division]:
        for child in _in_order(element.children("div")):
            described = [records[one] for one in child.get("DMDID").split() if one in records]
            division = _Division(child, parent, depth, physical, described)
            division.document = next((one for one in described if one.reference), None)
            if parent is not None:
                parent.children.append(division)
            yield division
            yield from below(child, division, depth + 1)

    return below(structure, None, 0)


def _in_order(divisions: Sequence[Element]) -> list[Element]:
    """Return divisions by their ORDER; as they stand where any has none."""
    orders = [division.get("ORDER") for division in divisions]
    if not all(order.isdecimal() and order.isascii() and len(order) < 10 for order in orders):
        return list(divisions)
    return sorted(divisions, key=lambda division: int(division.get("ORDER")))


def _documents(contents: _Contents, divisions: Sequence[_Division]) -> list[Mods]:
    """Return the records that have a reference, in their order; else one for the whole file."""
    for division in divisions:
        titles = [one.fields.get("title", "") for one in division.records]
        title = next(filter(None, titles), "") or division.element.get("LABEL")
        outer = _outer(division)
        if division.document is None and not division.physical and title and outer is not None:
            add_detail(outer.details, "contents", tidy(title))
    documents = [one for one in contents.records.values() if one.reference]
    if documents:
        return documents
    if not contents.identifier:
        raise MetadataError(
            f"{contents.name}: there is no reference. It needs MODS with an identifier or a "
            "shelfLocator, or an OBJID."
        )
    whole = next(iter(contents.records.values()), Mods(1))
    whole.reference = contents.identifier
    if contents.label:
        whole.fields.setdefault("title", contents.label)
    return [whole]


def _outer(division: _Division) -> Mods | None:
    """Return the innermost document around a division."""
    while division.parent is not None:
        division = division.parent
        if division.document is not None:
            return division.document
    return None


def _nested(divisions: Sequence[_Division]) -> tuple[set[Mods], set[Mods]]:
    """Return the documents that another lies in, and those that lie in another."""
    outer, inner = set(), set()
    for division in divisions:
        around = _outer(division)
        document = division.document
        if document is not None and around is not None and around is not document:
            outer.add(around)
            inner.add(document)
    return outer, inner


def _owners(
    contents: _Contents, divisions: Sequence[_Division]
) -> dict[_Division, tuple[int, Mods]]:
    """Return, by the divisions, the innermost document each lies in or is linked to.

    With it goes how deep it lies; of several that lie as deep the first is taken.
    """
    by_identifier = {division.identifier: division for division in divisions}
    owners: dict[_Division, tuple[int, Mods]] = {}
    for division in divisions:  # outer before inner
        best = owners.get(division.parent) if division.parent is not None else None
        linked = map(by_identifier.get, contents.links.get(division.identifier, []))
        for candidate in filter(None, (division, *linked)):
            at: _Division | None = candidate
            while at is not None and at.document is None:
                at = at.parent
            if at is not None and at.document is not None and (best is None or at.depth > best[0]):
                best = at.depth, at.document
        if best is not None:
            owners[division] = best
    return owners


def _pages(
    contents: _Contents, divisions: Sequence[_Division]
) -> list[tuple[_Division, list[str]]]:
    """Return (division, hrefs) for each page: its files, the likeliest to be ingested first."""
    found = [
        (division, hrefs) for division in divisions for hrefs in _files(contents, division.element)
    ]
    physical = [page for page in found if page[0].physical]
    return physical or found


def _files(contents: _Contents, element: Element) -> list[list[str]]:
    """Return a division's pages as the addresses of their files.

    Files of several groups are one page at several sizes; files of one group are several pages.
    """
    groups: dict[int, list[_File]] = defaultdict(list)
    for pointer in element.children("fptr"):
        for one in (pointer, *pointer.descendants("area")):
            if (known := contents.files.get(one.get("FILEID"))) is not None:
                groups[known.group].append(known)
    ranked = sorted(groups.values(), key=lambda files: files[0].rank)
    return [
        [file.href for file in page if file is not None] for page in itertools.zip_longest(*ranked)
    ]


def _label(division: _Division) -> str:
    """Return what a page is called, such as "1r"; "" where that is only its number."""
    label = division.element.get("ORDERLABEL", "LABEL")
    plain = label.strip(" -[]().").casefold()
    return "" if plain in {"", "uncounted", division.element.get("ORDER")} else label
