"""Paper and ink: what the sheet looks like without writing, and which pixels are ink."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from retrieval.ink import Pixels

Floats = npt.NDArray[np.float32]


def sauvola_threshold(grey: Pixels | Floats, window: int, k: float = 0.2) -> Floats:
    """Threshold surface of Sauvola & Pietikäinen (2000), "Adaptive document image binarization".

    `grey` is (H, W) in 0..255, `window` the odd side of the neighbourhood in pixels. Ink is where
    `grey <= threshold`. T = m (1 + k (s / 128 - 1)) with the local mean m and deviation s, both
    from box filters, so the cost does not depend on the window.
    """
    if window % 2 == 0 or window < 3:
        raise ValueError(f"the Sauvola window must be odd and at least 3, not {window}")
    size = (window, window)
    mean = cv2.boxFilter(grey, cv2.CV_32F, size, borderType=cv2.BORDER_REFLECT_101)
    square = cv2.sqrBoxFilter(grey, cv2.CV_32F, size, borderType=cv2.BORDER_REFLECT_101)
    # In place: a 12-megapixel page costs 48 MB for each float plane.
    np.multiply(mean, mean, out=(variance := np.empty_like(mean)))
    np.subtract(square, variance, out=square)
    np.maximum(square, 0.0, out=square)
    deviation = np.sqrt(square, out=square)
    deviation *= k / 128.0
    deviation += 1.0 - k
    mean *= deviation
    return np.asarray(mean, dtype=np.float32)


def paper_colour(image: Pixels, reach: int) -> Pixels:
    """The sheet as it would look unwritten: (H, W, C) or (H, W) uint8, as given.

    Dark things narrower than `reach` pixels are closed over (grey-scale closing), broad ones (a
    scanner's bed, the shadow of a gutter, a stain) stay, because they are not ink. Worked out at an
    eighth of the size: paper changes slowly.
    """
    height, width = image.shape[:2]
    small_size = (max(1, width // 8), max(1, height // 8))
    small = cv2.resize(image, small_size, interpolation=cv2.INTER_AREA)
    side = max(3, reach // 8) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, disc, borderType=cv2.BORDER_REPLICATE)
    closed = cv2.medianBlur(closed, 5)
    return np.asarray(
        cv2.resize(closed, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8
    ).reshape(image.shape)


def optical_density(image: Pixels, paper: Pixels) -> Floats:
    """How much light the ink took from the paper, for each channel: -log(image / paper), >= 0.

    Ink laid on thicker or thinner moves along a ray from the origin whose direction is the ink's
    colour (Beer-Lambert; the colour deconvolution of Ruifrok & Johnston 2001), so two inks can be
    told apart however faint they are.
    """
    # Logarithms by table: the values are bytes. 8 keeps the noise of near-black pixels down.
    logarithms = np.log(np.maximum(np.arange(256, dtype=np.float32), 8.0)).astype(np.float32)
    density = logarithms[paper]
    density -= logarithms[image]
    np.maximum(density, 0.0, out=density)
    return density
