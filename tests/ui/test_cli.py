from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select
from typer.testing import CliRunner, Result

from ingest.synthetic.archive import draw_archive
from retrieval.catalogue.archive import open_archive
from retrieval.catalogue.tables import Mark
from retrieval.gan.architecture import Architecture
from retrieval.gan.recipes import RECIPES, SWITCHES
from retrieval.gan.settings import Settings
from retrieval.learn import train_on_archive
from tests.drawn_marks import drawn_mark
from tests.ingest.scans import written_page
from ui.cli import app

COMMANDS = (
    "ingest", "train", "index", "search", "evaluate", "group", "status", "export", "serve", "demo",
)  # fmt: skip


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def marks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of a dozen drawn marks, indexed with the bundled weights; crops beside it."""
    folder = tmp_path_factory.mktemp("marks")
    for seed in range(12):
        path = folder / f"crops/merchant {seed % 3}/{seed:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), drawn_mark(seed))
    (folder / "crops/notes.txt").write_text("no image")
    assert run("ingest", folder / "archive", folder / "crops", "--as", "marks").exit_code == 0
    assert run("index", folder / "archive").exit_code == 0
    return folder


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small synthetic archive, ingested as pages with documents, and indexed."""
    folder = tmp_path_factory.mktemp("pages")
    draw_archive(folder / "scans", seed=3, identities=3, pages=3, size=(700, 900))
    done = run(
        "ingest", folder / "archive", folder / "scans/pages",
        "--documents", folder / "scans/documents.csv",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert run("index", folder / "archive").exit_code == 0
    return folder


def test_what_needs_no_network_does_not_wait_for_torch() -> None:
    """The workers of an ingest import the command anew, each of them."""
    program = "import sys, ui.cli; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    shown = run(command, "--help")
    assert shown.exit_code == 0
    assert f"Example: prizemarks {command}" in re.sub(r"\s+", " ", shown.stdout)


def test_search_prints_one_json_object_a_query(marks: Path) -> None:
    queries = [marks / "crops/merchant 1/01.png", marks / "crops/merchant 2/05.png"]
    done = run("search", marks / "archive", *queries, "--json", "--top", "100")
    assert done.exit_code == 0, done.output
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["query"] for answer in answers] == [str(query) for query in queries]
    for answer, source in zip(answers, ("merchant 1/01.png", "merchant 2/05.png"), strict=True):
        assert set(answer) == {"query", "model", "results"}
        assert len(answer["results"]) == 12, "top may exceed the archive: every mark is ranked"
        first = answer["results"][0]
        assert set(first) == {
            "rank", "mark", "score", "unrelated", "source", "page", "box", "document"
        }  # fmt: skip
        assert first["rank"] == 1
        assert first["source"] == source
        assert first["score"] == pytest.approx(1, abs=1e-3)
        shares = [result["unrelated"] for result in answer["results"]]
        assert shares == sorted(shares) and 0 < shares[0] < 0.01 and shares[-1] <= 1
        assert first["box"] == [0, 0, 60, 60]
        assert first["document"] is None
        assert [r["rank"] for r in answer["results"]] == list(range(1, 13))


def test_search_for_people_gives_calibrated_words(marks: Path) -> None:
    done = run("search", marks / "archive", marks / "crops/merchant 1/01.png", "--top", 3)
    assert done.exit_code == 0
    assert "unrelated marks" in done.stdout
    assert "merchant 1/01.png" in done.stdout


def test_search_by_marks(marks: Path) -> None:
    done = run("search", marks / "archive", "--mark", 1, "--unlike", 2, "--json", "--top", 20)
    (answer,) = map(json.loads, done.stdout.splitlines())
    assert {1, 2}.isdisjoint(result["mark"] for result in answer["results"])
    assert len(answer["results"]) == 10


def test_a_picture_and_a_region_are_pushed_away_from_what_they_are_unlike(
    marks: Path, pages: Path
) -> None:
    def scores(*query: object) -> dict[int, float]:
        told = json.loads(run("search", *query, "--json", "--top", 2000).stdout)
        return {one["mark"]: one["score"] for one in told["results"]}

    row = next(
        csv.DictReader(io.StringIO(run("export", pages / "archive", "--format", "csv").stdout))
    )
    region = ",".join(row[name] for name in ("x", "y", "width", "height"))
    for query in (
        (marks / "archive", marks / "crops/merchant 1/01.png"),
        (pages / "archive", "--page", row["page"], "--region", region),
    ):
        plain = scores(*query)
        second = list(plain)[1]
        unlike = scores(*query, "--unlike", second)
        assert set(unlike) == set(plain) - {second}
        assert list(unlike) != [mark for mark in plain if mark != second]


