"""Fit the weights of a proposal's score: `python benchmarks/fit_proposals.py --pages FOLDER`.

FOLDER holds scans and `regions.csv` (source,zone,x0,y0,x1,y1 in pixels), the true stamps on them.
Drawn marks are laid into the scans (`proposals.inlay`), on half of them among blots, rules,
initials and the like (`proposals.clutter`), and pages of a synthetic archive are added. A
logistic regression learns to tell the boxes that fit these marks from the page's other boxes by
their traits; three small networks then learn from the pictures of those that the regression puts
first how far each is a mark. The true stamps teach nothing: what overlaps one is neither mark nor
other.
`--write` puts the numbers into `ingest/trait_weights.csv` and `ingest/appearance.safetensors`;
`--halves` fits on each half of the scans, in the order of their names so that a manuscript is never
in both, and prints how well the true stamps of the other half are found. One seed, one result.
`proposals/` holds what is learned from and what learns: the boxes, the regression, the networks.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from proposals.boxes import Boxed, boxed, inlaid_examples, reduced, synthetic_examples
from proposals.network import learn_looks, look
from proposals.regression import fit
from segmentation import scanned_pages

from ingest.appearance import FILE as APPEARANCE_FILE
from ingest.appearance import Appearance, looks, write_appearances
from ingest.segmentation import DEFAULT_THRESHOLD, distinct
from ingest.trait_weights import FILE, Weights, write_weights
from retrieval.evaluation.coverage import FIRST


def measure(pages: Sequence[Boxed], weights: Weights, networks: Sequence[Appearance]) -> None:
    """Print how well the marks of the pages are found with these weights and these networks."""
    rows: dict[str, list[tuple[bool, ...]]] = {}
    shown, false = [], []
    for page in pages:
        some = look(page, weights)
        scores = looks(some.pictures, some.traits, networks)
        kept = distinct(page.boxes[some.chosen], scores, 40)
        likely = scores[kept] >= DEFAULT_THRESHOLD
        places = some.chosen[kept]
        wrong = ~(page.centred[:, places] | (page.overlaps[:, places] >= 0.5)).any(axis=0)
        false.append(int((likely & wrong & ~page.unknown[places]).sum()))
        if not len(page.overlaps):
            shown.append(int(likely.sum()))
        for sort, overlap, centred in zip(page.sorts, page.overlaps, page.centred, strict=True):
            hit, near = overlap[places] >= 0.5, centred[places]
            each = (
                near[:FIRST], hit[:FIRST], near, hit, hit & likely,
                overlap[some.chosen] >= 0.5, overlap >= 0.5,
            )  # fmt: skip
            rows.setdefault(sort, []).append(tuple(bool(one.any()) for one in each))
    head = (
        "centre in 12", "IoU in 12", "centre in all", "IoU in all", "IoU shown",
        "looked at", "candidates",
    )  # fmt: skip
    print(f"{'':16s}{'boxes':>6s}" + "".join(f"{name:>15s}" for name in head))
    for sort, found in sorted(rows.items()):
        shares = np.mean(found, axis=0)
        print(f"{sort:16s}{len(found):6d}" + "".join(f"{share:15.3f}" for share in shares))
    print(f"  false shown a page: {np.mean(false):.1f}")
    if shown:
        print(f"  shown on pages without: median {np.median(shown):.0f}, mean {np.mean(shown):.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pages", type=Path, required=True, help="scans with regions.csv")
    parser.add_argument("--synthetic", type=int, default=120, help="synthetic pages to add")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--halves", action="store_true", help="fit on halves, measure on others")
    parser.add_argument("--write", action="store_true", help="put the weights into the program")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    began = time.process_time()
    laid = inlaid_examples(asked.pages, asked.seed)
    drawn = synthetic_examples(asked.synthetic, asked.seed)
    marks, seconds = sum(len(one.sorts) for one in laid), time.process_time() - began
    print(f"{len(laid)} scans with {marks} marks, {len(drawn)} synthetic pages: {seconds:.0f} s")
    weights, networks = learn(laid + drawn)
    if asked.write:
        write_weights(FILE, weights)
        write_appearances(APPEARANCE_FILE, networks)
    measure(laid, weights, networks)
    if asked.halves:
        names = sorted({example.page for example in laid})
        halves = [set(names[: len(names) // 2]), set(names[len(names) // 2 :])]
        for fitted, other in (halves, halves[::-1]):
            pages = [
                boxed(path.name, *pair, [b.sort for b in true])
                for path, true in scanned_pages(asked.pages)
                if path.name in other
                for pair in [reduced(path, true)]
            ]
            unseen = [example for example in laid if example.page in other]
            half = learn([example for example in laid if example.page in fitted] + drawn)
            print(f"fitted on the scans {min(fitted)} ..., measured on {min(other)} ...")
            measure(pages, *half)
            measure(unseen, *half)


def learn(examples: Sequence[Boxed]) -> tuple[Weights, tuple[Appearance, ...]]:
    """Fit the regression, and the networks on what it puts first."""
    weights = fit(examples)
    return weights, learn_looks(examples, [look(example, weights) for example in examples])


if __name__ == "__main__":
    main()
