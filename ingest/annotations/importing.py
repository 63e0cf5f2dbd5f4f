"""What files of annotations say, into the catalogue: one file, one transaction.

A mark that is imported is a person's word: new ones are confirmed unless the file says otherwise,
and `outlives_its_image` then keeps them when the page is segmented again. For each region of a
file, on the page that it names:

- it is the mark whose id and moment our own export wrote: that mark is brought up to it;
- a mark lies there already (intersection over union of `SAME_REGION` or more): likewise;
- an id without the moment, from a table that has no such column, counts where boxes overlap at all
  and the row names its page's id as well, else where they share `MOVED_REGION` or more;
- a proposal that our own export wrote, of an older version of the segmenter than that which has
  been through the page since, is passed over: its mark is gone;
- else it is a new mark.

"proposed" is nobody's word: it makes new proposals, but never changes what there is, unless the
box of that very mark was moved since it was written out. That shows where the mark still has the
box that was proposed. A mark whose box is a person's stays where it is, however the file has it:
it may have been written before. Nor does a file that says no status change a mark that it leaves
where it is: many programs lose what they have no place for. Nothing is deleted: what is no mark, a
file calls rejected, but for a mark of an identity, of which more was said than a file knows. What a
person had said otherwise of a mark goes to `taken-back.csv`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from ingest.annotations.annotation import MAX_ORIGIN, RegionError, Understood
from ingest.annotations.formats import AnnotationsFile, read_annotations
from ingest.annotations.matching import PageFinder, Placed, Polygon, is_cut_off, place, scale_to
from ingest.confirming import PERSON, SAME_REGION, word_of
from ingest.cutting import PageCrops, cut_from_masters
from ingest.known import KnownPage
from ingest.listing import storable
from ingest.sources import MAX_PIXELS
from ingest.taken_back import TAKEN_BACK, OldWord, note_taken_back
from retrieval.boxes import Box, Corners, overlap, overlaps
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import MetadataError
from retrieval.catalogue.identities import identity_names
from retrieval.catalogue.naming import image_called
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.tables import Mark, in_utc, now

#: A region that bears a mark's number, and nothing else of ours, is that mark if it covers it this
#: well (intersection over union).
MOVED_REGION = 0.5
#: Moments that are less apart are one: what is written in JavaScript has milliseconds at most.
_APART = timedelta(milliseconds=1)

#: What a segmenter is called: "strokes-5" came after "strokes-4".
_VERSION = re.compile(r"(.+)-([0-9]{1,9})")

#: Pages whose marks are compared at once.
_AT_ONCE = 500

#: Files whose pages are sought at once, and the regions after which no more are read for that.
_FILES_AT_ONCE, _REGIONS_AT_ONCE = 1_000, 100_000

#: Marks that a remark on several names.
MOST_NAMED = 3


@dataclass(frozen=True)
class FileReport:
    """What became of one file: numbers of marks, what was refused and why, and remarks.

    `format` is None where the file could not be understood: `refused` says why.
    """

    file: str
    format: str | None
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass
class _Read:
    """A file that was understood, what is to be said of it, and its marks by their pages' ids."""

    path: Path
    file: AnnotationsFile
    refused: list[str]
    remarks: list[str]
    placed: dict[int, tuple[KnownPage, list[Placed]]] = field(default_factory=dict)

    @property
    def said(self) -> Understood:
        return self.file.said


@dataclass(frozen=True)
class _Existing:
    """A mark as the catalogue has it."""

    id: int
    page_id: int
    x: int
    y: int
    width: int
    height: int
    polygon: Polygon | None
    status: str
    score: float | None
    origin: str
    proposed_by: str | None
    created_at: datetime

    @property
    def box(self) -> Box:
        return self.x, self.y, self.width, self.height

    @property
    def is_where_a_person_put_it(self) -> bool:
        return self.status != "proposed" and self.proposed_by is None


@dataclass
class _Plan:
    """What a file changes: rows to insert and to update, each with the box to cut, if any."""

    added: list[tuple[KnownPage, Box, dict[str, Any]]] = field(default_factory=list)
    updated: list[tuple[KnownPage, Box | None, dict[str, Any]]] = field(default_factory=list)
    unchanged: int = 0
    left: list[str] = field(default_factory=list)  # marks that an older box did not move
    contradicted: list[tuple[str, OldWord, str]] = field(default_factory=list)  # the mark, by whom
    refused: list[str] = field(default_factory=list)
    gone: int = 0  # proposals of an older segmentation
    remarks: list[str] = field(default_factory=list)

    def cuts(self) -> Iterable[tuple[KnownPage, Box]]:
        for page, box, _ in (*self.added, *self.updated):
            if box is not None:
                yield page, box


