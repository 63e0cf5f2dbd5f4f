from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import pytest

from ingest.everywhere import look_everywhere
from retrieval.catalogue.archive import create_archive, open_archive
from retrieval.shards import read_shard, shard_paths, write_shard
from retrieval.which_model import archive_model
from tests.missed_marks import PLACES, SIDE, make_missed, make_unmarked, missed_page
from tests.ui.running import run


@pytest.fixture
def unlooked(tmp_path: Path) -> Path:
    """An archive of two pages that nobody has looked through."""
    archive = create_archive(tmp_path / "archive")
    make_missed(archive, tmp_path / "scans", 2)
    archive.close()
    return tmp_path / "archive"


@pytest.fixture(scope="module")
def missed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of pages whose marks but the first were passed over, and a crop of one."""
    folder = tmp_path_factory.mktemp("missed")
    archive = create_archive(folder / "archive")
    make_missed(archive, folder / "scans", 2)
    archive.close()
    x, y = PLACES[2]
    cv2.imwrite(str(folder / "query.png"), missed_page(1)[y : y + SIDE, x : x + SIDE])
    return folder


def test_the_pages_are_looked_through_and_searched(missed: Path) -> None:
    archive, query = missed / "archive", missed / "query.png"
    refused = run("search", archive, query, "--everywhere")
    assert refused.exit_code == 2
    assert "--everywhere" in refused.stderr

    done = run("index", archive, "--everywhere")
    assert done.exit_code == 0, done.output
    assert "2 pages indexed now" in done.stdout
    again = json.loads(run("index", archive, "--everywhere", "--json").stdout)
    assert (again["everywhere"]["looked"], again["everywhere"]["pages"]) == (0, 2)
    assert "everywhere" not in json.loads(run("index", archive, "--json").stdout)

    (line,) = run("search", archive, query, "--everywhere", "--json", "--top", 500).stdout.split(
        "\n"
    )[:-1]
    results = json.loads(line)["results"]
    assert [one["rank"] for one in results] == list(range(1, len(results) + 1))
    scores = [one["score"] for one in results]
    assert scores == sorted(scores, reverse=True)
    marks, places = (
        [one for one in results if (one["mark"] is None) is no] for no in (False, True)
    )
    assert len(marks) == 2 and places
    assert set(marks[0]) == set(places[0]), "one shape for both"
    assert {one["status"] for one in marks} <= {"proposed", "confirmed"}
    assert {one["status"] for one in places} == {None}
    assert all(len(one["box"]) == 4 and one["page"] for one in places)

    alone = json.loads(run("search", archive, query, "--json", "--top", 500).stdout)["results"]
    assert [one["mark"] for one in alone] == [one["mark"] for one in marks]
    table = run("search", archive, "--mark", marks[0]["mark"], "--everywhere").stdout
    assert "none" in table


def test_a_master_that_is_gone_is_said_and_the_search_goes_on(missed: Path) -> None:
    archive = missed / "archive"
    assert run("index", archive, "--everywhere").exit_code == 0
    for shard in (archive / "index").glob("*/everywhere/*"):
        shard.unlink()
    (missed / "scans/0.png").rename(missed / "scans/0.away")
    done = run("index", archive, "--everywhere")
    assert done.exit_code == 1
    assert "0.png" in done.stdout and "cannot be read" in done.stdout
    (missed / "scans/1.png").rename(missed / "scans/1.away")
    found = run("search", archive, missed / "query.png", "--everywhere", "--json")
    assert found.exit_code == 0, found.output
    for name in "01":
        (missed / f"scans/{name}.away").rename(missed / f"scans/{name}.png")


def everywhere_line(archive: Path) -> str:
    told = run("status", archive).stdout
    (line,) = [line for line in told.splitlines() if line.startswith("  everywhere ")]
    command = f"prizemarks index {archive} --everywhere"
    assert (command in told) == ("not yet" in line or "older" in line)
    return line


def test_the_status_says_which_pages_can_be_searched_everywhere(
    unlooked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = everywhere_line(unlooked)
    assert line == "  everywhere  0 of 2 pages; 2 not yet"

    opened = open_archive(unlooked)
    with monkeypatch.context() as older:
        older.setattr("ingest.everywhere.REGIONS", "candidates of ink-0")
        look_everywhere(opened, archive_model(opened), workers=0)
    line = everywhere_line(unlooked)
    assert line == "  everywhere  2 of 2 pages, 2 of them indexed by an older version"
    told = json.loads(run("status", unlooked, "--json").stdout)["everywhere"]
    assert told == {"pages": 2, "current": 0, "older": 2, "missing": 0, "other_model": 0}

    look_everywhere(opened, archive_model(opened), workers=0)
    opened.close()
    assert everywhere_line(unlooked) == "  everywhere  2 of 2 pages"
    told = json.loads(run("status", unlooked, "--json").stdout)["everywhere"]
    assert told == {"pages": 2, "current": 2, "older": 0, "missing": 0, "other_model": 0}

    (own,) = (unlooked / "index").iterdir()
    (shard,) = shard_paths(own / "everywhere")
    pages = read_shard(shard, 128)
    assert pages is not None
    shutil.rmtree(own)
    write_shard(unlooked / "index/another-model/everywhere", "any", pages)
    line = everywhere_line(unlooked)
    assert line == "  everywhere  0 of 2 pages; 2 not yet, of which 2 only under another model"


def test_an_archive_without_pages_says_nothing_of_them(tmp_path: Path) -> None:
    create_archive(tmp_path / "archive").close()
    assert "everywhere" not in run("status", tmp_path / "archive").stdout


def test_an_archive_without_a_mark_is_searched_everywhere(
    missed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = create_archive(tmp_path / "archive")
    make_unmarked(opened, tmp_path / "scans")
    opened.close()
    archive, query = tmp_path / "archive", missed / "query.png"
    refused = run("search", archive, query, "--everywhere")
    assert refused.exit_code == 2
    assert f"prizemarks index {archive} --everywhere" in " ".join(refused.stderr.split())

    monkeypatch.setenv("PRIZEMARKS_WORKERS", "1")
    done = run("index", archive, "--everywhere")
    assert done.exit_code == 0, done.output
    assert "0 marks are searchable" in done.stdout
    found = run("search", archive, query, "--everywhere", "--json", "--top", 3)
    assert found.exit_code == 0, found.output
    results = json.loads(found.stdout)["results"]
    assert [one["mark"] for one in results] == [None] * 3
    assert all(one["page"] and len(one["box"]) == 4 for one in results)
    by_marks = run("search", archive, "--mark", 1, "--everywhere")
    assert by_marks.exit_code == 2 and "not in the index" in " ".join(by_marks.stderr.split())
    alone = run("search", archive, query)
    assert alone.exit_code == 2
    said = " ".join(alone.stderr.split())
    assert "There is no mark" in said and "search with --everywhere" in said


def test_an_archive_of_crops_alone_is_searched_by_its_marks(marks: Path) -> None:
    query = marks / "crops/merchant 1/01.png"
    plain = json.loads(run("search", marks / "archive", query, "--json").stdout)
    done = run("search", marks / "archive", query, "--everywhere", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["results"] == plain["results"]


def test_crops_alone_that_are_not_indexed_say_what_to_run(marks: Path, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    run("ingest", archive, marks / "crops/merchant 1", "--as", "marks")
    done = run("search", archive, marks / "crops/merchant 1/01.png", "--everywhere")
    assert done.exit_code == 2
    assert f"run: prizemarks index {archive}\n" in done.stderr
