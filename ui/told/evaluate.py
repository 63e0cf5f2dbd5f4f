"""An evaluation on the terminal: a table a case, or JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from retrieval.evaluation.evaluate import Case, Evaluation, Row
from retrieval.evaluation.invariance import ROTATIONS, SCALES, SHIFTS
from retrieval.evaluation.measures import Estimate
from ui.told.labels import label_fields

#: The measures as a table heads them, and whether their interval stands beside.
COLUMNS = (
    ("precision_at_1", "P@1", True),
    ("mean_average_precision", "mAP", True),
    ("r_precision", "R-P", False),
    ("mean_average_precision_at_r", "mAP@R", False),
    ("recall_at_5", "R@5", False),
    ("recall_at_10", "R@10", False),
    ("recall_at_50", "R@50", False),
)


def case_sentence(case: Case) -> str:
    """Return how many queries a case has, what they are ranked against, and what is left out."""
    left_out = ""
    if case.left_out:
        left_out = f"; {case.left_out} more left out: no other mark has their label"
    return f"{case.name}: {len(case.queries)} queries against {len(case.gallery)} marks{left_out}"


def case_table(evaluation: Evaluation, case: Case) -> Table:
    """Return a case's rows with 95 % intervals; "by label" counts every label alike."""
    table = Table(
        title=escape(case_sentence(case)), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    table.add_column("features", overflow="fold")
    for _, heading, _ in COLUMNS:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("by label\nP@1 / mAP", justify="right", no_wrap=True)
    for at, row in enumerate(evaluation.rows):
        scores = row.scores.get(case.name)
        style = "bold" if at == 0 else ""
        if scores is None:
            table.add_row(escape(row.name), *["–"] * (len(COLUMNS) + 1), style="dim")
            continue
        cells = [
            f"{scores.micro[name].value:.3f}"
            + (f"\n[dim]{interval(scores.micro[name])}[/dim]" if wide else "")
            for name, _, wide in COLUMNS
        ]
        first = scores.macro["precision_at_1"].value
        average = scores.macro["mean_average_precision"].value
        table.add_row(escape(row.name), *cells, f"{first:.3f} / {average:.3f}", style=style)
    return table


def interval(estimate: Estimate) -> str:
    """Return an estimate's interval as low–high."""
    return f"{estimate.low:.3f}–{estimate.high:.3f}"


def note_sentences(evaluation: Evaluation) -> list[str]:
    """Return what has to be said about single rows."""
    return [f"{row.name}: {row.note}" for row in evaluation.rows if row.note]


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return the whole evaluation as an object for JSON."""
    labelled = evaluation.labelled
    return {
        "model": evaluation.model,
        **label_fields(labelled),
        "cases": [
            {
                "case": case.name,
                "queries": len(case.queries),
                "gallery": len(case.gallery),
                "left_out": case.left_out,
                "rows": [_row(row, case) for row in evaluation.rows],
                "failures": [
                    {
                        "query": labelled.marks[failure.query],
                        "label": labelled.names[labelled.labels[failure.query]],
                        "place": failure.place,
                        "wanted": labelled.marks[failure.wanted],
                        "found": [labelled.marks[row] for row in failure.found],
                    }
                    for failure in evaluation.failures.get(case.name, ())
                ],
            }
            for case in evaluation.cases
        ],
        "invariance": [_curves(row) for row in evaluation.rows if row.invariance],
    }


def _row(row: Row, case: Case) -> dict[str, Any]:
    scores = row.scores.get(case.name)
    measured = {} if scores is None else asdict(scores)
    return {"features": row.name, "note": row.note, **measured}


def _curves(row: Row) -> dict[str, Any]:
    assert row.invariance is not None
    curves = row.invariance
    return {
        "features": row.name,
        "marks": curves.marks,
        "rotation": dict(zip(map(str, ROTATIONS), curves.rotation, strict=True)),
        "scale": dict(zip(map(str, SCALES), curves.scale, strict=True)),
        "shift": dict(zip(map(str, SHIFTS), curves.shift, strict=True)),
    }
