from __future__ import annotations

import pytest

from retrieval.gan.probe import ProbeScore


def found(hits: int, marks: int = 64) -> ProbeScore:
    return ProbeScore(precision_at_1=hits / marks, margin=0.0, marks=marks)


@pytest.mark.parametrize(
    ("best", "least"),
    [
        (64, 63),  # two errors of 65/66 are 1.95 marks of 64
        (63, 61),
        (32, 24),
        (0, 0),
    ],
)
def test_chance_alone_makes_no_checkpoint_worse(best: int, least: int) -> None:
    good = [hits for hits in range(best + 1) if found(hits).as_good_as(found(best))]
    assert good == list(range(least, best + 1))


def test_the_more_marks_were_looked_at_the_less_is_chance() -> None:
    assert found(63, 64).as_good_as(found(64, 64))
    assert not found(504, 512).as_good_as(found(512, 512))
    assert found(511, 512).as_good_as(found(512, 512))
