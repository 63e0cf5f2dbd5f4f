"""Realism: how much a proposal looks like what people confirmed in this archive.

The segmenter knows what marks look like anywhere, by their strokes. What they look like here,
people say with each mark that they confirm and each proposal that they reject. A linear head on the
discriminator's features learns it (as Radford, Metz & Chintala 2016, arXiv 1511.06434, put a
DCGAN's discriminator to use), on top of the segmenter's score s:

    logit(realism) = logit(s) + w . embedding + b

It is a logistic regression with an offset and a ridge on w. What nobody judged counts as no mark,
and less than what was rejected: where some marks are known and all else is not, the order that a
classifier gives stays right (Elkan & Noto 2008, KDD, 213-220). Only its scale does not, so that b
is set for as many proposals to be worth a look as before: others, not more.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits

from retrieval.vectors import Vectors

#: Fewer confirmed marks say too little.
LEAST_CONFIRMED: Final = 5
#: What an unjudged proposal weighs beside a confirmed or rejected one, and the ridge on the weights
#: of embeddings of length 1. Chosen on scans and synthetic pages: docs/decisions/0015.
UNJUDGED, RIDGE = 0.3, 0.25

_SURE = 1e-4  # scores are taken to be no nearer to 0 and 1
_STEPS = 200  # of L-BFGS at the most; it stops by itself after some ten

Verdicts = NDArray[np.int8]  # 1 confirmed, -1 rejected, 0 nobody has said


def logits(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the log odds of scores in [0, 1]: 0 of one half."""
    sure = np.clip(np.asarray(scores, np.float64), _SURE, 1 - _SURE)
    return np.asarray(np.log(sure / (1 - sure)))


def fit_realism(
    vectors: Vectors, scores: NDArray[np.floating], verdicts: Verdicts
) -> NDArray[np.float64]:
    """Return the weights w, (D,), of an archive's marks by their embeddings (N, D), L2-normalised.

    `scores` (N,) are the segmenter's, in [0, 1]; NaN of what it did not find, which says nothing
    for or against a mark. Nothing is learned, w = 0, where all are confirmed or none is.
    """
    offset = torch.from_numpy(np.where(np.isnan(scores), 0.0, logits(np.nan_to_num(scores))))
    embeddings = torch.from_numpy(np.asarray(vectors, np.float64))
    confirmed = torch.from_numpy((verdicts == 1).astype(np.float64))
    weighed = torch.from_numpy(np.where(verdicts == 0, UNJUDGED, 1.0))
    weights = torch.zeros(embeddings.shape[1], dtype=torch.float64, requires_grad=True)
    if len(set(confirmed.tolist())) < 2:
        return np.asarray(weights.detach().numpy())
    bias = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        said = offset + embeddings @ weights + bias
        errors = binary_cross_entropy_with_logits(said, confirmed, weighed, reduction="sum")
        total = errors + RIDGE * weights.square().sum()
        total.backward()
        return total

    optimiser.step(loss)
    return np.asarray(weights.detach().numpy())


def realism(
    scores: NDArray[np.floating], likeness: NDArray[np.floating], likely: float
) -> NDArray[np.float64]:
    """Return the realism of proposals, (N,) in [0, 1], from their scores and w . embedding, (N,).

    As many reach `likely` as do by their scores, but for equal ones.
    """
    threshold = float(logits(np.array(likely)))
    before = logits(scores) - threshold
    after = before + likeness
    said = after - _level(after, before) + threshold
    return np.asarray(1 / (1 + np.exp(-said)))


def _level(after: NDArray[np.float64], before: NDArray[np.float64]) -> float:
    """Return the level that as many of `after` reach as of `before` reach 0."""
    number = int(np.sum(before >= 0))
    if not len(after):
        return 0.0
    falling = -np.sort(-after)
    if number == 0:  # the best is as far below as the best was
        return float(falling[0] - before.max())
    if number == len(after):
        return float(falling[-1] - before.min())
    return float(falling[number - 1] + falling[number]) / 2
