"""How like a mark a box looks: small convolutional networks on its picture and its traits.

The regression of `ingest.trait_weights` goes through thousands of boxes by their traits; the best
few are looked at. A picture holds the ink of the box and of what is around it, a network three
convolutions and two layers, after LeCun et al. (1998), "Gradient-based learning applied to document
recognition". One looks at all, several at the best. They learned from drawn marks that were laid
into real pages, which `benchmarks/fit_proposals.py` does again; no true stamp taught them anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.lib.stride_tricks import as_strided
from safetensors.numpy import load_file, save

from ingest.binarise import Floats
from ingest.inks import Inks
from ingest.traits import Boxes
from retrieval.catalogue.files import write_atomically
from retrieval.ink import Pixels

FILE = Path(__file__).with_name("appearance.safetensors")

#: Pixels of a picture each way.
SIDE = 40
#: A picture shows so many times the box's longer side, from close and from afar; and at least so
#: many letter heights.
_NEAR, _AFAR, _LEAST = 1.5, 4.0, 2.5
#: Density of an ink, in densities of the writing, at which a picture is black.
_FULL = 2.0
#: Pictures that are looked at together: their copies then stay in the processor's cache.
_AT_ONCE = 24
#: Of a page's pictures so many are looked at again, by all networks and mirrored.
_AGAIN = 40
#: What is faint is to be seen too: the network is shown the root of a picture's bytes.
_ROOTS = np.sqrt(np.arange(256, dtype=np.float32) / np.float32(255.0))


@dataclass(frozen=True)
class Appearance:
    """A network's numbers: kernels as (out, in, 3 or 5, 3 or 5), layers as (in, out)."""

    first: Floats
    first_bias: Floats
    second: Floats
    second_bias: Floats
    third: Floats
    third_bias: Floats
    hidden: Floats  # of the pictures' features, then of the traits
    hidden_bias: Floats
    last: Floats
    last_bias: Floats


@cache
def shipped_appearances() -> tuple[Appearance, ...]:
    """Return the networks that ship with the program."""
    return read_appearances(FILE)