def test_a_query_is_turned_and_mirrored_on_demand(marks: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "turned.png"), np.rot90(drawn_mark(4)))
    query = ("search", marks / "archive", tmp_path / "turned.png", "--top", 3)
    told = json.loads(run(*query, "--turned", "--mirrored", "--json").stdout)
    first = told["results"][0]
    assert first["source"] == "merchant 1/04.png"
    assert (first["turned"], first["mirrored"]) == (90, False)
    told = json.loads(run(*query, "--mirrored", "--json").stdout)
    assert {result["turned"] for result in told["results"]} == {0}
    told = json.loads(run(*query, "--json").stdout)
    assert not {"turned", "mirrored"} & set(told["results"][0])
    assert re.search(r"turned a\b", run(*query, "--turned").stdout)  # the cell is folded
    assert "turned" not in run(*query).stdout.replace(str(tmp_path / "turned.png"), "")


def test_marks_and_regions_are_turned_on_demand(pages: Path) -> None:
    exported = run("export", pages / "archive", "--format", "csv")
    row = next(csv.DictReader(io.StringIO(exported.stdout)))
    region = ",".join(row[name] for name in ("x", "y", "width", "height"))
    by_mark = run("search", pages / "archive", "--mark", row["mark"], "--turned", "--json")
    assert all(result["turned"] % 90 == 0 for result in json.loads(by_mark.stdout)["results"])
    by_region = run(
        "search", pages / "archive", "--page", row["page"], "--region", region, "--turned",
        "--mirrored", "--json",
    )  # fmt: skip
    first = json.loads(by_region.stdout)["results"][0]
    assert (first["mark"], first["turned"]) == (int(row["mark"]), 0)


def test_an_unreadable_query_is_said_and_the_rest_answered(marks: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n but no more")
    done = run("search", marks / "archive", broken, marks / "crops/merchant 1/01.png", "--json")
    assert done.exit_code == 1
    assert len(done.stdout.splitlines()) == 1
    assert "broken.png" in done.stderr


def test_a_query_without_ink_is_said_and_the_rest_answered(marks: Path, tmp_path: Path) -> None:
    bare, mark = tmp_path / "bare.png", marks / "crops/merchant 1/01.png"
    cv2.imwrite(str(bare), np.full((90, 90, 3), 255, np.uint8))
    done = run("search", marks / "archive", bare, mark, bare, "--json")
    assert done.exit_code == 1
    (answer,) = map(json.loads, done.stdout.splitlines())
    assert answer["query"] == str(mark)
    assert done.stderr.count("bare.png: There is no ink in this picture") == 2


def test_of_a_file_of_several_images_the_first_is_looked_for(marks: Path, tmp_path: Path) -> None:
    first, second = (Image.fromarray(drawn_mark(seed)) for seed in (4, 5))
    first.save(tmp_path / "two.pdf", save_all=True, append_images=[second])
    done = run("search", marks / "archive", tmp_path / "two.pdf", "--json", "--top", 1)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["results"][0]["source"] == "merchant 1/04.png"
    assert "two.pdf: The file holds several images" in done.stderr


def test_a_region_of_a_page_finds_its_own_place(pages: Path) -> None:
    exported = run("export", pages / "archive", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(exported.stdout)))
    assert list(rows[0]) == [
        "mark", "source", "page", "x", "y", "width", "height", "status", "score", "reference",
    ]  # fmt: skip
    row = rows[0]
    region = ",".join(row[name] for name in ("x", "y", "width", "height"))
    done = run("search", pages / "archive", "--page", row["page"], "--region", region, "--json")
    (answer,) = map(json.loads, done.stdout.splitlines())
    first = answer["results"][0]
    assert (first["mark"], first["source"]) == (int(row["mark"]), row["source"])
    assert first["document"]["reference"] == row["reference"]


def test_where_narrows_to_documents(pages: Path) -> None:
    exported = run("export", pages / "archive", "--format", "csv")
    row = next(csv.DictReader(io.StringIO(exported.stdout)))
    done = run(
        "search", pages / "archive", "--mark", row["mark"], "--where", "year=..1600", "--json"
    )
    assert json.loads(done.stdout)["results"] == []


