"""What was read of some files, into the catalogue: their pages, and the marks on these."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, exists, func, insert, select, update
from sqlalchemy.orm import Session

from ingest.copies import release_copies
from ingest.known import KnownPage, pages_where
from ingest.listing import location_of
from ingest.quarantine import failing_among, record_failures
from ingest.reading import Cut, FileToRead, ReadImage, Reading, UnreadImage
from ingest.resemblance import flag, release
from ingest.run import Run
from ingest.unused_crops import discard_crops
from retrieval.boxes import overlap
from retrieval.catalogue.marks import ORIGIN_OF_CROPS, judged_or_named
from retrieval.catalogue.tables import Mark, Page, now

#: A new proposal that covers a person's mark this well (intersection over union) is left out.
_COVERED = 0.5

_MarkRow = Row[int, int, int, int, int, str]  # id, x, y, width, height, origin


def write_readings(
    run: Run, session: Session, files: Sequence[FileToRead], readings: Sequence[Reading]
) -> None:
    """Bring the files' pages, marks and failures to what was read of them."""
    run.fingerprints.load(session)
    names = [file.name for file in files]
    before: dict[str, dict[int, KnownPage]] = defaultdict(dict)
    for page in pages_where(session, Page.source.in_(names)):
        before[page.source][page.frame] = page
    failing = failing_among(session, files)
    new: list[tuple[FileToRead, ReadImage]] = []
    for file, reading in zip(files, readings, strict=True):
        read, unread = _believed(file, reading)
        pages = before[file.name]
        if pages and read:
            judged = _judged_meanwhile(run, session, file)
            unread += [_judged(image) for image in read if image.frame in judged]
            read = [image for image in read if image.frame not in judged]
        if unread or file.name in failing:
            record_failures(session, file, unread, run.under, run.as_crops)
        for image in read:
            if (known := pages.pop(image.frame, None)) is None:
                new.append((file, image))
            else:
                _add_pages(run, session, new)  # first: ids follow the order of the files
                new = []
                _renew_page(run, session, file, image, known)
        if not unread:
            for page in pages.values():  # the file holds fewer images than it did
                _give_up(run, session, file, page)
    _add_pages(run, session, new)


def _believed(file: FileToRead, reading: Reading) -> tuple[list[ReadImage], list[UnreadImage]]:
    """Return the images that were read and those that were not; none of a file in motion."""
    read = [image for image in reading.images if isinstance(image, ReadImage)]
    unread = [image for image in reading.images if isinstance(image, UnreadImage)]
    if read and (file.sha256 is None or reading.stamp != file.stamp):
        said = "It changed while it was being read."
        return [], [UnreadImage(0, said, "Ingest it again.", passing=True)]
    return read, unread


def _judged_meanwhile(run: Run, session: Session, file: FileToRead) -> set[int]:
    """Return the frames of the changed pages that have a mark that was judged while they were read.

    It was not cut again from the new image: it would keep the old one's box and crop.
    """
    known = {mark.mark for mark in file.kept}
    staying = session.execute(
        select(Mark.id, Page.frame)
        .join(Page, Mark.page_id == Page.id)
        .where(
            Page.source == file.name,
            Page.sha256 != file.sha256,
            judged_or_named(as_crops=run.as_crops),
        )
    )
    return {frame for mark, frame in staying if mark not in known}


def _judged(image: ReadImage) -> UnreadImage:
    said = "A mark on it was judged while it was being read."
    return UnreadImage(image.frame, said, "Ingest it again.", passing=True)


def _add_pages(run: Run, session: Session, new: Sequence[tuple[FileToRead, ReadImage]]) -> None:
    if not new:
        return
    rows = [
        {"source": file.name, "frame": image.frame, **_page_values(run, file, image)}
        for file, image in new
    ]
    originals = _originals(run, session, [row["sha256"] for row in rows])
    ids = session.scalars(insert(Page).returning(Page.id, sort_by_parameter_order=True), rows).all()
    copies = []
    for page, row, (_, image) in zip(ids, rows, new, strict=True):
        original = originals.setdefault((row["sha256"], row["frame"]), page)
        if original != page:
            copies.append({"id": page, "duplicate_of": original})
        else:
            flag(session, run.fingerprints, page, image.looks)
    if copies:
        session.execute(update(Page), copies)
    run.written.extend(ids)
    marks = [
        mark
        for page, (_, image) in zip(ids, new, strict=True)
        for mark in _new_marks(run, page, image, [])
    ]
    if marks:
        session.execute(insert(Mark), marks)
    run.counts.added += len(rows)
    run.counts.duplicates += len(copies)
    run.counts.marks += len(marks)


