"""Print what `search --everywhere` finds where no mark is known.

    python benchmarks/everywhere.py [--pages FOLDER]

A synthetic archive is drawn (--synthetic N pages, --seed) and ingested; or the scans of FOLDER are,
which holds `regions.csv` (source, zone, x0, y0, x1, y1 in pixels). All proposals at the place of a
true box are deleted from the catalogue, for a share of the boxes (--deleted, chosen by the seed),
so that nothing knows of these places. Then they are looked for: by the place's own crop, 10 % wider
than the truth; by the crop of another drawing of the same identity; by a sketch of it from memory.
A place is found when a result on its page has its centre in the true box or overlaps it by half
(intersection over union); the second is printed by itself too. What a page costs is printed last.
"""

from __future__ import annotations

import argparse
import csv
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sqlalchemy import delete, select

from ingest.batch import ingest_pages
from ingest.everywhere import look_everywhere
from ingest.manner import Manner
from ingest.regions import MOST_REGIONS, REGIONS
from ingest.sources import read_frames
from ingest.synthetic.archive import draw_archive
from retrieval.boxes import Box, overlap
from retrieval.catalogue.archive import Archive, create_archive
from retrieval.catalogue.tables import Mark, Page
from retrieval.index import refresh_index
from retrieval.orientation import UPRIGHT
from retrieval.places import (
    Place,
    find_places,
    load_places,
    one_place,
)
from retrieval.search import Hit, Scope, load_searcher, query_vectors, search_images
from retrieval.shards import shards_folder
from retrieval.which_model import archive_model

LOOSE = 0.10


@dataclass(frozen=True)
class TrueMark:
    """A true mark: its page, its box (x, y, width, height in pixels), whose it is, its sketch."""

    source: str
    box: Box
    identity: str | None = None
    sketch: Path | None = None


