"""Training without a label: batches, checkpoints, resuming, and picking the best checkpoint.

Every random number of step `n` comes from (seed, n), so a run that was killed and goes on from its
last checkpoint ends with the same weights as one that was never interrupted (same machine, CPU).
"""

from __future__ import annotations

import copy
import dataclasses
import io
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from retrieval.catalogue.errors import TrainingError
from retrieval.catalogue.files import disk_errors_said, write_atomically
from retrieval.gan.adversarial import adversarial_step
from retrieval.gan.architecture import (
    ContrastiveDiscriminator,
    Discriminator,
    Generator,
    draw_weights,
)
from retrieval.gan.batches import draw_batch
from retrieval.gan.checkpoints import BEST, Record, RunUnderWay, keep_checkpoint, resumed
from retrieval.gan.device import Compute, best_compute
from retrieval.gan.freed_memory import keep_freed_memory
from retrieval.gan.interpolation import move_towards
from retrieval.gan.muon import Muon, hidden_matrices
from retrieval.gan.objectives import objective
from retrieval.gan.objectives.objective import Contrast, Step
from retrieval.gan.players import Players, averaged
from retrieval.gan.probe import ProbeScore, probe
from retrieval.gan.pseudo_labels import PseudoLabels, seek_repeats
from retrieval.gan.redrawing import redrawn_pairs
from retrieval.gan.settings import Settings
from retrieval.gan.switches import switches_of
from retrieval.gan.switches.conditional import series_codes
from retrieval.gan.switches.spectral import settle
from retrieval.gan.whitening import ENOUGH, whiten_projection
from retrieval.model import (
    Model,
    build_discriminator,
    model_id,
    pack_weights,
    unpack_weights,
)

_PROBED = 512  # marks the probe looks at, at most
_FEWEST_PROBED = 64  # of fewer marks of the archive it would say too little


@dataclass(frozen=True)
class Lesson:
    """What a run learns from.

    `marks` are (N, S, S) uint8 with 255 = ink; where N = 0 it learns from redrawn marks alone.
    An unfinished run goes on only with the marks that `digest` stands for. `series` names each
    mark's, for the switch `conditional`. `pairs` are the redrawn identities, (M, 2, S, S), where
    they were drawn with the run's settings before; None: the run draws them.
    """

    marks: NDArray[np.uint8]
    digest: str
    series: Sequence[str | None] = ()
    pairs: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class Progress:
    """Where a run is: after `step` of `steps`, with the last batch's losses."""

    step: int
    steps: int
    losses: dict[str, float]
    probe: ProbeScore | None  # of the last checkpoint


@dataclass(frozen=True)
class Trained:
    """What a run leaves: the weights of its best checkpoint and how it came about."""

    id: str
    weights: bytes
    manifest: dict[str, Any]


def step_of(settings: Settings) -> Step:
    """Return what a run does with each batch."""
    chosen = objective(settings.objective)
    if isinstance(chosen, Contrast):
        return chosen.step
    return partial(adversarial_step, chosen, switches_of(settings.objective, settings.switches))


def first_discriminator(settings: Settings, start: Model | None, series: int) -> Discriminator:
    """Return what a run begins with: weights drawn at random, or those of `start`.

    `series` is how many a conditional one knows, "none" counted. Raises TrainingError when `start`
    has other networks than the settings ask for.
    """
    discriminator = build_discriminator(
        settings.shape, settings.objective, settings.switches, series
    )
    draw_weights(discriminator, settings.seed)
    if "spectral-norm" in settings.switches:
        settle(discriminator)
    if start is not None:
        try:
            discriminator.load_state_dict(start.discriminator.state_dict())
        except RuntimeError as error:
            raise TrainingError(
                f"Model {start.id} has other networks than {settings.shape.name} with "
                f"{' and '.join([settings.objective, *settings.switches])}: begin with --from "
                "random, or ask for what that model was trained with."
            ) from error
    return discriminator


