"""Old paper under a camera: its colour, chain lines, stains, folds, the table it lies on.

A sheet is made as shade: a float32 map in which 1 is clean paper and less is darker. Low
frequencies are drawn small and enlarged, which costs little and looks the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

Shade = NDArray[np.float32]

#: Sides of the coarse map on which stains and light are drawn, as a share of the page.
_COARSE = 1 / 8


@dataclass(frozen=True)
class Sheet:
    """How one sheet lies in its picture: lengths in pixels, angles in radians."""

    width: int
    height: int
    left: float
    top: float
    right: float
    bottom: float
    turn: float  # skew about the centre, clockwise as seen
    curl: float  # how far the lines bow, pixels at the middle

    def bend(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return points (N, 2) of the flat page where the camera sees them."""
        centre = np.array([self.width / 2, self.height / 2], np.float32)
        offset = points - centre
        across = offset[:, 0] / np.float32(self.width / 2)
        bowed = offset[:, 1] + np.float32(self.curl) * (across * across - 1)
        cosine, sine = np.float32(math.cos(self.turn)), np.float32(math.sin(self.turn))
        x = cosine * offset[:, 0] - sine * bowed
        y = sine * offset[:, 0] + cosine * bowed
        return np.asarray(np.stack([x, y], axis=1) + centre, np.float32)


def random_sheet(rng: np.random.Generator, size: tuple[int, int]) -> Sheet:
    """Return a sheet in a picture of `size` (width, height), skewed by at most 2 degrees."""
    width, height = size
    # The table shows all round, or the camera cut some edges off.
    edges = rng.uniform(0.012, 0.075, 4) if rng.random() < 0.7 else rng.uniform(-0.05, 0.03, 4)
    turn = math.radians(float(np.clip(rng.normal(0, 0.8), -2, 2)))
    curl = height * float(rng.normal(0, 0.002))
    return Sheet(
        width=width,
        height=height,
        left=float(edges[0] * width),
        top=float(edges[1] * height),
        right=float(width - edges[2] * width),
        bottom=float(height - edges[3] * height),
        turn=turn,
        curl=curl,
    )


def _noise(rng: np.random.Generator, cells: tuple[int, int], size: tuple[int, int]) -> Shade:
    """Return smooth noise of unit strength, (size[1], size[0]), with `cells` bumps each way."""
    coarse = rng.standard_normal((max(2, cells[1]), max(2, cells[0])), dtype=np.float32)
    return np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC), np.float32)


def _stain(rng: np.random.Generator, size: tuple[int, int]) -> Shade:
    """Return one water stain as darkness, (H, W): a blot with a tide line."""
    width, height = size
    angles = np.linspace(0, 2 * math.pi, 40, endpoint=False)
    radius = float(rng.uniform(0.08, 0.4)) * width
    waves = sum(
        float(rng.normal(0, 0.2 / k)) * np.cos(k * angles + float(rng.uniform(0, 6.3)))
        for k in range(1, 7)
    )
    lengths = radius * np.maximum(0.2, 1 + waves)
    # Water mostly comes in from an edge.
    x, y = float(rng.uniform(0, width)), float(rng.choice([0.0, 1.0, rng.random()])) * height
    outline = np.stack([x + lengths * np.cos(angles), y + lengths * np.sin(angles)], axis=1)
    points = [np.round(outline * 16).astype(np.int32)]
    blot = np.zeros((height, width), np.float32)
    cv2.fillPoly(blot, points, 0.4, cv2.LINE_AA, 4)
    cv2.polylines(blot, points, True, 1.0, max(1, width // 110), cv2.LINE_AA, 4)
    return np.asarray(cv2.GaussianBlur(blot, (0, 0), max(0.8, width / 150)), np.float32)


def _coarse_shade(rng: np.random.Generator, size: tuple[int, int]) -> tuple[Shade, Shade]:
    """Return light and stains of a sheet on the coarse map: (shade, yellowness), each (h, w)."""
    width, height = size
    light = np.ones((height, width), np.float32)
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    tilt = rng.normal(0, 0.03, 2)
    light += np.float32(tilt[0]) * across + np.float32(tilt[1]) * down
    light -= np.float32(rng.uniform(0, 0.07)) * (across**2 + down**2)
    for cells, strength in ((3, 0.018), (9, 0.014), (40, 0.009)):
        light += strength * _noise(rng, (cells, round(cells * height / width)), size)
    yellow = np.zeros((height, width), np.float32)
    # Handled edges are brown.
    edge = np.maximum(np.abs(across), np.abs(down)) + 0.04 * _noise(rng, (12, 16), size)
    yellow += np.float32(rng.uniform(0.03, 0.3)) * np.clip(edge - 0.86, 0, 0.2) * 5
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.35, 0.35, 0.2, 0.1]))):
        yellow += np.float32(rng.uniform(0.05, 0.22)) * _stain(rng, size)
    if rng.random() < 0.4:  # foxing
        for _ in range(int(rng.integers(4, 40))):
            centre = (int(rng.integers(width * 16)), int(rng.integers(height * 16)))
            spot = np.zeros_like(yellow)
            radius = int(16 * np.exp(rng.normal(0.2, 0.5)) * width / 180)
            x, y = centre[0] // 16, centre[1] // 16
            reach = radius // 8 + 3
            rows, columns = slice(max(0, y - reach), y + reach), slice(max(0, x - reach), x + reach)
            cv2.circle(
                spot, centre, max(8, radius), float(rng.uniform(0.08, 0.35)), -1, cv2.LINE_AA, 4
            )
            yellow[rows, columns] += cv2.GaussianBlur(spot[rows, columns], (0, 0), 0.9)
    if rng.random() < 0.35:  # the gutter of a bound volume
        side = across if rng.random() < 0.5 else -across
        light -= (
            np.float32(rng.uniform(0.15, 0.4)) * np.clip(side - 0.8, 0, 1) * 5 * np.clip(side, 0, 1)
        )
    return light, yellow


