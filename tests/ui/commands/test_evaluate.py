from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from retrieval.catalogue.archive import open_archive
from retrieval.catalogue.tables import Mark
from retrieval.crops import crop_path
from tests.ui.running import run


@pytest.fixture(autouse=True)
def _curves_over_two_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report turns, shifts and magnifies marks in 136 ways, which takes a while of a dozen."""
    monkeypatch.setattr("retrieval.evaluation.evaluate.sample_size", lambda _side: 2)


def test_evaluate_says_how_well_marks_find_their_like(marks: Path, labels: Path) -> None:
    done = run("evaluate", marks / "archive", "--labels", labels)
    assert done.exit_code == 0, done.output
    assert "12 marks with 3 labels." in done.stdout
    assert "1 source is not in the archive" in done.stdout
    assert "mark → mark: 12 queries against 12 marks" in done.stdout
    assert "bundled weights" in done.stdout


def test_rows_that_do_not_say_one_label_are_passed_over_and_counted(
    marks: Path, labels: Path, tmp_path: Path
) -> None:
    rows = list(csv.DictReader(labels.open()))
    rows[0]["label"], rows[1]["label"] = "", "Jan; Piet"
    text = "".join(f"{row['source']},{row['label']}\n" for row in rows)
    (tmp_path / "labels.csv").write_text(f"source,identity\n{text}")
    done = run("evaluate", marks / "archive", "--labels", tmp_path / "labels.csv")
    assert done.exit_code == 0, done.output
    assert "10 marks with 3 labels." in done.stdout
    assert "1 row without a label skipped." in done.stdout
    assert f"line 3: {rows[1]['source']} has several names, 'Jan; Piet'." in done.stdout
    done = run("evaluate", marks / "archive", "--labels", tmp_path / "labels.csv", "--json")
    told = json.loads(done.stdout)
    assert (told["unlabelled_rows"], len(told["rows_of_several_names"])) == (1, 1)


def test_copies_are_no_right_answers_and_are_counted(
    marks: Path, labels: Path, tmp_path: Path
) -> None:
    """A third of the marks, copied to files that the labels name as well."""
    shutil.copytree(marks / "crops", tmp_path / "crops")
    rows = list(csv.DictReader(labels.open()))
    copied = [row for row in rows if (tmp_path / "crops" / row["source"]).exists()][::3]
    for row in copied:
        source = tmp_path / "crops" / row["source"]
        shutil.copy(source, source.with_stem(f"{source.stem} again"))
    archive = tmp_path / "archive"
    run("ingest", archive, tmp_path / "crops", "--as", "marks")
    text = "".join(f"{row['source']},{row['label']}\n" for row in rows)
    text += "".join(f"{row['source'][:-4]} again.png,{row['label']}\n" for row in copied)
    (tmp_path / "labels.csv").write_text(f"source,label\n{text}")
    once = json.loads(run("evaluate", marks / "archive", "--labels", labels, "--json").stdout)
    command = ("evaluate", archive, "--labels", tmp_path / "labels.csv")
    twice = json.loads(run(*command, "--json").stdout)
    assert (once["on_copies"], once["same_picture"]) == (0, 0)
    assert (twice["on_copies"], twice["same_picture"]) == (4, 0)
    assert twice["marks"] == once["marks"] == 12
    first, again = (told["cases"][0]["rows"][0]["micro"] for told in (once, twice))
    assert first["precision_at_1"]["value"] == again["precision_at_1"]["value"]
    assert (
        "4 marks on duplicate pages skipped: label marks on the original pages instead."
        in run(*command).stdout
    )
    assert run("index", archive).exit_code == 0
    grouped = run("group", archive, "--labels", tmp_path / "labels.csv", "--json")
    agreed = json.loads(grouped.stdout)["agreement"]
    assert (agreed["marks"], agreed["pairs_relevant"]) == (12, 18)


def test_evaluate_for_programs_and_a_page_for_people(
    marks: Path, labels: Path, tmp_path: Path
) -> None:
    before = sorted(path for path in (marks / "archive").rglob("*") if path.is_file())
    done = run(
        "evaluate", marks / "archive", "--labels", labels, "--split", "test", "--json",
        "--report", tmp_path / "report",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["cases"][0]["queries"] == 6
    assert 0 <= told["cases"][0]["rows"][0]["micro"]["precision_at_1"]["value"] <= 1
    assert (tmp_path / "report/index.html").stat().st_size > 10_000
    after = sorted(path for path in (marks / "archive").rglob("*") if path.is_file())
    assert after == before, "nothing in the archive changes"


def test_no_report_is_written_into_the_archive(marks: Path, labels: Path) -> None:
    place = marks / "archive/crops"
    done = run("evaluate", marks / "archive", "--labels", labels, "--report", place)
    assert done.exit_code == 2
    assert f"{place} is inside the archive's own folder" in done.stderr
    assert done.stdout == "", "it is said before anything is measured"


def test_a_mark_that_cannot_be_read_is_passed_over_and_said(
    marks: Path, labels: Path, tmp_path: Path
) -> None:
    shutil.copytree(marks / "archive", tmp_path / "archive")
    opened = open_archive(tmp_path / "archive")
    with opened.session() as session:
        crop_path(opened, session.get_one(Mark, 3).crop).unlink()
    opened.close()
    command = ("evaluate", tmp_path / "archive", "--labels", labels)
    done = run(*command, "--report", tmp_path / "report")
    assert done.exit_code == 1, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == "11 marks with 3 labels."
    at = lines.index("1 mark could not be measured:")
    assert lines[at + 1].startswith("mark 3: The crop ")
    assert "mark → mark: 11 queries against 11 marks" in done.stdout
    assert lines[-1] == f"Report: {tmp_path / 'report/index.html'}"
    done = run(*command, "--json")
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert told["marks"] == 11 and told["unread"][0].startswith("mark 3: The crop ")


def test_figures_are_printed_though_the_report_cannot_be_written(
    marks: Path, labels: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    command = ("evaluate", marks / "archive", "--labels", labels, "--report", tmp_path / "file")
    done = run(*command)
    assert done.exit_code == 2
    assert "report cannot be written to" in done.stderr
    assert "mark → mark: 12 queries against 12 marks" in done.stdout
    done = run(*command, "--json")
    assert done.exit_code == 2
    assert json.loads(done.stdout)["cases"][0]["queries"] == 12


def test_evaluate_says_how_well_marks_are_found_on_pages(pages: Path, tmp_path: Path) -> None:
    truth = pages / "scans/truth.csv"
    done = run("evaluate", pages / "archive", "--regions", truth, "--report", tmp_path / "report")
    assert done.exit_code == 0, done.output
    number = len(truth.read_text().splitlines()) - 1
    assert f"{number} boxes on " in done.stdout
    assert "boxes found (shown: score or realism >= 0.5)" in done.stdout
    assert "proposals a page, score or realism >= 0.5" in done.stdout
    assert "mark → mark" not in done.stdout
    assert [one.name for one in (tmp_path / "report").iterdir()] == ["regions.html"]
    told = json.loads(
        run("evaluate", pages / "archive", "--regions", truth, "--complete", "--json").stdout
    )
    assert list(told) == ["regions"]
    assert (told["regions"]["boxes"], told["regions"]["pages"]) == (number, 3)
    everything = told["regions"]["recall"][0]["shares"]
    assert 0 < everything["centre_in_first"]["value"] <= everything["centre_in_all"]["value"] <= 1


def test_confirmed_marks_are_found_and_rejected_ones_are_not(pages: Path, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    shutil.copytree(pages / "archive", archive)
    opened = open_archive(archive)
    truth = tmp_path / "truth.csv"
    with opened.session() as session:
        first, second = session.scalars(select(Mark).order_by(Mark.score).limit(2))
        first.status, second.status = "confirmed", "rejected"
        rows = [(one.page.source, one.x, one.y, one.width, one.height) for one in (first, second)]
    opened.close()
    lines = [f"{','.join(map(str, row))},{at}" for at, row in enumerate(rows)]
    truth.write_text("\n".join(["source,x,y,width,height,sort", *lines]))
    told = json.loads(run("evaluate", archive, "--regions", truth, "--json").stdout)["regions"]
    _, confirmed, rejected = told["recall"]
    assert confirmed["shares"]["overlap_shown"]["value"] == 1
    assert rejected["shares"]["overlap_in_all"]["value"] == 0


def test_evaluate_by_labels_and_by_regions_at_once(pages: Path, tmp_path: Path) -> None:
    rows = csv.DictReader(io.StringIO(run("export", pages / "archive", "--format", "csv").stdout))
    labels = ["source,x,y,width,height,label"]
    labels += [
        ",".join([*(row[name] for name in ("source", "x", "y", "width", "height")), label])
        for row, label in zip(rows, ("orb", "orb", "cross", "cross"), strict=False)
    ]
    (tmp_path / "labels.csv").write_text("\n".join(labels))
    done = run(
        "evaluate", pages / "archive", "--labels", tmp_path / "labels.csv",
        "--regions", tmp_path / "labels.csv", "--json", "--report", tmp_path / "report",
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert told["cases"][0]["queries"] == told["regions"]["boxes"] == 4
    assert told["regions"]["recall"][0]["shares"]["overlap_in_all"]["value"] == 1
    found = sorted(one.name for one in (tmp_path / "report").iterdir())
    assert found == ["index.html", "regions.html"]
