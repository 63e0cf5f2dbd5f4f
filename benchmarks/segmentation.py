"""Print how well marks are found: `python benchmarks/segmentation.py [--pages FOLDER]`.

FOLDER holds scans and `regions.csv`, the true boxes, as `prizemarks evaluate --regions` reads it.
Then N pages of a synthetic archive are drawn (`--synthetic N`, 60; 0: none) and measured, marks in
the margin and in the text apart. One thread. A true box is found by a proposal whose centre lies
in it, or that overlaps it by half (intersection over union), among a page's 12 best, among all, and
among those shown. Last comes the share that overlaps by half among the proposals that reach the
score at which four a page are false.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ingest.segmentation import DEFAULT_THRESHOLD, SEGMENTER, Proposal, propose_marks
from ingest.synthetic.archive import draw_archive
from retrieval.boxes import LEAST_OVERLAP, Corners, overlaps
from retrieval.evaluation.coverage import (
    MEASURES,
    Covered,
    coverage,
    false,
)
from retrieval.evaluation.regions import read_regions

#: False proposals a page that are put up with.
FALSE = 4.0


@dataclass(frozen=True)
class TrueBox:
    """Where a mark is, in pixels of its page, and what sort of place that is."""

    left: float
    top: float
    right: float
    bottom: float
    sort: str


def scanned_pages(folder: Path) -> Iterator[tuple[Path, list[TrueBox]]]:
    truth: dict[str, list[TrueBox]] = defaultdict(list)
    for region in read_regions(folder / "regions.csv"):
        if region.box is not None:
            truth[region.source].append(TrueBox(*region.box, region.sort))
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


def corners(proposals: Sequence[Proposal]) -> Corners:
    rows = [(p.x, p.y, p.x + p.width, p.y + p.height) for p in proposals]
    return np.array(rows, np.float64).reshape(-1, 4)


def at_false(pages: Sequence[Covered], most: float) -> tuple[float, dict[str, float]]:
    """Return the least score at which at most `most` proposals a page are false, and the share of
    each sort of boxes that is overlapped by half from that score on."""
    wrong = np.concatenate([page.scores[false(page)] for page in pages])
    count = int(most * len(pages))
    level = float(np.sort(wrong)[-count - 1]) if len(wrong) > count else 0.0
    hits: dict[str, list[bool]] = defaultdict(list)
    for page in pages:
        likely = page.proposals[page.scores > level]
        best = overlaps(page.boxes, likely).max(axis=1, initial=0.0)
        for sort, overlap in zip(page.sorts, best, strict=True):
            hits[sort].append(bool(overlap >= LEAST_OVERLAP))
    return level, {sort: float(np.mean(found)) for sort, found in sorted(hits.items())}


def measure(pages: Iterator[tuple[Path, list[TrueBox]]]) -> None:
    covered, seconds, largest = [], [], (0.0, 0.0, 0.0)
    for path, boxes in pages:
        image = np.asarray(Image.open(path).convert("RGB"))
        wall, cpu = time.perf_counter(), time.thread_time()
        proposals = propose_marks(image)
        spent = (image.size / 3e6, time.perf_counter() - wall, time.thread_time() - cpu)
        seconds.append(spent[1:])
        largest = max(largest, spent)
        true = [(box.left, box.top, box.right, box.bottom) for box in boxes]
        covered.append(
            Covered(
                np.array(true, np.float64).reshape(-1, 4),
                tuple(box.sort for box in boxes),
                corners(proposals),
                np.array([p.score for p in proposals], np.float64),
            )
        )
    measured = coverage(covered, DEFAULT_THRESHOLD)
    print(f"{'':16s}{'boxes':>6s}" + "".join(f"{name:>18s}" for name in MEASURES))
    for one in measured.recall:
        shares = "".join(f"{one.shares[name].value:18.3f}" for name in MEASURES if one.shares)
        print(f"{one.sort or 'all':16s}{one.boxes:6d}{shares}")
    for shown in measured.shown:
        print(
            f"pages {'with marks' if shown.marked else 'without'}: {shown.pages}, "
            f"shown (score >= {DEFAULT_THRESHOLD}) a page: median "
            f"{shown.proposals.median.value:.0f}, mean {shown.proposals.mean.value:.1f}; "
            f"of these false: {shown.false.median.value:.0f}, {shown.false.mean.value:.1f}"
        )
    mean = np.mean([np.sum(one.scores[false(one)] >= DEFAULT_THRESHOLD) for one in covered])
    print(f"false proposals shown a page, all pages: mean {mean:.2f}")
    level, reached = at_false(covered, FALSE)
    words = ", ".join(f"{sort} {share:.3f}" for sort, share in reached.items())
    print(f"IoU >= 0.5 where {FALSE:.0f} a page are false (score > {level:.2f}): {words}")
    wall, cpu = np.mean(seconds, axis=0)
    print(f"seconds a page: {wall:.2f} wall, {cpu:.2f} of one core; ", end="")
    print("largest page {:.1f} megapixels: {:.2f} wall, {:.2f} of one core".format(*largest))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pages", type=Path, help="scans with regions.csv")
    parser.add_argument("--synthetic", type=int, default=60, help="synthetic pages to draw")
    parser.add_argument("--seed", type=int, default=1713, help="the synthetic pages' seed")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    print(f"segmenter {SEGMENTER}")
    if asked.pages is not None:
        print(f"{asked.pages}: scans")
        measure(scanned_pages(asked.pages))
    if asked.synthetic:
        print(f"synthetic pages, seed {asked.seed}")
        with tempfile.TemporaryDirectory() as folder:
            measure(synthetic_pages(Path(folder), asked.synthetic, asked.seed))


if __name__ == "__main__":
    main()
