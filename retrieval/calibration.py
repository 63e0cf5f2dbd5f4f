"""Honest scores: how often do unrelated marks look this alike?

A cosine of 0.8 means one thing under one model and another under the next. What a person can use
is the share of unrelated marks that score as high.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Gives how alike marks are, (P,), in pairs: what the first of each scores against the second, by
#: their rows (P,) and (P,).
Alike = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float32]]

#: Pairs that are drawn at random. Of an archive that has no more, every pair is taken once.
PAIRS = 200_000
#: The tail is fitted between these quantiles of random pairs. Above the upper one an archive's own
#: repeats begin to count, and they are not unrelated.
BODY, TAIL = 0.90, 0.98
#: Unrelated pairs fall by nearly one power from the middle on. Where the power falls to less than
#: this share of what it is between lower quantiles, repeats reach down into the tail, and it is
#: fitted between the lower ones.
FLATTENED = 0.7
LOWER_BODY, LOWER_TAIL = 0.60, 0.80
#: Where it is known that many pairs may be repeats, the tail is fitted between these.
BELOW_BODY, BELOW_TAIL = 0.80, 0.90
#: No archive is large enough to support a rarer claim.
RAREST = 1e-6
#: Fewer marks than this make fewer than 100 pairs, which say nothing of what is rare.
FEWEST = 11
_AT_ONCE = 20_000
_STEPS = 200  # from no pairs to all


@dataclass(frozen=True)
class Calibration:
    """Pairs' cosines: quantiles 0, 1/200 ... up to where a tail begins that ends at 1."""

    quantiles: tuple[float, ...]
    power: float  # of the tail: the share falls as (1 - cosine) ** power
    pairs: int  # that there are to estimate from; 0 where they are too few to tell anything

    @property
    def _body(self) -> float:
        """The share of pairs that are not in the tail."""
        return (len(self.quantiles) - 1) / _STEPS

    @property
    def says_nothing(self) -> bool:
        """Whether there were too few marks: every score is said to be common."""
        return not self.pairs

    def unrelated(self, cosines: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the shares of unrelated marks that are at least this alike, in [RAREST, 1].

        The pair that is asked about is counted among those that are so alike, so that few pairs
        make no rare claim (Phipson & Smyth 2010). `benchmarks/claims.py` says how true the claims
        are.
        """
        estimated = self.estimated(cosines)
        return np.maximum((1 + self.pairs * estimated) / (1 + self.pairs), RAREST)

    def estimated(self, cosines: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the shares of pairs that are at least this alike, as estimated, in [0, 1].

        Beyond the body the tail is a generalised Pareto that ends at a cosine of 1 (Pickands
        1975), fitted where pairs are still common.
        """
        body = self.quantiles[-1]
        steps = np.linspace(0, self._body, len(self.quantiles))
        shares = 1 - np.interp(cosines, self.quantiles, steps)
        if 1 - body < 1e-6:  # so many are the same picture that there is no tail
            return np.where(cosines >= body, 1 - self._body, shares)
        left = np.clip((1 - cosines) / (1 - body), 0, 1)
        return np.where(cosines >= body, (1 - self._body) * left**self.power, shares)

    def cosine(self, share: float) -> float:
        """Return the cosine that `share` of the pairs reach, as estimated, for one in (0, 0.1]."""
        left = (share / (1 - self._body)) ** (1 / self.power)
        return float(1 - max(1 - self.quantiles[-1], 1e-6) * left)


#: What is known of fewer than `FEWEST` marks.
_NOTHING = Calibration((1.0,) * (round(BODY * _STEPS) + 1), 1.0, 0)


def calibrate(vectors: NDArray[np.float32]) -> Calibration:
    """Return the calibration of the cosines between embeddings, (N, D) L2-normalised."""
    return calibrate_pairs(by_cosine(vectors), np.arange(len(vectors)))


def by_cosine(vectors: NDArray[np.float32]) -> Alike:
    """Return what says how alike marks are by their embeddings, (N, D) L2-normalised."""
    return lambda one, other: np.einsum("nd,nd->n", vectors[one], vectors[other])


def calibrate_pairs(alike: Alike, rows: NDArray[np.int64]) -> Calibration:
    """Return the calibration of what `alike` says of pairs among N marks, by their `rows` (N,).

    Of fewer than `FEWEST` marks nothing is known, and every score is said to be common.
    """
    if len(rows) < FEWEST:
        return _NOTHING
    cosines = _of_pairs(alike, rows)
    power, lower = _power(cosines, BODY, TAIL), _power(cosines, LOWER_BODY, LOWER_TAIL)
    if min(power, _power(cosines, LOWER_TAIL, BODY)) < FLATTENED * lower:
        return _fitted(cosines, LOWER_TAIL, lower, len(rows))
    return _fitted(cosines, BODY, power, len(rows))


def calibrate_below_repeats(vectors: NDArray[np.float32]) -> Calibration:
    """Return the calibration of embeddings, (N, D) L2-normalised, of which many may be repeats.

    The tail is fitted where a tenth of the pairs may be repeats and hardly bend it. A person is
    told of `calibrate`, which errs on the side of caution; this one says how many of an archive's
    like pairs are strangers, where caution would find no repeats among many.
    """
    if len(vectors) < FEWEST:
        return _NOTHING
    cosines = _of_pairs(by_cosine(vectors), np.arange(len(vectors)))
    return _fitted(cosines, BELOW_BODY, _power(cosines, BELOW_BODY, BELOW_TAIL), len(vectors))


def _of_pairs(alike: Alike, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return what `alike` says of all pairs among marks, by their `rows`, or of many at random."""
    pairs = len(rows) * (len(rows) - 1)
    one, other = _every_pair(len(rows)) if pairs <= PAIRS else _random_pairs(len(rows))
    return np.concatenate(
        [
            alike(rows[one[start : start + _AT_ONCE]], rows[other[start : start + _AT_ONCE]])
            for start in range(0, len(one), _AT_ONCE)
        ]
    )


def _fitted(cosines: NDArray[np.float32], body: float, power: float, marks: int) -> Calibration:
    """Return the calibration of `cosines` whose tail begins at the quantile `body`."""
    quantiles = np.quantile(cosines, np.linspace(0, body, round(body * _STEPS) + 1))
    known = tuple(round(float(quantile), 6) for quantile in quantiles)
    return Calibration(known, round(power, 6), marks * (marks - 1))


def _power(cosines: NDArray[np.float32], body: float, tail: float) -> float:
    """Return by what power of 1 - cosine the share of pairs falls between two quantiles."""
    first, last = 1 - np.quantile(cosines, [body, tail])
    spread = math.log(max(first, 1e-6) / max(last, 1e-6))
    return math.log((1 - body) / (1 - tail)) / max(spread, 1e-3)


def _every_pair(count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each of `count` marks with each other one, (count * (count - 1),) and the same."""
    one, other = np.nonzero(~np.eye(count, dtype=bool))
    return one, other


def _random_pairs(count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return marks at random, (`PAIRS`,), each with another one."""
    rng = np.random.default_rng(0)
    one = rng.integers(0, count, PAIRS)
    return one, (one + rng.integers(1, count, PAIRS)) % count
