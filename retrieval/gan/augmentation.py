"""Differentiable augmentation: what may change about a mark without making it another's.

No mirror image and no quarter turn: two owners' marks can differ by just that. What is moved in
from outside is paper, never mid-grey. Random numbers are drawn on the CPU, so that a run does not
depend on the device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Strength:
    """Bounds of the augmentation; lengths are shares of the picture's side."""

    rotation: float = math.radians(15)
    scale: float = 0.2
    shear: float = 0.15
    shift: float = 0.08
    elastic: float = 0.02  # standard deviation of a 5 x 5 grid of displacements
    thickness: float = 0.5  # share of the pictures whose strokes are made thinner or thicker
    gain: float = 0.4
    noise: float = 0.06
    erasure: float = 0.1  # share of the pictures that lose a patch of ink


STANDARD = Strength()


def _uniform(shape: tuple[int, ...], low: float, high: float, source: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=source) * (high - low) + low


def _sampling_grid(count: int, side: int, by: Strength, source: torch.Generator) -> Tensor:
    """Return where each output pixel looks in the input, (N, side, side, 2) in [-1, 1]."""
    turn = _uniform((count,), -by.rotation, by.rotation, source)
    stretch = 1 + _uniform((count, 2), -by.scale, by.scale, source)
    shear = _uniform((count,), -by.shear, by.shear, source)
    shift = _uniform((count, 2), -2 * by.shift, 2 * by.shift, source)
    cosine, sine = torch.cos(turn), torch.sin(turn)
    theta = torch.stack(
        [
            torch.stack([cosine * stretch[:, 0], shear - sine, shift[:, 0]], dim=1),
            torch.stack([sine, cosine * stretch[:, 1], shift[:, 1]], dim=1),
        ],
        dim=1,
    )
    grid = F.affine_grid(theta, [count, 1, side, side], align_corners=False)
    bumps = torch.randn((count, 2, 5, 5), generator=source) * (2 * by.elastic)
    warp = F.interpolate(bumps, (side, side), mode="bicubic", align_corners=True)
    return grid + warp.permute(0, 2, 3, 1)


def _restroke(ink: Tensor, share: float, source: torch.Generator) -> Tensor:
    """Thicken some pictures' strokes by up to two pixels, thin as many others' by up to one."""
    count = len(ink)
    order = torch.randperm(count, generator=source).to(ink.device)
    amount = torch.rand((count, 1, 1, 1), generator=source).to(ink.device)
    part = round(count * share / 2)
    thicker, thinner = order[:part], order[part : 2 * part]
    thick = F.max_pool2d(ink[thicker], 3, 1, 1)
    thin = -F.max_pool2d(-F.pad(ink[thinner], (0, 1, 0, 1)), 2, 1)
    ink = ink.index_copy(0, thicker, torch.lerp(ink[thicker], thick, amount[thicker]))
    return ink.index_copy(0, thinner, torch.lerp(ink[thinner], thin, amount[thinner]))


def _erase(ink: Tensor, share: float, source: torch.Generator) -> Tensor:
    """Take a rectangle of ink away from some pictures: a hole, a cut edge, a dry pen."""
    count, _, side, _ = ink.shape
    centre = torch.rand((count, 2, 1), generator=source)
    half = _uniform((count, 2, 1), 0.05, 0.18, source)
    hit = torch.rand((count, 1, 1), generator=source) < share
    at = (torch.arange(side) + 0.5) / side
    inside = (at - centre).abs() < half  # (N, 2, side)
    hole = (inside[:, 0, :, None] & inside[:, 1, None, :] & hit).unsqueeze(1)
    return ink * (~hole).to(ink.device, ink.dtype)


def augment(pictures: Tensor, source: torch.Generator, by: Strength = STANDARD) -> Tensor:
    """Return another view of each picture: (N, 1, S, S) in [-1, 1] in and out, ink = +1.

    Gradients flow through, so the same function serves generated marks (Zhao et al. 2020,
    "Differentiable Augmentation", arXiv 2006.10738). `source` is a CPU generator.
    """
    count, _, side, _ = pictures.shape
    ink = (pictures + 1) / 2
    grid = _sampling_grid(count, side, by, source).to(ink.device, ink.dtype)
    ink = F.grid_sample(ink, grid, padding_mode="zeros", align_corners=False)
    ink = _restroke(ink, by.thickness, source)
    ink = _erase(ink, by.erasure, source)
    gain = 1 + _uniform((count, 1, 1, 1), -by.gain, by.gain, source)
    level = _uniform((count, 1, 1, 1), 0, by.noise, source)
    noise = torch.randn(ink.shape, generator=source) * level
    ink = ink * gain.to(ink.device) + noise.to(ink.device)
    return ink.clamp(0, 1) * 2 - 1