def read_appearances(path: Path) -> tuple[Appearance, ...]:
    """Return the networks that `write_appearances` wrote."""
    found = {name: numbers.astype(np.float32) for name, numbers in load_file(path).items()}
    names = [field.name for field in fields(Appearance)]
    return tuple(
        Appearance(**{name: found[f"{at}.{name}"] for name in names})
        for at in range(len(found) // len(names))
    )


def write_appearances(path: Path, networks: Sequence[Appearance]) -> None:
    """Write the networks in half precision."""
    arrays = {
        f"{at}.{field.name}": getattr(network, field.name).astype(np.float16)
        for at, network in enumerate(networks)
        for field in fields(Appearance)
    }
    write_atomically(path, save(arrays))


def ink_planes(inks: Inks) -> Pixels:
    """How dark the ink is, and how unlike the writing's in colour, against the writing's density:
    (H, W, 2) uint8."""
    usual = float(inks.density[inks.bold > 0].mean()) if inks.bold.any() else 1.0
    full = 255.0 / (_FULL * max(usual, 0.1))
    planes = np.stack([inks.density * full, inks.across * (2.0 * full)], axis=2)
    return np.asarray(np.minimum(planes, 255.0), np.uint8)


def pictures(planes: Pixels, boxes: Boxes, letter: float) -> Pixels:
    """Square pictures of the boxes, (N, 4, SIDE, SIDE) uint8: the two planes from close, the first
    from afar, and which part of the near picture is the box."""
    rows, columns = planes.shape[:2]
    found = np.zeros((len(boxes), 4, SIDE, SIDE), np.uint8)
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    sides = np.maximum((boxes[:, 2:] - boxes[:, :2]).max(axis=1), _LEAST * letter / _NEAR)
    for at, ((x, y), side) in enumerate(zip(middles.tolist(), sides.tolist(), strict=True)):
        for share, channels in ((_NEAR, slice(0, 2)), (_AFAR, slice(2, 3))):
            reach = share * side / 2
            left, top = round(x - reach), round(y - reach)
            right, bottom = max(round(x + reach), left + 1), max(round(y + reach), top + 1)
            inside = planes[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
            inside = inside[..., : channels.stop - channels.start]
            # Reduced first and framed after: a frame at full size would cost more than the page.
            scale = SIDE / (right - left)
            x0, x1 = (
                min(round((min(max(v, 0), columns) - left) * scale), SIDE) for v in (left, right)
            )
            y0, y1 = (min(round((min(max(v, 0), rows) - top) * scale), SIDE) for v in (top, bottom))
            if x1 > x0 and y1 > y0 and inside.size:
                small = cv2.resize(inside, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
                small = small.reshape(y1 - y0, x1 - x0, -1)
                found[at, channels, y0:y1, x0:x1] = np.moveaxis(small, 2, 0)
        scale = SIDE / (_NEAR * side)
        low = np.round((boxes[at, :2] - (x, y)) * scale + SIDE / 2).astype(int)
        high = np.round((boxes[at, 2:] - (x, y)) * scale + SIDE / 2).astype(int)
        found[at, 3, low[1] : max(high[1], low[1] + 1), low[0] : max(high[0], low[0] + 1)] = 255
    return found


def _convolved(values: Floats, kernels: Floats, bias: Floats) -> Floats:
    """Every second place of a convolution of (N, H, H, C) with (K, C, S, S), blank around, and
    nothing below zero: (N, H / 2, H / 2, K)."""
    count, side, _, channels = values.shape
    out, _, size, _ = kernels.shape
    half = side // 2
    framed = np.zeros((count, side + size - 1, side + size - 1, channels), np.float32)
    framed[:, size // 2 : size // 2 + side, size // 2 : size // 2 + side] = values
    # Copied by their strides, which takes half as long as place by place.
    to_image, to_row, to_column, to_channel = framed.strides
    windows = as_strided(
        framed,
        (count, half, half, size, size * channels),
        (to_image, 2 * to_row, 2 * to_column, to_row, to_channel),
        writeable=False,
    )
    seen = np.ascontiguousarray(windows)
    flat = seen.reshape(-1, size * size * channels) @ kernels.transpose(2, 3, 1, 0).reshape(-1, out)
    flat += bias
    np.maximum(flat, 0.0, out=flat)
    return np.asarray(flat.reshape(count, half, half, out), np.float32)


def looks(shown: Pixels, traits: Floats, networks: Sequence[Appearance]) -> Floats:
    """How like a mark pictures of a page, (N, 4, SIDE, SIDE), with such traits, (N, T) in spreads
    from the mean, look: (N,) in 0..1.

    The first network looks at all. Of the best, all networks are asked, of each picture and of its
    mirror image: their mean errs less than any of them, Hansen and Salamon (1990), "Neural network
    ensembles".
    """
    logit = _logits(shown, traits, networks[0])
    again = np.argsort(-logit, kind="stable")[:_AGAIN]
    seen, known, mirrored = shown[again], traits[again], shown[again, :, :, ::-1]
    answers = [logit[again], _logits(mirrored, known, networks[0])]
    for network in networks[1:]:
        answers += _logits(seen, known, network), _logits(mirrored, known, network)
    logit[again] = np.mean(answers, axis=0)
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logit, -30.0, 30.0))), np.float32)


def _logits(shown: Pixels, traits: Floats, network: Appearance) -> Floats:
    parts = [
        _logits_at_once(shown[at : at + _AT_ONCE], traits[at : at + _AT_ONCE], network)
        for at in range(0, len(shown), _AT_ONCE)
    ]
    return np.concatenate([np.zeros(0, np.float32), *parts])


def _logits_at_once(shown: Pixels, traits: Floats, net: Appearance) -> Floats:
    values = _ROOTS[shown.transpose(0, 2, 3, 1)]
    values = _convolved(values, net.first, net.first_bias)
    values = _convolved(values, net.second, net.second_bias)
    values = _convolved(values, net.third, net.third_bias)
    flat = values.transpose(0, 3, 1, 2).reshape(len(shown), -1)
    features = np.concatenate([flat, traits], axis=1)
    hidden = np.maximum(features @ net.hidden + net.hidden_bias, 0.0)
    return np.asarray((hidden @ net.last)[:, 0] + net.last_bias, np.float32)