def _renew_page(
    run: Run, session: Session, file: FileToRead, image: ReadImage, page: KnownPage
) -> None:
    """Put the image that was read in the place of the page's old one."""
    assert file.sha256 is not None
    if page.sha256 == file.sha256 and run.has_taken_in(page):
        run.counts.unchanged += 1  # it was read for another image's sake, which had failed
        return
    values = _page_values(run, file, image) | {"ingested_at": now()}
    if page.sha256 != file.sha256 or not run.is_of_its_kind(page):
        release_copies(session, run.fingerprints, page.id)
        if not run.is_of_its_kind(page):
            run.counts.made_crops += run.as_crops
            run.counts.made_pages += not run.as_crops
        original = _originals(run, session, [file.sha256]).get((file.sha256, image.frame))
        values["duplicate_of"] = original if original != page.id else None
    session.execute(update(Page).where(Page.id == page.id).values(**values))
    is_copy = session.scalar(select(Page.duplicate_of).where(Page.id == page.id)) is not None
    flag(session, run.fingerprints, page.id, None if is_copy else image.looks)
    run.written.append(page.id)
    kept = _renew_marks(run, session, page, image)
    marks = _new_marks(run, page.id, image, kept)
    if marks:
        session.execute(insert(Mark), marks)
    run.counts.changed += 1
    run.counts.marks += len(marks)


def _give_up(run: Run, session: Session, file: FileToRead, page: KnownPage) -> None:
    """Delete a page whose image is gone from its file; one with people's marks is kept."""
    _delete_marks(run, session, page)
    release_copies(session, run.fingerprints, page.id)
    release(session, run.fingerprints, [page.id])
    if session.scalar(select(exists().where(Mark.page_id == page.id))):
        session.execute(
            update(Page)
            .where(Page.id == page.id)
            .values(sha256=file.sha256, size=file.size, mtime_ns=file.mtime_ns, fingerprint=None)
        )
    else:
        session.execute(delete(Page).where(Page.id == page.id))


def _page_values(run: Run, file: FileToRead, image: ReadImage) -> dict[str, Any]:
    return {
        "location": location_of(file.path),
        "width": image.width,
        "height": image.height,
        "sha256": file.sha256,
        "size": file.size,
        "mtime_ns": file.mtime_ns,
        "segmenter": run.segmenter,
        "fingerprint": image.looks and image.looks.fingerprint,
    }


def _originals(run: Run, session: Session, contents: Sequence[str]) -> dict[tuple[str, int], int]:
    """Return the first page, itself no copy, that has each content and frame.

    Of pages when pages are ingested, of crops when crops are: a crop has not the page's marks.
    """
    alike = Page.segmenter.is_(None) if run.as_crops else Page.segmenter.is_not(None)
    rows = session.execute(
        select(Page.sha256, Page.frame, func.min(Page.id))
        .where(Page.sha256.in_(contents), Page.duplicate_of.is_(None), alike)
        .group_by(Page.sha256, Page.frame)
    )
    return {(sha256, frame): page for sha256, frame, page in rows}


def _new_marks(
    run: Run, page: int, image: ReadImage, kept: Sequence[_MarkRow]
) -> list[dict[str, Any]]:
    """Return the rows of the marks cut from the image, but for those that are there already."""
    if run.as_crops:
        if any(row.origin == ORIGIN_OF_CROPS for row in kept):
            return []
        cuts = list(image.cuts)
    else:
        boxes = [(row.x, row.y, row.width, row.height) for row in kept]
        cuts = [cut for cut in image.cuts if all(overlap(cut.box, box) < _COVERED for box in boxes)]
    return [
        _cut_values(cut)
        | {
            "page_id": page,
            "status": "confirmed" if run.as_crops else "proposed",
            "score": cut.score,
            "origin": run.segmenter or ORIGIN_OF_CROPS,
            "proposed_by": run.segmenter,
        }
        for cut in cuts
    ]


def _renew_marks(run: Run, session: Session, page: KnownPage, image: ReadImage) -> list[_MarkRow]:
    """Delete the page's proposals, put people's marks on the new image, and return these."""
    _delete_marks(run, session, page)
    across, down = image.width / page.width, image.height / page.height
    before = {
        mark: (polygon, crop)
        for mark, polygon, crop in session.execute(
            select(Mark.id, Mark.polygon, Mark.crop).where(
                Mark.page_id == page.id, Mark.id.in_([cut.mark for cut in image.recuts])
            )
        )
    }
    changed = []
    for cut in image.recuts:
        if cut.mark in before:  # else somebody has removed it while the file was read
            polygon, crop = before[cut.mark]
            moved = polygon and [[round(x * across), round(y * down)] for x, y in polygon]
            changed.append(_cut_values(cut) | {"id": cut.mark, "polygon": moved})
            discard_crops(session, [crop])
    if changed:
        session.execute(update(Mark), changed)
    return list(
        session.execute(
            select(Mark.id, Mark.x, Mark.y, Mark.width, Mark.height, Mark.origin).where(
                Mark.page_id == page.id
            )
        )
    )


def _delete_marks(run: Run, session: Session, page: KnownPage) -> None:
    """Delete the page's marks but for those that a person has looked at."""
    kept = judged_or_named(as_crops=run.as_crops)
    gone = delete(Mark).where(Mark.page_id == page.id, ~kept).returning(Mark.crop)
    discard_crops(session, session.scalars(gone).all())


def _cut_values(cut: Cut) -> dict[str, Any]:
    x, y, width, height = cut.box
    return {"x": x, "y": y, "width": width, "height": height, "crop": cut.crop}
