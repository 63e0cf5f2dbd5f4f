from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from retrieval import bundle
from retrieval.bundle import Stage, main, stage
from retrieval.catalogue.errors import TrainingError
from retrieval.gan.settings import Settings
from retrieval.gan.training import Lesson, Progress, Trained
from retrieval.model import Model, read_model

Report = Callable[[Progress], None]

FEW = ["--stages", "64:2", "64:1", "--batch", "8", "--identities", "60"]


def test_stages_follow_one_another_and_an_interrupted_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, run = tmp_path / "weights", tmp_path / "run"
    train, trained = bundle.train, []

    def interrupted(
        settings: Settings, lesson: Lesson, where: Path, start: Model | None, report: Report
    ) -> Trained:
        trained.append((settings.steps, start))
        if len(trained) == 2:
            raise KeyboardInterrupt
        return train(settings, lesson, where, start, report)

    monkeypatch.setattr(bundle, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        main([str(folder), "--run", str(run), *FEW])
    assert not folder.exists()
    main([str(folder), "--run", str(run), *FEW])
    assert [steps for steps, _ in trained] == [2, 1, 1], "the first stage was not trained again"
    model = read_model(folder)
    first = trained[2][1]
    assert model.manifest["began_with"]["id"] == first.id != model.id
    assert model.manifest["made_by"].endswith("64:2 64:1 --batch 8 --identities 60 --seed 1")
    assert not run.exists()


def test_weights_that_go_on_may_keep_a_share_of_those_they_began_with(tmp_path: Path) -> None:
    first, last, half = (tmp_path / name for name in ("first", "last", "half"))
    few = ["--stages", "64:2", "--batch", "8", "--identities", "60"]
    main([str(first), "--run", str(tmp_path / "run"), *few])
    onwards = ["--begin", str(first), *few, "--seed", "2", "--whitening", "0"]
    main([str(last), "--run", str(tmp_path / "run"), *onwards])
    main([str(half), "--run", str(tmp_path / "run"), *onwards, "--keep", "0.25"])
    before, after, model = (read_model(folder) for folder in (first, last, half))
    assert model.manifest["id"] == model.id
    assert model.manifest["began_with"]["id"] == before.id
    assert model.manifest["went_on_to"] == after.id
    assert [one.manifest["settings"]["whitening"] for one in (before, after)] == [0.5, 0.0]
    assert (
        f"--begin {before.id} --stages 64:2 --keep 0.25 --whitening 0.0 "
        in model.manifest["made_by"]
    )
    old, new = before.discriminator.state_dict(), after.discriminator.state_dict()
    for name, value in model.discriminator.state_dict().items():
        if name.endswith(("._u", "._v")):  # their mean would have neither length nor meaning
            assert torch.allclose(value, new[name], atol=1e-3), name
        elif value.dtype.is_floating_point:
            between = 0.25 * old[name] + 0.75 * new[name]
            assert torch.allclose(value, between, rtol=2e-3, atol=1e-5), name


def test_a_share_is_kept_only_of_weights_of_the_same_networks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ["--batch", "8", "--identities", "60", "--run", str(tmp_path / "run"), "--keep", "0.5"]
    for asked, said in (
        (
            ["--begin", str(Path(bundle.__file__).parent / "weights"), "--stages", "64:1"],
            "a last stage of 128 pixels",
        ),
        (["--stages", "64:1"], "--keep is a share of what --begin names"),
    ):
        with pytest.raises(SystemExit):
            main([str(tmp_path / "other"), *asked, *few])
        assert said in capsys.readouterr().err
        assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "other", [["--seed", "2"], ["--batch", "6"], ["--stages", "64:3", "64:1"]], ids=" ".join
)
def test_a_stage_that_was_trained_otherwise_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: list[str]
) -> None:
    folder, run = tmp_path / "weights", tmp_path / "run"
    train = bundle.train

    def interrupted(
        settings: Settings, lesson: Lesson, where: Path, start: Model | None, report: Report
    ) -> Trained:
        if start is not None:
            raise KeyboardInterrupt
        return train(settings, lesson, where, start, report)

    monkeypatch.setattr(bundle, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        main([str(folder), "--run", str(run), *FEW])
    with pytest.raises(TrainingError, match=f"The stage in {run / '0'} was trained with other"):
        main([str(folder), "--run", str(run), *FEW, *other])
    assert not folder.exists()
    assert (run / "0/model.json").exists()


def test_a_stage_is_read_as_it_is_written() -> None:
    assert stage(str(Stage(96, 900))) == Stage(96, 900)
    for nonsense in ("96", "96:x", "1:2:3", ""):
        with pytest.raises(ValueError):
            stage(nonsense)