@pytest.fixture(scope="module")
def labels(marks: Path) -> Path:
    """Labels of the dozen marks, three merchants; half in the split `test`; one unknown source."""
    path = marks / "labels.csv"
    rows = [
        f"merchant {seed % 3}/{seed:02}.png,merchant {seed % 3},{'test' if seed < 6 else 'train'}"
        for seed in range(12)
    ]
    path.write_text("\n".join(["source,label,split", *rows, "gone.png,merchant 0,test"]))
    return path


def test_evaluate_says_how_well_marks_find_their_like(marks: Path, labels: Path) -> None:
    done = run("evaluate", marks / "archive", "--labels", labels)
    assert done.exit_code == 0, done.output
    assert "12 marks of 3 labels." in done.stdout
    assert "1 sources are not in the archive" in done.stdout
    assert "mark → mark: 12 queries against 12 marks" in done.stdout
    assert "bundled weights" in done.stdout


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


def test_evaluate_says_how_well_marks_are_found_on_pages(pages: Path, tmp_path: Path) -> None:
    truth = pages / "scans/truth.csv"
    done = run("evaluate", pages / "archive", "--regions", truth, "--report", tmp_path / "report")
    assert done.exit_code == 0, done.output
    number = len(truth.read_text().splitlines()) - 1
    assert f"{number} boxes on " in done.stdout
    assert "boxes found (shown: score >= 0.5)" in done.stdout
    assert "proposals a page with a score >= 0.5" in done.stdout
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


def test_status_says_what_is_in(pages: Path) -> None:
    told = run("status", pages / "archive")
    assert told.exit_code == 0
    assert "pages       3 (0 without a document" in told.stdout
    counted = json.loads(run("status", pages / "archive", "--json").stdout)
    assert counted["counts"]["pages"] == 3
    assert counted["not_indexed"] == 0


