"""How like a mark a box is: a logistic regression on its traits and on their products by pairs.

`trait_weights.csv` holds it, a trait a row: mean and spread by which the trait is measured, its own
weight, and its weight times each trait up to itself. `benchmarks/fit_proposals.py` fitted it on
drawn marks that were laid into real pages, and wrote the file; no true stamp taught it anything,
and an archive's own pages teach nothing here. See docs/decisions/0005-proposals-from-inlays.md.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.catalogue.files import write_atomically

Floats = npt.NDArray[np.float32]

FILE = Path(__file__).with_name("trait_weights.csv")

#: A trait further than this from the mean, in spreads, tells no more than one that is this far.
FARTHEST = 3.0


@dataclass(frozen=True)
class Weights:
    """Weights for T traits in the order of `names`; a logit of 0 is a score of 0.5."""

    names: tuple[str, ...]
    mean: Floats  # (T,)
    spread: Floats  # (T,)
    single: Floats  # (T,)
    products: Floats  # (T, T), nothing above the diagonal
    bias: float


@cache
def shipped_weights() -> Weights:
    """Return the weights that ship with the program."""
    return read_weights(FILE)


def read_weights(path: Path) -> Weights:
    """Return the weights that `write_weights` wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        *traits, last = csv.DictReader(file)  # the last row is the bias
    names = tuple(row["trait"] for row in traits)
    mean, spread, single = (
        np.array([row[column] for row in traits], np.float32)
        for column in ("mean", "spread", "single")
    )
    products = np.array([[row[name] or 0 for name in names] for row in traits], np.float32)
    return Weights(names, mean, spread, single, products, float(last["single"]))


def write_weights(path: Path, weights: Weights) -> None:
    """Write the weights, to five digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["trait", "mean", "spread", "single", *weights.names])
    for at, name in enumerate(weights.names):
        numbers = [weights.mean[at], weights.spread[at], weights.single[at]]
        numbers += list(weights.products[at, : at + 1])
        blank = [""] * (len(weights.names) - at - 1)
        writer.writerow([name, *(f"{number:.5g}" for number in numbers), *blank])
    writer.writerow(["bias", "", "", f"{weights.bias:.5g}", *[""] * len(weights.names)])
    write_atomically(path, text.getvalue().encode())


def measured(traits: Mapping[str, Floats], weights: Weights) -> Floats:
    """The traits in spreads from the mean, (N, T)."""
    columns = np.stack([traits[name] for name in weights.names], axis=1)
    spreads = (columns - weights.mean) / weights.spread
    return np.asarray(np.clip(spreads, -FARTHEST, FARTHEST), np.float32)


def likelihoods(traits: Mapping[str, Floats], weights: Weights) -> Floats:
    """How like a mark, and unlike its page's writing, boxes of such traits are: (N,) in 0..1."""
    values = measured(traits, weights)
    logit = values @ weights.single + np.einsum("nt,nt->n", values @ weights.products, values)
    logit += weights.bias
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logit, -30.0, 30.0))), np.float32)
