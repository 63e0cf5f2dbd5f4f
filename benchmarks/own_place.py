"""Print whether a crop cut by hand finds its own place: `python benchmarks/own_place.py --pages D`.

The folder D holds pages and `regions.csv` (source, zone, x0, y0, x1, y1 in pixels). The pages are
ingested into an archive (--archive, or a temporary one) and indexed with the bundled weights. Each
region is cut from its page as a person would cut it, 10 % wider than the truth, and given as a
query. Its own place is found when the first answer lies on its page and covers it (intersection
over union >= 0.3).
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from pathlib import Path

from ingest.batch import ingest_pages
from ingest.sources import read_frames
from retrieval.catalogue.archive import create_archive
from retrieval.index import refresh_index
from retrieval.learn import archive_model
from retrieval.search import Hit, load_searcher, search_images

LOOSE = 0.10
Box = tuple[int, int, int, int]


def overlap(one: Box, other: Box) -> float:
    """Return the intersection over union of two boxes (x, y, width, height)."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    common = max(across, 0) * max(down, 0)
    return common / (one[2] * one[3] + other[2] * other[3] - common)


def place_of(hits: list[Hit], source: str, box: Box) -> int | None:
    """Return the rank of the first hit that is the region's own place, or None."""
    for hit in hits:
        if hit.source == source and overlap(hit.box, box) >= 0.3:
            return hit.rank
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=Path, required=True)
    parser.add_argument("--archive", type=Path)
    options = parser.parse_args()
    with (options.pages / "regions.csv").open(newline="") as file:
        regions = list(csv.DictReader(file))
    with tempfile.TemporaryDirectory() as temporary:
        archive = create_archive(options.archive or Path(temporary) / "archive")
        began = time.monotonic()
        done = ingest_pages(archive, [options.pages])
        seconds = time.monotonic() - began
        if done.added:
            print(
                f"{done.added} pages, {done.marks / done.added:.1f} proposals a page, "
                f"{seconds / done.added:.2f} s a page, {done.failed} failed"
            )
        refresh_index(archive, archive_model(archive))
        searcher = load_searcher(archive)
        ranks = []
        for region in regions:
            x0, y0, x1, y1 = (int(region[key]) for key in ("x0", "y0", "x1", "y1"))
            image = next(read_frames(options.pages / region["source"])).image
            dx, dy = round((x1 - x0) * LOOSE / 2), round((y1 - y0) * LOOSE / 2)
            crop = image[max(0, y0 - dy) : y1 + dy, max(0, x0 - dx) : x1 + dx]
            hits = search_images(searcher, [crop], top=100)[0]
            ranks.append(place_of(hits, region["source"], (x0, y0, x1 - x0, y1 - y0)))
        first = sum(rank == 1 for rank in ranks)
        ten = sum(rank is not None and rank <= 10 for rank in ranks)
        missed = sum(rank is None for rank in ranks)
        print(
            f"{len(regions)} regions among {len(searcher.index)} marks: own place first {first}, "
            f"within ten {ten}, not within a hundred {missed}"
        )


if __name__ == "__main__":
    main()
