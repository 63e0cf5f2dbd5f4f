from __future__ import annotations

import numpy as np
import pytest

from retrieval.strokes.hand import random_hand, redraw
from retrieval.strokes.letters import SIGNS
from retrieval.strokes.merchant import merchant_mark
from retrieval.strokes.pen import MARGIN, draw
from retrieval.strokes.program import Program, arc, line, placed, random_program
from retrieval.strokes.rings import ringed_mark
from retrieval.strokes.wear import worn


def similarity(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a.ravel() - a.mean(), b.ravel() - b.mean()
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-9))


@pytest.mark.parametrize("identity", [random_program, merchant_mark, ringed_mark])
def test_identities_are_seeded_and_drawable(identity) -> None:  # type: ignore[no-untyped-def]
    for seed in range(40):
        program = identity(np.random.default_rng(seed))
        again = identity(np.random.default_rng(seed))
        assert [s.points.tolist() for s in program.strokes] == [
            s.points.tolist() for s in again.strokes
        ]
        rng = np.random.default_rng(seed)
        ink = draw(program, random_hand(rng), rng, 48)
        assert ink.shape == (48, 48)
        assert ink.dtype == np.float32
        assert ink.min() >= 0
        assert 0.1 < ink.max() <= 1


def test_the_mark_fills_the_square_less_the_margin() -> None:
    rng = np.random.default_rng(5)
    ink = draw(Program((line((0, 0), (1, 1)),)), random_hand(rng), rng, 100)
    rows = np.flatnonzero(ink.max(axis=1) > 0)
    assert rows.min() >= 100 * MARGIN - 2
    assert rows.max() <= 100 * (1 - MARGIN) + 2


def test_two_hands_draw_one_identity_more_alike_than_two_identities() -> None:
    wins = 0
    for seed in range(30):
        rng = np.random.default_rng([7, seed])
        mark, stranger = merchant_mark(rng), merchant_mark(rng)
        first, second = (draw(mark, random_hand(rng), rng, 32) for _ in range(2))
        other = draw(stranger, random_hand(rng), rng, 32)
        wins += similarity(first, second) > similarity(first, other)
    assert wins >= 22


def test_a_hand_never_leaves_everything_out() -> None:
    rng = np.random.default_rng(0)
    hand = random_hand(rng)
    forgetful = type(hand)(**{**hand.__dict__, "omission": 1.0})
    assert len(redraw(Program((line((0, 0), (1, 0)), line((0, 1), (1, 1)))), forgetful, rng)) == 1


def test_placing_moves_into_the_box() -> None:
    moved = placed(Program((arc((0.5, 0.5), (0.5, 0.5)),)), 0.2, 0.4, 0.1, 0.3)
    points = moved.strokes[0].points
    assert points.min(axis=0) == pytest.approx([0.2, 0.4], abs=0.03)
    assert points.max(axis=0) == pytest.approx([0.3, 0.7], abs=0.03)


@pytest.mark.parametrize("sign", sorted(SIGNS))
def test_every_sign_has_strokes_within_the_square(sign: str) -> None:
    assert SIGNS[sign].strokes
    for stroke in SIGNS[sign].strokes:
        assert len(stroke.points) >= 2
        assert stroke.points.min() >= 0
        assert stroke.points.max() <= 1


def test_wear_keeps_the_picture_square_and_grey() -> None:
    rng = np.random.default_rng(3)
    ink = draw(merchant_mark(rng), random_hand(rng), rng, 96)
    looks = [worn(ink, rng) for _ in range(30)]
    assert all(look.dtype == np.uint8 and look.shape[0] == look.shape[1] >= 96 for look in looks)
    assert len({look.tobytes() for look in looks}) == 30, "no two copies wear alike"
