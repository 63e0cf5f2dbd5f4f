"""Print what uneven light costs a search: `python benchmarks/lighting.py --drawn DIR`.

Test drawings of DIR (labels.csv: source, label, split), every seventh of them, are photographed as
ink on grainy paper under light that falls from one side, or with a shadow across, and look for the
other drawings of their character among all that were left as they are, with the bundled weights.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from retrieval.embedding import embed
from retrieval.evaluation.labels import read_labels
from retrieval.evaluation.measures import rank, score
from retrieval.ink import Pixels
from retrieval.model import bundled_model

EVERY = 7
MARGIN = 0.15  # paper round the drawing, in its longer sides
INK = 0.25  # of the light that paper gives back
BRIGHTEST, GRAIN = 230, 3  # grey levels

Light = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


def from_one_side(darkest: float) -> Light:
    """Return light that falls off evenly to `darkest`, aslant; x and y run from 0 to 1."""
    return lambda x, y: 1 - (1 - darkest) * (0.8 * x + 0.2 * y)


def with_a_shadow(darkest: float) -> Light:
    """Return light with a soft shadow of `darkest` over its left part."""
    return lambda x, y: 1 - (1 - darkest) / (1 + np.exp((x + 0.3 * y - 0.6) * 25))


def photographed(drawing: Pixels, light: Light, rng: np.random.Generator) -> Pixels:
    """Return a dark drawing on white as a photograph under `light`."""
    wide = round(max(drawing.shape) * MARGIN)
    given_back = INK + (1 - INK) * np.pad(drawing, wide, constant_values=255) / 255
    y, x = np.mgrid[0 : 1 : given_back.shape[0] * 1j, 0 : 1 : given_back.shape[1] * 1j]
    seen = BRIGHTEST * light(x, y) * given_back + rng.normal(0, GRAIN, given_back.shape)
    return np.asarray(np.clip(np.round(seen), 0, 255), np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drawn", type=Path, required=True)
    options = parser.parse_args()
    model, rng = bundled_model(), np.random.default_rng(1)
    of_split = read_labels(options.drawn / "labels.csv", "test")
    pictures = [
        cv2.imread(str(options.drawn / one.source), cv2.IMREAD_GRAYSCALE) for one in of_split
    ]
    names = sorted({one.label for one in of_split})
    labels = np.array([names.index(one.label) for one in of_split])
    gallery = embed(model, pictures)
    rows, asked = np.arange(len(labels)), np.arange(0, len(labels), EVERY)
    print(f"model {model.id}, {len(asked)} queries among {len(rows)} drawings\n")
    print("| light | P@1 | mAP |\n|---|---|---|")
    lights = {"as drawn": None, "even": from_one_side(1.0)}
    lights |= {f"from one side, down to {share}": from_one_side(share) for share in (0.8, 0.6, 0.4)}
    lights |= {f"shadow of {share}": with_a_shadow(share) for share in (0.9, 0.8, 0.7)}
    for name, light in lights.items():
        queries = gallery.copy()
        if light is not None:
            queries[asked] = embed(model, [photographed(pictures[at], light, rng) for at in asked])
        ranked = rank(labels, asked, rows, lambda some, q=queries: q[some] @ gallery.T)
        found = score(ranked).micro
        values = [found[one].value for one in ("precision_at_1", "mean_average_precision")]
        print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in values) + " |", flush=True)


if __name__ == "__main__":
    main()
