from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from retrieval.catalogue.errors import TrainingError
from retrieval.gan import training
from retrieval.gan.architecture import Architecture
from retrieval.gan.checkpoints import BEST, read_run
from retrieval.gan.probe import ProbeScore
from retrieval.gan.redrawing import redrawn_pairs
from retrieval.gan.settings import Settings
from retrieval.gan.training import Lesson, Progress, train
from retrieval.model import Model, unpack_weights

TINY = Architecture("dcgan", size=32, width=8)
SETTINGS = Settings(
    TINY, steps=9, batch=12, identities=24, checkpoint_every=3, warm_up=2, redrawn_share=0.5
)


@pytest.fixture(scope="module")
def marks() -> np.ndarray:
    return redrawn_pairs(99, 80, TINY.size, workers=1)[:, 0]


class Killed(Exception):
    """Stands for a kill in the middle of a step."""


def test_a_run_leaves_weights_metrics_and_samples(marks: np.ndarray, tmp_path: Path) -> None:
    seen: list[Progress] = []
    trained = train(SETTINGS, Lesson(marks, "m"), tmp_path, report=seen.append)
    assert [progress.step for progress in seen] == list(range(1, 10))
    discriminator, generator = unpack_weights(trained.weights, tmp_path)
    assert discriminator.shape == generator.shape == TINY
    rows = list(csv.DictReader((tmp_path / "metrics.csv").open()))
    assert [row["step"] for row in rows] == ["3", "6", "9"]
    sheet = cv2.imread(str(tmp_path / "samples-000009.png"), cv2.IMREAD_GRAYSCALE)
    assert sheet is not None
    assert sheet.shape == (6 * 32, 10 * 32)
    assert trained.manifest["best_step"] in (3, 6, 9)
    assert trained.manifest["marks"] == 80


