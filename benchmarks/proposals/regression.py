"""Fits the regression that scores a box by its traits: `ingest/trait_weights.csv`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from proposals.boxes import IS_MARK, Boxed, Values, by_name

from ingest.trait_weights import Weights, likelihoods, measured

#: A box that overlaps a mark by this much is partly right, and counts less among the others.
_PARTLY, _PARTLY_WEIGHT = 0.2, 0.25
#: Weight of a page's other boxes together, where each mark weighs 1.
_OTHERS = 20.0
#: Share of it that goes to the boxes which a first fit took for marks.
_HARD = 0.5
#: Other boxes that a page gives at most, drawn by their weight.
_SAMPLE = 100
_RIDGE = 0.03


def labelled(example: Boxed, scores: Values | None) -> tuple[NDArray[np.bool_], Values]:
    """Which boxes are marks, (N,), and how much each box weighs; 0 for what is not known."""
    best = example.overlaps.max(axis=0, initial=0.0)
    marks = best >= IS_MARK
    weight = np.where(best > _PARTLY, _PARTLY_WEIGHT, 1.0).astype(np.float32)
    weight[example.unknown | marks] = 0.0
    weight *= _OTHERS / max(float(weight.sum()), 1.0)
    if scores is not None:
        hard = weight * scores
        weight = (1 - _HARD) * weight + hard * (_HARD * _OTHERS / max(float(hard.sum()), 1e-6))
    for overlap in example.overlaps:
        fits = overlap >= IS_MARK
        if fits.any():
            share = overlap[fits] - (IS_MARK - 0.1)
            weight[fits] = share / share.sum()
    return marks, weight


def logistic(values: Values, marks: NDArray[np.bool_], weight: Values) -> NDArray[np.float64]:
    """Ridge-penalised weighted logistic regression by Newton's method: weights, then the bias."""
    mean = weight @ values / weight.sum()
    spread = np.sqrt(weight @ np.square(values - mean) / weight.sum()) + 1e-6
    scaled = np.column_stack([(values - mean) / spread, np.ones(len(values), np.float32)])
    penalty = np.full(scaled.shape[1], _RIDGE)
    penalty[-1] = 0.0
    found = np.zeros(scaled.shape[1])
    share = weight / weight.sum()
    for _ in range(25):
        chance = 1.0 / (1.0 + np.exp(-np.clip(scaled @ found, -30, 30)))
        slope = scaled.T @ (share * (chance - marks)) + penalty * found
        curve = np.asarray(share * chance * (1 - chance), np.float32)
        bend = (scaled * curve[:, None]).T @ scaled + np.diag(penalty)
        step = np.linalg.solve(bend, slope)
        found -= step
        if np.abs(step).max() < 1e-4:
            break
    plain = found[:-1] / spread
    return np.append(plain, found[-1] - plain @ mean)


def measures(examples: Sequence[Boxed]) -> Weights:
    """Mean and spread of the traits, as the first labels weigh them; no weights yet."""
    traits = np.concatenate([example.traits for example in examples])
    weight = np.concatenate([labelled(example, None)[1] for example in examples])
    mean = np.average(traits, axis=0, weights=weight)
    spread = np.sqrt(np.average(np.square(traits - mean), axis=0, weights=weight)) + 1e-6
    names = examples[0].names
    nothing = np.zeros(len(names), np.float32)
    return Weights(
        names,
        np.asarray(mean, np.float32),
        np.asarray(spread, np.float32),
        nothing,
        np.zeros((len(names), len(names)), np.float32),
        0.0,
    )


def fit(examples: Sequence[Boxed]) -> Weights:
    """Fit twice, the second time with an eye on what the first took for marks; set the bias."""
    rng = np.random.default_rng(0)
    weights = measures(examples)
    rows, columns = np.tril_indices(len(weights.names))
    for turn in range(2):
        values, marks, weight = [], [], []
        for example in examples:
            scores = likelihoods(by_name(example), weights) if turn else None
            is_mark, heavy = labelled(example, scores)
            other = ~is_mark & (heavy > 0)
            chance = np.where(other, np.minimum(1.0, _SAMPLE / _OTHERS * heavy), heavy > 0)
            kept = rng.random(len(heavy)) < chance
            plain = measured(by_name(example), weights)[kept]
            values.append(np.column_stack([plain, plain[:, rows] * plain[:, columns]]))
            marks.append(is_mark[kept])
            weight.append((heavy[kept] / chance[kept]).astype(np.float32))
        found = logistic(np.concatenate(values), np.concatenate(marks), np.concatenate(weight))
        single, pairs, bias = np.split(found, [len(weights.names), len(found) - 1])
        products = np.zeros((len(weights.names),) * 2, np.float32)
        products[rows, columns] = pairs
        weights = replace(
            weights,
            single=np.asarray(single, np.float32),
            products=products,
            bias=float(bias[0]),
        )
    return weights