def import_annotations(
    archive: Archive,
    files: Sequence[Path],
    *,
    max_pixels: int = MAX_PIXELS,
    progress: Callable[[int, int, str], None] | None = None,
) -> list[FileReport]:
    """Put what the files say into the catalogue; return what became of each, in their order.

    Crops are cut from the masters, which are only read. A file that cannot be understood, a page
    that is not in the archive, a region that lies outside its page, a master that cannot be read:
    each is reported, and the rest goes in. Importing the same files again changes nothing.

    Raises ArchiveBusy when another long job holds the archive, and ArchiveError as
    `note_taken_back` does.
    """
    reports: list[FileReport] = []
    with archive.lock():
        for some in _read_in_parts(files, progress):
            with archive.session() as session:
                read = [one.said for one in some if not isinstance(one, FileReport)]
                images = [image for said in read for image in said.images if image.annotations]
                finder = PageFinder(session, images)
                for one in some:
                    if not isinstance(one, FileReport):
                        one.placed = _placed(finder, one)
            reports += [
                one if isinstance(one, FileReport) else _import(archive, one, max_pixels)
                for one in some
            ]
    return reports


def _read_in_parts(
    files: Sequence[Path], progress: Callable[[int, int, str], None] | None
) -> Iterator[list[_Read | FileReport]]:
    """Read the files; give them some at a time, and a report of each that cannot be understood."""
    some: list[_Read | FileReport] = []
    regions = 0
    for at, path in enumerate(files):
        if progress is not None:
            progress(at, len(files), path.name)
        try:
            file = read_annotations(path)
        except MetadataError as error:
            some.append(FileReport(storable(str(path)), None, refused=(str(error),)))
        else:
            some.append(_Read(path, file, list(file.said.refused), list(file.said.remarks)))
            regions += sum(len(image.annotations) for image in file.said.images)
        if len(some) == _FILES_AT_ONCE or regions >= _REGIONS_AT_ONCE:
            yield some
            some, regions = [], 0
    if some:
        yield some


def _import(archive: Archive, read: _Read, max_pixels: int) -> FileReport:
    placed, refused = read.placed, read.refused
    origin = storable(f"import:{read.path.name}").replace("\0", "")[:MAX_ORIGIN]
    crops = PageCrops({}, {})
    while True:
        with archive.writing() as session:
            plan = _plan(session, placed, crops.unread.keys(), origin)
            # The masters are read outside of the transaction, and others may write meanwhile.
            missing = [cut for cut in plan.cuts() if (cut[0].id, cut[1]) not in crops.crops]
            if not missing:
                _write(session, plan, crops)
                if plan.contradicted:
                    note_taken_back(archive, [(word, by) for _, word, by in plan.contradicted])
                break
        crops = crops | cut_from_masters(archive.crops_folder, missing, max_pixels)
    for page in sorted(crops.unread):
        known, _ = placed[page]
        called = image_called(repr(known.source), known.frame)
        refused.append(f"{called}: no marks imported, {crops.unread[page]}")
    return FileReport(
        storable(str(read.path)),
        read.file.format,
        len(plan.added),
        len(plan.updated),
        plan.unchanged,
        (*refused, *plan.refused),
        (
            *read.remarks,
            *plan.remarks,
            *_contradicted_said([mark for mark, *_ in plan.contradicted]),
            *_left_said(plan.left),
            *_gone_said(plan.gone),
        ),
    )


def _placed(finder: PageFinder, read: _Read) -> dict[int, tuple[KnownPage, list[Placed]]]:
    """Return the marks of each page, by its id; what cannot be placed goes to `refused`."""
    refused, remarks = read.refused, read.remarks
    placed: dict[int, tuple[KnownPage, list[Placed]]] = {}
    for image in read.said.images:
        if not image.annotations:
            continue
        called = f"{image.source[:300]!r}"
        try:
            page = finder.find(image)
            image = finder.sized(image, page)
            scale = scale_to(page, image)
        except RegionError as error:
            count = len(image.annotations)
            left_out = "its mark is" if count == 1 else f"its {count} marks are"
            refused.append(f"{called}: {error}; {left_out} left out.")
            continue
        if scale != (1.0, 1.0):
            remarks.append(
                f"{called}: the file gives its size as {image.width} x {image.height} pixels; "
                f"its boxes were scaled to the page's {page.width} x {page.height}."
            )
        if image.sha256 and image.sha256.lower() != page.sha256:
            remarks.append(
                f"{called}: the file describes a different scan from the one in the archive."
            )
        here = placed.setdefault(page.id, (page, []))[1]
        for annotation in image.annotations:
            try:
                one = place(annotation, page, scale)
            except RegionError as error:
                refused.append(f"{called}, {annotation.where}: {error}.")
                continue
            if is_cut_off(annotation, one, scale):
                remarks.append(f"{called}, {annotation.where}: cut off at the edge of the page.")
            here.append(replace(one, page_said=image.page == page.id))
    return placed


