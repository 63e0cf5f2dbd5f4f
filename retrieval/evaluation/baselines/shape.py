"""Shape descriptors from before there were learned features: contours and moments."""

from __future__ import annotations

from functools import cache
from math import factorial

import cv2
import numpy as np
from numpy.typing import NDArray

from retrieval.ink import MARGIN
from retrieval.vectors import Vectors

_POINTS, _HARMONICS = 256, 16
_ORDER = 12


def fourier_descriptors(ink: Vectors) -> Vectors:
    """Return the outer contour's Fourier descriptors (Granlund 1972), (N, 31).

    The magnitudes of harmonics -16 to 16 but 0 and 1, over that of harmonic 1: blind to place,
    size, turn and starting point. Of several pieces of ink the one with the longest contour
    speaks for the mark: a contour has no word for the rest.
    """
    harmonics = [k for k in range(-_HARMONICS, _HARMONICS + 1) if k not in (0, 1)]
    found = np.zeros((len(ink), len(harmonics)), np.float32)
    for one, row in zip(ink, found, strict=True):
        outline = _outline(one)
        if outline is None:
            continue
        spectrum = np.abs(np.fft.fft(outline))
        # A contour runs one way round: the stronger of +1 and -1 is its circle.
        if spectrum[-1] > spectrum[1]:
            spectrum = np.abs(np.fft.fft(outline[::-1]))
        row[:] = spectrum[harmonics] / max(float(spectrum[1]), 1e-9)
    return found


def _outline(one: NDArray[np.float32]) -> NDArray[np.complex128] | None:
    """Return the longest outer contour as points of equal spacing; None where there is no ink."""
    drawn = (one > 0.3).astype(np.uint8)
    contours, _ = cv2.findContours(drawn, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    longest = max(contours, key=len).reshape(-1, 2).astype(np.float64)
    points = longest[:, 0] + 1j * longest[:, 1]
    closed = np.append(points, points[0])
    along = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(closed)))])
    if along[-1] <= 0:
        return None
    at = np.linspace(0, along[-1], _POINTS, endpoint=False)
    return np.asarray(np.interp(at, along, closed), np.complex128)


def zernike_moments(ink: Vectors) -> Vectors:
    """Return the magnitudes of the Zernike moments to order 12 (Khotanzad & Hong 1990), (N, 48).

    Over the disk that holds the ink, as shares of the ink's amount: blind to turns.
    """
    count, side, _ = ink.shape
    basis = _zernike_basis(side)
    flat = ink.reshape(count, -1)
    moments = np.hypot(flat @ basis.real, flat @ basis.imag)
    return np.asarray(moments[:, 1:] / np.maximum(moments[:, :1], 1e-9), np.float32)


@cache
def _zernike_basis(side: int) -> NDArray[np.complex64]:
    """Return the conjugate polynomials V*(n, m), m >= 0, on a square's pixels, (side², P)."""
    away = np.arange(side) - (side - 1) / 2
    radius = (0.5 - MARGIN) * np.sqrt(2) * side  # the corners of the ink's box lie on the circle
    rho = np.hypot(away[:, None], away[None]) / radius
    theta = np.arctan2(away[:, None], away[None])
    columns = []
    for n in range(_ORDER + 1):
        for m in range(n % 2, n + 1, 2):
            radial = sum(
                (-1) ** s
                * factorial(n - s)
                / (factorial(s) * factorial((n + m) // 2 - s) * factorial((n - m) // 2 - s))
                * rho ** (n - 2 * s)
                for s in range((n - m) // 2 + 1)
            )
            columns.append((n + 1) / np.pi * radial * np.exp(-1j * m * theta) * (rho <= 1))
    return np.stack([column.ravel() for column in columns], axis=1).astype(np.complex64)
