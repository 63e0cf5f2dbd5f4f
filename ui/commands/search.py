"""`prizemarks search`: where else does this mark occur?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from retrieval.catalogue.errors import NoInk, QueryError, SourceError
from retrieval.settings import read_settings
from ui.command import (
    DONE,
    FAILURES,
    ArchiveArgument,
    JsonOption,
    SearchedModelOption,
    WhereOption,
    archive_in,
    rendered,
)
from ui.progress import console

if TYPE_CHECKING:  # NumPy is slow to load, and --help does without
    import numpy as np
    from numpy.typing import NDArray

    from retrieval.everywhere import Found

QUERIES_AT_ONCE = 64


def search(
    archive: ArchiveArgument,
    images: Annotated[
        list[Path] | None, typer.Argument(metavar="IMAGE...", help="Sketches or crops.")
    ] = None,
    mark: Annotated[
        list[int] | None, typer.Option("--mark", help="Like these marks of the archive.")
    ] = None,
    unlike: Annotated[list[int] | None, typer.Option(help="But unlike these.")] = None,
    page: Annotated[int | None, typer.Option(help="A page, with --region.")] = None,
    region: Annotated[
        str | None, typer.Option(help="x,y,w,h on that page, in pixels of the master.")
    ] = None,
    where: WhereOption = None,
    turned: Annotated[
        bool, typer.Option("--turned", help="Look for it turned by one to three quarters as well.")
    ] = False,
    mirrored: Annotated[
        bool,
        typer.Option("--mirrored", help="Look for its mirror image as well; both: eight ways."),
    ] = False,
    everywhere: Annotated[
        bool,
        typer.Option("--everywhere", help="Look where no mark was found, too; index so first."),
    ] = False,
    top: Annotated[int, typer.Option(min=1, help="Results a query.")] = 20,
    model: SearchedModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find where else a mark occurs: by pictures, by marks, or by a region of a page.

    Example: prizemarks search my-archive sketch.png --where "year=1702..1710" --top 10
    """
    from ingest.listing import printable
    from retrieval.catalogue.documents import facets
    from retrieval.everywhere import (
        load_places,
        load_searcher_everywhere,
        search_images_everywhere,
        search_marks_everywhere,
    )
    from retrieval.orientation import orientations
    from retrieval.search import load_searcher, search_images, search_marks
    from ui.answers import as_json as json_line
    from ui.answers import as_table
    from ui.pictures import ONE_OF_SEVERAL, page_region, parse_region, query_picture
    from ui.where import as_catalogued, parse_where

    kinds = sum(map(bool, (images, mark, page is not None)))
    ways = orientations(turned=turned, mirrored=mirrored)
    failed = 0

    disliked = unlike or []

    def by_images(pictures: list[NDArray[np.uint8]]) -> Sequence[Sequence[Found]]:
        if places is None:
            return search_images(searcher, pictures, disliked, top=top, where=filters, ways=ways)
        return search_images_everywhere(
            searcher, places, pictures, disliked, top=top, where=filters, ways=ways
        )

    def by_marks(liked: list[int]) -> Sequence[Found]:
        if places is None:
            return search_marks(searcher, liked, disliked, top=top, where=filters, ways=ways)
        return search_marks_everywhere(
            searcher, places, liked, disliked, top=top, where=filters, ways=ways
        )

    def say(query: str, hits: Sequence[Found]) -> None:
        if as_json:
            typer.echo(json_line(query, searcher.model.id, hits, ways))
        elif not hits:
            typer.echo(f"{query}: no mark that is indexed fits.")
        else:
            typer.echo(rendered(as_table(query, hits, ways)))

    def remark(path: Path, sentence: str) -> None:
        said = f"{printable(str(path))}: {printable(sentence)}"
        console.print(escape(said), soft_wrap=True)

    with archive_in(archive) as opened:
        if kinds != 1:
            raise QueryError("Give one kind of query: IMAGE..., --mark, or --page with --region.")
        if (page is None) != (region is None):
            raise QueryError("--page and --region belong together.")
        with opened.session() as session:
            filters = as_catalogued(parse_where(where or ()), facets(session))
        load = load_searcher_everywhere if everywhere else load_searcher
        searcher = load(opened, model)
        places = load_places(opened, searcher.model) if everywhere else None
        limit = round(read_settings(archive).max_megapixels * 1e6)
        if mark:
            name = "marks " + " ".join(map(str, mark))
            say(name, by_marks(mark))
        elif page is not None and region is not None:
            box = parse_region(region)
            crop = page_region(opened, page, box, limit)
            name = f"page {page} {region}"
            say(name, by_images([crop])[0])
        else:
            queries = list(images or ())
            for start in range(0, len(queries), QUERIES_AT_ONCE):
                pictures = []
                for path in queries[start : start + QUERIES_AT_ONCE]:
                    try:
                        picture, several = query_picture(path, limit)
                    except SourceError as error:
                        failed += 1
                        remark(path, str(error))
                        continue
                    pictures.append((path, picture))
                    if several:
                        remark(path, ONE_OF_SEVERAL)
                try:
                    ranked = by_images([picture for _, picture in pictures])
                except NoInk as error:
                    failed += len(error.at)
                    for at in error.at:
                        remark(pictures[at][0], str(error))
                    pictures = [one for at, one in enumerate(pictures) if at not in error.at]
                    ranked = by_images([picture for _, picture in pictures])
                for (path, _), hits in zip(pictures, ranked, strict=True):
                    say(printable(str(path)), hits)
    raise typer.Exit(FAILURES if failed else DONE)
