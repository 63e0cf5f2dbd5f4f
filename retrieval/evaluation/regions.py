"""Regions: a CSV file that says where on which pages the marks are, and what the archive proposes.

Column `source`, and a box in pixels of the master: `x`, `y`, `width`, `height`, or the corners
`x0`, `y0`, `x1`, `y1`. A row whose box is empty names a page without a mark. `page` (its id, as
`export` writes it) where a source has several pages; `zone`, `sort`, `kind` or `place` (the first
of these that is there) names what is reported apart. Other columns are passed over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, fields
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from retrieval.boxes import Edges
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import MetadataError
from retrieval.catalogue.marks import how_likely
from retrieval.catalogue.metadata import read_table
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.tables import Mark, Page
from retrieval.evaluation.columns import (
    columns_in_words,
    filled_rows,
    find_columns,
    page_number,
    pixels,
    written_source,
)
from retrieval.evaluation.coverage import Covered
from retrieval.evaluation.sources import is_unclear, sources_named

#: What the columns may be called; case, spaces and signs are ignored.
COLUMNS = {
    "source": ("source", "file", "filename", "path", "image"),
    "page": ("page", "pageid"),
}
#: Two ways to write a box. The first that is there in full holds.
SIZED = {
    "x": ("x", "left"),
    "y": ("y", "top"),
    "width": ("width", "w"),
    "height": ("height", "h"),
}
CORNERED = {
    "x0": ("x0", "xmin", "left"),
    "y0": ("y0", "ymin", "top"),
    "x1": ("x1", "xmax", "right"),
    "y1": ("y1", "ymax", "bottom"),
}
#: Columns that may name the sort of a box, the likeliest first.
SORTS = ("zone", "sort", "kind", "place")
_AT_ONCE = 500  # pages whose marks are held at once


@dataclass(frozen=True)
class Region:
    """A row of a regions file; `box` is None where it says that the page has no mark."""

    line: int
    source: str
    page: int | None = None
    box: Edges | None = None
    sort: str = ""


@dataclass(frozen=True)
class CheckedPage:
    """A page whose marks are known, and the marks that the archive has there, best first."""

    page: int
    source: str
    frame: int
    width: int
    height: int
    segmenter: str
    covered: Covered
    marks: NDArray[np.int64]  # (N,) ids, in the order of `covered.proposals`


@dataclass(frozen=True)
class Checked:
    """The pages that are measured, and what the file says in vain."""

    pages: tuple[CheckedPage, ...]
    segmenters: dict[str, int]  # how many of the pages each version segmented
    unknown: tuple[str, ...]  # sources that the archive does not have
    passed_over: tuple[str, ...]  # a sentence for each row that says nothing of a page


@dataclass(frozen=True)
class _Page:
    """A page as the catalogue has it."""

    id: int
    source: str
    frame: int
    width: int
    height: int
    segmenter: str | None
    duplicate_of: int | None


def read_regions(path: Path) -> list[Region]:
    """Read a regions file: a table as `read_table` takes it.

    Raises MetadataError, which names the file and the line.
    """
    header, rows = read_table(path)
    if not header:
        raise MetadataError(
            f"{path.name} is empty. Name the columns in the first row: source,x,y,width,height"
        )
    columns, box = _columns(path.name, header)
    regions = [_region(path.name, line, values, box) for line, values in filled_rows(rows, columns)]
    if not regions:
        raise MetadataError(f"{path.name} has a header and no rows.")
    return regions


def check_pages(
    archive: Archive, regions: Sequence[Region], name: str, *, complete: bool = False
) -> Checked:
    """Return the pages that the file names, each with its boxes and what the archive proposes.

    Proposals are all marks that are not rejected, the likeliest first, by realism where they have
    one; one that a person confirmed or brought in without a score stands before all others and has
    the score 1. Boxes are cut off at the page's edges. `complete`: the file names every page that
    has a mark, so that the archive's other pages have none; crops, which nobody segmented, and
    copies of named pages are left out. `name` is the file's, for messages. Raises MetadataError
    when no source is known, or when a page has a box and is said to have none.
    """
    with archive.session() as session:
        known = sources_named(session, archive.folder, regions, name)
        meant, of_source = known.meant, _pages_of(session, known.clear)
        said: dict[int, list[Region]] = {}
        pages: dict[int, _Page] = {}
        passed_over: list[str] = []
        named: set[int] = set()  # originals of the pages that any row may mean
        for one in regions:
            sources = meant[one.source]
            if not sources:
                continue
            if is_unclear(one, sources):
                passed_over.append(
                    f"{name}, line {one.line}: {one.source} matches {len(sources)} pages, such "
                    f"as {sources[0]!r} and {sources[1]!r}; write its path as in the "
                    "archive."
                )
                continue
            among = [
                page
                for source in sources
                for page in of_source[source]
                if one.page in (None, page.id)
            ]
            named |= {page.duplicate_of or page.id for page in among}
            why = _not_understood(one, among) or _nothing_new(one, among[0], said)
            if why:
                passed_over.append(f"{name}, line {one.line}: {why}")
            else:
                pages[among[0].id] = among[0]
                said.setdefault(among[0].id, []).append(one)
        for rows in said.values():
            _no_contradiction(name, rows)
        if complete:
            unclear = {one.source for one in regions if is_unclear(one, meant[one.source])}
            possible = sorted({at for source in unclear for at in meant[source]})
            for among in _pages_of(session, possible).values():
                named |= {page.duplicate_of or page.id for page in among}
            pages |= {page.id: page for page in _pages_beside(session, named)}
        in_order = [pages[number] for number in sorted(pages)]
        checked = tuple(
            _checked(page, said.get(page.id, ()), marks)
            for page, marks in _marks_of(session, in_order)
        )
    if not checked:
        raise MetadataError(
            f"No row in {name} describes a page in {archive.folder}. {passed_over[0]}"
        )
    segmenters = dict(sorted(Counter(page.segmenter for page in checked).items()))
    return Checked(checked, segmenters, known.unknown, tuple(passed_over))


def _columns(name: str, header: Sequence[str]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Return where our columns stand, and which four of them hold the box."""
    found = find_columns(name, header, COLUMNS)
    for written in (SIZED, CORNERED):
        box = find_columns(name, header, written)
        if len(box) == len(written):
            break
    else:
        raise MetadataError(
            f"{name} has no columns for a box, only {columns_in_words(header)}. A regions file has "
            "the columns source,x,y,width,height or source,x0,y0,x1,y1."
        )
    if "source" not in found:
        raise MetadataError(
            f"{name} has no column 'source', only {columns_in_words(header)}. A regions file has "
            "the columns source,x,y,width,height or source,x0,y0,x1,y1."
        )
    sort = next((one for one in SORTS if find_columns(name, header, {one: (one,)})), None)
    if sort is not None:
        found |= {"sort": find_columns(name, header, {sort: (sort,)})[sort]}
    return found | box, tuple(box)


