"""Labels: a CSV file that says which marks are the same, and which marks of the archive it means.

Columns `source`, or a file name that only one source ends in, and `label`. Where a page holds
several marks: `x`, `y`, `width`, `height` (pixels of the master), and `page` (its id, as `export`
writes it) where a source has several pages. `kind` is sketch or crop; `split` parts the file. Other
columns are passed over, and so are rows without a label, and those of an export whose `identity`
holds several names: a mark has one label here.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from retrieval.boxes import LEAST_OVERLAP, Box, overlap
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import ArchiveError, MetadataError
from retrieval.catalogue.identities import BETWEEN_NAMES
from retrieval.catalogue.marks import on_a_copy
from retrieval.catalogue.metadata import read_table
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.spelling import plain_word
from retrieval.catalogue.tables import Mark, Page
from retrieval.crops import load_crop
from retrieval.evaluation.columns import (
    columns_in_words,
    filled_rows,
    find_columns,
    page_number,
    pixels,
    written_source,
)
from retrieval.evaluation.sources import is_unclear, sources_named
from retrieval.ink import normalise_all, without_ink
from retrieval.progress import Report, nobody

#: What each column may be called, the first that is there; case, spaces and signs are ignored. A
#: table that `export` wrote may have `identity`, and is given a `label` beside it.
COLUMNS = {
    "source": ("source", "file", "filename", "path", "image"),
    "label": ("label", "identity", "class", "merchant"),
    "page": ("page", "pageid"),
    "x": ("x", "left"),
    "y": ("y", "top"),
    "width": ("width", "w"),
    "height": ("height", "h"),
    "kind": ("kind",),
    "split": ("split",),
}
KINDS = ("sketch", "crop")


@dataclass(frozen=True)
class Label:
    """A row of a labels file; `box` is (x, y, width, height) in pixels of the master."""

    line: int
    source: str
    label: str  # "" where there is none, or several names
    page: int | None = None
    box: Box | None = None
    kind: str | None = None
    split: str | None = None
    names: str = ""  # where there are several, as the table has them


@dataclass(frozen=True)
class Labelled:
    """The N marks that a labels file means, ascending, and what of it is left out.

    No two are one picture, and none is on a copy of a page: each would find the other, whatever it
    is looked for by.
    """

    marks: tuple[int, ...]
    crops: list[str]  # SHA-256 of each mark's picture
    sources: tuple[str, ...]  # of each mark's row
    names: tuple[str, ...]  # of the labels, by number
    labels: NDArray[np.int64]  # (N,) number of each mark's label
    sketches: NDArray[np.bool_] | None  # (N,) which marks are sketches; None: nothing is said
    unknown: tuple[str, ...]  # sources that the archive does not have
    missed: tuple[str, ...]  # a sentence for each row whose source is known, but not its mark
    on_copies: int = 0  # marks left out because their page is a copy of another
    same_picture: int = 0  # marks left out because one that is here has the same picture
    unlabelled: int = 0  # rows without a label
    several: tuple[str, ...] = ()  # a sentence for each row with several names
    unread: tuple[str, ...] = ()  # one for each mark left out because its crop cannot be read
    without_ink: int = 0  # marks left out because nothing is on their crops that could be found


def read_labels(path: Path, split: str | None = None) -> list[Label]:
    """Read a labels file, or one split of it: a table as `read_table` takes it.

    Raises MetadataError, which names the file and the line.
    """
    header, rows = read_table(path)
    if not header:
        raise MetadataError(
            f"{path.name} is empty. Name the columns in the first row: source,label"
        )
    columns = _columns(path.name, header)
    if split is not None and "split" not in columns:
        raise MetadataError(f"{path.name} has no column 'split': leave out --split.")
    exported = plain_word(header[columns["label"]]) == "identity"
    labels = [
        _label(path.name, line, values, exported) for line, values in filled_rows(rows, columns)
    ]
    if split is not None:
        known = sorted({one.split for one in labels if one.split})
        labels = [one for one in labels if (one.split or "").casefold() == split.casefold()]
        if not labels:
            raise MetadataError(
                f"{path.name} has no row in the split {split!r}; it has: {', '.join(known)}."
            )
    if not labels:
        raise MetadataError(f"{path.name} has a header and no rows.")
    if not any(one.label for one in labels):
        raise MetadataError(
            f"{path.name} has no row with exactly one label. Marks with the same text in the "
            f"column {header[columns['label']].strip()!r} are one merchant's."
        )
    return labels


def find_marks(archive: Archive, labels: Sequence[Label], name: str) -> Labelled:
    """Return the marks that the rows mean, each picture once; rejected marks do not count.

    `name` is the labels file's, for messages. Raises MetadataError when no source is known, when
    a mark or a picture has two labels, when no label has two marks, or when all marks have one
    label.
    """
    several = tuple(
        f"{name}, line {one.line}: {one.source} has several names, {one.names!r}."
        for one in labels
        if one.names
    )
    unlabelled = sum(not one.label and not one.names for one in labels)
    labels = [one for one in labels if one.label]
    with archive.session() as session:
        named = sources_named(session, archive.folder, labels, name)
        of_source = _marks_of(session, named.clear)
    meant, unknown = named.meant, named.unknown
    said: dict[int, Label] = {}
    crops: dict[int, str] = {}
    on_copies: set[int] = set()
    missed: list[str] = []
    for one in labels:
        if not meant[one.source]:
            continue
        found = _mark_meant(one, meant[one.source], of_source)
        if isinstance(found, str):
            missed.append(f"{name}, line {one.line}: {found}")
            continue
        if found.copy:
            on_copies.add(found.id)
            continue
        before = said.setdefault(found.id, one)
        if (before.label, before.kind) != (one.label, one.kind):
            raise MetadataError(
                f"{name} labels mark {found.id} ({one.source}) twice: as {_named(before)} on line "
                f"{before.line} and as {_named(one)} on line {one.line}. Keep one."
            )
        crops[found.id] = found.crop
    marks = _each_picture_once(said, crops, name)
    same_picture = len(said) - len(marks)
    names = tuple(sorted({said[mark].label for mark in marks}))
    number = {label: at for at, label in enumerate(names)}
    numbers = np.array([number[said[mark].label] for mark in marks], np.int64)
    if not len(numbers) or np.bincount(numbers).max() < 2:
        raise MetadataError(
            f"No label in {name} has two marks in {archive.folder}, so no search can be measured: "
            f"{len(marks)} marks were found, {len(on_copies)} more on copies of pages and "
            f"{same_picture} more of the same pictures, {len(unknown)} sources are unknown and "
            f"{len(missed)} rows mean no mark." + (f" {missed[0]}" if missed else "")
        )
    if len(names) < 2:
        raise MetadataError(
            f"All {len(marks)} marks that {name} labels in {archive.folder} are {names[0]!r}, so "
            "every result would be right. Label marks of others as well."
        )
    kinds = [said[mark].kind for mark in marks]
    return Labelled(
        marks=tuple(marks),
        crops=[crops[mark] for mark in marks],
        sources=tuple(said[mark].source for mark in marks),
        names=names,
        labels=numbers,
        sketches=np.array([kind == "sketch" for kind in kinds]) if any(kinds) else None,
        unknown=unknown,
        missed=tuple(missed),
        on_copies=len(on_copies),
        same_picture=same_picture,
        unlabelled=unlabelled,
        several=several,
    )


def _each_picture_once(said: Mapping[int, Label], crops: Mapping[int, str], name: str) -> list[int]:
    """Return the first mark of each picture, ascending; any other would be found without looking.

    Raises MetadataError where two marks of one picture have two labels.
    """
    first: dict[str, int] = {}
    for mark in sorted(said):
        before, one = first.setdefault(crops[mark], mark), said[mark]
        other = said[before]
        if (other.label, other.kind) != (one.label, one.kind):
            raise MetadataError(
                f"{name} labels one picture twice: mark {before} ({other.source}) as "
                f"{_named(other)} on line {other.line}, and mark {mark} ({one.source}), the same "
                f"byte for byte, as {_named(one)} on line {one.line}. Keep one."
            )
    return list(first.values())


def _named(one: Label) -> str:
    """Return a row's label for a message, with the kind if there is one."""
    return repr(one.label) if one.kind is None else f"{one.label!r} ({one.kind})"


