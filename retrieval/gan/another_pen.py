"""A crop's strokes drawn again with another pen: what a sketch of an ink mark looks like.

Augmentation moves and thickens what is on the paper; a person who sketches keeps its lines alone.
The crop is thinned to its skeleton, and the skeleton is inked with a clean pen of any width.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

#: Ink from this darkness on is stroke; the paper's texture is fainter.
STROKE = 96
#: Widths of the new pen as shares of the picture's side.
THINNEST, THICKEST = 1 / 64, 1 / 12
#: Strokes broader than twice this share of the side are shapes, whose skeleton says little.
_DEEPEST = 1 / 10

#: Of a pixel's neighbours in the code of its neighbourhood: clockwise, north first.
_WEIGHTS = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.float32)


def _deletable(turn: int) -> NDArray[np.bool_]:
    """Return for each of the 256 neighbourhoods whether a pass of Zhang & Suen takes the middle.

    Their second pass is the first one turned by half: `turn` is 0 or 4 eighths.
    """
    table = np.zeros(256, bool)
    for code in range(256):
        around = [bool(code >> (bit + turn) % 8 & 1) for bit in range(8)]
        north, east, south, west = around[::2]
        rises = sum(not around[i] and around[(i + 1) % 8] for i in range(8))
        bare = not (north and east and south) and not (east and south and west)
        table[code] = 2 <= sum(around) <= 6 and rises == 1 and bare
    return table


_PASSES = _deletable(0), _deletable(4)


def skeletons(strokes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return pictures (N, S, S) thinned to lines of one pixel (Zhang & Suen 1984)."""
    count, side, _ = strokes.shape
    # One tall picture with bare paper between: a pass is then a single filter.
    tall = np.zeros((count, side + 2, side + 2), np.uint8)
    tall[:, 1:-1, 1:-1] = strokes
    tall = tall.reshape(-1, side + 2)
    for _ in range(round(side * _DEEPEST)):
        before = int(tall.sum())
        for table in _PASSES:
            code = cv2.filter2D(tall, cv2.CV_32F, _WEIGHTS, borderType=cv2.BORDER_CONSTANT)
            tall[(tall > 0) & table[code.astype(np.uint8)]] = 0
        if int(tall.sum()) == before:
            break
    return tall.reshape(count, side + 2, side + 2)[:, 1:-1, 1:-1] > 0


def drawn_again(pictures: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return pictures of ink, (N, S, S) uint8 with 255 = ink, drawn with other pens."""
    side = pictures.shape[1]
    lines = skeletons(pictures > STROKE)
    widths = side * np.exp(rng.uniform(np.log(THINNEST), np.log(THICKEST), len(pictures)))
    inked = np.empty_like(pictures)
    for line, width, target in zip(lines, widths, inked, strict=True):
        away = cv2.distanceTransform((~line).astype(np.uint8), cv2.DIST_L2, 3)
        # Half a pixel of grey at the edge, as a pen's line has when it is scanned.
        target[:] = np.round(255 * np.clip(width / 2 + 0.5 - away, 0, 1))
        if not line.any():
            target[:] = 0
    return inked