def _folds(rng: np.random.Generator, shade: Shade) -> None:
    """Crease the shade in place, as letters were folded to be sent."""
    height, width = shade.shape
    for upright in (False, True):
        for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.45, 0.3, 0.15, 0.1]))):
            length, breadth = (height, width) if upright else (width, height)
            at = round(float(rng.uniform(0.15, 0.85)) * breadth)
            reach = max(2, breadth // 60)
            span = np.arange(-reach, reach + 1, dtype=np.float32) / reach
            dent = np.float32(rng.uniform(0.02, 0.06)) * span * np.exp(-5 * np.abs(span))
            dent -= np.float32(rng.uniform(0.02, 0.09)) * np.exp(-((span * reach / 1.2) ** 2))
            along = _noise(rng, (max(2, length // 90), 2), (length, 1))[0] * 0.35 + 0.8
            low, high = max(0, at - reach), min(breadth, at + reach + 1)
            part = dent[low - at + reach : high - at + reach]
            if upright:
                shade[:, low:high] += part[None, :] * along[:, None]
            else:
                shade[low:high] += part[:, None] * along[None, :]


def draw_paper(
    rng: np.random.Generator, size: tuple[int, int], verso: NDArray[np.uint8] | None = None
) -> NDArray[np.float32]:
    """Return a blank sheet that fills `size` (width, height): (3, H, W) float32 RGB, 0..255.

    `verso` is the ink of the other side as it is seen through the sheet, (h, w) uint8 at any scale.
    """
    width, height = size
    coarse = (max(8, round(width * _COARSE)), max(8, round(height * _COARSE)))
    light, yellow = _coarse_shade(rng, coarse)
    shade = np.asarray(cv2.resize(light, size, interpolation=cv2.INTER_LINEAR), np.float32)
    grain = rng.standard_normal((height // 2 + 1, width // 2 + 1), dtype=np.float32)
    fibre = cv2.resize(grain, size, interpolation=cv2.INTER_LINEAR)
    shade += np.float32(rng.uniform(0.008, 0.02)) * fibre
    # Chain lines stand 20 to 28 mm apart and laid lines about 1 mm; a folio is some 210 mm wide.
    x = np.arange(width, dtype=np.float32) * np.float32(210 / width)
    if rng.random() < 0.75:
        apart = float(rng.uniform(20, 28))
        offset = (x + np.float32(rng.uniform(0, apart))) % apart - apart / 2
        laid = np.float32(rng.uniform(0.005, 0.028)) * np.exp(-((offset / 0.5) ** 2))
        shade -= laid[None, :]
        y = np.arange(height, dtype=np.float32) * np.float32(210 / width)
        shade += np.float32(rng.uniform(0, 0.006)) * np.sin(y * np.float32(6.3 / 1.1))[:, None]
    _folds(rng, shade)
    tint = float(rng.random())
    red = float(rng.uniform(218, 248))
    base = (red, red * (0.965 - 0.045 * tint), red * (0.895 - 0.15 * tint))
    yellowing = cv2.resize(yellow, size, interpolation=cv2.INTER_LINEAR)
    if verso is not None:  # ink that ate through is brown, and stronger in some places
        patches = 1 + 0.35 * _noise(rng, (4, 6), (verso.shape[1], verso.shape[0]))
        through = verso * np.clip(patches, 0.2, 1.6) * np.float32(rng.uniform(0.03, 0.16) / 255)
        yellowing += cv2.resize(through, size, interpolation=cv2.INTER_LINEAR)
    planes = np.empty((3, height, width), np.float32)
    for channel, bite in enumerate((0.55, 0.85, 1.3)):
        plane = planes[channel]
        np.multiply(yellowing, np.float32(-bite * base[channel]), out=plane)
        plane += np.float32(base[channel])
        plane *= shade
    return planes


def _outline(rng: np.random.Generator, sheet: Sheet) -> NDArray[np.int32]:
    """Return the sheet's worn edge as a polygon in the picture, in 1/16 pixel."""
    sides = []
    corners = np.array(
        [
            (sheet.left, sheet.top),
            (sheet.right, sheet.top),
            (sheet.right, sheet.bottom),
            (sheet.left, sheet.bottom),
        ]
    )
    wear = sheet.width * float(rng.uniform(0.0001, 0.0011))
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        along = np.linspace(0, 1, 70, endpoint=False)[:, None]
        side = start + (end - start) * along
        side += wear * np.cumsum(rng.normal(0, 0.5, side.shape), axis=0) * (along * (1 - along) * 4)
        side += rng.normal(0, wear * 0.35, side.shape)
        sides.append(side)
    outline = np.concatenate(sides).astype(np.float32)
    return np.asarray(np.round(sheet.bend(outline) * 16), np.int32)


def _leaves_beneath(rng: np.random.Generator, sheet: Sheet) -> NDArray[np.uint8]:
    """Return how light the leaves are that peep out under the sheet, (H, W), 0 where there is none.

    255 would be as light as the sheet itself.
    """
    leaves = np.zeros((sheet.height, sheet.width), np.uint8)
    push = sheet.width * rng.uniform(-0.004, 0.022, 4)
    for nth in range(int(rng.integers(1, 4)), 0, -1):
        outset = push * nth / 2
        wider = replace(
            sheet,
            left=sheet.left - float(outset[0]),
            top=sheet.top - float(outset[1]),
            right=sheet.right + float(outset[2]),
            bottom=sheet.bottom + float(outset[3]),
            turn=sheet.turn + float(rng.normal(0, 0.002)),
        )
        lightness = round(255 * float(rng.uniform(0.8, 0.97)))
        cv2.fillPoly(leaves, [_outline(rng, wider)], lightness, cv2.LINE_8, 4)
    return leaves


def _strips(outline: NDArray[np.int32], sheet: Sheet) -> list[tuple[slice, slice]]:
    """Return the four strips of the picture in which the sheet's sides run."""
    sides = outline.reshape(4, -1, 2) / 16  # top, right, bottom, left
    top = int(np.clip(sides[0, :, 1].max() + 2, 0, sheet.height))
    right = int(np.clip(sides[1, :, 0].min() - 2, 0, sheet.width))
    bottom = int(np.clip(sides[2, :, 1].min() - 2, 0, sheet.height))
    left = int(np.clip(sides[3, :, 0].max() + 2, 0, sheet.width))
    return [
        (slice(0, top), slice(0, sheet.width)),
        (slice(bottom, sheet.height), slice(0, sheet.width)),
        (slice(top, bottom), slice(0, left)),
        (slice(top, bottom), slice(right, sheet.width)),
    ]


def lay_on_table(rng: np.random.Generator, sheet: Sheet, planes: NDArray[np.float32]) -> None:
    """Put the table in place of what lies outside the sheet's edges; `planes` is (3, H, W)."""
    leaves = _leaves_beneath(rng, sheet) if rng.random() < 0.4 else None
    outline = _outline(rng, sheet)
    mask = np.zeros((sheet.height, sheet.width), np.uint8)
    cv2.fillPoly(mask, [outline], 255, cv2.LINE_AA, 4)
    table = float(rng.choice([16.0, 28.0, 50.0, 135.0, 222.0], p=[0.25, 0.2, 0.1, 0.25, 0.2]))
    cast = rng.normal(0, 3, 3)
    paper = np.median(planes[:, ::40, ::40], axis=(1, 2))
    small = cv2.resize(mask, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), sheet.width / 700)
    shadow = cv2.resize(soft, (sheet.width, sheet.height), interpolation=cv2.INTER_LINEAR)
    for strip in _strips(outline, sheet):
        cover = mask[strip].astype(np.float32) / 255
        if cover.size == 0:
            continue
        lit = (1 - cover) * (1 - np.float32(0.45 / 255) * shadow[strip])
        nap = rng.standard_normal(cover.shape, dtype=np.float32) * np.float32(2 + table * 0.02)
        for channel in range(3):
            ground = nap + np.float32(table + cast[channel])
            if leaves is not None:
                under = leaves[strip].astype(np.float32) * np.float32(paper[channel] / 255)
                ground = np.where(under > 0, under, ground)
            plane = planes[channel][strip]
            plane *= cover
            plane += ground * lit
