"""`prizemarks search`: where else does this mark occur?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from retrieval.catalogue.errors import NoInk, QueryError, SourceError
from retrieval.catalogue.parts import in_parts
from retrieval.settings import read_settings
from ui.command import (
    DONE,
    FAILURES,
    ArchiveArgument,
    JsonOption,
    SearchedModelOption,
    WhereOption,
    archive_to_read,
    rendered,
)
from ui.progress import console
from ui.where import filters_on

if TYPE_CHECKING:  # NumPy is slow to load, and --help does without
    import numpy as np
    from numpy.typing import NDArray

    from retrieval.catalogue.archive import Archive
    from retrieval.places import Places
    from retrieval.search import Found, Scope, Searcher

QUERIES_AT_ONCE = 64


def search(
    archive: ArchiveArgument,
    images: Annotated[
        list[Path] | None,
        typer.Argument(metavar="IMAGE...", help="Sketches or crops to search by."),
    ] = None,
    mark: Annotated[
        list[int] | None, typer.Option("--mark", help="Search by these marks (ids).")
    ] = None,
    unlike: Annotated[
        list[int] | None, typer.Option(help="Rank marks like these ids lower, and leave them out.")
    ] = None,
    page: Annotated[
        int | None, typer.Option(help="Search by a region of this page (id); needs --region.")
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(help="The region on that page: x,y,w,h in pixels of the original image."),
    ] = None,
    where: WhereOption = None,
    turned: Annotated[
        bool,
        typer.Option("--turned", help="Also search for it rotated by 90, 180 and 270 degrees."),
    ] = False,
    mirrored: Annotated[
        bool,
        typer.Option(
            "--mirrored",
            help="Also search for its mirror image; with --turned, eight orientations.",
        ),
    ] = False,
    everywhere: Annotated[
        bool,
        typer.Option(
            "--everywhere", help="Also search whole pages (run `index --everywhere` first)."
        ),
    ] = False,
    top: Annotated[int, typer.Option(min=1, help="Most results for each query.")] = 20,
    model: SearchedModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search for a mark by pictures, by marks of the archive, or by a region of a page.

    Example: prizemarks search my-archive sketch.png --where "year=1702..1710" --top 10
    """
    from retrieval.orientation import orientations

    failed = 0
    with archive_to_read(archive) as opened:
        if sum(map(bool, (images, mark, page is not None))) != 1:
            raise QueryError("Give one kind of query: IMAGE..., --mark, or --page with --region.")
        if (page is None) != (region is None):
            raise QueryError("--page and --region must be given together.")
        filters = filters_on(opened, where or ())
        searcher, places = _loaded(opened, model, everywhere)
        from retrieval.search import Scope  # it loads torch, which wrong use does without

        scope = Scope(places, top, filters, orientations(turned=turned, mirrored=mirrored))
        asked = _Asked(searcher, unlike or [], scope, as_json)
        limit = read_settings(archive).max_pixels
        if mark:
            _answer_marks(asked, mark)
        elif page is not None and region is not None:
            _answer_region(asked, page, region, limit)
        else:
            failed = _answer_files(asked, images or [], limit)
    raise typer.Exit(FAILURES if failed else DONE)


@dataclass(frozen=True)
class _Asked:
    """What is searched, and how: the same for all queries of a run."""

    searcher: Searcher
    unlike: Sequence[int]
    scope: Scope
    as_json: bool


def _loaded(
    archive: Archive, model: str | None, everywhere: bool
) -> tuple[Searcher, Places | None]:
    """Return the marks that are searched, and the places where none was found if these are."""
    from retrieval.index_state import check_indexed
    from retrieval.places import load_places
    from retrieval.search import load_searcher

    searcher = load_searcher(archive, model)
    places = load_places(archive, searcher.model) if everywhere else None
    if places is None or not len(places.pages):
        check_indexed(archive, searcher.model)
    return searcher, places


def _answer_marks(asked: _Asked, liked: list[int]) -> None:
    from retrieval.search import search_marks

    hits = search_marks(asked.searcher, liked, asked.unlike, scope=asked.scope)
    _say(asked, "marks " + " ".join(map(str, liked)), hits)


def _answer_region(asked: _Asked, page: int, region: str, limit: int) -> None:
    """Answer by a region of a page whose master has up to `limit` pixels."""
    from ui.pictures import page_region, parse_region

    picture = page_region(asked.searcher.archive, page, parse_region(region), limit)
    (hits,) = _by_pictures(asked, [picture])
    _say(asked, f"page {page} {region}", hits)


def _answer_files(asked: _Asked, paths: Sequence[Path], limit: int) -> int:
    """Answer by pictures of up to `limit` pixels; return how many gave no answer, each named."""
    from ingest.listing import printable

    answered = 0
    for some in in_parts(paths, QUERIES_AT_ONCE):
        for path, hits in _ranked(asked, list(_read(some, limit))):
            _say(asked, printable(str(path)), hits)
            answered += 1
    return len(paths) - answered


def _read(paths: Sequence[Path], limit: int) -> Iterator[tuple[Path, NDArray[np.uint8]]]:
    """Give the pictures, each with its path; those that cannot be read are named."""
    from ingest.query_pictures import query_pictures
    from ui.pictures import ONE_OF_SEVERAL

    for path, read in zip(paths, query_pictures(paths, limit), strict=True):
        if isinstance(read, SourceError):
            _remark(str(path), str(read))
            continue
        if read.several:
            _remark(str(path), ONE_OF_SEVERAL)
        yield path, read.image


def _ranked(
    asked: _Asked, pictures: list[tuple[Path, NDArray[np.uint8]]]
) -> list[tuple[Path, list[Found]]]:
    """Return the ranked list of each picture; those without ink are named and left out."""
    try:
        found = _by_pictures(asked, [picture for _, picture in pictures])
    except NoInk as error:
        for at in error.at:
            _remark(str(pictures[at][0]), str(error))
        pictures = [one for at, one in enumerate(pictures) if at not in error.at]
        found = _by_pictures(asked, [picture for _, picture in pictures])
    return list(zip((path for path, _ in pictures), found, strict=True))


def _by_pictures(asked: _Asked, pictures: list[NDArray[np.uint8]]) -> list[list[Found]]:
    from retrieval.search import search_images

    return search_images(asked.searcher, pictures, asked.unlike, scope=asked.scope)


def _say(asked: _Asked, query: str, hits: Sequence[Found]) -> None:
    from retrieval.catalogue.identities import identity_names
    from retrieval.search import Hit
    from ui.told.search import as_json, as_table, caution

    with asked.searcher.archive.session() as session:
        names = identity_names(session, [hit.mark for hit in hits if isinstance(hit, Hit)])
    if asked.as_json:
        typer.echo(as_json(query, asked.searcher.model.id, hits, names, asked.scope.ways))
    elif not hits:
        typer.echo(f"{query}: no indexed mark matches.")
    else:
        if doubt := caution(hits, few=asked.searcher.index.scores.says_nothing):
            _remark(query, doubt)
        typer.echo(rendered(as_table(query, hits, names, asked.scope.ways)))


def _remark(query: str, sentence: str) -> None:
    from ingest.listing import printable

    said = f"{printable(query)}: {printable(sentence)}"
    console.print(escape(said), soft_wrap=True)