def _region(name: str, line: int, values: dict[str, str], columns: tuple[str, ...]) -> Region:
    if "source" not in values:
        raise MetadataError(f"{name}, line {line}: there is no source.")
    there = [column for column in columns if column in values]
    if len(there) not in (0, 4):
        raise MetadataError(
            f"{name}, line {line}: a box needs {', '.join(columns)}; there is only "
            f"{', '.join(there)}. Leave all four empty for a page without a mark."
        )
    box = None
    if there:
        left, top, third, fourth = (
            pixels(name, line, column, values[column]) for column in columns
        )
        width, height = (third, fourth) if "width" in columns else (third - left, fourth - top)
        if min(width, height) < 1:
            raise MetadataError(
                f"{name}, line {line}: a box of {width} x {height} has no area. Leave all four "
                "columns empty for a page without a mark."
            )
        box = left, top, left + width, top + height
    return Region(
        line,
        written_source(values["source"]),
        page_number(name, line, "page", values["page"]) if "page" in values else None,
        box,
        values.get("sort", ""),
    )


def _pages_where(session: Session, condition: ColumnElement[bool]) -> Iterator[_Page]:
    columns = [getattr(Page, field.name) for field in fields(_Page)]
    for row in session.execute(select(*columns).where(condition).order_by(Page.id)):
        yield _Page(*row)


