"""Local features: pictures matched point by point and verified by geometry, as VISE does."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from retrieval.vectors import Vectors

SIDE = 128
KEYPOINTS = 128  # strongest kept a picture
#: Looser than for photographs: strokes have little contrast of texture, and a hand is no camera.
_CONTRAST, _RATIO = 0.02, 0.95
_TOLERANCE = 10.0  # pixels of a picture of SIDE
_FEWEST = 3
_SCALES = 0.5, 2.0  # that a transform may have: RANSAC likes to shrink everything to one point

#: Places (K, 2) float32 and descriptors (K, 128) uint8 of a picture's keypoints.
Keypoints = tuple[NDArray[np.float32], NDArray[np.uint8]]


def sift_keypoints(ink: Vectors) -> list[Any]:
    """Return each picture's SIFT keypoints (Lowe 2004)."""
    detector = cv2.SIFT_create(nfeatures=KEYPOINTS, contrastThreshold=_CONTRAST)  # type: ignore[attr-defined]
    described: list[Any] = []
    for one in ink:
        picture = np.round((1 - one) * 255).astype(np.uint8)
        points, descriptors = detector.detectAndCompute(picture, None)
        if descriptors is None:
            described.append((np.zeros((0, 2), np.float32), np.zeros((0, 128), np.uint8)))
            continue
        places = np.array([point.pt for point in points[:KEYPOINTS]], np.float32)
        described.append((places, descriptors[:KEYPOINTS].astype(np.uint8)))
    return described


def verified_matches(query: Keypoints, other: Keypoints) -> float:
    """Return how many keypoints of two pictures agree on one similarity transform.

    Mutually nearest descriptors that pass Lowe's ratio test, then RANSAC (Fischler & Bolles 1981).
    Matches that fail the geometry count a thousandth: they order what it leaves equal.
    """
    if len(query[0]) < 2 or len(other[0]) < 2:
        return 0.0
    first, second = query[1].astype(np.float32), other[1].astype(np.float32)
    squares = np.square(first).sum(1)[:, None] + np.square(second).sum(1) - 2 * first @ second.T
    two = np.partition(squares, 1, axis=1)[:, :2]
    best = squares.argmin(axis=1)
    mutual = squares.argmin(axis=0)[best] == np.arange(len(first))
    kept = mutual & (two[:, 0] < _RATIO**2 * two[:, 1])
    matches = int(kept.sum())
    if matches < _FEWEST:
        return matches / 1000
    transform, inliers = cv2.estimateAffinePartial2D(
        query[0][kept], other[0][best[kept]], method=cv2.RANSAC, ransacReprojThreshold=_TOLERANCE
    )
    if transform is None or not _SCALES[0] < np.hypot(*transform[:, 0]) < _SCALES[1]:
        return matches / 1000
    agreed = int(inliers.sum())
    return (agreed if agreed >= _FEWEST else 0) + matches / 1000
