"""Impressions: what changes when one stamp, seal or block is struck twice.

A die does not redraw: every line keeps its place, and two owners' stamps may differ by a letter
alone. What changes is how it was inked, pressed, held and how much of it reached the paper.
"""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from retrieval.strokes.hand import random_hand
from retrieval.strokes.pen import draw, patches
from retrieval.strokes.program import Program

Ink = NDArray[np.float32]


def die(program: Program, seed: int, size: int) -> Ink:
    """Return the stamp that was cut once after `program`: (size, size) ink in [0, 1].

    The same seed gives the same die, a near miss with the same seed one from the same workshop.
    """
    rng = np.random.default_rng(seed)
    hand = random_hand(rng)
    care = float(rng.uniform(0.1, 0.8))  # an engraver's is greater than a clerk's
    cutter = replace(
        hand,
        pen_width=min(hand.pen_width, 0.05),
        slant=hand.slant * care,
        turn=0.0,
        jitter=hand.jitter * care,
        drift=hand.drift * care,
        swing=hand.swing * care,
        wobble=hand.wobble * care,
        omission=0.0,
        ink=1.0,
        starvation=0.0,
    )
    return draw(program, cutter, np.random.default_rng([seed, 1]), size)


def _held(ink: Ink, rng: np.random.Generator) -> Ink:
    """Turn the stamp in the hand, tilt it a little, and fit what is left into the sheet."""
    side = ink.shape[0]
    turn, tilt = math.degrees(float(rng.normal(0, 0.16))), rng.normal(0, 0.04, (2, 2))
    fit = 1 / (abs(math.cos(math.radians(turn))) + 0.6 * abs(math.sin(math.radians(turn))))
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), turn, fit)
    linear = matrix[:, :2] @ (np.eye(2) + tilt)
    middle = np.full(2, (side - 1) / 2)
    moved = np.column_stack([linear, middle - linear @ middle])
    return np.asarray(cv2.warpAffine(ink, moved, (side, side), flags=cv2.INTER_LINEAR), np.float32)


def _pressed(ink: Ink, rng: np.random.Generator) -> Ink:
    """Let the ink spread or draw back: a line comes out broader or thinner than it was cut."""
    spread = float(rng.uniform(0.4, 0.013 * ink.shape[0]))
    soft = np.asarray(cv2.GaussianBlur(ink, (0, 0), spread), np.float32)
    inked = soft[soft > 0.05]
    soft = soft / max(float(np.percentile(inked, 90)) if len(inked) else 1.0, 0.2)
    edge, slope = float(rng.uniform(0.25, 0.65)), float(rng.uniform(0.15, 0.6))
    return np.asarray(np.clip((soft - edge) / slope + 0.5, 0, 1), np.float32)


def struck(ink: Ink, rng: np.random.Generator) -> Ink:
    """Return one impression of a die, (S, S) in [0, 1] in and out."""
    side = ink.shape[0]
    printed = _pressed(_held(ink, rng), rng)
    if rng.random() < 0.1:  # it slipped, or was set down twice
        dx, dy = rng.normal(0, 0.02 * side, 2)
        shift = np.array([[1, 0, dx], [0, 1, dy]])
        ghost = cv2.warpAffine(printed, shift, (side, side))
        printed = np.maximum(printed, ghost * float(rng.uniform(0.2, 0.7)))
    flow = float(rng.uniform(0.55, 1.0)) * (0.6 + 0.6 * patches(rng, side, int(rng.integers(3, 8))))
    if rng.random() < 0.5:  # the weave of the paper, dust on the die
        dry = patches(rng, side, int(rng.integers(16, 48)))
        flow *= np.clip((dry - float(rng.uniform(0, 0.35))) * 6, 0, 1)
    if rng.random() < 0.35:  # one side hardly touched the paper
        angle, reach = float(rng.uniform(0, 2 * math.pi)), float(rng.uniform(0.2, 0.7))
        along = np.linspace(-0.5, 0.5, side, dtype=np.float32)
        across = math.cos(angle) * along[None] + math.sin(angle) * along[:, None]
        flow *= np.clip((across + reach) / float(rng.uniform(0.05, 0.4)), 0, 1)
    return np.asarray(np.clip(printed * flow, 0, 1), np.float32)
