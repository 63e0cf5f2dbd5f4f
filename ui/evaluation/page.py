"""The report: one HTML page with everything in it, to be read, sent on and printed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import ArchiveError
from retrieval.crops import load_crop
from retrieval.evaluation.evaluate import Case, Evaluation
from retrieval.evaluation.invariance import ROTATIONS, SCALES, SHIFTS
from retrieval.evaluation.measures import CURVE, Scores
from ui.evaluation.charts import Axis, Chart, Stroke, line_chart, strokes
from ui.evaluation.writing import picture_uri, write_page
from ui.told.evaluate import note_sentences
from ui.told.labels import label_sentences

FILE = "index.html"
_SIDE = 144  # pixels of a shown crop's longest side, twice what the page gives it
_SHARES = tuple((share / 10, f"{share / 10:.1f}") for share in range(0, 11, 2))
_FINE_SHARES = tuple((share / 4, f"{share / 4:.2f}") for share in range(5))
_UPRIGHT = Axis("", _SHARES, 0, 1)


@dataclass(frozen=True)
class ShownMark:
    """A mark shown: its crop as a data URI, "" where that is gone, and what stands under it."""

    image: str
    label: str
    source: str
    right: bool  # of the query's label


@dataclass(frozen=True)
class Shown:
    """A query that went badly, its first right answer and what was found instead."""

    query: ShownMark
    place: int
    wanted: ShownMark
    found: tuple[ShownMark, ...]


@dataclass(frozen=True)
class Section:
    """A case with its chart and its failures."""

    case: Case
    best: Scores
    rows: tuple[tuple[str, str, Scores | None], ...]  # name, note, scores
    recall: Chart
    failures: tuple[Shown, ...]


def write_report(archive: Archive, evaluation: Evaluation, folder: Path, labels: str) -> Path:
    """Write the report on `evaluation` into `folder` and return the page's path.

    `labels` is the labels file's name. Raises ArchiveError when the folder cannot be written.
    """
    pictures = _Pictures(archive, evaluation)
    drawn = strokes([row.name for row in evaluation.rows])
    return write_page(
        folder / FILE,
        "page.html",
        archive=archive.folder.name,
        labels=labels,
        model=evaluation.rows[0].name,
        model_id=evaluation.model,
        today=date.today().isoformat(),
        label_sentences=label_sentences(evaluation.labelled),
        notes=note_sentences(evaluation),
        sections=[_section(evaluation, case, pictures, drawn) for case in evaluation.cases],
        curves=_curves(evaluation, drawn),
        legend=[(row.name, drawn[row.name]) for row in evaluation.rows if row.invariance],
        measured=_spread([row.invariance.marks for row in evaluation.rows if row.invariance]),
    )


class _Pictures:
    """Makes the crops of shown marks into data URIs, each once."""

    def __init__(self, archive: Archive, evaluation: Evaluation) -> None:
        self._archive, self._labelled = archive, evaluation.labelled
        self._known: dict[int, str] = {}

    def of(self, row: int, query: int) -> ShownMark:
        labelled = self._labelled
        return ShownMark(
            self._image(row),
            labelled.names[labelled.labels[row]],
            labelled.sources[row],
            bool(labelled.labels[row] == labelled.labels[query]),
        )

    def _image(self, row: int) -> str:
        if row not in self._known:
            try:
                crop = load_crop(self._archive, self._labelled.crops[row])
            except ArchiveError:
                self._known[row] = ""
            else:
                self._known[row] = picture_uri(crop, _SIDE)
        return self._known[row]


def _section(
    evaluation: Evaluation, case: Case, pictures: _Pictures, drawn: Mapping[str, Stroke]
) -> Section:
    measured = {
        row.name: row.scores[case.name] for row in evaluation.rows if case.name in row.scores
    }
    last = min(CURVE[-1], len(case.gallery))
    places = Axis(
        "places of the list looked at",
        tuple((k, str(k)) for k in (1, 2, 5, 10, 20, 50, 100) if k <= last),
        1,
        max(last, 2),
        math.log,
    )
    curves = {
        name: [
            (float(k), share) for k, share in zip(CURVE, scores.recall, strict=True) if k <= last
        ]
        for name, scores in measured.items()
    }
    return Section(
        case,
        measured[evaluation.rows[0].name],
        tuple((row.name, row.note, row.scores.get(case.name)) for row in evaluation.rows),
        line_chart(
            f"Recall, {case.name}", curves, drawn, places, _UPRIGHT, size=(960, 400), room=260
        ),
        tuple(
            Shown(
                pictures.of(failure.query, failure.query),
                failure.place,
                pictures.of(failure.wanted, failure.query),
                tuple(pictures.of(row, failure.query) for row in failure.found),
            )
            for failure in evaluation.failures.get(case.name, ())
        ),
    )


def _curves(evaluation: Evaluation, drawn: Mapping[str, Stroke]) -> list[Chart]:
    """Return the invariance curves' charts; none where none were measured."""
    measured = {row.name: row.invariance for row in evaluation.rows if row.invariance}
    if not measured:
        return []
    upright = Axis("", _FINE_SHARES, 0, 1)
    turned = tuple((float(at), f"{at}°".replace("-", "−")) for at in (-20, -10, 0, 10, 20))
    scaled = tuple((at, f"{at:g}×") for at in (0.5, 0.75, 1, 1.25, 1.5))
    shifted = tuple((float(at), f"{at}".replace("-", "−")) for at in (-8, -4, 0, 4, 8))

    def chart(
        title: str, axis: Axis, places: Sequence[float], values: Mapping[str, Sequence[float]]
    ) -> Chart:
        series = {name: list(zip(places, shares, strict=True)) for name, shares in values.items()}
        return line_chart(title, series, drawn, axis, upright, size=(330, 250), room=14)

    return [
        chart(
            "Rotation", Axis("degrees", turned, -20, 20), ROTATIONS,
            {name: one.rotation for name, one in measured.items()},
        ),
        chart(
            "Scale", Axis("magnification", scaled, 0.5, 1.5), SCALES,
            {name: one.scale for name, one in measured.items()},
        ),
        chart(
            "Shift", Axis("pixels of a picture of 64", shifted, -8, 8), SHIFTS,
            {name: one.shift for name, one in measured.items()},
        ),
    ]  # fmt: skip


def _spread(counts: Sequence[int]) -> str:
    """Return what the counts range over, such as "64" or "8 to 64"."""
    ends = sorted({min(counts, default=0), max(counts, default=0)})
    return " to ".join(map(str, ends))
