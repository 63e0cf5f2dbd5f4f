"""What files of annotations say, into the catalogue: one file, one transaction.

A mark that is imported is a person's word: new ones are confirmed unless the file says otherwise,
and `judged_or_named` then keeps them when the page is segmented again. For each region of a
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

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from ingest.annotations.annotation import MAX_ORIGIN, RegionError, Understood
from ingest.annotations.formats import AnnotationsFile, read_annotations
from ingest.annotations.matching import PageFinder
from ingest.annotations.placing import Placed, is_cut_off, place, scale_to
from ingest.annotations.planning import Plan, planned
from ingest.cutting import PageCrops, cut_from_masters
from ingest.known import KnownPage
from ingest.listing import storable
from ingest.sources import MAX_PIXELS
from ingest.taken_back import TAKEN_BACK, note_taken_back
from ingest.unused_crops import discard_crops
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import MetadataError
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.source_names import image_called
from retrieval.catalogue.tables import Mark

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
            plan = planned(session, placed, crops.unread.keys(), origin)
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
            *_repeated_said(plan.repeated),
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


def _repeated_said(repeated: int) -> Iterator[str]:
    """Give a sentence where a file has regions several times."""
    if repeated:
        were = "1 region was" if repeated == 1 else f"{repeated} regions were"
        yield f"{were} skipped: each lies where another of the file does."


def _gone_said(gone: int) -> Iterator[str]:
    """Give a sentence on the proposals of an older segmentation, if there are any."""
    if gone:
        were = "1 proposal was" if gone == 1 else f"{gone} proposals were"
        yield (
            f"{were} skipped: they come from an older segmentation, since replaced. To import them "
            "anyway, set their status to confirmed."
        )


def _write(session: Session, plan: Plan, crops: PageCrops) -> None:
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
    cut_anew = [values["id"] for _, cut, values in plan.updated if cut is not None]
    for some in in_parts(cut_anew):
        discard_crops(session, session.scalars(select(Mark.crop).where(Mark.id.in_(some))).all())
    for rows in alike.values():
        session.execute(update(Mark), rows)