def _plan(
    session: Session,
    placed: dict[int, tuple[KnownPage, list[Placed]]],
    unread: Iterable[int],
    origin: str,
) -> _Plan:
    plan = _Plan()
    pages = sorted(set(placed) - set(unread))
    for chunk in in_parts(pages, _AT_ONCE):
        existing: dict[int, list[_Existing]] = defaultdict(list)
        columns = [getattr(Mark, name) for name in _Existing.__dataclass_fields__]
        for row in session.execute(
            select(*columns).where(Mark.page_id.in_(chunk)).order_by(Mark.id)
        ):
            existing[row.page_id].append(_Existing(*row))
        matched = {number: _matches(placed[number][1], existing[number]) for number in chunk}
        rejected = [
            mark.id
            for number, matches in matched.items()
            for at, (mark, _) in matches.items()
            if placed[number][1][at].annotation.status == "rejected" != mark.status
        ]
        names = identity_names(session, rejected)
        for number in chunk:
            page, here = placed[number]
            matches = matched[number]
            for at, one in enumerate(here):
                if at in matches and (name := names.get(matches[at][0].id)):
                    plan.refused.append(
                        f"{image_called(repr(page.source), page.frame)}, {one.annotation.where}: "
                        f"mark {matches[at][0].id} is identified as {name!r}, and was not "
                        "changed: to reject it, first take the identity back on the web page, "
                        "where its group is shown."
                    )
                elif at in matches:
                    mark, is_itself = matches[at]
                    _plan_update(plan, page, one, mark, is_itself, origin)
                elif _is_of_older_segmentation(one, page):
                    plan.gone += 1
                else:
                    plan.added.append((page, one.box, _new_values(page, one, origin)))
    return plan


def _matches(
    placed: Sequence[Placed], existing: Sequence[_Existing]
) -> dict[int, tuple[_Existing, bool]]:
    """Return, by place in `placed`, the mark that it is, and whether its id says so."""
    found: dict[int, tuple[_Existing, bool]] = {}
    taken: set[int] = set()

    def take(at: int, mark: _Existing, is_itself: bool) -> None:
        if at not in found and mark.id not in taken:
            found[at] = mark, is_itself
            taken.add(mark.id)

    by_id = {mark.id: mark for mark in existing}
    for at, one in enumerate(placed):
        said, mark = one.annotation, by_id.get(one.annotation.mark or 0)
        if mark is None or said.created is None:
            continue
        if abs(said.created - in_utc(mark.created_at)) < _APART:
            take(at, mark, True)
    if not existing or not placed:
        return found
    regions, marks = _corners(one.box for one in placed), _corners(mark.box for mark in existing)
    pairs = []
    for at in range(len(placed)):  # one after another: both may be many
        (shared,) = overlaps(regions[at : at + 1], marks)
        pairs += [(-shared[to], at, int(to)) for to in np.flatnonzero(shared >= SAME_REGION)]
    for _, at, to in sorted(pairs):
        mark = existing[to]
        said = placed[at].annotation
        take(at, mark, said.created is None and said.mark == mark.id)
    for at, one in enumerate(placed):
        mark = by_id.get(one.annotation.mark or 0)
        if mark is None or one.annotation.created:
            continue
        # Anybody may number marks from 1: without the page's id, too, the place must say so.
        share = overlap(one.box, mark.box)
        # A person may have moved it away from where it was proposed.
        from_there = mark.is_where_a_person_put_it and one.annotation.status == "proposed"
        if (share > 0 or from_there) and (one.page_said or share >= MOVED_REGION):
            take(at, mark, True)
    return found


