"""An unfinished run on disk: its whole state, the best weights so far, and what was measured.

What points to another file is written after it, so that a kill leaves the checkpoint before.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from retrieval.catalogue.errors import TrainingError
from retrieval.catalogue.files import write_atomically
from retrieval.gan.objectives import objective
from retrieval.gan.objectives.objective import Contrast
from retrieval.gan.players import Players, restore_state, state_tensors
from retrieval.gan.probe import ProbeScore
from retrieval.gan.samples import encode_sheet, sample_sheet
from retrieval.gan.settings import Settings
from retrieval.model import pack_weights

STATE, BEST, METRICS = "state.safetensors", "best.safetensors", "metrics.csv"
_COLUMNS = (
    "step", "contrast", "apart", "verdict", "penalty", "generator",
    "real_taken_for_real", "fake_taken_for_real", "probe_precision_at_1", "probe_margin",
)  # fmt: skip


@dataclass
class Record:
    """What a checkpoint keeps beside the networks."""

    step: int = 0
    best: ProbeScore | None = None
    kept: ProbeScore | None = None  # of the weights that are kept
    kept_step: int = 0
    rows: list[dict[str, float]] = dataclasses.field(default_factory=list)


@dataclass(frozen=True)
class RunUnderWay:
    """A run's folder, what it is told to do, and how far it has come."""

    folder: Path
    settings: Settings
    digest: str  # of its marks
    players: Players
    record: Record


def keep_checkpoint(run: RunUnderWay, score: ProbeScore, losses: dict[str, list[float]]) -> None:
    """Keep the run as it stands, with the probe's score and the losses since the last checkpoint.

    Its weights are kept unless some before had a score that is better by more than chance: an
    archive's own repeats, drawn together, pass for strangers in the probe and make it unsteady.
    """
    record, players = run.record, run.players
    record.rows.append(
        {"step": record.step}
        | {name: round(float(np.mean(values)), 5) for name, values in losses.items()}
        | {"probe_precision_at_1": score.precision_at_1, "probe_margin": score.margin}
    )
    record.best = max(record.best or score, score)
    if score.as_good_as(record.best):
        record.kept, record.kept_step = score, record.step
        weights = pack_weights(
            players.average, players.generator, run.settings.objective, run.settings.switches
        )
        write_atomically(run.folder / BEST, weights)
    chosen = objective(run.settings.objective)
    if not isinstance(chosen, Contrast) or chosen.generates:
        sheet = encode_sheet(sample_sheet(players.generator))
        write_atomically(run.folder / f"samples-{record.step:06d}.png", sheet)
    _save(run)


def _save(run: RunUnderWay) -> None:
    tensors, groups = state_tensors(run.players)
    header = {
        "settings": run.settings.as_json(),
        "marks": run.digest,
        "groups": groups,
        "record": dataclasses.asdict(run.record),
    }
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(run.record.rows)
    write_atomically(run.folder / METRICS, text.getvalue().encode())
    # The state is written last: what it points to is there already.
    content = bytes(save_tensors(tensors, {"run": json.dumps(header)}))
    write_atomically(run.folder / STATE, content)


def read_run(run: Path) -> dict[str, Any] | None:
    """Return the header of the unfinished run in `run` (its settings and record), or None.

    Raises TrainingError where its state is damaged.
    """
    path = run / STATE
    if not path.exists():
        return None
    try:
        with safe_open(path, "pt") as state:
            header: dict[str, Any] = json.loads(state.metadata()["run"])
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise damaged_run(path, error) from error
    return header


def damaged_run(path: Path, error: Exception) -> TrainingError:
    """Return what to raise where a file that an unfinished run goes on from cannot be used."""
    return TrainingError(
        f"The unfinished run in {path.parent} cannot go on, for {path.name} is damaged ({error}). "
        "Use --restart to discard it."
    )


def resumed(run: Path, settings: Settings, digest: str, players: Players) -> Record:
    """Put `players` where the unfinished run in `run` stopped; without one they stay as they are.

    Raises TrainingError where that run is damaged, or had other settings or marks.
    """
    header = read_run(run)
    if header is None:
        return Record()
    if header["settings"] != settings.as_json() or header["marks"] != digest:
        raise TrainingError(
            f"The unfinished run in {run} was started with other settings or other marks. "
            "Use --resume to go on with it as it was started, or --restart to discard it."
        )
    restore_state(players, load_tensors((run / STATE).read_bytes()), header["groups"])
    record = header["record"]
    best, kept = (ProbeScore(**record[name]) if record[name] else None for name in ("best", "kept"))
    return Record(record["step"], best, kept, record["kept_step"], record["rows"])
