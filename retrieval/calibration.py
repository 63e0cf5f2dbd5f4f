"""Honest scores: how often do unrelated marks look this alike?

A cosine of 0.8 means one thing under one model and another under the next. What a person can use
is the share of unrelated marks that score as high.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Pairs that are drawn at random. Of an archive that has no more, every pair is taken once.
PAIRS = 200_000
#: The tail is fitted between these quantiles of random pairs. Above the upper one an archive's own
#: repeats begin to count, and they are not unrelated.
BODY, TAIL = 0.90, 0.98
#: No archive is large enough to support a rarer claim.
RAREST = 1e-6
#: Fewer marks than this say nothing of what is rare: of unrelated drawings, of which 8 make an
#: archive, 1 in 90 was said to be 1 in 1,000, and of 2 every second one to be 1 in 1,000,000.
FEWEST = 10
#: A claim may be so many times rarer than one of the pairs that it is estimated from. Of 10 to 40
#: drawings the rarest claim then stands for 3 to 5 times as many; unbounded, for hundreds.
BEYOND = 10


@dataclass(frozen=True)
class Calibration:
    """Pairs' cosines: quantiles 0, 1/200 ... up to `BODY`, then a tail that ends at 1."""

    quantiles: tuple[float, ...]
    power: float  # of the tail: the share falls as (1 - cosine) ** power
    rarest: float  # share that is claimed, at the least

    @property
    def says_nothing(self) -> bool:
        """Whether there were too few marks: every score is said to be common."""
        return self.rarest >= 1

    def unrelated(self, cosines: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the shares of unrelated marks that are at least this alike, in [rarest, 1].

        Beyond the body the tail is a generalised Pareto that ends at a cosine of 1 (Pickands
        1975), fitted where pairs are still common. On 4,840 drawings with known owners a claim of
        1e-3 was true, 1e-4 stood for 1.7e-4, and 1e-5 for 4e-5.
        """
        body = self.quantiles[-1]
        shares = 1 - np.interp(cosines, self.quantiles, np.linspace(0, BODY, len(self.quantiles)))
        left = np.clip((1 - cosines) / max(1 - body, 1e-6), 0, 1)
        tail = (1 - BODY) * left**self.power
        return np.maximum(np.where(cosines >= body, tail, shares), self.rarest)

    def cosine(self, share: float) -> float:
        """Return the cosine that `share` of unrelated marks reach, for a share in (0, 0.1].

        The inverse of `unrelated`, within the tail.
        """
        left = (share / (1 - BODY)) ** (1 / self.power)
        return float(1 - max(1 - self.quantiles[-1], 1e-6) * left)


def calibrate(
    vectors: NDArray[np.float32],
    found_by: Sequence[NDArray[np.float32]] = (),
) -> Calibration:
    """Return the calibration of an archive from its embeddings (N, D), from pairs of them.

    `found_by` are the vectors, (N, D) each, by the most alike of which a mark is found; without
    any, by its embedding. With fewer than `FEWEST` embeddings nothing is known, and every score is
    said to be common.
    """
    steps = round(BODY * 200) + 1
    if len(vectors) < FEWEST:
        return Calibration((1.0,) * steps, 1.0, 1.0)
    if len(vectors) * (len(vectors) - 1) <= PAIRS:
        cosines = _every_pair(vectors, found_by or [vectors])
    else:
        cosines = _random_pairs(vectors, found_by or [vectors])
    body, tail = np.quantile(cosines, [BODY, TAIL])
    spread = math.log(max(1 - body, 1e-6) / max(1 - tail, 1e-6))
    power = math.log((1 - BODY) / (1 - TAIL)) / max(spread, 1e-3)
    quantiles = np.quantile(cosines, np.linspace(0, BODY, steps))
    pairs = len(vectors) * (len(vectors) - 1) // 2
    rarest = max(1 / (BEYOND * pairs), RAREST)
    return Calibration(tuple(round(float(q), 6) for q in quantiles), round(power, 6), rarest)


def _every_pair(
    vectors: NDArray[np.float32], found_by: Sequence[NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Return how alike each of N marks is to each other one that it finds, (N * (N - 1),)."""
    alike = np.max([vectors @ found.T for found in found_by], axis=0)
    return np.asarray(alike[~np.eye(len(vectors), dtype=bool)], np.float32)


def _random_pairs(
    vectors: NDArray[np.float32], found_by: Sequence[NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Return the same of random pairs, (`PAIRS`,)."""
    rng = np.random.default_rng(0)
    first = rng.integers(0, len(vectors), PAIRS)
    second = (first + rng.integers(1, len(vectors), PAIRS)) % len(vectors)
    cosines = np.full(PAIRS, -1.0, np.float32)
    for found in found_by:
        for start in range(0, PAIRS, 20_000):
            part = slice(start, start + 20_000)
            alike = np.einsum("nd,nd->n", vectors[first[part]], found[second[part]])
            cosines[part] = np.maximum(cosines[part], alike)
    return cosines