def _plan_update(
    plan: _Plan, page: KnownPage, one: Placed, mark: _Existing, is_itself: bool, origin: str
) -> None:
    """Plan what a region changes of the mark that it is."""
    said = one.annotation
    # A box that stays where it is takes no outline away: most formats and tools have none.
    polygon = mark.polygon if one.box == mark.box and one.polygon is None else one.polygon
    moved = (one.box, polygon) != (mark.box, mark.polygon)
    status = said.status or "confirmed"
    says_nothing = said.status is None and not moved
    if says_nothing or (status == "proposed" and not (is_itself and moved)):
        plan.unchanged += 1
        return
    if status == "proposed" and mark.is_where_a_person_put_it:
        plan.unchanged += 1
        plan.left.append(f"mark {mark.id} on {image_called(repr(page.source), page.frame)}")
        return
    if status == "proposed":  # a person has moved it, which is as good as a word
        status = "confirmed" if mark.status == "proposed" else mark.status
    if not moved and status == mark.status:
        plan.unchanged += 1
        return
    # Whoever proposed it did not say this of it, nor did who spoke of it before.
    not_theirs = (None, mark.origin, mark.proposed_by, page.segmenter)
    new_origin = said.origin if said.origin not in not_theirs else origin
    values: dict[str, Any] = {"id": mark.id, "status": status, "origin": new_origin}
    if mark.status not in ("proposed", status) and mark.origin != new_origin:
        called = f"mark {mark.id} on {image_called(repr(page.source), page.frame)}"
        word = word_of(mark.id, mark.status, mark.origin)
        plan.contradicted.append((called, word, new_origin.removeprefix(PERSON)))
    if moved:
        x, y, width, height = one.box
        values |= {"x": x, "y": y, "width": width, "height": height, "polygon": polygon}
        values["proposed_by"] = None  # nobody proposed it there
        if mark.polygon is not None and polygon is None:
            called = image_called(repr(page.source), page.frame)
            plan.remarks.append(
                f"{called}, {said.where}: the outline of mark {mark.id} does not fit its new box, "
                "and was removed."
            )
    if said.score is not None:
        values["score"] = said.score
    plan.updated.append((page, one.box if one.box != mark.box else None, values))


def _is_of_older_segmentation(one: Placed, page: KnownPage) -> bool:
    """Return whether our export wrote it as a proposal, of a segmenter's older version than that
    which went through the page."""
    said = one.annotation
    if said.status != "proposed" or said.mark is None or said.created is None:
        return False
    theirs, ours = (_VERSION.fullmatch(name or "") for name in (said.origin, page.segmenter))
    return bool(theirs and ours and theirs[1] == ours[1] and int(theirs[2]) < int(ours[2]))


def _contradicted_said(marks: Sequence[str]) -> Iterator[str]:
    """Give a sentence on the marks of which a person had said otherwise, if there are any."""
    if marks:
        of = "1 mark" if len(marks) == 1 else f"{len(marks)} marks"
        yield (
            f"The file contradicts earlier judgements of {of}, which are kept in "
            f"{TAKEN_BACK}: {_first_named(marks)}."
        )


def _left_said(left: Sequence[str]) -> Iterator[str]:
    """Give a sentence on the marks that stay where a person put them, if there are any."""
    if not left:
        return
    stay = f"{len(left)} marks stay where a person put them"
    if len(left) == 1:
        stay = "1 mark stays where a person put it"
    yield (
        f"{stay}, although the file has another box with status proposed: {_first_named(left)}. "
        f"To move them anyway, set their status to confirmed."
    )


def _first_named(marks: Sequence[str]) -> str:
    more = f" and {len(marks) - MOST_NAMED} more" if len(marks) > MOST_NAMED else ""
    return f"{', '.join(marks[:MOST_NAMED])}{more}"


def _gone_said(gone: int) -> Iterator[str]:
    """Give a sentence on the proposals of an older segmentation, if there are any."""
    if gone:
        were = "1 proposal was" if gone == 1 else f"{gone} proposals were"
        yield (
            f"{were} skipped: they come from an older segmentation, since replaced. To import them "
            "anyway, set their status to confirmed."
        )


def _new_values(page: KnownPage, one: Placed, origin: str) -> dict[str, Any]:
    said = one.annotation
    x, y, width, height = one.box
    status = said.status or "confirmed"
    said_by = said.origin or origin
    return {
        "page_id": page.id,
        "x": x,
        "y": y,
        "width": width,
        "height": height,
        "polygon": one.polygon,
        "status": status,
        "score": said.score,
        "origin": said_by,
        "proposed_by": said_by if status == "proposed" else None,
        "created_at": said.created or now(),
    }


def _write(session: Session, plan: _Plan, crops: PageCrops) -> None:
    """Write the plan; each mark whose box is new gets the crop that was cut for it."""
    if plan.added:
        session.execute(
            insert(Mark),
            [values | {"crop": crops.crops[page.id, box]} for page, box, values in plan.added],
        )
    # Statements of many rows must set the same columns in each.
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for page, cut, values in plan.updated:
        row = values if cut is None else values | {"crop": crops.crops[page.id, cut]}
        alike[tuple(row)].append(row)
    for rows in alike.values():
        session.execute(update(Mark), rows)


def _corners(boxes: Iterable[Box]) -> Corners:
    return np.array([(x, y, x + width, y + height) for x, y, width, height in boxes], np.float64)
