from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np

from tests.ui.running import run


def test_group_proposes_marks_that_are_alike(marks: Path, labels: Path) -> None:
    done = run("group", marks / "archive", "--share", 0.01, "--labels", labels)
    assert done.exit_code == 0, done.output
    assert "of 12 marks under model" in done.stdout
    assert "as alike as 1 in 100 unrelated marks" in done.stdout
    assert "Against the labels of 12 marks: pairwise precision" in done.stdout
    done = run("group", marks / "archive", "--share", 0.01, "--labels", labels, "--json")
    told = json.loads(done.stdout)
    assert told["agreement"]["pairs_relevant"] == 18
    assert told["share"] == 0.01
    proposed = json.loads(run("status", marks / "archive", "--json").stdout)["counts"]["groups"]
    assert proposed == {"proposed": len(told["groups"]), "same": 0, "different": 0}
    assert "groups      " in run("status", marks / "archive").stdout


def test_of_no_proposed_pair_no_precision_is_told(marks: Path, labels: Path) -> None:
    command = ("group", marks / "archive", "--share", 1e-6, "--labels", labels)
    told = json.loads(run(*command, "--json").stdout)
    assert told["groups"] == []
    assert (told["agreement"]["precision"], told["agreement"]["recall"]) == (None, 0)
    said = run(*command).stdout
    assert "pairwise precision – (0 of 0 proposed pairs), recall 0.000 (of 18)" in said


def test_rows_of_the_labels_that_meet_no_mark_are_said(
    marks: Path, labels: Path, tmp_path: Path
) -> None:
    more = tmp_path / "more.csv"
    more.write_text(labels.read_text().rstrip() + "\nelsewhere.png,someone\n")
    command = ("group", marks / "archive", "--share", 0.01, "--labels", more)
    assert "in the archive; skipped, such as" in run(*command).stdout
    told = json.loads(run(*command, "--json").stdout)["agreement"]
    assert (told["marks"], told["unknown_sources"][-1]) == (12, "elsewhere.png")


def test_marks_without_ink_are_said_and_left_out(marks: Path, tmp_path: Path) -> None:
    shutil.copytree(marks / "crops", tmp_path / "crops")
    labels = ["source,label"]
    for level in (200, 240, 250):
        cv2.imwrite(str(tmp_path / f"crops/{level}.png"), np.full((60, 60, 3), level, np.uint8))
        labels.append(f"{level}.png,nobody")
    labels += [f"merchant {seed % 3}/{seed:02}.png,merchant {seed % 3}" for seed in range(12)]
    (tmp_path / "labels.csv").write_text("\n".join(labels))
    archive = tmp_path / "archive"
    assert run("ingest", archive, tmp_path / "crops", "--as", "marks").exit_code == 0
    assert run("index", archive).exit_code == 0
    said = run("group", archive, "--share", 0.01).stdout
    assert "3 marks without ink left out: blank pictures cannot be compared." in said
    told = json.loads(run("group", archive, "--share", 0.01, "--json").stdout)
    assert (told["marks"], told["without_ink"]) == (12, 3)
    measured = ("evaluate", archive, "--labels", tmp_path / "labels.csv")
    assert "3 marks without ink skipped" in run(*measured).stdout
    counted = json.loads(run(*measured, "--json").stdout)
    assert (counted["marks"], counted["labels"], counted["without_ink"]) == (12, 3, 3)
    grouped = ("group", archive, "--labels", tmp_path / "labels.csv", "--json")
    agreed = json.loads(run(*grouped).stdout)["agreement"]
    assert (agreed["marks"], agreed["without_ink"], agreed["pairs_relevant"]) == (12, 3, 18)