def scanned(folder: Path) -> tuple[Path, list[TrueMark]]:
    true = []
    with (folder / "regions.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            x0, y0, x1, y1 = (int(float(row[name])) for name in ("x0", "y0", "x1", "y1"))
            true.append(TrueMark(row["source"], (x0, y0, x1 - x0, y1 - y0)))
    return folder, true


def drawn(folder: Path, pages: int, seed: int) -> tuple[Path, list[TrueMark]]:
    truth = draw_archive(folder, seed=seed, identities=max(4, pages * 5 // 12), pages=pages)
    return truth.pages_folder, [
        TrueMark(
            mark.source,
            (mark.x, mark.y, mark.width, mark.height),
            mark.identity,
            truth.sketches_folder / f"{mark.identity}.png",
        )
        for mark in truth.marks
    ]


def centre_in(box: Box, true: Box) -> bool:
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    return true[0] <= x < true[0] + true[2] and true[1] <= y < true[1] + true[3]


def forget(archive: Archive, gone: Sequence[TrueMark]) -> int:
    """Delete every mark at the place of these boxes; return how many."""
    by_source: dict[str, list[Box]] = defaultdict(list)
    for one in gone:
        by_source[one.source].append(one.box)
    with archive.writing() as session:
        found = session.execute(
            select(Mark.id, Page.source, Mark.x, Mark.y, Mark.width, Mark.height).join(
                Page, Mark.page_id == Page.id
            )
        ).all()
        doomed = [
            mark
            for mark, source, *box in found
            for true in by_source[source]
            if one_place(np.array(true), np.array([box]))[0] or centre_in(tuple(box), true)
        ]
        session.execute(delete(Mark).where(Mark.id.in_(doomed)))
    return len(set(doomed))


def crop_of(folder: Path, one: TrueMark) -> NDArray[np.uint8]:
    image = next(read_frames(folder / one.source)).image
    x, y, width, height = one.box
    dx, dy = round(width * LOOSE / 2), round(height * LOOSE / 2)
    return image[max(0, y - dy) : y + height + dy, max(0, x - dx) : x + width + dx]


def rank_of(hits: Sequence[Hit | Place], one: TrueMark, *, by_overlap: bool) -> int | None:
    for hit in hits:
        if hit.source == one.source and (
            overlap(hit.box, one.box) >= 0.5 or (not by_overlap and centre_in(hit.box, one.box))
        ):
            return hit.rank
    return None


def print_row(name: str, lists: Sequence[Sequence[Hit | Place]], asked: Sequence[TrueMark]) -> None:
    shares = []
    for by_overlap in (False, True):
        ranks = [
            rank_of(hits, one, by_overlap=by_overlap)
            for hits, one in zip(lists, asked, strict=True)
        ]
        for most in (1, 10, 100):
            shares.append(sum(rank is not None and rank <= most for rank in ranks) / len(ranks))
    print(f"{name:44s}{len(asked):5d}" + "".join(f"{share:8.3f}" for share in shares))


def processor_seconds() -> float:
    """Return the seconds that this process and its children have computed."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=Path, help="scans with regions.csv, instead of drawn ones")
    parser.add_argument("--synthetic", type=int, default=60, help="pages to draw")
    parser.add_argument("--seed", type=int, default=20261)
    parser.add_argument("--deleted", type=float, default=0.5, help="share of the true marks")
    parser.add_argument("--most", type=int, default=MOST_REGIONS, help="regions a page at most")
    parser.add_argument("--folder", type=Path, help="where drawn pages and the archive are kept")
    parser.add_argument("--workers", type=int, default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = options.folder or Path(temporary)
        if options.pages is not None:
            folder, true = scanned(options.pages)
        else:
            folder, true = drawn(work / "drawn", options.synthetic, options.seed)
        archive = create_archive(work / "archive")
        ingest_pages(archive, [folder], manner=Manner(workers=options.workers))
        chosen = np.random.default_rng(options.seed).permutation(len(true))
        gone = [true[at] for at in sorted(chosen[: round(options.deleted * len(true))])]
        print(f"{forget(archive, gone)} proposals of {len(gone)} of {len(true)} marks deleted")
        model = archive_model(archive)
        refresh_index(archive, model)
        wall, cpu = time.perf_counter(), processor_seconds()
        looked = look_everywhere(archive, model, most=options.most, workers=options.workers)
        wall, cpu = time.perf_counter() - wall, processor_seconds() - cpu
        searcher, places = load_searcher(archive), load_places(archive, model)
        print(
            f"{len(searcher.index)} marks, {len(places)} regions of {looked.pages} pages; {REGIONS}"
        )
        print(f"{'':44s}{'':5s}{'centre or IoU 0.5':>24s}{'IoU 0.5':>24s}")
        print(f"{'asked by':44s}{'':5s}" + "".join(f"{f'R@{n}':>8s}" for n in (1, 10, 100) * 2))
        own = [crop_of(folder, one) for one in gone]
        print_row("own crop, marks alone", search_images(searcher, own, scope=Scope(top=100)), gone)
        print_row(
            "own crop", search_images(searcher, own, scope=Scope(places=places, top=100)), gone
        )
        others = {
            at: [other for other in true if other.identity == one.identity and other != one]
            for at, one in enumerate(gone)
            if one.identity is not None
        }
        asked = [(gone[at], rest[at % len(rest)]) for at, rest in others.items() if rest]
        if asked:
            crops = [crop_of(folder, other) for _, other in asked]
            targets = [one for one, _ in asked]
            print_row(
                "another drawing's crop, marks alone",
                search_images(searcher, crops, scope=Scope(top=100)),
                targets,
            )
            print_row(
                "another drawing's crop",
                search_images(searcher, crops, scope=Scope(places=places, top=100)),
                targets,
            )
            sketches = [np.asarray(Image.open(one.sketch)) for one in gone if one.sketch]
            print_row(
                "sketch from memory",
                search_images(searcher, sketches, scope=Scope(places=places, top=100)),
                gone,
            )
        if looked.looked:
            print(
                f"{looked.bytes / looked.pages:,.0f} bytes a page, "
                f"{looked.bytes / max(looked.regions, 1):.0f} a region; "
                f"{1000 * wall / looked.looked:.0f} ms a page, {1000 * cpu / looked.looked:.0f} ms "
                "of one core"
            )
        vectors = query_vectors(searcher, own[:1], [UPRIGHT])[0]
        spent = []
        for _ in range(20):
            began = time.perf_counter()
            find_places(archive, places, vectors, [UPRIGHT], 20)
            spent.append(time.perf_counter() - began)
        print(f"places of one query: {1000 * float(np.median(spent)):.1f} ms (median of 20)")
        print(f"shards: {len(list(shards_folder(archive, model.id).iterdir()))}")


if __name__ == "__main__":
    main()
