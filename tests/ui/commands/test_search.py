from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import unicodedata
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.drawn_marks import drawn_mark
from tests.ui.running import run

#: A picture unlike any drawn mark: a solid disc.
STRANGER = np.asarray(cv2.circle(np.full((90, 90), 255, np.uint8), (45, 45), 30, 0, -1))


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
            "rank", "mark", "status", "identity", "score", "unrelated", "source", "page", "box",
            "document",
        }  # fmt: skip
        assert first["rank"] == 1
        assert first["source"] == source
        assert first["status"] == "confirmed", "crops are given as marks"
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


def test_people_are_told_where_nothing_is_clearly_alike(marks: Path, tmp_path: Path) -> None:
    stranger, known = tmp_path / "stranger.png", marks / "crops/merchant 1/01.png"
    cv2.imwrite(str(stranger), STRANGER)
    done = run("search", marks / "archive", stranger, known)
    assert done.exit_code == 0
    assert f"{stranger}: Nothing here is clearly alike." in " ".join(done.stderr.split())
    assert done.stderr.count("clearly alike") == 1, "a mark finds itself"
    assert "clearly alike" not in done.stdout
    told = run("search", marks / "archive", stranger, "--json")
    assert (told.exit_code, told.stderr) == (0, "")
    assert min(one["unrelated"] for one in json.loads(told.stdout)["results"]) > 0.01


def test_a_result_says_whether_a_person_confirmed_it(pages: Path) -> None:
    (told,) = run(
        "search", pages / "archive", "--mark", 1, "--json", "--top", 100
    ).stdout.splitlines()
    table = run("export", pages / "archive", "--format", "csv").stdout
    statuses = {row["mark"]: row["status"] for row in csv.DictReader(io.StringIO(table))}
    results = json.loads(told)["results"]
    assert {one["status"] for one in results} == {"proposed"}
    assert all(one["status"] == statuses[str(one["mark"])] for one in results)


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
    assert done.stderr.count("bare.png: This picture has no ink") == 2


def test_a_mark_without_ink_is_said_and_not_laid_to_the_query(marks: Path, tmp_path: Path) -> None:
    shutil.copytree(marks / "archive", tmp_path / "archive")
    cv2.imwrite(str(tmp_path / "bare.png"), np.full((90, 90, 3), 255, np.uint8))
    assert (
        run("ingest", tmp_path / "archive", tmp_path / "bare.png", "--as", "marks").exit_code == 0
    )
    mark = marks / "crops/merchant 1/01.png"
    for query in ((mark, "--unlike", 13), ("--mark", 13)):
        done = run("search", tmp_path / "archive", *query)
        assert done.exit_code == 2
        assert "The picture of mark 13 has no ink" in done.stderr
        assert "01.png" not in done.stderr


def test_a_name_that_is_no_utf_8_is_printed_and_the_rest_answered(
    marks: Path, tmp_path: Path
) -> None:
    mark = marks / "crops/merchant 1/01.png"
    latin = tmp_path / os.fsdecode(b"caf\xe9.png")
    shutil.copy(mark, latin)
    (tmp_path / os.fsdecode(b"bad\xe9.png")).write_bytes(b"no image")
    decomposed = tmp_path / unicodedata.normalize("NFD", "é.png")
    shutil.copy(mark, decomposed)
    queries = [latin, tmp_path / os.fsdecode(b"bad\xe9.png"), decomposed, mark]
    done = run("search", marks / "archive", *queries, "--json", "--top", 1)
    assert done.exit_code == 1, done.output
    assert [json.loads(line)["query"] for line in done.stdout.splitlines()] == [
        f"{tmp_path}/caf\\xe9.png",
        str(decomposed),
        str(mark),
    ]
    assert f"{tmp_path}/bad\\xe9.png: " in done.stderr
    done = run("search", marks / "archive", latin, mark, "--top", 1)
    assert done.exit_code == 0, done.output
    assert "caf\\xe9.png" in done.stdout and "merchant 1/01.png" in done.stdout


def test_of_a_file_of_several_images_the_first_is_looked_for(marks: Path, tmp_path: Path) -> None:
    first, second = (Image.fromarray(drawn_mark(seed)) for seed in (4, 5))
    first.save(tmp_path / "two.pdf", save_all=True, append_images=[second])
    done = run("search", marks / "archive", tmp_path / "two.pdf", "--json", "--top", 1)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["results"][0]["source"] == "merchant 1/04.png"
    assert "two.pdf: The file contains several images" in done.stderr


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
