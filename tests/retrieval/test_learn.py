from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from retrieval.catalogue import tables
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import ArchiveBusy, ArchiveError, ModelError, TrainingError
from retrieval.crops import crop_path, load_crop
from retrieval.gan.settings import Settings
from retrieval.gan.training import Progress
from retrieval.learn import (
    EXAMPLES,
    RUN,
    Example,
    default_settings,
    examples,
    lesson_of,
    train_on_archive,
    unfinished_run,
)
from retrieval.model import bundled_model
from retrieval.which_model import archive_model
from tests.drawn_marks import add_marks
from tests.retrieval.conftest import TINY

SETTINGS = Settings(TINY, steps=4, batch=8, identities=12, checkpoint_every=2, warm_up=1)


def kill_at_step_3(archive: Archive, settings: Settings) -> None:
    def kill(progress: Progress) -> None:
        if progress.step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_on_archive(archive, settings, kill)


def test_the_default_begins_from_the_bundled_weights() -> None:
    assert default_settings().start == bundled_model().id
    assert default_settings().adapted < 1 == default_settings(start=None).adapted
    assert default_settings(start=None).start is None
    assert default_settings("sketch-gan", "non-saturating").start is None


def test_each_objective_has_its_own_rates_and_the_control_begins_from_nothing() -> None:
    assert default_settings("dcgan", "simclr").start is None
    assert default_settings("dcgan", "simclr").redrawn_share == default_settings().redrawn_share
    clipped = default_settings("dcgan", "wasserstein", switches=("minibatch",))
    assert (clipped.learning_rate, clipped.generator_rate) == (5e-5, 5e-5)
    assert clipped.switches == ("minibatch",)
    assert default_settings("dcgan-attention").start is None
    assert default_settings(start="0123abcd").start == "0123abcd"
    with pytest.raises(TrainingError, match="no effect"):
        default_settings("dcgan", "wasserstein", switches=("spectral-norm",))


def test_the_series_of_marks_stand_as_the_marks_do(archive: Archive) -> None:
    add_marks(archive, range(2), reference="HCA 30/1", series="HCA 30")
    add_marks(archive, range(2, 3))
    rejected = add_marks(archive, range(3, 4), reference="HCA 45/7", series="HCA 45")
    add_marks(archive, range(4, 6), reference="HCA 32/9", series="HCA 32")
    with archive.session() as session:
        session.execute(
            update(tables.Mark).where(tables.Mark.id == rejected[0]).values(status="rejected")
        )
    series = [one.series for one in examples(archive, seed=1)]
    assert series == ["HCA 30", "HCA 30", None, "HCA 32", "HCA 32"]


