from __future__ import annotations

import pytest

from retrieval.orientation import orientations
from ui.wording import alike_on_average, alikeness, held_in_words


@pytest.mark.parametrize(
    ("unrelated", "said"),
    [
        (1.0, "as alike as any two marks"),
        (0.2, "as alike as any two marks"),
        (0.19, "1 in 5 unrelated marks"),
        (0.02, "1 in 50 unrelated marks"),
        (0.000487, "1 in 2,100 unrelated marks"),
        (0.00000213, "1 in 470,000 unrelated marks"),
        (1e-6, "fewer than 1 in 1,000,000 unrelated marks"),
    ],
)
def test_alikeness(unrelated: float, said: str) -> None:
    assert alikeness(unrelated) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (1.0, "on average as alike as any two marks"),
        (0.001, "on average as alike as 1 in 1,000 unrelated marks or rarer"),
        (1e-6, "on average as alike as 1 in 1,000,000 unrelated marks or rarer"),
    ],
)
def test_how_alike_a_group_is_on_average(share: float, said: str) -> None:
    assert alike_on_average(share, few=False) == said
    assert "too few marks to say how rare" in alike_on_average(share, few=True)


def test_every_way_to_hold_a_query_has_its_own_words() -> None:
    said = [held_in_words(way) for way in orientations(turned=True, mirrored=True)]
    assert len(set(said)) == 8
    assert said[:2] == ["the same way up", "turned a quarter to the right"]
    assert said[4:7:2] == ["mirrored", "mirrored and upside down"]
