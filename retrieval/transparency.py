"""Pictures with transparency: on which ground what is drawn lies, white paper or dark."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

#: What is drawn is light from this share of white on, by its mean where it is visible.
_LIGHT = 0.9
#: Strokes leave at least this share of the box around them clear; what was cut out of a sheet not.
_LEAST_CLEAR = 0.5
#: Grey levels from here on are white paper to whatever looks for ink (`retrieval.ink`).
_AS_WHITE = 252


def on_white(
    colours: NDArray[np.uint8], alpha: NDArray[np.uint8], *, premultiplied: bool = False
) -> NDArray[np.uint8]:
    """Lay colours, (H, W, 3) RGB, of opacity `alpha`, (H, W), on white paper: (H, W, 3).

    Strokes that are light, nearly all of them, were drawn on something dark and would be lost: they
    are laid on black, and that is turned into its negative.
    """
    cover = alpha[..., None].astype(np.uint32)
    ink = colours * (np.uint32(255) if premultiplied else cover)
    laid = np.asarray(((ink + (255 - cover) * 255 + 127) // 255).clip(0, 255), np.uint8)
    if not _lies_on_dark(ink, laid, alpha):
        return laid
    on_black = ((ink + 127) // 255).clip(0, 255).astype(np.uint8)
    grey = np.asarray(cv2.cvtColor(on_black, cv2.COLOR_RGB2GRAY), np.uint8)
    return np.repeat(255 - grey[..., None], 3, axis=2)


def _lies_on_dark(
    ink: NDArray[np.uint32], laid: NDArray[np.uint8], alpha: NDArray[np.uint8]
) -> bool:
    """Return whether what is drawn is light strokes on nothing, or would be nothing on white.

    `ink` is what each pixel gives of its colours, (H, W, 3), up to 255 * 255; `laid` is that on
    white.
    """
    if alpha.min() == alpha.max():
        return False
    if laid.min() >= _AS_WHITE:
        return True
    visible = alpha.sum(dtype=np.int64)
    if ink.sum(dtype=np.int64) < _LIGHT * 3 * 255 * visible:
        return False
    down, across = (np.flatnonzero(alpha.any(axis=axis)) for axis in (1, 0))
    box = (down[-1] - down[0] + 1) * (across[-1] - across[0] + 1)
    return bool(visible <= (1 - _LEAST_CLEAR) * 255 * box)
