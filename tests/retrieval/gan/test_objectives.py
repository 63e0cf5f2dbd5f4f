"""Each objective trains both players, keeps its bounds, and goes on exactly where it stopped."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from retrieval.catalogue.errors import TrainingError
from retrieval.gan.architecture import Architecture
from retrieval.gan.batches import draw_batch
from retrieval.gan.device import Compute
from retrieval.gan.objectives import OBJECTIVES
from retrieval.gan.objectives.objective import Game
from retrieval.gan.redrawing import redrawn_pairs
from retrieval.gan.settings import Settings
from retrieval.gan.switches.conditional import series_codes
from retrieval.gan.training import (
    Lesson,
    Progress,
    _new_players,
    step_of,
    train,
)
from retrieval.model import Model, unpack_weights

TINY = Architecture("dcgan", size=32, width=8, generator_width=8)
ATTENTIVE = replace(TINY, name="dcgan-attention", attention=1)
CPU = Compute(torch.device("cpu"), bf16=False)
#: Every objective by itself, and every switch on one that takes it.
RECIPES = [
    *((TINY, name, ()) for name in OBJECTIVES),
    (TINY, "hinge", ("spectral-norm", "r1")),
    (TINY, "wasserstein", ("minibatch", "conditional", "diffaugment")),
    (ATTENTIVE, "wasserstein-gp", ("minibatch",)),
    (ATTENTIVE, "non-saturating", ("minibatch", "conditional", "spectral-norm")),
]
IDS = ["+".join([shape.name, name, *switches]) for shape, name, switches in RECIPES]


@pytest.fixture(scope="module")
def pairs() -> np.ndarray:
    return redrawn_pairs(99, 64, TINY.size, workers=1)


SERIES = ["HCA 30", "HCA 32", None, "HCA 45"] * 16


def settings_of(recipe: tuple[Architecture, str, tuple[str, ...]]) -> Settings:
    return Settings(
        *recipe, steps=4, batch=8, identities=64, checkpoint_every=2, warm_up=1, redrawn_share=0.25
    )


@pytest.mark.parametrize("recipe", RECIPES, ids=IDS)
def test_three_steps_are_finite_and_change_both_players(
    pairs: np.ndarray, recipe: tuple[Architecture, str, tuple[str, ...]]
) -> None:
    settings = settings_of(recipe)
    names: list[str] = []
    codes = None
    if "conditional" in settings.switches:
        names, codes = series_codes(SERIES)
    players = _new_players(settings, None, len(names) + 1 if names else 0, CPU)
    before = {
        player: [weight.detach().clone() for weight in network.parameters()]
        for player, network in players.networks().items()
    }
    play = step_of(settings)
    for step in range(3):
        batch = draw_batch(settings, pairs[:, 0], pairs, None, codes, step, CPU)
        losses = play(players, batch, step, torch.Generator().manual_seed(step), CPU)
        assert all(math.isfinite(value) for value in losses.values())
    changed = {
        player: any(
            not torch.equal(old, new)
            for old, new in zip(before[player], network.parameters(), strict=True)
        )
        for player, network in players.networks().items()
    }
    assert changed == {
        "discriminator": True,
        "generator": settings.objective != "simclr",
        "average": False,
    }
    chosen = OBJECTIVES[settings.objective]
    if isinstance(chosen, Game) and chosen.clip is not None:
        assert all(w.abs().max() <= chosen.clip for w in players.discriminator.parameters())


class Killed(Exception):
    """Stands for a kill in the middle of a step."""


@pytest.mark.parametrize("recipe", RECIPES, ids=IDS)
def test_an_interrupted_run_ends_as_one_that_was_not(
    pairs: np.ndarray, tmp_path: Path, recipe: tuple[Architecture, str, tuple[str, ...]]
) -> None:
    settings, lesson = settings_of(recipe), Lesson(pairs[:, 0], "m", SERIES, pairs)

    def run(folder: str, killed_at: int | None = None) -> tuple[str, list[int], bytes]:
        seen: list[int] = []

        def report(progress: Progress) -> None:
            seen.append(progress.step)
            if progress.step == killed_at:
                raise Killed

        trained = train(settings, lesson, tmp_path / folder, None, report, CPU)
        # The last state holds both players, the average and both optimisers; weights only some.
        return trained.id, seen, (tmp_path / folder / "state.safetensors").read_bytes()

    whole, _, state = run("whole")
    with pytest.raises(Killed):
        run("cut", killed_at=3)
    again, seen, state_again = run("cut")
    assert seen == [3, 4], "it goes on from the last checkpoint"
    assert again == whole
    assert state_again == state


def test_the_manifest_says_objective_switches_and_series_and_the_model_comes_back(
    pairs: np.ndarray, tmp_path: Path
) -> None:
    settings = settings_of((ATTENTIVE, "hinge", ("minibatch", "conditional", "spectral-norm")))
    trained = train(settings, Lesson(pairs[:, 0], "m", SERIES, pairs), tmp_path, compute=CPU)
    assert trained.manifest["settings"]["objective"] == "hinge"
    assert trained.manifest["settings"]["switches"] == ["minibatch", "conditional", "spectral-norm"]
    assert trained.manifest["series"] == ["HCA 30", "HCA 32", "HCA 45"]
    discriminator, generator = unpack_weights(trained.weights, tmp_path)
    assert generator.series is not None
    assert generator.series.num_embeddings == 4
    vectors = discriminator.embed(torch.rand(2, 1, 32, 32))
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(2))


def test_the_control_draws_no_samples(pairs: np.ndarray, tmp_path: Path) -> None:
    settings = replace(settings_of((TINY, "simclr", ())), steps=2)
    train(settings, Lesson(pairs[:, 0], "m", pairs=pairs), tmp_path, compute=CPU)
    assert not list(tmp_path.glob("samples-*.png"))


def test_a_model_of_another_recipe_is_no_beginning(pairs: np.ndarray, tmp_path: Path) -> None:
    settings = replace(settings_of((TINY, "hinge", ())), steps=2)
    lesson = Lesson(pairs[:, 0], "m", pairs=pairs)
    first = train(settings, lesson, tmp_path / "1", compute=CPU)
    start = Model(first.id, *unpack_weights(first.weights, tmp_path), first.manifest)
    other = replace(settings, switches=("spectral-norm",), start=first.id)
    with pytest.raises(TrainingError, match="--from random"):
        train(other, lesson, tmp_path / "2", start, compute=CPU)


@pytest.mark.parametrize("series", [(), [None] * 64, ["HCA 32"] * 64])
def test_conditional_without_series_says_where_they_come_from(
    pairs: np.ndarray, tmp_path: Path, series: list[str | None]
) -> None:
    settings = settings_of((TINY, "hinge", ("conditional",)))
    with pytest.raises(TrainingError, match="--documents"):
        train(settings, Lesson(pairs[:, 0], "m", series, pairs), tmp_path, compute=CPU)


def test_a_batch_says_the_series_of_its_own_marks_and_none_of_redrawn_ones() -> None:
    settings = Settings(TINY, "hinge", ("conditional",), batch=8, redrawn_share=0.5)
    marks = np.zeros((20, 32, 32), np.uint8) + np.arange(20, dtype=np.uint8)[:, None, None]
    redrawn = np.full((10, 2, 32, 32), 255, np.uint8)
    codes = np.arange(20) % 3
    batch = draw_batch(settings, marks, redrawn, None, codes, 0, CPU)
    shown = torch.round((batch.first[:, 0, 0, 0] + 1) * 127.5).int().tolist()
    assert batch.series is not None
    assert batch.series.tolist() == [0 if mark == 255 else mark % 3 for mark in shown]
    assert shown.count(255) == 4
    assert len(shown) == 8, "a game has no turned siblings"
