"""Print how well marks are found: `python benchmarks/segmentation.py [--pages FOLDER]`.

FOLDER holds scans and `regions.csv` (source,zone,x0,y0,x1,y1 in pixels): the true boxes. Without
it, and with `--synthetic N`, N pages of a synthetic archive are drawn and measured, marks in the
margin and in the text apart. One thread. A true box is found by a proposal whose centre lies in it,
or that overlaps it by half (intersection over union), among a page's 12 best, and among all.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ingest.segmentation import DEFAULT_THRESHOLD, SEGMENTER, Proposal, propose_marks
from ingest.synthetic.archive import draw_archive

FIRST = 12


@dataclass(frozen=True)
class TrueBox:
    """Where a mark is, in pixels of its page, and what sort of place that is."""

    left: float
    top: float
    right: float
    bottom: float
    sort: str

    def holds_centre(self, found: Proposal) -> bool:
        x, y = found.x + found.width / 2, found.y + found.height / 2
        return self.left < x < self.right and self.top < y < self.bottom

    def overlaps(self, found: Proposal) -> bool:
        width = min(self.right, found.x + found.width) - max(self.left, found.x)
        height = min(self.bottom, found.y + found.height) - max(self.top, found.y)
        common = max(width, 0.0) * max(height, 0.0)
        own = (self.right - self.left) * (self.bottom - self.top)
        return common >= 0.5 * (own + found.width * found.height - common)


def scanned_pages(folder: Path) -> Iterator[tuple[Path, list[TrueBox]]]:
    truth: dict[str, list[TrueBox]] = defaultdict(list)
    with (folder / "regions.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            x0, y0, x1, y1 = (float(row[name]) for name in ("x0", "y0", "x1", "y1"))
            truth[row["source"]].append(TrueBox(x0, y0, x1, y1, "stamps"))
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".tif"}:
            yield path, truth[path.name]


def synthetic_pages(
    folder: Path, pages: int, seed: int = 1713
) -> Iterator[tuple[Path, list[TrueBox]]]:
    drawn = draw_archive(folder, seed=seed, identities=max(6, pages // 2), pages=pages)
    truth: dict[str, list[TrueBox]] = defaultdict(list)
    for mark in drawn.marks:
        right, bottom = mark.x + mark.width, mark.y + mark.height
        truth[mark.source].append(TrueBox(mark.x, mark.y, right, bottom, f"drawn, {mark.place}"))
    for path in sorted((folder / "pages").iterdir()):
        yield path, truth[path.name]


def measure(pages: Iterator[tuple[Path, list[TrueBox]]]) -> None:
    found: dict[str, list[tuple[bool, ...]]] = defaultdict(list)
    shown: dict[bool, list[int]] = defaultdict(list)
    seconds, largest = [], (0.0, 0.0, 0.0)
    for path, boxes in pages:
        image = np.asarray(Image.open(path).convert("RGB"))
        wall, cpu = time.perf_counter(), time.thread_time()
        proposals = propose_marks(image)
        spent = (image.size / 3e6, time.perf_counter() - wall, time.thread_time() - cpu)
        seconds.append(spent[1:])
        largest = max(largest, spent)
        shown[bool(boxes)].append(sum(p.score >= DEFAULT_THRESHOLD for p in proposals))
        for box in boxes:
            centre = [box.holds_centre(p) for p in proposals]
            overlap = [box.overlaps(p) for p in proposals]
            likely = [
                o and p.score >= DEFAULT_THRESHOLD for o, p in zip(overlap, proposals, strict=True)
            ]
            found[box.sort].append(
                (
                    any(centre[:FIRST]),
                    any(overlap[:FIRST]),
                    any(centre),
                    any(overlap),
                    any(likely),
                )
            )
    head = ("centre in 12", "IoU in 12", "centre in all", "IoU in all", "IoU shown")
    print(f"{'':16s}{'boxes':>6s}" + "".join(f"{name:>15s}" for name in head))
    for sort, rows in sorted(found.items()):
        shares = np.mean(rows, axis=0)
        print(f"{sort:16s}{len(rows):6d}" + "".join(f"{share:15.2f}" for share in shares))
    for marked, name in ((True, "with marks"), (False, "without")):
        if shown[marked]:
            print(
                f"pages {name}: {len(shown[marked])}, shown (score >= {DEFAULT_THRESHOLD}) "
                f"a page: median {np.median(shown[marked]):.0f}, mean {np.mean(shown[marked]):.1f}"
            )
    wall, cpu = np.mean(seconds, axis=0)
    print(f"seconds a page: {wall:.2f} wall, {cpu:.2f} of one core; ", end="")
    print("largest page {:.1f} megapixels: {:.2f} wall, {:.2f} of one core".format(*largest))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pages", type=Path, help="scans with regions.csv")
    parser.add_argument("--synthetic", type=int, default=0, help="synthetic pages to draw")
    parser.add_argument("--seed", type=int, default=1713, help="the synthetic pages' seed")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    print(f"segmenter {SEGMENTER}")
    if asked.pages is not None:
        measure(scanned_pages(asked.pages))
    if asked.synthetic or asked.pages is None:
        with tempfile.TemporaryDirectory() as folder:
            measure(synthetic_pages(Path(folder), asked.synthetic or 40, asked.seed))


if __name__ == "__main__":
    main()
