"""What a page looks like in 256 bits, so that the same page is known again when saved anew.

A perceptual hash by the signs of the lowest cosines (Zauner, "Implementation and Benchmarking of
Perceptual Image Hash Functions", 2010), taken not of the grey page but of its ink: of all pages of
a volume the paper, the margins and the light are alike. Two prints of one page differ in few bits
whatever the format, the size and the brightness; those of two pages in nearly half of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

#: Bits of a fingerprint, and its bytes.
BITS = 256
BYTES = BITS // 8

#: Longest side of the copy in which ink is told from paper, and the side of what is transformed.
_SIDE, _SQUARE = 256, 64
#: The rim that is left out, and how far the page is shifted to look for others: shares of a side.
_RIM, _SHIFT = 0.04, 0.01
#: Ink takes this share of the light at the least, and no more than that counts.
_FAINTEST, _DARKEST = 0.05, 0.5
#: Least size that half of the cosines have: on a page as good as blank, or with nothing but rules,
#: they are nothing or noise. On 77 real pages it is 0.015 at the least.
_LEAST = 0.005

_DOWN, _ACROSS = np.mgrid[:_SQUARE, :_SQUARE]
_LOWEST = np.argsort(_DOWN**2 + _ACROSS**2, axis=None, kind="stable")[1 : BITS + 1]

_PLACES = [(0.0, 0.0)] + [
    (across, down)
    for down in (-_SHIFT, 0.0, _SHIFT)
    for across in (-_SHIFT, 0.0, _SHIFT)
    if (across, down) != (0.0, 0.0)
]


@dataclass(frozen=True)
class Looks:
    """A page's fingerprint, and those that it would have a little shifted: to look for others."""

    fingerprint: bytes
    shifted: tuple[bytes, ...]


def looks_of(image: NDArray[np.uint8]) -> Looks | None:
    """Return what the page, (H, W, 3) uint8 RGB, looks like.

    None where it is as good as blank, or has nothing but rules: such pages all look alike.
    """
    if min(image.shape[:2]) < 16:
        return None
    ink = np.asarray(cv2.GaussianBlur(_ink(_small(image)), (0, 0), 1.6), np.float32)
    cosines = [_cosines(_square(ink, across, down)) for across, down in _PLACES]
    if float(np.median(np.abs(cosines[0]))) < _LEAST:
        return None
    prints = [np.packbits(one > 0).tobytes() for one in cosines]
    return Looks(prints[0], tuple(prints[1:]))


def _small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The green of the page, (h, w) uint8, at `_SIDE`: of old papers and inks it holds the most."""
    step = max(1, max(image.shape[:2]) // (3 * _SIDE))
    green = np.ascontiguousarray(image[::step, ::step, 1])
    scale = _SIDE / max(green.shape)
    size = (max(1, round(green.shape[1] * scale)), max(1, round(green.shape[0] * scale)))
    return np.asarray(cv2.resize(green, size, interpolation=cv2.INTER_AREA), np.uint8)


def _ink(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The share of the light that ink takes, (h, w), over what is but dirt."""
    paper = cv2.blur(
        cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((13, 13), np.uint8)), (21, 21)
    )
    light = small.astype(np.float32) / np.maximum(paper, 16)
    return np.asarray(np.clip(1 - light, _FAINTEST, _DARKEST) - _FAINTEST, np.float32)


def _square(ink: NDArray[np.float32], across: float, down: float) -> NDArray[np.float32]:
    """The ink within the rim as (64, 64), shifted by shares of the sides."""
    height, width = ink.shape
    scale = np.array([width, height]) * (1 - 2 * _RIM) / _SQUARE
    corner = np.array([width * (_RIM + across), height * (_RIM + down)]) + scale / 2 - 0.5
    back = np.array([[scale[0], 0, corner[0]], [0, scale[1], corner[1]]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(ink, back, (_SQUARE, _SQUARE), flags=flags), np.float32)


def _cosines(square: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.dct(square).ravel()[_LOWEST], np.float32)
