from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from typer.testing import Result

from retrieval.catalogue.archive import Archive, create_archive, open_archive
from retrieval.gan.architecture import Architecture
from retrieval.gan.recipes import LARGEST_SEED, RECIPES, SWITCH_HELP
from retrieval.gan.settings import Settings
from retrieval.gan.training import Progress
from retrieval.learn import train_on_archive, unfinished_run
from tests.drawn_marks import add_marks, drawn_mark
from tests.retrieval.conftest import TINY
from tests.ui.running import run

SHAPE = replace(TINY, generator_width=8)
SETTINGS = Settings(SHAPE, steps=4, batch=8, identities=12, checkpoint_every=2, warm_up=1)


def said(done: Result) -> str:
    """What a command printed as one line, however wide the terminal is."""
    return " ".join(done.output.split())


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of 6 marks, whose training was stopped after its first checkpoint."""

    def kill(progress: Progress) -> None:
        if progress.step == 2:
            raise KeyboardInterrupt

    folder = tmp_path_factory.mktemp("stopped") / "archive"
    archive = create_archive(folder)
    add_marks(archive, range(6))
    with pytest.raises(KeyboardInterrupt):
        train_on_archive(archive, SETTINGS, kill)
    archive.close()
    return folder


@pytest.fixture
def interrupted(stopped: Path, tmp_path: Path) -> Path:
    """A copy of it to work on."""
    return shutil.copytree(stopped, tmp_path / "archive")


def unfinished(folder: Path) -> Settings | None:
    archive = open_archive(folder)
    found = unfinished_run(archive)
    archive.close()
    return found


def test_a_run_under_way_elsewhere_is_not_discarded(interrupted: Path) -> None:
    archive = open_archive(interrupted)
    with archive.lock():
        done = run("train", interrupted, "--restart")
    archive.close()
    assert done.exit_code == 2
    assert "Another process is using" in said(done)
    assert unfinished(interrupted) == SETTINGS


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (("--objective", "hing"), "no objective 'hing'"),
        (("--architecture", "resnet"), "no architecture"),
        (("--with", "r1"), "Leave out --with"),
        (("--from", "ffff"), "has no model 'ffff'"),
        (("--objective", "hinge", "--with", "conditional"), "--documents"),
    ],
)
def test_what_cannot_be_trained_discards_nothing(
    interrupted: Path, wrong: tuple[str, ...], problem: str
) -> None:
    done = run("train", interrupted, "--restart", *wrong)
    assert done.exit_code == 2
    assert problem in said(done)
    assert unfinished(interrupted) == SETTINGS


def test_a_restart_begins_anew_with_other_settings(
    interrupted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.learn.default_settings", lambda *_: SETTINGS)
    refused = run("train", interrupted, "--seed", 2)
    assert refused.exit_code == 2
    assert "Use --resume to go on with it as it was started, or --restart" in said(refused)
    done = run("train", interrupted, "--seed", 2, "--restart")
    assert done.exit_code == 0, done.output
    assert unfinished(interrupted) is None


@pytest.mark.parametrize(
    ("step", "advice"),
    [
        (1, "Stopped before the first checkpoint: nothing was kept."),
        (2, "Stopped. To go on from the last checkpoint: prizemarks train {} --resume"),
    ],
)
def test_a_restart_that_is_stopped_is_not_said_to_go_on_with_another_restart(
    interrupted: Path, monkeypatch: pytest.MonkeyPatch, step: int, advice: str
) -> None:
    def stopping(archive: Archive, settings: Settings, _show: object, *, restart: bool) -> None:
        def stop(progress: Progress) -> None:
            if progress.step == step:
                raise KeyboardInterrupt

        train_on_archive(archive, settings, stop, restart=restart)

    monkeypatch.setattr("retrieval.learn.default_settings", lambda *_: SETTINGS)
    monkeypatch.setattr("retrieval.learn.train_on_archive", stopping)
    done = run("train", interrupted, "--seed", 3, "--restart")
    assert done.exit_code == 130
    assert advice.format(interrupted) in said(done)
    assert (unfinished(interrupted) is not None) == (step == 2)


def test_it_is_said_of_which_marks_the_probe_was(
    interrupted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.learn.default_settings", lambda *_: SETTINGS)
    few = said(run("train", interrupted))
    assert "trained on 6 marks; checkpoint of step " in few
    assert "% of 12 redrawn marks (the archive has too few) ranked their other drawing" in few
    archive = open_archive(interrupted)
    add_marks(archive, range(6, 70))
    archive.close()
    assert "% of 70 marks ranked their own augmented view first." in said(run("train", interrupted))


def test_a_seed_that_no_run_can_have_is_refused_and_the_largest_is_taken(
    interrupted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.learn.default_settings", lambda *_: SETTINGS)
    for seed in (-1, LARGEST_SEED + 1, 10**30):
        refused = run("train", interrupted, "--restart", "--seed", seed)
        assert refused.exit_code == 2
        assert "Invalid value for '--seed'" in said(refused)
    assert unfinished(interrupted) == SETTINGS
    done = run("train", interrupted, "--restart", "--seed", LARGEST_SEED, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["settings"]["seed"] == LARGEST_SEED


def test_a_run_that_an_older_version_began_is_refused_and_discarded_on_demand(
    interrupted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.learn.default_settings", lambda *_: SETTINGS)
    path = interrupted / "models/.run/state.safetensors"
    content = path.read_bytes()
    tensors = load_tensors(content)
    length = int.from_bytes(content[:8], "little")
    header = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["run"])
    header["settings"]["a_switch_of_old"] = 0.0
    path.write_bytes(save_tensors(tensors, {"run": json.dumps(header)}))

    resumed = run("train", interrupted, "--resume")
    assert resumed.exit_code == 2
    assert "was started by another version of the program" in said(resumed)
    assert "Use --restart to discard it." in said(resumed)
    again = run("train", interrupted)
    assert again.exit_code == 2
    assert "or --restart to discard it." in said(again)
    told = run("status", interrupted)
    assert told.exit_code == 0
    assert f"Interrupted training: prizemarks train {interrupted} --resume" in told.output
    assert run("train", interrupted, "--restart").exit_code == 0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("state.safetensors", b""),
        ("state.safetensors", b"\xff" * 64),
        ("state.safetensors", b"\x02\0\0\0\0\0\0\0{}"),
        ("state.safetensors", None),  # cut short
        ("examples.json", b'{"examples": 3}'),
        ("examples.json", b"\x00"),
    ],
)
def test_a_damaged_run_is_said_to_be_and_discarded_on_demand(
    interrupted: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes | None
) -> None:
    monkeypatch.setattr("retrieval.learn.default_settings", lambda *_: SETTINGS)
    path = interrupted / "models/.run" / name
    path.write_bytes(path.read_bytes()[:-9] if content is None else content)
    problem = f"The unfinished run in {path.parent} cannot go on, for {name} is damaged ("
    for more in ((), ("--resume",)):
        refused = run("train", interrupted, *more)
        assert refused.exit_code == 2, refused.output
        assert problem in said(refused) and "Use --restart to discard it." in said(refused)
    told = run("status", interrupted)
    assert told.exit_code == 0, told.output
    status = json.loads(run("status", interrupted, "--json").stdout)
    assert status["unfinished_training"]
    if name == "state.safetensors":
        assert problem in told.stdout and status["training_problem"].startswith(problem)
        assert f"To train from the start: prizemarks train {interrupted} --restart\n" in told.stdout
        assert "--resume" not in told.stdout
    assert run("train", interrupted, "--restart").exit_code == 0
    assert unfinished(interrupted) is None


def test_a_crop_that_is_gone_is_named_and_the_others_are_learned(
    interrupted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.learn.default_settings", lambda *_: SETTINGS)
    whole = json.loads(run("train", interrupted, "--json").stdout)
    assert (whole["marks"], whole["unread"]) == (6, [])
    lost = min((interrupted / "crops").glob("*/*.png"))
    lost.unlink()
    done = run("train", interrupted)
    assert done.exit_code == 1, done.output
    assert "trained on 5 marks" in said(done)
    assert "1 mark could not be read for training:" in said(done)
    assert f"The crop {lost} cannot be read" in said(done)
    told = run("train", interrupted, "--json")
    assert told.exit_code == 1
    (sentence,) = json.loads(told.stdout)["unread"]
    assert str(lost) in sentence


def test_training_a_little_makes_a_model_that_search_uses(tmp_path: Path) -> None:
    crops = tmp_path / "crops"
    crops.mkdir()
    for seed in range(6):
        cv2.imwrite(str(crops / f"{seed}.png"), drawn_mark(seed))
    archive = tmp_path / "archive"
    run("ingest", archive, crops, "--as", "marks")
    done = run(
        "train",
        archive,
        "--from",
        "random",
        "--objective",
        "non-saturating",
        "--with",
        "spectral-norm,diffaugment",
        "--steps",
        2,
        "--json",
    )
    assert done.exit_code == 0, done.output
    trained = json.loads(done.stdout)["id"]
    assert json.loads(done.stdout)["settings"]["switches"] == ["spectral-norm", "diffaugment"]
    assert (archive / "models" / trained / "weights.safetensors").exists()
    assert (archive / "models" / trained / "record/metrics.csv").exists()
    assert not (archive / "models/.run").exists()
    assert run("index", archive).exit_code == 0
    found = json.loads(run("search", archive, crops / "3.png", "--json", "--top", 1).stdout)
    assert found["model"] == trained
    assert found["results"][0]["source"] == "3.png"


def test_training_takes_no_search_away_until_it_is_indexed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(4):
        (tmp_path / "crops").mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / f"crops/{seed}.png"), drawn_mark(seed))
    archive, query = tmp_path / "archive", tmp_path / "crops/3.png"
    run("ingest", archive, tmp_path / "crops", "--as", "marks")
    bundled = json.loads(run("index", archive, "--json").stdout)["model"]
    tiny = Settings(Architecture("dcgan", size=32, width=8), steps=1, batch=4, identities=4)
    opened = open_archive(archive)
    trained = train_on_archive(opened, tiny).model.id
    opened.close()

    def searched() -> str:
        return str(json.loads(run("search", archive, query, "--json").stdout)["model"])

    assert searched() == bundled
    assert json.loads(run("group", archive, "--json").stdout)["model"] == bundled
    told = run("status", archive).stdout
    assert f"model       {bundled}" in told and "not indexed 0" in told
    assert (
        f"Model {trained[:8]} has been trained but is not indexed yet. To search with it: "
        f"prizemarks index {archive}" in told
    )
    status = json.loads(run("status", archive, "--json").stdout)
    assert (status["model"], status["model_waiting"]) == (bundled, trained)
    refused = run("search", archive, query, "--model", trained)
    assert refused.exit_code == 2 and f"run: prizemarks index {archive}\n" in refused.stderr

    assert json.loads(run("index", archive, "--json").stdout)["model"] == trained
    assert searched() == trained
    assert "not indexed yet" not in run("status", archive).stdout
    started: list[object] = []

    def run_server(*given: object) -> int:
        started.extend(given)
        return 0

    monkeypatch.setattr("ui.serve.run_server", run_server)
    assert run("serve", archive, "--model", "bundled").exit_code == 0
    assert started[3] == bundled


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (("--steps", 8), "--steps"),
        (("--seed", SETTINGS.seed), "--seed"),
        (("--objective", "contrastive"), "--objective"),
        (("--architecture", "thin-gan", "--with", "lecam"), "--architecture, --with"),
        (("--from", "random"), "--from"),
    ],
)
def test_what_is_asked_beside_resume_is_refused(
    interrupted: Path, asked: tuple[object, ...], named: str
) -> None:
    done = run("train", interrupted, "--resume", *asked)
    assert done.exit_code == 2
    assert f"with its own options: leave out {named}, or start another run with --restart" in said(
        done
    )
    assert unfinished(interrupted) == SETTINGS


def test_an_interrupted_run_is_resumed_as_it_was_begun(interrupted: Path) -> None:
    done = run("train", interrupted, "--resume", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["settings"]["steps"] == SETTINGS.steps


def test_help_lists_every_objective_and_switch() -> None:
    said = run("train", "--help").output
    for name in (*RECIPES, *SWITCH_HELP):
        assert f"  {name} " in said


def test_marks_cannot_be_trained_without_any(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    run("ingest", tmp_path / "archive", tmp_path / "empty")
    done = run("train", tmp_path / "archive")
    assert done.exit_code == 2
    assert "0 marks to train on" in re.sub(r"\s+", " ", done.stderr)
