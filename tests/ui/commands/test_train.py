from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from typer.testing import CliRunner, Result

from retrieval.catalogue.archive import create_archive, open_archive
from retrieval.gan.settings import Settings
from retrieval.gan.training import Progress
from retrieval.learn import train_on_archive, unfinished_run
from tests.drawn_marks import add_marks
from tests.retrieval.conftest import TINY
from ui.cli import app

SHAPE = replace(TINY, generator_width=8)
SETTINGS = Settings(SHAPE, steps=4, batch=8, identities=12, checkpoint_every=2, warm_up=1)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


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
    assert "Another process is working on" in said(done)
    assert unfinished(interrupted) == SETTINGS


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (("--objective", "hing"), "no objective 'hing'"),
        (("--architecture", "resnet"), "no architecture"),
        (("--with", "r1"), "Leave --with out"),
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
    assert "Use --restart to discard it" in said(refused)
    done = run("train", interrupted, "--seed", 2, "--restart")
    assert done.exit_code == 0, done.output
    assert unfinished(interrupted) is None


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
    assert "Use --restart to discard it." in said(again)
    told = run("status", interrupted)
    assert told.exit_code == 0
    assert f"Interrupted training: prizemarks train {interrupted} --resume" in told.output
    assert run("train", interrupted, "--restart").exit_code == 0


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
    assert "learned from 5 marks" in said(done)
    assert "It learned nothing from 1 mark:" in said(done)
    assert f"The crop {lost} cannot be read" in said(done)
    told = run("train", interrupted, "--json")
    assert told.exit_code == 1
    (sentence,) = json.loads(told.stdout)["unread"]
    assert str(lost) in sentence
