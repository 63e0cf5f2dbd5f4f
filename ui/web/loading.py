"""What the page keeps in memory between two clicks, and when it is read anew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import streamlit as st

from ingest.listing import path_of
from ingest.stamp import file_stamp
from retrieval.boxes import Box
from retrieval.catalogue.archive import DATABASE, Archive, open_archive, open_archive_to_read
from retrieval.catalogue.documents import Facets, Filters, facets
from retrieval.catalogue.errors import ArchiveError, DiskRefused, QueryError, SourceError
from retrieval.catalogue.figures import Size, number_of_identities, size
from retrieval.catalogue.groups import groups_to_judge
from retrieval.catalogue.marks import number_to_embed
from retrieval.catalogue.pages import PageRow, content_of, ingested_so_far
from retrieval.catalogue.proposals import number_to_judge, number_up_to, proposals_after
from retrieval.crops import load_crop, within
from retrieval.index import lacks_any
from retrieval.index_files import SEAL
from retrieval.ink import SEEN, Pixels
from retrieval.places import Places, load_places
from retrieval.search import Searcher, load_searcher
from retrieval.settings import read_settings
from retrieval.shards import shard_paths, shards_folder
from retrieval.which_model import searched_id
from ui.pictures import page_image, page_region
from ui.web.picking import sampled_marks
from ui.web.previews import Preview, preview, preview_as_wide, tile
from ui.web.standing import Standing
from ui.web.view import SHOWN, Spot

#: Pixels of a mark's tile, and of the longest side of a page on its own view.
TILE, LARGE = 340, 1600
#: Pixels of the longest side of a region that is kept: far more than any model looks at, and few
#: enough for many visitors' large boxes.
LONGEST_REGION = 1000


@dataclass(frozen=True)
class Holdings:
    """What an archive holds, as the head of the page and the filters show it."""

    size: Size
    facets: Facets
    samples: tuple[int, ...]
    groups: int  # proposed, to be judged
    identities: int


@dataclass(frozen=True)
class Sheet:
    """Some proposals that nobody has judged, `SHOWN` at the most, and how many there are beside."""

    marks: tuple[int, ...]
    before: int
    in_all: int  # with these

    @property
    def after(self) -> int:
        """How many come after these."""
        return self.in_all - self.before - len(self.marks)


def archive_at(folder: Path) -> Archive:
    """Return the archive in `folder`, opened once; errors as `open_archive_to_read` raises them.

    One that could not be written is opened anew as soon as it can be.
    """
    try:
        born = (folder / DATABASE).stat().st_ino
    except OSError:
        born = 0  # let `open_archive_to_read` say what is wrong
    archive = _archive(str(folder), born)
    if archive.read_only and _can_be_written(folder):
        for kept in (_archive, _searcher, _places):  # what is kept of it reads it as it stood
            kept.clear()
        archive = _archive(str(folder), born)
    return archive


@st.cache_resource(show_spinner=False, max_entries=2)
def _archive(folder: str, born: int) -> Archive:
    return open_archive_to_read(Path(folder))


def _can_be_written(folder: Path) -> bool:
    try:
        open_archive(folder).close()
    except DiskRefused:
        return False
    return True


def _as_it_stands(archive: Archive) -> tuple[str, ...]:
    """Return what changes whenever something is committed to the catalogue of an archive."""
    stamp = [str(archive.folder)]
    for name in (DATABASE, f"{DATABASE}-wal"):
        try:
            status = (archive.folder / name).stat()
        except OSError:
            continue  # no write-ahead log at the moment
        stamp += [str(status.st_mtime_ns), str(status.st_size)]
    return tuple(stamp)


def holdings(archive: Archive) -> Holdings:
    """Return what the archive holds, counted again as `Standing` says when it has changed."""

    def count() -> Holdings:
        with archive.session() as session:
            return Holdings(
                size(session),
                facets(session),
                tuple(sampled_marks(session, 12)),
                groups_to_judge(session),
                number_of_identities(session),
            )

    return _holdings(str(archive.folder)).at(_as_it_stands(archive), count)


@st.cache_resource(show_spinner=False, max_entries=4)
def _holdings(folder: str) -> Standing[Holdings]:
    return Standing()


def not_indexed(archive: Archive, model: str) -> int:
    """Return how many marks are not indexed under a model, counted again as `Standing` says.

    At once when there is a new index.
    """

    def count() -> int:
        with archive.session() as session:
            return number_to_embed(session, model, SEEN)

    folder, sealed = str(archive.folder), _sealed(archive, model)
    return _not_indexed(folder, model, sealed).at(_as_it_stands(archive), count)


@st.cache_resource(show_spinner=False, max_entries=4)
def _not_indexed(folder: str, model: str, sealed: int) -> Standing[int]:
    return Standing()


def proposals_to_judge(archive: Archive, where: Filters) -> int:
    """Return how many proposals nobody has judged, counted again as `Standing` says."""

    def count() -> int:
        with archive.session() as session:
            return number_to_judge(session, where)

    return _to_judge(str(archive.folder), where).at(_as_it_stands(archive), count)


@st.cache_resource(show_spinner=False, max_entries=16)
def _to_judge(folder: str, where: Filters) -> Standing[int]:
    return Standing()


def sheet_after(archive: Archive, where: Filters, after: int) -> Sheet:
    """Return the sheet of proposals after a mark, or the first, looked up when the archive changed.

    How many there are in all may be of shortly before, as in `proposals_to_judge`, but where the
    sheet is the last.
    """
    marks, before = _sheet(archive, where, after)
    in_all = before + len(marks)
    if len(marks) > SHOWN:
        in_all = max(in_all, proposals_to_judge(archive, where))
    return Sheet(marks[:SHOWN], before, in_all)


@st.cache_data(show_spinner=False, max_entries=16, hash_funcs={Archive: _as_it_stands})
def _sheet(archive: Archive, where: Filters, after: int) -> tuple[tuple[int, ...], int]:
    with archive.session() as session:
        marks = proposals_after(session, where, after, SHOWN + 1)  # one more: is it the last?
        return tuple(marks), number_up_to(session, where, after)


def searcher_of(archive: Archive, model: str | None) -> Searcher:
    """Return the model with this id and its index, loaded again when either was replaced.

    So they are when the index lacks a mark of `may_be_found_again`. None is `searched_id`. The
    index is empty where no mark is indexed. Raises ModelError when the model cannot be had.
    """
    model = model or searched_id(archive)
    sealed = _sealed(archive, model)
    searcher = _searcher(archive, str(archive.folder), model, sealed)
    if _lacks_found_again(searcher):
        _searcher.clear(archive, str(archive.folder), model, sealed)
        searcher = _searcher(archive, str(archive.folder), model, sealed)
    return searcher


def _sealed(archive: Archive, model: str) -> int:
    """Return what changes whenever an index of a model is made; 0 where there is none."""
    try:
        return (archive.index_folder / model / SEAL).stat().st_mtime_ns
    except OSError:
        return 0  # not made yet, or thrown away: loading makes it


def may_be_found_again(archive: Archive, marks: Iterable[int]) -> None:
    """Note marks that a person no longer rejects: an index may have been made without them."""
    _found_again(str(archive.folder)).update(marks)


def _lacks_found_again(searcher: Searcher) -> bool:
    """Return whether loading the index again adds noted marks to it; they are noted no more then.

    While a long job holds the archive it adds none (`index_to_search`): they stay noted.
    """
    archive, noted = searcher.archive, _found_again(str(searcher.archive.folder))
    if not noted or archive.is_locked():
        return False
    marks = noted.copy()
    lacking = lacks_any(archive, searcher.index, marks)
    noted -= marks
    return lacking


@st.cache_resource(show_spinner=False, max_entries=2)
def _found_again(folder: str) -> set[int]:
    return set()


@st.cache_resource(show_spinner="Opening the index …", max_entries=2)
def _searcher(_archive: Archive, folder: str, model: str, sealed: int) -> Searcher:
    return load_searcher(_archive, model)


def places_of(searcher: Searcher) -> Places | None:
    """Return the regions of the archive's pages, loaded again when these or the pages changed.

    None where no page was looked through under the searcher's model.
    """
    archive, model = searcher.archive, searcher.model
    shards = tuple(path.name for path in shard_paths(shards_folder(archive, model.id)))
    if not shards:
        return None
    with archive.session() as session:
        pages = ingested_so_far(session)
    return _places(searcher, str(archive.folder), hash(shards), pages)


@st.cache_resource(show_spinner="Opening the pages …", max_entries=2)
def _places(
    _searcher: Searcher, folder: str, shards: int, pages: tuple[int, datetime | None]
) -> Places:
    return load_places(_searcher.archive, _searcher.model)


def most_pixels(archive: Archive) -> int:
    """Return how many pixels an image may have, as the archive sets it."""
    return read_settings(archive.folder).max_pixels


@st.cache_data(
    show_spinner="Reading the page …",
    max_entries=64,
    hash_funcs={
        Archive: lambda archive: str(archive.folder),
        PageRow: lambda page: (page.page, file_stamp(path_of(page.location))),
    },
)
def page_preview(archive: Archive, page: PageRow, *, wide: int | None = None) -> Preview:
    """Return a page made small for the screen, `wide` pixels wide or whole and large.

    Errors as `page_image` and `read_settings` raise them.
    """
    image = page_image(archive, page.page, most_pixels(archive))
    return preview(image, LARGE) if wide is None else preview_as_wide(image, wide)


def region_of(archive: Archive, page: int, box: Box) -> Pixels:
    """Return a region of a page, cut from its master, no side over `LONGEST_REGION` pixels.

    Errors as `page_region` and `read_settings` raise them.
    """
    return _region(archive, str(archive.folder), page, _content(archive, page), box)


@st.cache_data(show_spinner="Cutting out the mark …", max_entries=64)
def _region(_archive: Archive, folder: str, page: int, content: str | None, box: Box) -> Pixels:
    return within(page_region(_archive, page, box, most_pixels(_archive)), LONGEST_REGION)


def _content(archive: Archive, page: int) -> str | None:
    """Return the SHA-256 of what a page was read from, which another scan of it changes."""
    with archive.session() as session:
        return content_of(session, page)


def mark_tile(archive: Archive, crop: str) -> bytes | None:
    """Return the picture of a mark for its card; None when its file is gone or damaged."""
    try:
        return _tile(archive, crop)
    except ArchiveError:
        return None


def place_tile(archive: Archive, place: Spot) -> bytes | None:
    """Return the picture of a place, cut from its master; None when that cannot be had."""
    try:
        return _place_tile(archive, str(archive.folder), place, _content(archive, place[0]))
    except (QueryError, SourceError):
        return None


@st.cache_data(show_spinner=False, max_entries=3000)
def _place_tile(_archive: Archive, folder: str, place: Spot, content: str | None) -> bytes:
    return tile(page_region(_archive, *place, most_pixels(_archive)), TILE)


@st.cache_data(show_spinner=False, max_entries=3000)
def _tile(_archive: Archive, crop: str) -> bytes:
    return tile(load_crop(_archive, crop), TILE)  # named by its content: the same in any archive
