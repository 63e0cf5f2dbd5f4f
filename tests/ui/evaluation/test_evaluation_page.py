from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import ArchiveError
from retrieval.crops import crop_path
from retrieval.evaluation.evaluate import Case, Evaluation, Failure, Row
from retrieval.evaluation.invariance import ROTATIONS, SCALES, SHIFTS, Invariance
from retrieval.evaluation.labels import find_marks, read_labels
from retrieval.evaluation.measures import MEASURES, rank, score
from tests.drawn_marks import add_marks
from tests.ui.evaluation.fetching import pictures_where_nothing_is_fetched
from ui.evaluation.page import write_report
from ui.told.evaluate import as_json, case_table, note_sentences
from ui.told.labels import label_sentences

HOSTILE = "<script>alert('x')</script> & \"co\""


@pytest.fixture
def evaluation(archive: Archive, tmp_path: Path) -> Evaluation:
    """Two rows with figures, one without, one failure, and a label that is no markup."""
    add_marks(archive, range(6))
    path = tmp_path / "labels.csv"
    hostile = HOSTILE.replace('"', '""')
    rows = "".join(f'{seed}.png,"{hostile}"\n' for seed in range(3))
    rows += "".join(f"{seed}.png,orb\n" for seed in range(3, 6)) + "gone.png,orb\n"
    path.write_text("source,label\n" + rows)
    labelled = find_marks(archive, read_labels(path), path.name)
    everything = np.arange(6)
    table = np.random.default_rng(1).normal(size=(2, 6, 6)).astype(np.float32)
    scores = [
        score(rank(labelled.labels, everything, everything, lambda rows, one=one: one[rows]))
        for one in table
    ]
    case = Case("mark → mark", everything, everything, 0)
    curves = Invariance(6, (0.9,) * len(ROTATIONS), (0.8,) * len(SCALES), (0.7,) * len(SHIFTS))
    return Evaluation(
        "0123456789abcdef",
        labelled,
        (case,),
        (
            Row("bundled weights", {case.name: scores[0]}, curves),
            Row("pixels", {case.name: scores[1]}, replace(curves, marks=3), "a note"),
            Row("a network", {}, None, "not installed; pip install <it>"),
        ),
        {case.name: (Failure(0, 4, 1, (3, 4, 5)),)},
    )


def test_the_page_holds_everything_itself(
    archive: Archive, evaluation: Evaluation, tmp_path: Path
) -> None:
    path = write_report(archive, evaluation, tmp_path / "new" / "report", "labels.csv")
    assert [one.name for one in path.parent.iterdir()] == ["index.html"]
    text = path.read_text(encoding="utf-8")
    assert pictures_where_nothing_is_fetched(text)


def test_what_others_wrote_is_no_markup(
    archive: Archive, evaluation: Evaluation, tmp_path: Path
) -> None:
    text = write_report(archive, evaluation, tmp_path, "<b>labels</b>.csv").read_text("utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;alert(" in text
    assert "&lt;b&gt;labels&lt;/b&gt;.csv" in text
    assert "pip install &lt;it&gt;" in text


def test_the_page_says_what_was_measured(
    archive: Archive, evaluation: Evaluation, tmp_path: Path
) -> None:
    text = write_report(archive, evaluation, tmp_path, "labels.csv").read_text("utf-8")
    first = evaluation.rows[0].scores["mark → mark"].micro["precision_at_1"]
    assert f"{first.value:.3f}" in text
    assert f"{first.low:.3f}–{first.high:.3f}" in text
    assert "place <b>4</b>" in text
    assert text.count("<img ") == 1 + 1 + 3
    assert len(re.findall("<polyline", text)) == 2 + 3 * 2, "recall, and three curves"
    assert "1 source is not in the archive" in text
    assert "the mean of 3 to 6 marks" in text
    plain = replace(
        evaluation,
        rows=tuple(replace(row, invariance=None) for row in evaluation.rows),
        failures={},
    )
    text = write_report(archive, plain, tmp_path, "labels.csv").read_text("utf-8")
    assert "What a turn" not in text
    assert "<img " not in text


def test_a_mark_whose_crop_is_gone_is_shown_without_its_picture(
    archive: Archive, evaluation: Evaluation, tmp_path: Path
) -> None:
    crop_path(archive, evaluation.labelled.crops[1]).unlink()
    text = write_report(archive, evaluation, tmp_path, "labels.csv").read_text("utf-8")
    assert text.count("<img ") == 1 + 3
    assert text.count("its crop is gone or damaged") == 1


def test_a_folder_that_cannot_be_written_is_said(
    archive: Archive, evaluation: Evaluation, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ArchiveError, match=r"report cannot be written to .*file"):
        write_report(archive, evaluation, tmp_path / "file", "labels.csv")


def test_the_terminals_table_has_a_row_for_each(evaluation: Evaluation) -> None:
    console = Console(width=120, no_color=True)
    with console.capture() as captured:
        console.print(case_table(evaluation, evaluation.cases[0]))
    text = captured.get()
    assert "mark → mark: 6 queries against 6 marks" in text
    for row in evaluation.rows:
        assert row.name in text
    first = evaluation.rows[1].scores["mark → mark"].micro["mean_average_precision"]
    assert f"{first.low:.3f}–{first.high:.3f}" in text
    assert note_sentences(evaluation)[-1] == "a network: not installed; pip install <it>"
    assert label_sentences(evaluation.labelled)[1].startswith("1 source is not in the archive")


def test_json_holds_every_figure(evaluation: Evaluation) -> None:
    told = json.loads(json.dumps(as_json(evaluation)))
    assert told["unknown_sources"] == ["gone.png"]
    (case,) = told["cases"]
    assert (case["queries"], case["gallery"], case["left_out"]) == (6, 6, 0)
    first, _, absent = case["rows"]
    assert set(first["micro"]) == set(first["macro"]) == set(MEASURES)
    assert set(first["micro"]["precision_at_1"]) == {"value", "low", "high"}
    assert "micro" not in absent
    assert case["failures"][0]["place"] == 4
    assert case["failures"][0]["query"] == evaluation.labelled.marks[0]
    assert told["invariance"][0]["rotation"]["-19.5"] == 0.9
