"""What manifests say, told to the catalogue: documents, their pages' names, order and details."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from ingest.documents.binding import Bound
from ingest.documents.csv_file import COLUMNS
from ingest.documents.record import Details, DocumentRecord, Gathering, add_detail
from ingest.iiif.manifest import Manifest
from ingest.iiif.masters import Wanted, folder_of
from ingest.known import master_exists
from ingest.listing import location_of
from ingest.pixels import ADVICE_COPY
from retrieval.catalogue.prefixes import begins_with
from retrieval.catalogue.references import normalise_reference
from retrieval.catalogue.spelling import plain_word
from retrieval.catalogue.tables import Document, Failure, Page

#: Characters of a document's or a canvas's name in the name of a page.
_LONGEST_NAME = 300
#: What names files in a table; in a manifest it says where the document comes from, as a series
#: does.
_OF_FILES = ("source", "series", "sha256", "page in file")

#: Characters that the catalogue's columns hold, with room for a reference's usual form.
_LONGEST_FIELD = 240

#: The detail of a document that tells whose canvases its pages are.
_MANIFEST = "manifest"

#: The number of a page's image among those of a manifest, and that of the page in the image.
Place = tuple[int, int]


@dataclass(frozen=True)
class Described:
    """A manifest whose document is in the catalogue, and its images in their order.

    `before` are those it had when it was kept before: its own where it was not.
    """

    manifest: Manifest
    reference: str
    wanted: Sequence[Wanted]
    before: Sequence[Wanted]


def describe(session: Session, manifest: Manifest) -> DocumentRecord:
    """Return the document that a manifest describes.

    Its reference is that of the metadata (any of the names that a documents file may use), else
    the manifest's label, with the id beside it where the label is another manifest's too.
    """
    fields, details = _fields(manifest)
    reference = fields.pop("reference", None) or _label_of_its_own(session, manifest)
    if manifest.label:
        fields.setdefault("title", manifest.label)
    gathering = Gathering(manifest.id)
    gathering.describe(reference, fields, details, line=1)
    (document,) = gathering.finished().documents
    return document


def _fields(manifest: Manifest) -> tuple[dict[str, str], Details]:
    """Return the metadata that are columns of the catalogue, in one language, and all the rest."""
    fields: dict[str, str] = {}
    used: set[int] = set()
    labels = [{plain_word(label) for label in entry.labels} for entry in manifest.metadata]
    for column, names in COLUMNS.items():
        if column in _OF_FILES:
            continue
        found = [
            at
            for called in names
            for at, said in enumerate(labels)
            if called.replace(" ", "") in said
        ]
        if found:
            text = "; ".join(manifest.metadata[found[0]].values)
            if column == "title" or len(text) <= _LONGEST_FIELD:
                fields[column] = text
                used.add(found[0])
    details: Details = {}
    for at, entry in enumerate(manifest.metadata):
        for value in entry.others if at in used else (*entry.values, *entry.others):
            label = entry.labels[0]
            # The manifest's own address is kept under this name, and is asked for by it.
            add_detail(details, f"{label} (metadata)" if label == _MANIFEST else label, value)
    beside = {
        "summary": manifest.summary,
        "attribution": manifest.attribution,
        "rights": manifest.rights,
        _MANIFEST: manifest.id,
    }
    for name, said in beside.items():
        if said:
            add_detail(details, name, said)
    return fields, details


def _label_of_its_own(session: Session, manifest: Manifest) -> str:
    label = (manifest.label or manifest.id)[: _LONGEST_FIELD - 55]
    reference = normalise_reference(label)
    details = session.scalar(select(Document.details).where(Document.reference == reference))
    theirs = (details or {}).get(_MANIFEST)
    if theirs is None or theirs == manifest.id:
        return label
    return f"{label} ({manifest.id[-50:]})"


def name_pages(
    session: Session, manifest: Manifest, wanted: Sequence[Wanted], folder: Path, taken: Set[str]
) -> dict[str, str]:
    """Return the sources of the images by their keys: `document/canvas`, each unlike all others.

    `taken` are those of other manifests, whose pages may not be in the catalogue yet. A page that
    is there keeps the name it has. Where a canvas has no label it is named by its number.
    """
    known = {
        Path(location).stem: source
        for source, location in session.execute(
            select(Page.source, Page.location).where(_in_folder(Page.location, folder))
        )
    }
    document = _document_in_names(manifest)
    names: dict[str, str] = {one.key: known[one.key] for one in wanted if one.key in known}
    used = {*taken, *names.values()}
    for one in wanted:
        if one.key in names:
            continue
        canvas = _as_path(one.canvas.label or "") or f"canvas {one.number}"
        for name in _and_numbered(f"{document}/{canvas}"):
            if name not in used and _is_free(session, name, one, folder):
                names[one.key] = name
                used.add(name)
                break
    return names


def to_fetch_again(session: Session, folder: Path, under: str) -> set[str]:
    """Return the keys of the masters in a manifest's folder that could not be read, but might be.

    They are damaged, perhaps on the way, or were tried under other limits than `under`, or it was
    the disk's fault. The others would fail again, whatever they are copied from.
    """
    return {
        Path(location).stem
        for location in session.scalars(
            select(Failure.location).where(
                _in_folder(Failure.location, folder),
                or_(Failure.advice == ADVICE_COPY, Failure.tried.is_distinct_from(under)),
            )
        )
    }


def follow_master(session: Session, path: Path) -> None:
    """Have the pages of a master that was fetched anew lie where it does: its ending may differ."""
    of_it = _begins_as(Page.location, path.with_suffix(".x"))
    session.execute(update(Page).where(of_it).values(location=location_of(path)))


def bind_canvases(session: Session, masters: Path, described: Described) -> Bound:
    """Give the pages of a manifest to its document; return which were given, and which had it.

    They follow the order of the canvases; pages of other origin stay where they are. A page that
    other metadata have given to another document stays there. Where the pages are neither in the
    order of the canvases now nor in that before, a documents file has put them so: they stay, and
    a new one follows the page before it in the manifest. What the manifest says of a page becomes
    its details.
    """
    manifest = described.manifest
    document = session.scalars(
        select(Document.id).where(Document.reference == described.reference)
    ).one()
    in_folder = _in_folder(Page.location, folder_of(masters, manifest))
    wanted = {one.key: (at, one) for at, one in enumerate(described.wanted)}
    earlier = {one.key: at for at, one in enumerate(described.before)}
    changed: list[dict[str, Any]] = []
    held: dict[int, tuple[int | None, int]] = {}
    now: dict[int, Place] = {}
    then: dict[int, Place] = {}
    for row in session.execute(
        select(
            Page.id,
            Page.location,
            Page.frame,
            Page.ordinal,
            Page.details,
            Page.document_id,
            Document.details.label("of_document"),
            in_folder.label("here"),
        )
        .outerjoin(Document, Page.document_id == Document.id)
        .where(or_(in_folder, Page.document_id == document))
        .order_by(Page.ordinal, Page.id)
    ):
        key = Path(row.location).stem
        if row.here and key in wanted:
            at, one = wanted[key]
            if row.details != (details := _details(manifest, one)):
                changed.append({"id": row.id, "details": details})
            if (
                row.document_id in (None, document)
                or (row.of_document or {}).get(_MANIFEST) == manifest.id
            ):
                now[row.id] = (at, row.frame)
                if key in earlier:
                    then[row.id] = (earlier[key], row.frame)
        if row.id in now or row.document_id == document:
            held[row.id] = (row.document_id, row.ordinal)
    if changed:
        session.execute(update(Page), changed)
    standing = [page for page, (of_document, _) in held.items() if of_document is not None]
    sequence = _sequence(standing, now, then)
    placed = [
        {"id": page, "document_id": document, "ordinal": ordinal}
        for at, page in enumerate(sequence, start=1)
        if held[page] != (document, ordinal := held[page][1] if sequence == standing else at)
    ]
    if placed:
        session.execute(update(Page), placed)
    stayed = frozenset(page for page in now if held[page][0] == document)
    return Bound(frozenset(now) - stayed, stayed)


def _sequence(
    standing: Sequence[int], now: Mapping[int, Place], then: Mapping[int, Place]
) -> list[int]:
    """Return a document's pages in their order: those `standing` in it, and the new ones.

    `now` and `then` are the places of a manifest's pages in it, now and before.
    """
    ours = [page for page in standing if page in now]
    by_canvas = sorted(now, key=now.__getitem__)
    new = now.keys() - set(ours)
    if _ordered(ours, now) or _ordered(ours, then):
        ours = [page for page in by_canvas if page not in new]
    followers: dict[int | None, list[int]] = defaultdict(list)
    last = None
    for page in by_canvas:
        if page in new:
            followers[last].append(page)
        else:
            last = page
    sequence: list[int] = []
    turn = iter(ours)
    for page in standing:
        if page in now:
            sequence += followers.pop(None, [])
            one = next(turn)
            sequence += [one, *followers[one]]
        else:
            sequence.append(page)
    return sequence + followers.pop(None, [])


def _ordered(pages: Sequence[int], places: Mapping[int, Place]) -> bool:
    """Return whether all pages have a place, and follow one another by them."""
    return all(page in places for page in pages) and list(pages) == sorted(
        pages, key=places.__getitem__
    )


def _details(manifest: Manifest, wanted: Wanted) -> dict[str, Any]:
    canvas = wanted.canvas
    said = {
        _MANIFEST: manifest.id,
        "canvas": canvas.id,
        "label": canvas.label,
        "width": canvas.width,
        "height": canvas.height,
        "image": wanted.painting.image,
        "service": wanted.painting.service,
        "attribution": manifest.attribution,
        "rights": manifest.rights,
    }
    return {name: value for name, value in said.items() if value is not None}


def _is_free(session: Session, name: str, wanted: Wanted, folder: Path) -> bool:
    """Return whether no other master has the name, nor is one missing under it."""
    for location in session.scalars(select(Page.location).where(Page.source == name)):
        if not _is_master_of(wanted, folder, location) and master_exists(location):
            return False
    for location in session.scalars(select(Failure.location).where(Failure.source == name)):
        ours = location == wanted.address or _is_master_of(wanted, folder, location)
        if not ours and master_exists(location):
            return False
    return True


def _is_master_of(wanted: Wanted, folder: Path, location: str) -> bool:
    """Return whether the image's master lies there, or lay before its archive was moved.

    Another manifest's of the same canvas has the same name, in another folder.
    """
    path = Path(location)
    return path.stem == wanted.key and path.parent.name == folder.name


def _in_folder(column: Any, folder: Path) -> ColumnElement[bool]:
    return _begins_as(column, folder / "x")


def _begins_as(column: Any, path: Path) -> ColumnElement[bool]:
    """Return the condition that a location is that of `path`, whose last letter may be anything."""
    return begins_with(column, location_of(path)[:-1])


def _and_numbered(name: str) -> Iterator[str]:
    yield name
    for number in count(2):
        yield f"{name} ({number})"


def _as_path(text: str) -> str:
    """Return a text as part of a page's name: "/" between parts, and none that is empty or dots."""
    parts = (part.strip() for part in re.split(r"[/\\]", text[:_LONGEST_NAME]))
    return "/".join(part for part in parts if part.strip("."))


def _document_in_names(manifest: Manifest) -> str:
    fields, _ = _fields(manifest)
    written = normalise_reference(fields.get("reference") or manifest.label or manifest.id)
    # A server's word begins the names of pages: whoever opens a table of them is to run none.
    return _as_path(re.sub(r"(^|[/\\])[\s=+\-@]+", r"\1", written)) or "document"
