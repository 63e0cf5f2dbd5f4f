"""How far a mark's vector moves when the mark is turned, magnified or shifted.

The curves of Creswell & Bharath (arXiv 1607.02748): the cosine between a mark and its transformed
self, averaged over marks.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from retrieval.evaluation.features import Features
from retrieval.progress import Report, nobody
from retrieval.vectors import Vectors

#: Degrees, magnification, and pixels of a picture of 64.
ROTATIONS = tuple(np.round(np.arange(-20, 20.25, 0.5), 1).tolist())
SCALES = tuple(np.round(np.arange(0.5, 1.525, 0.05), 2).tolist())
SHIFTS = tuple(float(shift) for shift in range(-8, 9))
#: Marks over which a curve is the mean, at 64 pixels; fewer, but 8, where pictures are larger.
MARKS = 64


@dataclass(frozen=True)
class Invariance:
    """Mean cosines at each of ROTATIONS, SCALES and SHIFTS (along rows and columns, averaged)."""

    marks: int
    rotation: tuple[float, ...]
    scale: tuple[float, ...]
    shift: tuple[float, ...]


def transformed(
    ink: Vectors, degrees: float = 0, scale: float = 1, shift: tuple[float, float] = (0, 0)
) -> Vectors:
    """Return pictures (N, S, S) turned and magnified about their middle, then shifted.

    `shift` is (right, down) in pixels of a picture of 64. Paper moves in from outside.
    """
    side = ink.shape[1]
    middle = (side - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), degrees, scale)
    matrix[:, 2] += np.multiply(shift, side / 64)
    return np.stack([cv2.warpAffine(one, matrix, (side, side)) for one in ink])


def sample_size(side: int) -> int:
    """Return how many marks of this side a curve is averaged over."""
    return max(8, MARKS * 64 * 64 // (side * side))


def invariance(
    features: Features,
    ink: Vectors,
    report: Report = nobody,
) -> Invariance:
    """Return the curves of `features` over the pictures `ink`, (N, side, side) in [0, 1]."""
    still = features.vectors(ink)
    lengths = np.linalg.norm(still, axis=1)
    total = len(ROTATIONS) + len(SCALES) + 2 * len(SHIFTS)
    done = 0

    def alike(moved: Vectors) -> float:
        nonlocal done
        vectors = features.vectors(moved)
        products = np.einsum("nd,nd->n", still, vectors)
        cosines = products / np.maximum(lengths * np.linalg.norm(vectors, axis=1), 1e-12)
        done += 1
        report(done, total)
        return float(cosines.mean())

    rotation = [alike(transformed(ink, degrees=degrees)) for degrees in ROTATIONS]
    scale = [alike(transformed(ink, scale=scale)) for scale in SCALES]
    across = np.array([alike(transformed(ink, shift=(shift, 0))) for shift in SHIFTS])
    down = np.array([alike(transformed(ink, shift=(0, shift))) for shift in SHIFTS])
    shifted: NDArray[np.float64] = (across + down) / 2
    return Invariance(len(ink), tuple(rotation), tuple(scale), tuple(shifted.tolist()))
