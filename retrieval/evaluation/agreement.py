"""How well groups agree with labels: counted over pairs of marks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Agreement:
    """Pairs of labelled marks: in one group, of one label, and both."""

    marks: int
    proposed: int
    relevant: int
    right: int

    @property
    def precision(self) -> float | None:
        """Of the pairs in one group, the share of one label; None where no pair was proposed."""
        return self.right / self.proposed if self.proposed else None

    @property
    def recall(self) -> float:
        """Of the pairs of one label, the share in one group; 1 where there is none."""
        return self.right / self.relevant if self.relevant else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        both = self.proposed + self.relevant
        return 2 * self.right / both if both else 1.0

    @property
    def adjusted_rand(self) -> float:
        """The Rand index less what chance gives (Hubert & Arabie 1985): 1 is perfect, 0 chance."""
        every = _pairs(self.marks)
        chance = self.proposed * self.relevant / every if every else 0.0
        most = (self.proposed + self.relevant) / 2
        return (self.right - chance) / (most - chance) if most != chance else 1.0


def agreement(groups: NDArray[np.int64], labels: NDArray[np.int64]) -> Agreement:
    """Return how well groups and labels agree, each (N,) with one number a mark."""
    both = np.stack([groups, labels], axis=1)
    _, joint = np.unique(both, axis=0, return_counts=True)
    _, grouped = np.unique(groups, return_counts=True)
    _, labelled = np.unique(labels, return_counts=True)
    return Agreement(
        len(groups),
        int(sum(map(_pairs, grouped.tolist()))),
        int(sum(map(_pairs, labelled.tolist()))),
        int(sum(map(_pairs, joint.tolist()))),
    )


def _pairs(number: int) -> int:
    return number * (number - 1) // 2