def test_a_conditional_run_learns_series_and_one_without_is_refused(archive: Archive) -> None:
    told = replace(SETTINGS, objective="hinge", switches=("conditional", "minibatch"), steps=2)
    add_marks(archive, range(4), reference="HCA 30/1", series="HCA 30")
    with pytest.raises(TrainingError, match="only of series HCA 30"):
        train_on_archive(archive, told)
    add_marks(archive, range(4, 8), reference="HCA 32/9", series="HCA 32")

    def kill(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_on_archive(archive, replace(told, checkpoint_every=1), kill)
    assert unfinished_run(archive) == replace(told, checkpoint_every=1)
    model = train_on_archive(archive, told, restart=True).model
    assert model.manifest["series"] == ["HCA 30", "HCA 32"]
    assert archive_model(archive).id == model.id


def test_a_mark_rejected_while_crops_are_read_moves_no_series(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page takes no lock: somebody rejects the first mark as the run begins."""
    first, *_ = add_marks(archive, range(4), reference="HCA 30/1", series="HCA 30")
    add_marks(archive, range(4, 8), reference="HCA 32/9", series="HCA 32")
    told = replace(SETTINGS, objective="hinge", switches=("conditional",), steps=2)

    def load_and_reject(archive: Archive, crop: str) -> np.ndarray:
        with archive.session() as session:
            session.execute(
                update(tables.Mark).where(tables.Mark.id == first).values(status="rejected")
            )
        return load_crop(archive, crop)

    undisturbed = train_on_archive(archive, told).model
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("retrieval.crops.load_crop", load_and_reject)
        model = train_on_archive(archive, told).model
    assert model.manifest["marks"] == 8
    assert model.manifest["series"] == ["HCA 30", "HCA 32"]
    assert model.id == undisturbed.id
    assert len(examples(archive, seed=1)) == 7


def test_of_a_crop_in_several_series_the_first_counts(archive: Archive) -> None:
    first, *_ = add_marks(archive, range(1))
    add_marks(archive, range(1, 2), reference="HCA 32/9", series="HCA 32")
    add_marks(archive, range(2, 3), reference="HCA 30/1", series="HCA 30")
    crop = examples(archive, seed=1)[2].crop
    with archive.session() as session:
        session.execute(update(tables.Mark).values(crop=crop))
    assert examples(archive, seed=1) == [Example(crop, first, "HCA 32")]


def test_of_very_many_marks_those_are_learned_from_that_the_seed_chooses(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = add_marks(archive, range(7))
    twins = add_marks(archive, range(7, 9), "HCA 32/1", series="HCA 32")
    with archive.session() as session:
        for mark, twin in zip(marks, twins, strict=False):
            session.get_one(tables.Mark, twin).crop = session.get_one(tables.Mark, mark).crop
    every = examples(archive, seed=1)
    assert [one.mark for one in every] == marks
    assert [one.series for one in every] == ["HCA 32"] * 2 + [None] * 5
    monkeypatch.setattr("retrieval.learn.MOST_MARKS", 4)
    monkeypatch.setattr("retrieval.learn._READ", 2)
    for seed in range(5):
        chosen = np.sort(np.random.default_rng([seed, 4]).choice(7, 4, replace=False))
        assert examples(archive, seed) == [every[at] for at in chosen]


def test_rejected_marks_and_copies_teach_nothing(archive: Archive) -> None:
    marks = add_marks(archive, range(6))
    with archive.session() as session:
        crop = session.get_one(tables.Mark, marks[0]).crop
        session.execute(update(tables.Mark).where(tables.Mark.id == marks[1]).values(crop=crop))
        session.execute(
            update(tables.Mark).where(tables.Mark.id == marks[2]).values(status="rejected")
        )
    lesson, *_ = lesson_of(archive, SETTINGS, examples(archive, seed=1))
    assert lesson.marks.shape == (4, 32, 32)


@pytest.mark.parametrize("damage", ["gone", "damaged"])
def test_a_crop_that_cannot_be_read_teaches_nothing_and_is_named(
    archive: Archive, damage: str
) -> None:
    told = replace(SETTINGS, switches=("conditional",))
    lost = add_marks(archive, range(3), reference="HCA 30/1", series="HCA 30")[1]
    add_marks(archive, range(3, 5), reference="HCA 32/9", series="HCA 32")
    every = examples(archive, seed=1)
    whole, shown, unread = lesson_of(archive, told, every)
    assert (len(whole.marks), shown, unread) == (5, every, ())
    path = crop_path(archive, every[1].crop)
    path.write_bytes(b"no picture") if damage == "damaged" else path.unlink()
    rest, _, (sentence,) = lesson_of(archive, told, every)
    np.testing.assert_array_equal(rest.marks, whole.marks[[0, 2, 3, 4]])
    assert rest.series == ["HCA 30", "HCA 30", "HCA 32", "HCA 32"]
    assert rest.digest != whole.digest
    assert sentence.startswith(f"mark {lost}: The crop {path} ")


def test_of_an_archive_without_crops_it_is_said_that_they_are_gone(archive: Archive) -> None:
    first, *_ = add_marks(archive, range(3))
    shutil.rmtree(archive.crops_folder)
    with pytest.raises(TrainingError, match=f"of 3 others .* such as mark {first}: The"):
        train_on_archive(archive, SETTINGS)


def test_an_interrupted_run_is_there_to_resume_and_to_discard(archive: Archive) -> None:
    add_marks(archive, range(10))
    assert unfinished_run(archive) is None

    kill_at_step_3(archive, SETTINGS)
    assert unfinished_run(archive) == SETTINGS
    with pytest.raises(TrainingError, match="--restart"):
        train_on_archive(archive, replace(SETTINGS, seed=9))
    resumed = train_on_archive(archive, SETTINGS).model
    assert unfinished_run(archive) is None
    assert train_on_archive(archive, SETTINGS).model.id == resumed.id


@pytest.mark.parametrize("switches", [(), ("conditional",)])
def test_a_run_goes_on_with_the_marks_that_it_began_with(
    archive: Archive, switches: tuple[str, ...]
) -> None:
    told = replace(SETTINGS, objective="hinge", switches=switches)
    rejected, lost, *_ = add_marks(archive, range(6), reference="HCA 30/1", series="HCA 30")
    add_marks(archive, range(6, 10), reference="HCA 32/9", series="HCA 32")
    with archive.session() as session:
        path = crop_path(archive, session.get_one(tables.Mark, lost).crop)
    path.rename(path.with_suffix(".away"))
    undisturbed = train_on_archive(archive, told)

    kill_at_step_3(archive, told)
    path.with_suffix(".away").rename(path)
    with archive.session() as session:
        session.get_one(tables.Mark, rejected).status = "rejected"
        session.execute(update(tables.Document).values(series="HCA 45"))
    add_marks(archive, range(10, 12))
    went_on = train_on_archive(archive, told)
    assert went_on.model.id == undisturbed.model.id
    assert went_on.unread == undisturbed.unread
    assert went_on.model.manifest["marks"] == 9
    assert train_on_archive(archive, replace(told, switches=())).model.manifest["marks"] == 11


def test_a_run_that_lacks_a_crop_that_it_began_with_says_so(archive: Archive) -> None:
    first, *_ = add_marks(archive, range(10))

    kill_at_step_3(archive, SETTINGS)
    with archive.session() as session:
        path = crop_path(archive, session.get_one(tables.Mark, first).crop)
    content = path.read_bytes()
    path.unlink()
    said = f"cannot continue without 1 of its crops, such as mark {first}: The crop {path}"
    with pytest.raises(TrainingError, match=said):
        train_on_archive(archive, SETTINGS)
    path.write_bytes(content)
    steps: list[int] = []
    train_on_archive(archive, SETTINGS, lambda progress: steps.append(progress.step))
    assert steps == [3, 4]


def test_a_run_of_a_version_that_kept_no_examples_goes_on_with_the_same_marks_alone(
    archive: Archive,
) -> None:
    first, *_ = add_marks(archive, range(10))

    kill_at_step_3(archive, SETTINGS)
    (archive.models_folder / RUN / EXAMPLES).unlink()
    with archive.session() as session:
        session.get_one(tables.Mark, first).status = "rejected"
    with pytest.raises(TrainingError, match="other settings or other marks"):
        train_on_archive(archive, SETTINGS)
    with archive.session() as session:
        session.get_one(tables.Mark, first).status = "confirmed"
    steps: list[int] = []
    train_on_archive(archive, SETTINGS, lambda progress: steps.append(progress.step))
    assert steps == [3, 4]


def test_a_restart_discards_the_interrupted_run_once_it_can_begin(archive: Archive) -> None:
    add_marks(archive, range(10))

    kill_at_step_3(archive, SETTINGS)
    with pytest.raises(ModelError, match="has no model 'zzz'"):
        train_on_archive(archive, replace(SETTINGS, start="zzz"), restart=True)
    with pytest.raises(TrainingError, match=f"Model {bundled_model().id} has other networks"):
        train_on_archive(archive, replace(SETTINGS, start="bundled"), restart=True)
    with archive.lock(), pytest.raises(ArchiveBusy):
        train_on_archive(archive, replace(SETTINGS, seed=9), restart=True)
    assert unfinished_run(archive) == SETTINGS
    other = train_on_archive(archive, replace(SETTINGS, seed=9), restart=True).model
    assert other.manifest["settings"]["seed"] == 9
    assert unfinished_run(archive) is None


def test_a_run_that_is_half_discarded_is_none_to_go_on_with(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_marks(archive, range(10))
    run = archive.models_folder / ".run"

    def killed(*_: object, **__: object) -> None:
        (run / "best.safetensors").unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            train_on_archive(archive, SETTINGS)
    model = archive_model(archive)
    assert unfinished_run(archive) is None
    assert train_on_archive(archive, SETTINGS).model.id == model.id
    assert not run.exists()


def test_a_run_is_known_by_the_whole_id_of_the_model_that_it_began_from(archive: Archive) -> None:
    add_marks(archive, range(10))
    first = train_on_archive(archive, SETTINGS).model
    told = replace(SETTINGS, start=first.id[:6])

    kill_at_step_3(archive, told)
    assert unfinished_run(archive) == replace(SETTINGS, start=first.id)
    model = train_on_archive(archive, told).model
    assert model.manifest["settings"]["start"] == first.id


@pytest.mark.parametrize(
    ("where", "folder"),
    [
        ("retrieval.gan.training.write_atomically", ".run"),
        ("retrieval.model.write_atomically", ""),
        ("shutil.copyfile", ""),
    ],
)
def test_a_full_disk_ends_a_run_and_the_next_goes_on(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, where: str, folder: str
) -> None:
    add_marks(archive, range(10))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(where, full)
        said = f"{archive.models_folder / folder}.* cannot be written to: No space left on device"
        with pytest.raises(ArchiveError, match=said):
            train_on_archive(archive, SETTINGS)
    steps: list[int] = []
    train_on_archive(archive, SETTINGS, lambda progress: steps.append(progress.step))
    assert steps == ([1, 2, 3, 4] if folder else [])


def test_the_record_of_a_run_is_kept_beside_its_model(archive: Archive) -> None:
    add_marks(archive, range(10))
    model = train_on_archive(archive, SETTINGS).model
    record: Path = archive.models_folder / model.id / "record"
    assert (record / "metrics.csv").read_text().startswith("step,")
    assert sorted(path.name for path in record.glob("*.png")) == [
        "samples-000002.png",
        "samples-000004.png",
    ]