def _new_players(settings: Settings, start: Model | None, series: int, compute: Compute) -> Players:
    chosen = objective(settings.objective)
    discriminator = first_discriminator(settings, start, series)
    generator = Generator(settings.shape, series)
    draw_weights(generator, settings.seed + 1)
    # A generator of other pictures has nothing to go on from and begins anew.
    if start is not None and start.shape == settings.shape:
        generator.load_state_dict(start.generator.state_dict())
    for network in (discriminator, generator):
        network.to(compute.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        network.train()
    return Players(
        discriminator,
        generator,
        averaged(discriminator),
        _discriminator_optimisers(settings, discriminator),
        chosen.generator_optimiser.over(generator.parameters(), settings.generator_rate),
    )


def _discriminator_optimisers(
    settings: Settings, discriminator: Discriminator
) -> tuple[torch.optim.Optimizer, ...]:
    """Return what moves the discriminator: of a contrast, Muon moves the hidden matrices."""
    by_recipe, rate = objective(settings.objective).discriminator_optimiser, settings.learning_rate
    if not isinstance(discriminator, ContrastiveDiscriminator):
        return (by_recipe.over(discriminator.parameters(), rate),)
    matrices = hidden_matrices(discriminator)
    moved = {id(matrix) for matrix in matrices}
    rest = [weight for weight in discriminator.parameters() if id(weight) not in moved]
    return by_recipe.over(rest, rate), Muon(matrices, settings.matrix_rate)


def _rate(settings: Settings, step: int) -> float:
    """Return the share of the full learning rate at `step`: warm-up, then cosine decay."""
    if step < settings.warm_up:
        return (step + 1) / settings.warm_up
    done = (step - settings.warm_up) / max(1, settings.steps - settings.warm_up)
    return 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))


def _set_rates(settings: Settings, players: Players, step: int) -> None:
    """Give the optimisers their learning rates of `step`."""
    for optimiser in players.optimisers().values():
        for group in optimiser.param_groups:
            full = group.setdefault("initial_lr", group["lr"])
            group["lr"] = full * _rate(settings, step)


def _seeks_repeats(settings: Settings, marks: int, step: int) -> bool:
    """Whether repeats are sought before `step`: where a checkpoint was just kept.

    A run from random weights must first have learned something to judge by.
    """
    judges = settings.start is not None or step >= settings.steps / 2
    return (
        isinstance(objective(settings.objective), Contrast)
        and settings.repeats > 0
        and marks > 0
        and judges
        and step % settings.checkpoint_every == 0
    )


def _cached_pairs(settings: Settings, run: Path, only_redrawn: bool) -> NDArray[np.uint8]:
    """Return the run's redrawn pairs, drawn once and kept in `run` while it lasts.

    Their file's name says what they were drawn by: until its first checkpoint nothing else tells
    that a run was another one. Those of others are removed.
    """
    if settings.redrawn_share <= 0 and not only_redrawn:
        return np.zeros((0, 2, settings.shape.size, settings.shape.size), np.uint8)
    path = run / f"redrawn-{settings.seed}-{settings.identities}-{settings.shape.size}.npy"
    for other in set(run.glob("redrawn*.npy")) - {path}:
        other.unlink()
    if path.exists():
        return np.asarray(np.load(path, allow_pickle=False), np.uint8)
    pairs = redrawn_pairs(settings.seed, settings.identities, settings.shape.size)
    buffer = io.BytesIO()
    np.save(buffer, pairs, allow_pickle=False)
    with disk_errors_said(run):
        write_atomically(path, buffer.getvalue())
    return pairs


