"""The eight ways in which a mark can be held: four quarter turns, each also of its mirror image.

Marks that differ by a turn or a mirroring can be two owners', so a search holds a query as it is
unless it is asked to hold it in other ways as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

QUARTERS = (0, 90, 180, 270)


@dataclass(frozen=True, order=True)
class Orientation:
    """Mirrored, left for right, or not; and after that turned clockwise by so many degrees."""

    mirrored: bool = False
    turned: int = 0  # one of QUARTERS

    def then(self, after: Orientation) -> Orientation:
        """Return what comes of holding a picture this way, and the outcome as `after` says."""
        before = -self.turned if after.mirrored else self.turned
        return Orientation(self.mirrored != after.mirrored, (before + after.turned) % 360)


UPRIGHT = Orientation()


def orientations(*, turned: bool = False, mirrored: bool = False) -> tuple[Orientation, ...]:
    """Return the ways to hold a query, upright first: in its turns, and mirrored, if wanted.

    Any two of them, one after the other, are again one of them.
    """
    return tuple(
        Orientation(mirror, degrees)
        for mirror in ((False, True) if mirrored else (False,))
        for degrees in (QUARTERS if turned else (0,))
    )


def turned(pictures: NDArray[Any], way: Orientation) -> NDArray[Any]:
    """Return a view of pictures (..., S, S) held in one way."""
    seen = pictures[..., ::-1] if way.mirrored else pictures
    return np.rot90(seen, -(way.turned // 90), axes=(-2, -1))


def held(pictures: NDArray[np.float32], ways: Sequence[Orientation]) -> NDArray[np.float32]:
    """Return normalised pictures (N, 1, S, S) in each of W ways: (N, W, 1, S, S), C-contiguous."""
    return np.stack([turned(pictures, way) for way in ways], axis=1)