def _pages_of(session: Session, sources: Sequence[str]) -> dict[str, list[_Page]]:
    found: dict[str, list[_Page]] = {}
    for among in in_parts(sources):
        for page in _pages_where(session, Page.source.in_(among)):
            found.setdefault(page.source, []).append(page)
    return found


def _pages_beside(session: Session, originals: Set[int]) -> list[_Page]:
    """Return the pages that were segmented and have none of these originals; of copies one."""
    beside: dict[int, _Page] = {}
    for page in _pages_where(session, Page.segmenter.is_not(None)):
        original = page.duplicate_of or page.id
        if original not in originals:
            beside.setdefault(original, page)
    return list(beside.values())


def _not_understood(one: Region, among: Sequence[_Page]) -> str:
    """Return why a row does not mean one page, of those that it names; "" where it does."""
    if not among:
        return f"{one.source} has no page {one.page}."
    if len(among) > 1:
        return f"{one.source} has {len(among)} pages; say which in a column `page`."
    if among[0].segmenter is None:
        return f"{one.source} was ingested as a crop, in which the program does not look for marks."
    return ""


def _nothing_new(one: Region, page: _Page, said: Mapping[int, Sequence[Region]]) -> str:
    """Return why a row adds nothing to what was said of its page; "" where it does."""
    same = next((other for other in said.get(page.id, ()) if other.box == one.box), None)
    if same is not None:
        return f"it repeats line {same.line}."
    if one.box is not None and not _cut(one.box, page):
        return f"the box lies outside {one.source}, which is {page.width} x {page.height} pixels."
    return ""


def _cut(box: Edges, page: _Page) -> Edges | None:
    """Return the part of a box that lies on the page, if any does."""
    left, top = max(0, box[0]), max(0, box[1])
    right, bottom = min(page.width, box[2]), min(page.height, box[3])
    return (left, top, right, bottom) if left < right and top < bottom else None


def _no_contradiction(name: str, rows: Sequence[Region]) -> None:
    boxed = next((one for one in rows if one.box is not None), None)
    empty = next((one for one in rows if one.box is None), None)
    if boxed is not None and empty is not None:
        raise MetadataError(
            f"{name} gives {boxed.source} a mark on line {boxed.line} and none on line "
            f"{empty.line}. Keep one."
        )


def _marks_of(session: Session, pages: Sequence[_Page]) -> Iterator[tuple[_Page, list[Any]]]:
    """Give each page with its marks that are not rejected."""
    for chunk in in_parts(pages, _AT_ONCE):
        rows = session.execute(
            select(
                Mark.page_id, Mark.id, Mark.x, Mark.y, Mark.width, Mark.height, Mark.status,
                Mark.score, how_likely().label("likely"),
            )
            .where(Mark.page_id.in_([page.id for page in chunk]), Mark.status != "rejected")
            .order_by(Mark.page_id, Mark.id)
        )  # fmt: skip
        by_page = {page: list(group) for page, group in groupby(rows, lambda row: row.page_id)}
        for page in chunk:
            yield page, by_page.get(page.id, [])


def _checked(page: _Page, said: Sequence[Region], marks: Sequence[Any]) -> CheckedPage:
    known = [(cut, one.sort) for one in said if one.box and (cut := _cut(one.box, page))]

    def sure(mark: Any) -> bool:
        return mark.status == "confirmed" or mark.score is None

    marks = sorted(marks, key=lambda mark: (not sure(mark), -(mark.likely or 0.0), mark.id))
    corners = [(mark.x, mark.y, mark.x + mark.width, mark.y + mark.height) for mark in marks]
    covered = Covered(
        np.array([box for box, _ in known], np.float64).reshape(-1, 4),
        tuple(sort for _, sort in known),
        np.array(corners, np.float64).reshape(-1, 4),
        np.array([1.0 if sure(mark) else mark.likely for mark in marks], np.float64),
    )
    return CheckedPage(
        page.id,
        page.source,
        page.frame,
        page.width,
        page.height,
        page.segmenter or "",
        covered,
        np.array([mark.id for mark in marks], np.int64),
    )