def _probe_views(
    settings: Settings, marks: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return what the probe compares: marks of the archive, or redrawings held out."""
    if len(marks) >= _FEWEST_PROBED:
        rng = np.random.default_rng([settings.seed, 3])
        chosen = marks[rng.choice(len(marks), min(_PROBED, len(marks)), replace=False)]
        return chosen, chosen
    count = min(_PROBED, settings.identities)
    held_out = redrawn_pairs(settings.seed + 1_000_003, count, settings.shape.size)
    return held_out[:, 0], held_out[:, 1]


def _finished(
    weights: bytes,
    run: Path,
    settings: Settings,
    start: Model | None,
    marks: NDArray[np.uint8],
    pairs: NDArray[np.uint8],
    compute: Compute,
) -> bytes:
    """Return a contrast's weights, gone back towards the start's and whitened on what it saw.

    Those of a game stay as they are.
    """
    discriminator, generator = unpack_weights(weights, run / BEST)
    if not isinstance(discriminator, ContrastiveDiscriminator):
        return weights
    if start is not None:
        learned = copy.deepcopy(discriminator)
        discriminator.load_state_dict(start.discriminator.state_dict())
        move_towards(discriminator, learned, settings.adapted)
    if settings.whitening:
        rng = np.random.default_rng([settings.seed, 5])
        seen = marks[rng.permutation(len(marks))[:ENOUGH]] if len(marks) else pairs[:, 0]
        whiten_projection(discriminator, seen, settings.whitening, compute)
    return pack_weights(discriminator, generator, settings.objective, settings.switches)


def train(
    settings: Settings,
    lesson: Lesson,
    run: Path,
    start: Model | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
    compute: Compute | None = None,
) -> Trained:
    """Train on `lesson` and return the weights of the checkpoint that was kept.

    `run` is the folder for checkpoints; an unfinished run with the same settings and marks goes on
    where it stopped. Raises TrainingError when there is nothing to learn from, the objective and
    its switches do not go together, the unfinished run is another one or damaged, or the losses are
    no longer finite; ArchiveError when the disk is full or refuses.
    """
    play = step_of(settings)
    marks = lesson.marks
    names: list[str] = []
    codes: NDArray[np.int64] | None = None
    if "conditional" in settings.switches:
        names, codes = series_codes(lesson.series)
    compute = compute or best_compute()
    torch.use_deterministic_algorithms(True, warn_only=True)
    keep_freed_memory()
    with disk_errors_said(run):
        run.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    players = _new_players(settings, start, len(names) + 1 if names else 0, compute)
    record = resumed(run, settings, lesson.digest, players)
    under_way = RunUnderWay(run, settings, lesson.digest, players, record)
    pairs = lesson.pairs
    if pairs is None:
        pairs = _cached_pairs(settings, run, only_redrawn=len(marks) == 0)
    first_view, second_view = _probe_views(settings, marks)
    last = record.kept
    since: dict[str, list[float]] = {}  # losses since the last checkpoint
    labels: PseudoLabels | None = None

    for step in range(record.step, settings.steps):
        if _seeks_repeats(settings, len(marks), step):
            rng = np.random.default_rng([settings.seed, 6, step])
            labels = seek_repeats(players.average, marks, rng, compute)
        _set_rates(settings, players, step)
        batch = draw_batch(settings, marks, pairs, labels, codes, step, compute)
        source = torch.Generator().manual_seed(settings.seed * 1_000_003 + step)
        losses = play(players, batch, step, source, compute)
        if not all(math.isfinite(value) for value in losses.values()):
            raise TrainingError(
                f"The losses are no longer finite at step {step} ({losses}); start again with "
                "--restart and another --seed."
            )
        for name, value in losses.items():
            since.setdefault(name, []).append(value)
        # The average starts as the network itself and grows slow: early weights are forgotten.
        players.follow(min(settings.decay, (1 + step) / (10 + step)))
        done = step + 1
        if done % settings.checkpoint_every == 0 or done == settings.steps:
            last = probe(players.average, first_view, second_view, compute)
            record.step = done
            with disk_errors_said(run):
                keep_checkpoint(under_way, last, since)
            since.clear()
        report(Progress(done, settings.steps, losses, last))

    best = (run / BEST).read_bytes()
    weights = _finished(best, run, settings, start, marks, pairs, compute)
    manifest = _manifest(settings, lesson, names, record) | {
        "id": model_id(weights),
        "compute": str(compute),
        "seconds_since_last_start": round(time.monotonic() - began, 1),
    }
    return Trained(model_id(weights), weights, manifest)


def _manifest(
    settings: Settings, lesson: Lesson, series: list[str], record: Record
) -> dict[str, Any]:
    """Return what a run learned from, and how its best checkpoint was found."""
    redrawn = len(lesson.marks) < _FEWEST_PROBED
    pair = "augmented drawings of a redrawn mark" if redrawn else "augmented views of a mark"
    return {
        "settings": settings.as_json(),
        "series": series,
        "marks": len(lesson.marks),
        "marks_digest": lesson.digest,
        "best_step": record.kept_step,
        "probe": dataclasses.asdict(record.kept) if record.kept else None,
        "probed": "redrawn marks" if redrawn else "marks",
        "chosen_by": f"two {pair} must find each other among the rest",
    }
