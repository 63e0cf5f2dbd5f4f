from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from retrieval.calibration import (
    RAREST,
    Calibration,
    calibrate,
    calibrate_below_repeats,
    calibrate_pairs,
)
from retrieval.vectors import unit


def strangers(rng: np.random.Generator, count: int, size: int = 32) -> np.ndarray:
    return unit(rng.normal(size=(count, size)).astype(np.float32))


def test_claims_hold_on_unrelated_marks() -> None:
    rng = np.random.default_rng(0)
    calibration = calibrate(strangers(rng, 2000))
    other = strangers(np.random.default_rng(1), 3000)
    cosines = (other @ strangers(rng, 500).T).ravel()
    for share in (0.5, 0.1, 0.01, 0.001):
        said = calibration.unrelated(np.quantile(cosines, 1 - share))
        assert share * 0.7 < said < share * 4, "if it errs, then on the side of caution"


def test_repeats_in_the_archive_do_not_spoil_it() -> None:
    rng = np.random.default_rng(2)
    merchants = strangers(rng, 250)
    repeats = np.repeat(merchants, 8, axis=0) + rng.normal(0, 0.03, (2000, 32))
    repeats = unit(repeats)
    alike = calibrate(repeats).unrelated(np.array(0.95, np.float32))
    assert alike < 1e-3, "one pair in 250 is a repeat, and none of those is unrelated"


@pytest.mark.parametrize("merchants", [12, 16, 40])
def test_nor_do_many_repeats_in_a_small_archive(merchants: int) -> None:
    rng = np.random.default_rng(5)
    owners = strangers(rng, merchants)
    marks = unit(np.repeat(owners, 5, axis=0) + 0.05 * strangers(rng, 5 * merchants))
    calibration = calibrate(marks.astype(np.float32))
    unrelated = (strangers(rng, 4000) @ marks.T).ravel()
    for share in (0.03, 0.01):
        said = calibration.unrelated(np.quantile(unrelated, 1 - share))
        assert share / 2 < said < share * 6, "if it errs, then on the side of caution"


def test_below_many_repeats_strangers_are_counted_with_less_caution() -> None:
    rng = np.random.default_rng(8)
    owners = np.repeat(np.arange(60), 20)
    marks = unit(strangers(rng, 60)[owners] + 0.8 * strangers(rng, 1200))
    strange = (marks @ marks.T)[owners[:, None] != owners]
    below, cautious = calibrate_below_repeats(marks), calibrate(marks)
    for share in (0.003, 0.001, 0.0003):
        cosine = np.quantile(strange, 1 - share)
        assert share < below.unrelated(cosine) < 0.75 * cautious.unrelated(cosine)
    assert calibrate_below_repeats(marks[:10]).says_nothing


def test_the_same_picture_is_common_where_it_is() -> None:
    marks = strangers(np.random.default_rng(10), 40)
    marks[15:] = marks[15]
    said = calibrate(marks).unrelated(np.array([0.999, 1.0], np.float32))
    assert said[0] > 0.3 and said[1] > 0.1, "25 of 40 marks look the same"


def test_more_alike_is_never_said_to_be_commoner() -> None:
    calibration = calibrate(strangers(np.random.default_rng(3), 300))
    shares = calibration.unrelated(np.linspace(-1, 1, 400, dtype=np.float32))
    assert (np.diff(shares) <= 1e-12).all()
    assert shares[0] == 1.0
    assert shares[-1] >= RAREST


@pytest.mark.parametrize("count", [0, 1, 2, 10])
def test_an_archive_too_small_to_know_claims_nothing(count: int) -> None:
    calibration = calibrate(strangers(np.random.default_rng(4), count))
    assert calibration.unrelated(np.array([0.5, 0.99, 1.0], np.float32)).tolist() == [1, 1, 1]
    assert calibration.says_nothing


@pytest.mark.parametrize(
    ("count", "rarest"), [(11, 1 / 111), (20, 1 / 381), (40, 1 / 1561), (1200, RAREST)]
)
def test_no_more_is_claimed_than_the_pairs_can_tell(count: int, rarest: float) -> None:
    rng = np.random.default_rng(6)
    calibration = calibrate(strangers(rng, count))
    assert calibration.unrelated(np.array([1.0], np.float32)) == pytest.approx(rarest)


def test_claims_of_small_archives_are_nearly_true() -> None:
    for count in (11, 20, 40):
        archives: list[tuple[Calibration, np.ndarray]] = []
        for seed in range(60):
            rng = np.random.default_rng([7, seed])
            marks = strangers(rng, count)
            archives.append((calibrate(marks), (strangers(rng, 1000) @ marks.T).ravel()))
        for share, least in ((0.1, 0.07), (1 / 30, 0.02), (0.01, 0.0)):
            true = np.mean([(known.unrelated(asked) <= share).mean() for known, asked in archives])
            assert least < true < share * 1.5


def test_every_pair_of_a_small_archive_is_taken_once() -> None:
    for count in (11, 49):
        seen: list[tuple[int, int]] = []

        def told(one: np.ndarray, other: np.ndarray, seen: list[tuple[int, int]] = seen) -> Any:
            seen.extend(zip(one.tolist(), other.tolist(), strict=True))
            return (one / 100 + other / 10_000).astype(np.float32)

        rows = np.arange(count) + 3
        found = calibrate_pairs(told, rows)
        every = [(one, other) for one in rows.tolist() for other in rows.tolist() if one != other]
        assert sorted(seen) == every
        quantiles = np.quantile(
            [one / 100 + other / 10_000 for one, other in every], np.linspace(0, 0.9, 181)
        )
        assert found.quantiles == pytest.approx(quantiles.tolist(), abs=2e-6)


def test_random_pairs_say_of_a_larger_archive_what_all_would() -> None:
    vectors = strangers(np.random.default_rng(9), 500)
    every = (vectors @ vectors.T)[~np.eye(500, dtype=bool)]
    quantiles = np.quantile(every, np.linspace(0.05, 0.9, 171))
    assert calibrate(vectors).quantiles[10:] == pytest.approx(quantiles.tolist(), abs=0.01)


def test_a_share_is_a_cosine_and_the_other_way_round() -> None:
    calibration = calibrate(strangers(np.random.default_rng(5), 3000))
    for share in (1e-5, 1e-3, 0.01):
        cosine = np.array([calibration.cosine(share)], np.float64)
        assert calibration.unrelated(cosine)[0] == pytest.approx(share, rel=0.02)
    assert calibration.cosine(1e-5) > calibration.cosine(1e-3) > calibration.quantiles[-1]