def with_ink(
    archive: Archive,
    labelled: Labelled,
    side: int,
    report: Report = nobody,
) -> Labelled:
    """Return the marks whose crops can be read and have ink where they are `side` pixels wide.

    In `unread` is a sentence on each that cannot be read. Raises MetadataError when no label has
    two such marks, or when they are all of one label.
    """
    unread: list[str] = []
    bare = 0
    kept: list[int] = []
    for at, (mark, crop) in enumerate(zip(labelled.marks, labelled.crops, strict=True)):
        try:
            if without_ink(normalise_all([load_crop(archive, crop)], side)):
                bare += 1
            else:
                kept.append(at)
        except ArchiveError as error:
            unread.append(f"mark {mark}: {error}")
        report(at + 1, len(labelled.marks))
    if len(kept) == len(labelled.marks):
        return labelled
    numbers, labels = np.unique(labelled.labels[kept], return_inverse=True)
    if len(numbers) < 2 or np.bincount(labels).max() < 2:
        raise MetadataError(
            f"Too few labelled marks are left to search for each other: of {len(labelled.marks)} "
            f"{bare} have no ink, and the crops of {len(unread)} cannot be read"
            + (f", such as {unread[0]}" if unread else ".")
        )
    return replace(
        labelled,
        marks=tuple(labelled.marks[at] for at in kept),
        crops=[labelled.crops[at] for at in kept],
        sources=tuple(labelled.sources[at] for at in kept),
        names=tuple(labelled.names[number] for number in numbers),
        labels=labels,
        sketches=None if labelled.sketches is None else labelled.sketches[kept],
        unread=tuple(unread),
        without_ink=bare,
    )


