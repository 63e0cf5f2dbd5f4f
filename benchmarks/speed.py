"""Print where the time of a search goes: `python benchmarks/speed.py [--marks 10000]`.

One picture against an archive of so many marks, the process warm: reading and decoding the file,
normalising it, embedding it, the nearest marks, their metadata, and the whole; the median of 50.
Also how many crops a second are embedded, in five views and in one, as the program sees them and at
64 pixels, beside the bare network on pictures already normalised.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from ingest.sources import read_frames
from retrieval.catalogue import tables
from retrieval.catalogue.archive import Archive, create_archive
from retrieval.catalogue.marks import mark_rows
from retrieval.crops import load_crop, write_crop
from retrieval.embedding import AS_IT_IS, VIEWS, embed_pictures
from retrieval.gan.redrawing import redrawn_pairs
from retrieval.index import nearest, refresh_index
from retrieval.ink import normalise_all
from retrieval.model import bundled_model
from retrieval.orientation import UPRIGHT, Orientation, orientations
from retrieval.search import Scope, Searcher, load_searcher, search_images

ROUNDS = 50
#: Pictures that differ; each stands on several pages. The search compares every vector anyhow.
DISTINCT = 1024


def fill(archive: Archive, marks: int) -> list[str]:
    """Put `marks` drawn marks on one page each, with documents; return the pictures' crops."""
    pictures = redrawn_pairs(3, DISTINCT // 2, 64).reshape(-1, 64, 64)
    crops = [
        write_crop(archive.crops_folder, np.repeat(255 - ink[..., None], 3, axis=2))
        for ink in pictures
    ]
    with archive.session() as session:
        for number in range(marks):
            crop = crops[number % DISTINCT]
            document = tables.Document(
                reference=f"HCA 32/9999/{number}", series="HCA 32", ship="De Hoop", details={}
            )
            page = tables.Page(
                document=document, source=f"{number}.png", location=f"/nowhere/{number}.png",
                width=64, height=64, sha256=f"{number:064x}", size=1, mtime_ns=1,
            )  # fmt: skip
            mark = tables.Mark(
                page=page,
                x=0,
                y=0,
                width=64,
                height=64,
                status="confirmed",
                origin="ingest",
                crop=crop,
            )
            session.add_all([document, page, mark])
    return crops


def median_ms(work: Callable[[], object]) -> float:
    """Return the median of some rounds in milliseconds, after two to warm up."""
    times = []
    for _ in range(ROUNDS + 2):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return float(np.median(times[2:]) * 1000)


def search_times(searcher: Searcher, path: Path) -> None:
    """Print the stages of one search and the whole."""
    image = next(read_frames(path)).image
    pictures = normalise_all([image], searcher.model.shape.size)
    vector = embed_pictures(searcher.model, pictures)
    marks = nearest(searcher.index, vector, 20)[1][0].tolist()

    def metadata() -> object:
        with searcher.archive.session() as session:
            return mark_rows(session, marks)

    def whole(ways: tuple[Orientation, ...] = (UPRIGHT,)) -> object:
        return search_images(
            searcher, [next(read_frames(path)).image], scope=Scope(top=20, ways=ways)
        )

    stages: list[tuple[str, Callable[[], object]]] = [
        ("read and decode", lambda: next(read_frames(path)).image),
        ("normalise", lambda: normalise_all([image], searcher.model.shape.size)),
        ("embed (5 views)", lambda: embed_pictures(searcher.model, pictures)),
        ("nearest marks", lambda: nearest(searcher.index, vector, 20)),
        ("metadata", metadata),
        ("the whole search", whole),
        ("the same, held eight ways", lambda: whole(orientations(turned=True, mirrored=True))),
    ]
    print(f"\none search over {len(searcher.index)} marks | median ms of {ROUNDS}\n---|---")
    for name, work in stages:
        print(f"{name} | {median_ms(work):.1f}", flush=True)


def embedding_rates(
    archive: Archive, crops: list[str], side: int, views: Sequence[tuple[float, float]]
) -> None:
    """Print crops embedded a second: the bare network, from crops decoded, and from their files."""
    model = bundled_model()
    images = [load_crop(archive, crop) for crop in crops]
    pictures = normalise_all(images, side)
    works: tuple[Callable[[], object], ...] = (
        lambda: embed_pictures(model, pictures, views=views),
        lambda: embed_pictures(model, normalise_all(images, side), views=views),
        lambda: embed_pictures(
            model, normalise_all([load_crop(archive, crop) for crop in crops], side), views=views
        ),
    )
    rates = []
    for work in works:
        began = time.perf_counter()
        work()
        rates.append(f"{len(crops) / (time.perf_counter() - began):.0f}")
    print(f"{side} px, {len(views)} views | " + " | ".join(rates), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--marks", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        archive = create_archive(Path(temporary) / "archive")
        crops = fill(archive, options.marks)
        refresh_index(archive, bundled_model())
        query = Path(temporary) / "query.png"
        cv2.imwrite(str(query), load_crop(archive, crops[0]))
        search_times(load_searcher(archive), query)
        print("\ncrops a second | network alone | crops decoded | from files\n---|---|---|---")
        # The network takes pictures of any size; at 64 pixels it finds less.
        for side in (bundled_model().shape.size, 64):
            for views in (VIEWS, AS_IT_IS):
                embedding_rates(archive, crops, side, views)


if __name__ == "__main__":
    main()