def test_the_kept_checkpoint_is_the_last_that_is_as_good_as_the_best(
    marks: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares = iter([0.30, 0.50, 0.41, 0.38])  # of 80 marks two standard errors of 0.5 are 0.112
    monkeypatch.setattr(
        training, "probe", lambda *_: ProbeScore(precision_at_1=next(shares), margin=0.0, marks=80)
    )
    trained = train(replace(SETTINGS, steps=12), Lesson(marks, "m"), tmp_path)
    assert trained.manifest["best_step"] == 9
    assert trained.manifest["probe"]["precision_at_1"] == 0.41


@pytest.mark.parametrize("objective", ["contrastive", "non-saturating"])
@pytest.mark.parametrize("killed_at", [2, 5, 8])
def test_an_interrupted_run_ends_with_the_same_weights(
    marks: np.ndarray, tmp_path: Path, objective: str, killed_at: int
) -> None:
    settings = replace(SETTINGS, objective=objective)
    whole = train(settings, Lesson(marks, "m"), tmp_path / "whole")

    def kill(progress: Progress) -> None:
        if progress.step == killed_at:
            raise Killed

    with pytest.raises(Killed):
        train(settings, Lesson(marks, "m"), tmp_path / "cut", report=kill)
    resumed: list[int] = []
    again = train(
        settings,
        Lesson(marks, "m"),
        tmp_path / "cut",
        report=lambda progress: resumed.append(progress.step),
    )
    assert resumed[0] == (killed_at // 3) * 3 + 1, "it goes on from the last checkpoint"
    assert again.id == whole.id
    assert (tmp_path / "cut/metrics.csv").read_bytes() == (
        tmp_path / "whole/metrics.csv"
    ).read_bytes()


def test_kill_9_and_run_again(tmp_path: Path) -> None:
    """A real process, killed for good, and the same weights as one that was left alone."""
    script = tmp_path / "run.py"
    script.write_text(
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from retrieval.gan.architecture import Architecture\n"
        "from retrieval.gan.redrawing import redrawn_pairs\n"
        "from retrieval.gan.settings import Settings\n"
        "from retrieval.gan.training import Lesson, train\n"
        "if __name__ == '__main__':\n"
        "    shape = Architecture('dcgan', size=32, width=8)\n"
        "    marks = redrawn_pairs(99, 80, 32, workers=1)[:, 0]\n"
        "    settings = Settings(shape, steps=60, batch=12, identities=24, checkpoint_every=5)\n"
        "    print(train(settings, Lesson(marks, 'm'), Path(sys.argv[1])).id)\n"
    )
    command = [sys.executable, str(script)]
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}
    victim = subprocess.Popen(
        [*command, str(tmp_path / "cut")], stdout=subprocess.DEVNULL, env=one_thread
    )
    state = tmp_path / "cut/state.safetensors"
    deadline = time.monotonic() + 120
    while not state.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(victim.pid, signal.SIGKILL)
    assert victim.wait() == -signal.SIGKILL, "it was killed in the middle, not finished"
    header = read_run(tmp_path / "cut")
    assert header is not None
    assert 0 < header["record"]["step"] < 60
    ids = [
        subprocess.run(
            [*command, str(tmp_path / run)],
            capture_output=True,
            text=True,
            check=True,
            env=one_thread,
        )
        for run in ("cut", "whole")
    ]
    assert ids[0].stdout == ids[1].stdout != ""


@pytest.mark.parametrize(("number", "probed", "looked_at"), [(63, "redrawn", 24), (64, "", 64)])
def test_a_manifest_says_of_what_the_checkpoint_was_chosen_by(
    marks: np.ndarray, tmp_path: Path, number: int, probed: str, looked_at: int
) -> None:
    settings = replace(SETTINGS, steps=1, identities=24)
    manifest = train(settings, Lesson(marks[:number], "m"), tmp_path).manifest
    assert manifest["probed"] == f"{probed} marks".strip()
    assert manifest["probe"]["marks"] == looked_at
    of = "drawings of a redrawn mark" if probed else "views of a mark"
    assert manifest["chosen_by"] == f"two augmented {of} must find each other among the rest"


def test_another_seed_gives_other_weights(marks: np.ndarray, tmp_path: Path) -> None:
    first = train(SETTINGS, Lesson(marks, "m"), tmp_path / "1")
    second = train(replace(SETTINGS, seed=2), Lesson(marks, "m"), tmp_path / "2")
    assert first.id != second.id


def test_a_run_begins_from_a_model(marks: np.ndarray, tmp_path: Path) -> None:
    first = train(SETTINGS, Lesson(marks, "m"), tmp_path / "1")
    start = Model(first.id, *unpack_weights(first.weights, tmp_path), first.manifest)
    still = replace(
        SETTINGS, steps=3, learning_rate=0.0, matrix_rate=0.0, generator_rate=0.0, start=first.id
    )
    second = train(still, Lesson(marks, "m"), tmp_path / "2", start)
    unchanged = unpack_weights(second.weights, tmp_path)[0].state_dict()
    before = start.discriminator.state_dict()
    key = "trunk.layers.1.0.weight"
    np.testing.assert_allclose(unchanged[key], before[key], atol=2e-3)


@pytest.mark.parametrize("adapted", [0.0, 0.5, 1.0])
def test_a_model_goes_a_part_of_the_way_from_what_it_began_from(
    adapted: float, marks: np.ndarray, tmp_path: Path
) -> None:
    first = train(SETTINGS, Lesson(marks, "m"), tmp_path / "1")
    start = Model(first.id, *unpack_weights(first.weights, tmp_path), first.manifest)
    onward = replace(SETTINGS, steps=3, start=first.id, adapted=adapted)
    run = tmp_path / "2"
    model = unpack_weights(train(onward, Lesson(marks, "m"), run, start).weights, tmp_path)[0]
    end = unpack_weights((run / BEST).read_bytes(), run)[0].state_dict()
    for key in ("trunk.layers.1.0.weight", "projection.1.weight", "projection.2.running_mean"):
        before = start.discriminator.state_dict()[key]
        assert not np.allclose(before, end[key], atol=5e-4)
        there = (1 - adapted) * before + adapted * end[key]
        np.testing.assert_allclose(model.state_dict()[key], there, rtol=1e-3, atol=1e-5)


def test_marks_that_changed_meanwhile_are_refused(marks: np.ndarray, tmp_path: Path) -> None:
    def kill(progress: Progress) -> None:
        if progress.step == 4:
            raise Killed

    with pytest.raises(Killed):
        train(SETTINGS, Lesson(marks, "before"), tmp_path, report=kill)
    with pytest.raises(TrainingError, match="--restart"):
        train(SETTINGS, Lesson(marks, "after"), tmp_path)


@pytest.mark.parametrize(
    "other",
    [
        replace(SETTINGS, seed=2),
        replace(SETTINGS, identities=26),
        replace(SETTINGS, shape=replace(TINY, size=64)),
    ],
    ids=["seed", "identities", "size"],
)
def test_a_run_killed_before_its_first_checkpoint_leaves_other_settings_nothing(
    tmp_path: Path, other: Settings
) -> None:
    def kill(progress: Progress) -> None:
        raise Killed

    marks = redrawn_pairs(99, 8, other.shape.size, workers=1)[:, 0]
    with pytest.raises(Killed):
        train(SETTINGS, Lesson(np.zeros((0, 32, 32), np.uint8), ""), tmp_path / "run", report=kill)
    again = train(replace(other, steps=3), Lesson(marks, "m"), tmp_path / "run")
    alone = train(replace(other, steps=3), Lesson(marks, "m"), tmp_path / "alone")
    assert again.id == alone.id
    kept = [path.name for path in (tmp_path / "run").glob("redrawn*")]
    assert kept == [path.name for path in (tmp_path / "alone").glob("redrawn*")]


def test_a_run_takes_no_copy_of_all_its_marks(marks: np.ndarray, tmp_path: Path) -> None:
    many = np.broadcast_to(marks[0], (200_000, 32, 32))  # takes no memory itself
    settings = replace(SETTINGS, steps=1, checkpoint_every=1)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        train(settings, Lesson(many, "m"), tmp_path)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most - before < many.nbytes / 2


def test_unknown_objective_is_refused(marks: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="contrastive"):
        train(replace(SETTINGS, objective="supervised"), Lesson(marks, "m"), tmp_path)


def test_training_on_redrawn_marks_alone_learns_to_find_them(tmp_path: Path) -> None:
    settings = Settings(
        TINY, steps=40, batch=48, identities=200, checkpoint_every=20, redrawn_share=1.0, warm_up=5,
        learning_rate=2e-3,
    )  # fmt: skip
    losses: list[float] = []
    train(
        settings,
        Lesson(np.zeros((0, 32, 32), np.uint8), ""),
        tmp_path,
        report=lambda progress: losses.append(progress.losses["contrast"]),
    )
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) - 0.3