def _marks_of(session: Session, sources: Sequence[str]) -> dict[str, list[Any]]:
    """Return each source's marks, rows of (id, crop, page, x, y, width, height, copy).

    `copy` tells whether the page is a copy of another.
    """
    found: dict[str, list[Any]] = {source: [] for source in sources}
    columns = (
        Mark.id, Mark.crop, Mark.x, Mark.y, Mark.width, Mark.height, on_a_copy().label("copy"),
    )  # fmt: skip
    for among in in_parts(sources):
        for row in session.execute(
            select(Page.source, Mark.page_id.label("page"), *columns)
            .join(Page, Mark.page_id == Page.id)
            .where(Page.source.in_(among), Mark.status != "rejected")
            .order_by(Mark.id)
        ):
            found[row.source].append(row)
    return found


def _mark_meant(
    one: Label, sources: Sequence[str], of_source: Mapping[str, Sequence[Any]]
) -> Any | str:
    """Return the row of the mark that a label means, or what kept it from being found.

    `sources` are those that the label may mean, `of_source` has their marks where that is clear.
    """
    if is_unclear(one, sources):
        return (
            f"{one.source} matches {len(sources)} files, such as {sources[0]} and "
            f"{sources[1]}; write more of its path."
        )
    marks = itertools.chain.from_iterable(of_source[source] for source in sources)
    among = [row for row in marks if one.page in (None, row.page)]
    where = one.source if one.page is None else f"{one.source}, page {one.page},"
    if not among:
        return f"{where} has no mark."
    if one.box is None:
        if len(among) == 1:
            return among[0]
        return f"{where} has {len(among)} marks; say which with x, y, width and height."
    overlaps = [overlap(one.box, (row.x, row.y, row.width, row.height)) for row in among]
    best = int(np.argmax(overlaps))
    if overlaps[best] < LEAST_OVERLAP:
        return f"no mark of {where} lies at {','.join(map(str, one.box))}."
    return among[best]


def _columns(name: str, header: Sequence[str]) -> dict[str, int]:
    """Return where each of our columns stands."""
    found = find_columns(name, header, COLUMNS)
    lacking = [column for column in ("source", "label") if column not in found]
    if lacking:
        raise MetadataError(
            f"{name} has no column {' and no column '.join(map(repr, lacking))}, only "
            f"{columns_in_words(header)}. A labels file has the columns source,label."
        )
    return found


def _label(name: str, line: int, values: dict[str, str], exported: bool) -> Label:
    """Return what a row says; in the column `identity` of an export may stand several names."""
    if "source" not in values:
        raise MetadataError(f"{name}, line {line}: there is no source.")
    label = values.get("label", "")
    names = label if exported and BETWEEN_NAMES in label else ""
    corners = [column for column in ("x", "y", "width", "height") if column in values]
    if len(corners) not in (0, 4):
        raise MetadataError(
            f"{name}, line {line}: a box needs x, y, width and height; "
            f"there is only {', '.join(corners)}."
        )
    box = [pixels(name, line, corner, values[corner]) for corner in corners]
    if box and min(box[2:]) < 1:
        raise MetadataError(f"{name}, line {line}: a box of {box[2]} x {box[3]} has no area.")
    kind = values.get("kind", "").casefold() or None
    if kind is not None and kind not in KINDS:
        raise MetadataError(
            f"{name}, line {line}: the kind is {values['kind']!r}; write sketch or crop."
        )
    return Label(
        line,
        written_source(values["source"]),
        "" if names else label,
        page_number(name, line, "page", values["page"]) if "page" in values else None,
        (box[0], box[1], box[2], box[3]) if box else None,
        kind,
        values.get("split"),
        names,
    )
