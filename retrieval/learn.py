"""Training on an archive: its marks in, a model of its own out."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from retrieval.catalogue import tables
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import TrainingError
from retrieval.catalogue.files import disk_errors_said, write_atomically
from retrieval.catalogue.models import trained_now
from retrieval.catalogue.suggesting import command_on
from retrieval.catalogued_embeddings import register_model
from retrieval.crops import load_crops
from retrieval.gan.architecture import Architecture, architecture
from retrieval.gan.checkpoints import STATE, damaged_run, read_run
from retrieval.gan.objectives import objective as objective_called
from retrieval.gan.objectives.objective import Contrast
from retrieval.gan.settings import Settings
from retrieval.gan.switches import switches_of
from retrieval.gan.switches.conditional import series_codes
from retrieval.gan.training import Lesson, Progress, first_discriminator, train
from retrieval.ink import normalise
from retrieval.model import Model, bundled_model, read_model, write_model
from retrieval.which_model import archive_model

#: The unfinished run's folder under models/, and where the last run's metrics and samples are kept.
RUN, RECORDS = ".run", "record"
#: What an unfinished run learns from, beside its state.
EXAMPLES = "examples.json"
#: A run looks at no more marks than this, chosen at random: features saturate long before.
MOST_MARKS = 200_000
FEWEST_MARKS = 2
_READ = 10_000  # rows read from the catalogue at once
#: From the bundled weights: ten minutes on two cores with bfloat16, several times that without.
ADAPTING_STEPS, ADAPTING_BATCH = 480, 144
#: How far the model goes to where training leads (docs/decisions/0018-half-way.md).
ADAPTED = 0.5


def default_settings(
    architecture_name: str = "dcgan",
    objective: str = "contrastive",
    start: str | None = "bundled",
    switches: Sequence[str] = (),
) -> Settings:
    """Return a run's settings: from the bundled weights where these fit, else from random ones.

    The bundled weights fit the contrastive DCGAN; anything else starts from random weights, SimCLR
    too, for it is the control of what these were trained with. `start` may name a model. Raises
    TrainingError when there is no such objective or the switches do not go with it.
    """
    shape = architecture(architecture_name)
    chosen = objective_called(objective)
    switches_of(objective, switches)
    if start == "bundled":
        fits = objective == "contrastive" and shape == bundled_model().shape
        start = bundled_model().id if fits else None
    if start is not None and objective == "contrastive":
        return Settings(
            shape,
            objective,
            start=start,
            steps=ADAPTING_STEPS,
            batch=ADAPTING_BATCH,
            learning_rate=4e-4,
            matrix_rate=1.3e-3,
            adapted=ADAPTED,
            whitening=0.0,  # what it begins from is whitened
        )
    return Settings(
        shape,
        objective,
        tuple(switches),
        start=start,
        steps=1400,
        redrawn_share=0.4 if isinstance(chosen, Contrast) else 0.0,
        learning_rate=chosen.discriminator_optimiser.rate,
        generator_rate=chosen.generator_optimiser.rate,
    )


@dataclass(frozen=True)
class Example:
    """A crop that a run learns from, its first mark, and its series ("HCA 32"), if known."""

    crop: str
    mark: int
    series: str | None


@dataclass(frozen=True)
class Learned:
    """The model that a run made; `unread` are sentences on marks whose crops it could not read."""

    model: Model
    unread: tuple[str, ...]


def examples(archive: Archive, seed: int) -> list[Example]:
    """Return what a run learns from, in the order of the marks, the same crop once.

    Rejected marks teach nothing and are left out. A crop that occurs in several series
    gets the first series found. Of more than `MOST_MARKS` those that `seed` chooses are returned.
    """
    known: dict[str, Example] = {}  # the same crop twice would be its own false negative
    with archive.session() as session:
        chosen = _chosen(session, seed)
        found = session.execute(
            select(tables.Mark.crop, tables.Mark.id, tables.Document.series)
            .join(tables.Mark.page)
            .outerjoin(tables.Page.document)
            .where(tables.Mark.status != "rejected")
            .order_by(tables.Mark.id)
            .execution_options(yield_per=_READ)
        )
        for crop, mark, series in found:
            if mark in chosen:
                known[crop] = Example(crop, mark, series)
            elif (one := known.get(crop)) is not None and one.series is None:
                known[crop] = replace(one, series=series)
    return list(known.values())


def _chosen(session: Session, seed: int) -> set[int]:
    """Return the marks that a run looks at, of each crop the first; no more than ids are loaded."""
    first = (
        select(func.min(tables.Mark.id))
        .where(tables.Mark.status != "rejected")
        .group_by(tables.Mark.crop)
        .execution_options(yield_per=_READ)
    )
    marks = np.sort(np.fromiter(session.scalars(first), np.int64))
    if len(marks) > MOST_MARKS:
        rng = np.random.default_rng([seed, 4])
        marks = marks[rng.choice(len(marks), MOST_MARKS, replace=False)]
    return set(marks.tolist())


def lesson_of(
    archive: Archive, settings: Settings, every: Sequence[Example]
) -> tuple[Lesson, list[Example], tuple[str, ...]]:
    """Return the lesson of some examples, those that are in it, and sentences on the others.

    Labels are left out: pictures are read, and the series of their documents where the switch
    `conditional` asks for them. Marks whose crops are gone or damaged are passed over.
    """
    shown: list[Example] = []
    unread: list[str] = []
    size = settings.shape.size
    marks = np.empty((len(every), size, size), np.uint8)
    for at, picture in load_crops(archive, [(one.mark, one.crop) for one in every], unread):
        marks[len(shown)] = np.round((normalise(picture, size) + 1) * 127.5)
        shown.append(every[at])
    marks = marks[: len(shown)]
    digest = hashlib.sha256("".join(one.crop for one in shown).encode()).hexdigest()
    if "conditional" not in settings.switches:
        return Lesson(marks, digest), shown, tuple(unread)
    series = [one.series for one in shown]
    digest = hashlib.sha256(json.dumps([digest, series]).encode()).hexdigest()
    return Lesson(marks, digest, series), shown, tuple(unread)


def _lesson_begun(
    archive: Archive, settings: Settings
) -> tuple[Lesson, list[Example], tuple[str, ...]] | None:
    """Return what `lesson_of` gave the unfinished run, if there is one that kept its examples.

    Marks may be rejected or come in while it rests. Raises TrainingError where they, or a crop that
    it learns from, cannot be read any more.
    """
    run = archive.models_folder / RUN
    if not ((run / STATE).exists() and (run / EXAMPLES).exists()):
        return None
    try:
        kept = json.loads((run / EXAMPLES).read_bytes())
        began = [Example(*example) for example in kept["examples"]]
        passed_over = tuple(kept["unread"])
    except (ValueError, KeyError, TypeError) as error:
        raise damaged_run(run / EXAMPLES, error) from error
    lesson, shown, unread = lesson_of(archive, settings, began)
    if unread:
        raise TrainingError(
            f"The unfinished run in {run} cannot continue without {len(unread)} of its crops, "
            f"such as {unread[0]} Restore the folder {archive.crops_folder} from a backup, or use "
            "--restart to discard the run."
        )
    return lesson, shown, passed_over


def _keep_examples(run: Path, shown: Sequence[Example], unread: Sequence[str]) -> None:
    """Write down what a run begins with, for `_lesson_begun`; ArchiveError where that fails."""
    kept = {"examples": [astuple(one) for one in shown], "unread": unread}
    with disk_errors_said(run):
        write_atomically(run / EXAMPLES, json.dumps(kept).encode())


def unfinished_run(archive: Archive) -> Settings | None:
    """Return the settings of the run that was interrupted in this archive, if there is one.

    Raises TrainingError when a version of the program with other settings began it, or its state is
    damaged.
    """
    run = archive.models_folder / RUN
    header = read_run(run)
    if header is None:
        return None
    fields = dict(header["settings"])
    shape = dict(fields.pop("shape"))
    shape["kernels"] = tuple(shape["kernels"])
    fields["switches"] = tuple(fields.get("switches", ()))
    try:
        return Settings(shape=Architecture(**shape), **fields)
    except TypeError as error:
        raise TrainingError(
            f"The unfinished run in {run} was started by another version of the program, with "
            "other settings. Use --restart to discard it."
        ) from error


def has_unfinished_run(archive: Archive) -> bool:
    """Return whether a run was interrupted in this archive, whatever began it.

    Raises TrainingError where its state is damaged.
    """
    return read_run(archive.models_folder / RUN) is not None


def train_on_archive(
    archive: Archive,
    settings: Settings,
    report: Callable[[Progress], None] = lambda progress: None,
    *,
    restart: bool = False,
) -> Learned:
    """Train a model on the archive's marks, keep it in models/<id>, and return it.

    Marks whose crops cannot be read are passed over. An interrupted run with the same settings
    goes on from its checkpoint with the marks that it began with; with `restart` it is discarded,
    whatever it was, once all that this one begins with is there. Raises TrainingError when there
    are too few marks, or an interrupted run is another one, damaged or lacks a crop, ArchiveBusy
    when another process holds the archive, ArchiveError when the disk is full or refuses.
    """
    with archive.lock():
        start = archive_model(archive, settings.start) if settings.start else None
        if start is not None:  # the head of an id is the model's only as long as no other has it
            settings = replace(settings, start=start.id)
        lesson, shown, unread = (
            None if restart else _lesson_begun(archive, settings)
        ) or lesson_of(archive, settings, examples(archive, settings.seed))
        if len(lesson.marks) < FEWEST_MARKS and unread:
            raise TrainingError(
                f"{archive.folder} has {len(lesson.marks)} marks to train on: the "
                f"crops of {len(unread)} others cannot be read, such as {unread[0]}"
            )
        if len(lesson.marks) < FEWEST_MARKS:
            raise TrainingError(
                f"{archive.folder} has {len(lesson.marks)} marks to train on; ingest pages "
                f"first: {command_on(archive.folder, 'ingest', 'SOURCE')}"
            )
        run = archive.models_folder / RUN
        if restart:  # what cannot begin is refused before an interrupted run is discarded
            told = series_codes(lesson.series)[0] if "conditional" in settings.switches else []
            first_discriminator(settings, start, len(told) + 1 if told else 0)
            _discard(run)
        if not (run / STATE).exists():
            _keep_examples(run, shown, unread)
        trained = train(settings, lesson, run, start, report)
        folder = archive.models_folder / trained.id
        with disk_errors_said(folder):
            write_model(folder, trained.weights, trained.manifest)
            _keep_record(run, folder)
        model = read_model(folder)
        register_model(archive, model, "trained")
        with archive.writing() as session:
            trained_now(session, model.id)
        _discard(run)
    return Learned(model, unread)


def _discard(run: Path) -> None:
    """Throw a run's checkpoints away; the caller holds the archive's lock."""
    (run / STATE).unlink(missing_ok=True)  # first: killed now, no run is left that lacks the rest
    shutil.rmtree(run, ignore_errors=True)


def _keep_record(run: Path, folder: Path) -> None:
    """Keep a finished run's metrics and its samples beside the model."""
    record = folder / RECORDS
    record.mkdir(exist_ok=True)
    for path in [run / "metrics.csv", *sorted(run.glob("samples-*.png"))]:
        shutil.copyfile(path, record / path.name)
