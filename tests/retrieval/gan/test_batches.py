from __future__ import annotations

import numpy as np
import pytest
import torch

from retrieval.gan.architecture import Architecture
from retrieval.gan.batches import draw_batch
from retrieval.gan.device import Compute
from retrieval.gan.pseudo_labels import PseudoLabels
from retrieval.gan.settings import Settings

TINY = Architecture("dcgan", size=32, width=4, generator_width=4)
CPU = Compute(torch.device("cpu"), bf16=False)
NO_MARKS = np.zeros((0, 32, 32), np.uint8)


def _shown(near_misses: float, batch: int = 40, identities: int = 100) -> list[int]:
    """Return which redrawn identities a batch shows, by a grey level that names each."""
    pairs = np.zeros((identities, 2, 32, 32), np.uint8)
    pairs += np.arange(identities, dtype=np.uint8)[:, None, None, None]
    settings = Settings(TINY, batch=batch, redrawn_share=1.0, siblings=0.0, near_misses=near_misses)
    drawn = draw_batch(settings, NO_MARKS, pairs, None, None, 0, CPU)
    levels = [torch.round((side[:, 0, 0, 0] + 1) * 127.5) for side in (drawn.first, drawn.second)]
    assert levels[0].equal(levels[1]), "both pictures of a pair are of one identity"
    return [int(level) for level in levels[0].tolist()]


@pytest.mark.parametrize(("share", "couples"), [(0.0, 0), (0.25, 10), (0.5, 20), (1.0, 20)])
def test_a_share_of_the_identities_are_near_misses_of_others(share: float, couples: int) -> None:
    shown = _shown(share)
    assert len(shown) == len(set(shown)) == 40
    assert sum(identity ^ 1 in shown for identity in shown) == 2 * couples


def test_a_batch_as_large_as_all_identities_shows_each_once() -> None:
    assert sorted(_shown(0.0, batch=120)) == list(range(100))


def test_supposed_repeats_are_shown_for_each_other_and_told_as_one_owners() -> None:
    marks = np.zeros((40, 32, 32), np.uint8) + 6 * np.arange(40, dtype=np.uint8)[:, None, None]
    pairs = np.full((20, 2, 32, 32), 255, np.uint8)
    labels = PseudoLabels(np.arange(40) // 4 * 4)  # by fours
    settings = Settings(TINY, batch=30, redrawn_share=0.2, siblings=0.0, repeats=1.0)
    batch = draw_batch(settings, marks, pairs, labels, None, 0, CPU)
    shown = [
        torch.round((side[:24, 0, 0, 0] + 1) * 127.5 / 6).long()
        for side in (batch.first, batch.second)
    ]
    assert (shown[0] != shown[1]).all()
    assert (shown[0] // 4).equal(shown[1] // 4)
    assert batch.owners[:24].equal(shown[0] // 4 * 4)
    assert len(batch.owners[24:].unique()) == 6, "each redrawn identity is an owner of its own"
    assert batch.owners[24:].min() >= 40


def test_without_labels_each_mark_is_an_owner_of_its_own() -> None:
    marks = np.zeros((40, 32, 32), np.uint8)
    pairs = np.zeros((20, 2, 32, 32), np.uint8)
    batch = draw_batch(Settings(TINY, batch=30), marks, pairs, None, None, 0, CPU)
    assert len(batch.owners.unique()) == len(batch.owners) == len(batch.first)