def test_a_mark_whose_crop_is_gone_is_named_and_the_others_are_found(
    marks: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "archive"
    assert run("ingest", archive, marks / "crops/merchant 1", "--as", "marks").exit_code == 0
    lost = min((archive / "crops").glob("*/*.png"))
    lost.unlink()
    done = run("index", archive)
    assert done.exit_code == 1, done.output
    assert "3 marks are searchable" in done.stdout
    assert "1 mark could not be embedded; the next run tries again:" in done.stdout
    assert f"The crop {lost} cannot be read" in done.stdout
    again = run("index", archive, "--json")
    assert again.exit_code == 1
    (unread,) = json.loads(again.stdout)["unread"]
    assert str(lost) in unread
    assert "not indexed 1" in run("status", archive).stdout
    found = run("search", archive, marks / "crops/merchant 1/01.png", "--json")
    assert found.exit_code == 0
    assert len(json.loads(found.stdout)["results"]) == 3


def test_export_to_a_file(marks: Path, tmp_path: Path) -> None:
    done = run("export", marks / "archive", "--format", "csv", "-o", tmp_path / "marks.csv")
    assert done.exit_code == 0
    with (tmp_path / "marks.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 12


def test_bad_input_goes_to_quarantine_and_the_status_says_so(tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    cv2.imwrite(str(scans / "good.png"), np.full((80, 80), 255, np.uint8))
    (scans / "bad.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut short")
    done = run("ingest", tmp_path / "archive", scans)
    assert done.exit_code == 1
    assert "1 inputs could not be read" in done.stdout
    assert "bad.jpg" in (tmp_path / "archive/quarantine.csv").read_text()
    again = run("ingest", tmp_path / "archive", scans, "--json")
    assert json.loads(again.stdout)["unchanged"] >= 1


def test_what_stands_in_quarantine_is_grouped_and_tried_again(tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    for name in ("a.jpg", "b.jpg"):
        (scans / name).write_bytes(b"GIF89a")
    assert run("ingest", tmp_path / "archive", scans).exit_code == 1
    again = run("ingest", tmp_path / "archive", scans)
    assert "2 of them have not changed and were not tried again" in again.stdout
    told = run("status", tmp_path / "archive")
    assert re.search(r"\b2 It is a GIF image", told.stdout)
    assert "--retry-quarantined" in told.stdout
    reasons = json.loads(run("status", tmp_path / "archive", "--json").stdout)["failure_reasons"]
    assert list(reasons.values()) == [2]
    cv2.imwrite(str(scans / "b.jpg"), np.full((80, 80), 255, np.uint8))
    done = run("ingest", tmp_path / "archive", "--retry-quarantined")
    assert done.exit_code == 1
    assert "1 inputs could be read now and left quarantine." in done.stdout


def test_pages_that_look_alike_are_said(tmp_path: Path) -> None:
    page = written_page(1)
    (tmp_path / "scans").mkdir()
    cv2.imwrite(str(tmp_path / "scans/a.png"), page)
    cv2.imwrite(str(tmp_path / "scans/b.jpg"), page, [cv2.IMWRITE_JPEG_QUALITY, 40])
    done = run("ingest", tmp_path / "archive", tmp_path / "scans")
    assert "1 of the pages look like another page" in done.stdout
    assert "b.jpg like a.png" in done.stdout
    told = run("status", tmp_path / "archive")
    assert "1 that look like another" in told.stdout and "b.jpg looks like a.png" in told.stdout
    (found,) = json.loads(run("status", tmp_path / "archive", "--json").stdout)["resembling"]
    assert (found["source"], found["like_source"]) == ("b.jpg", "a.png")


def test_marks_are_sought_anew_where_an_older_segmentation_sought_them(
    pages: Path, tmp_path: Path
) -> None:
    shutil.copytree(pages / "archive", tmp_path / "archive")
    with contextlib.closing(sqlite3.connect(tmp_path / "archive/archive.db")) as database, database:
        database.execute("UPDATE pages SET segmenter = 'ink-0' WHERE id = 1")
    told = run("status", tmp_path / "archive").stdout
    assert "1 page of which ink-0 proposed the marks" in told and "--resegment" in told
    status = json.loads(run("status", tmp_path / "archive", "--json").stdout)
    assert status["older_segmenters"] == {"ink-0": 1}
    done = json.loads(run("ingest", tmp_path / "archive", "--resegment", "--json").stdout)
    assert (done["changed"], done["unchanged"], done["failed"]) == (1, 0, 0)
    assert "--resegment" not in run("status", tmp_path / "archive").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ingest", "ARCHIVE"), "Give one of SOURCE, --retry-quarantined and --resegment"),
        (("ingest", "ARCHIVE", ".", "--retry-quarantined"), "Give one of SOURCE"),
        (("ingest", "ARCHIVE", "--resegment", "--retry-quarantined"), "Give one of SOURCE"),
        (("ingest", "ARCHIVE", "--resegment", "--dry-run"), "prizemarks status says"),
        (("search", "ARCHIVE"), "Give one kind of query"),
        (("search", "ARCHIVE", "--page", "1"), "belong together"),
        (("search", "ARCHIVE", "--page", "1", "--region", "1,2"), "is no region"),
        (("search", "ARCHIVE", "--page", "999", "--region", "0,0,5,5"), "has no page 999"),
        (("search", "ARCHIVE", "--page", "1", "--region", "50,50,20,20"), "reaches beyond page 1"),
        (("search", "ARCHIVE", "--mark", "1", "--where", "colour=red"), "Unknown condition"),
        (("search", "ARCHIVE", "--mark", "999"), "not in the index"),
        (("search", "ARCHIVE", "--mark", "1", "--unlike", "1"), "both liked and disliked"),
        (("search", "ARCHIVE", "PICTURE", "--unlike", "999"), "Mark 999 is not in the index"),
        (("search", "ARCHIVE", "--mark", "1", "--model", "ffff"), "has no model 'ffff'"),
        (("serve", "ARCHIVE", "--model", "ffff"), "has no model 'ffff'"),
        (("train", "ARCHIVE", "--objective", "supervised"), "no objective"),
        (("train", "ARCHIVE", "--with", "dropout"), "no switch 'dropout'"),
        (("train", "ARCHIVE", "--with", "r1"), "Leave --with out"),
        (("train", "ARCHIVE", "--objective", "hinge", "--with", "conditional"), "--documents"),
        (("train", "ARCHIVE", "--architecture", "resnet"), "no architecture"),
        (("train", "ARCHIVE", "--resume"), "no interrupted run"),
        (("evaluate", "ARCHIVE", "--labels", "/nowhere.csv"), "/nowhere.csv cannot be read"),
        (("evaluate", "ARCHIVE", "--regions", "/nowhere.csv"), "/nowhere.csv cannot be read"),
        (("evaluate", "ARCHIVE"), "give --labels, --regions, or both"),
        (("evaluate", "ARCHIVE", "--regions", "x.csv", "--baselines"), "belong to --labels"),
        (("evaluate", "ARCHIVE", "--labels", "x.csv", "--complete"), "belongs to --regions"),
        (("group", "ARCHIVE", "--share", "2"), "A share of 2 cannot be asked for"),
        (("group", "ARCHIVE", "--labels", "/nowhere.csv"), "/nowhere.csv cannot be read"),
        (("status", "/nowhere/at/all"), "/nowhere/at/all"),
    ],
)
def test_wrong_use_is_one_sentence_and_status_2(
    marks: Path, arguments: tuple[str, ...], said: str
) -> None:
    named = {"ARCHIVE": marks / "archive", "PICTURE": marks / "crops/merchant 1/01.png"}
    done = run(*(named.get(part, part) for part in arguments))
    assert done.exit_code == 2
    assert said in re.sub(r"\s+", " ", done.stderr)
    assert "Traceback" not in done.output


def test_training_a_little_makes_a_model_that_search_uses(tmp_path: Path) -> None:
    crops = tmp_path / "crops"
    crops.mkdir()
    for seed in range(6):
        cv2.imwrite(str(crops / f"{seed}.png"), drawn_mark(seed))
    archive = tmp_path / "archive"
    run("ingest", archive, crops, "--as", "marks")
    done = run(
        "train",
        archive,
        "--from",
        "random",
        "--objective",
        "non-saturating",
        "--with",
        "spectral-norm,diffaugment",
        "--steps",
        2,
        "--json",
    )
    assert done.exit_code == 0, done.output
    trained = json.loads(done.stdout)["id"]
    assert json.loads(done.stdout)["settings"]["switches"] == ["spectral-norm", "diffaugment"]
    assert (archive / "models" / trained / "weights.safetensors").exists()
    assert (archive / "models" / trained / "record/metrics.csv").exists()
    assert not (archive / "models/.run").exists()
    assert run("index", archive).exit_code == 0
    found = json.loads(run("search", archive, crops / "3.png", "--json", "--top", 1).stdout)
    assert found["model"] == trained
    assert found["results"][0]["source"] == "3.png"


def test_training_takes_no_search_away_until_it_is_indexed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(4):
        (tmp_path / "crops").mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / f"crops/{seed}.png"), drawn_mark(seed))
    archive, query = tmp_path / "archive", tmp_path / "crops/3.png"
    run("ingest", archive, tmp_path / "crops", "--as", "marks")
    bundled = json.loads(run("index", archive, "--json").stdout)["model"]
    tiny = Settings(Architecture("dcgan", size=32, width=8), steps=1, batch=4, identities=4)
    opened = open_archive(archive)
    trained = train_on_archive(opened, tiny).model.id
    opened.close()

    def searched() -> str:
        return str(json.loads(run("search", archive, query, "--json").stdout)["model"])

    assert searched() == bundled
    assert json.loads(run("group", archive, "--json").stdout)["model"] == bundled
    told = run("status", archive).stdout
    assert f"model       {bundled}" in told and "not indexed 0" in told
    assert (
        f"Model {trained[:8]} was trained since and waits for its index. To search under it: "
        f"prizemarks index {archive}" in told
    )
    status = json.loads(run("status", archive, "--json").stdout)
    assert (status["model"], status["model_waiting"]) == (bundled, trained)
    refused = run("search", archive, query, "--model", trained)
    assert refused.exit_code == 2 and f"run: prizemarks index {archive}\n" in refused.stderr

    assert json.loads(run("index", archive, "--json").stdout)["model"] == trained
    assert searched() == trained
    assert "waits for its index" not in run("status", archive).stdout
    started: list[object] = []

    def run_server(*given: object) -> int:
        started.extend(given)
        return 0

    monkeypatch.setattr("ui.serve.run_server", run_server)
    assert run("serve", archive, "--model", "bundled").exit_code == 0
    assert started[-1] == bundled


def test_help_lists_every_objective_and_switch() -> None:
    said = run("train", "--help").output
    for name in (*RECIPES, *SWITCHES):
        assert f"  {name} " in said


def test_marks_cannot_be_trained_without_any(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    run("ingest", tmp_path / "archive", tmp_path / "empty")
    done = run("train", tmp_path / "archive")
    assert done.exit_code == 2
    assert "0 marks to learn from" in re.sub(r"\s+", " ", done.stderr)
