from __future__ import annotations

import contextlib
import json
import re
import shutil
import sqlite3
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from tests.ingest.iiif_server import canvas_2, canvas_3, manifest_2, manifest_3
from tests.ingest.scans import written_page
from tests.ui.running import run
from ui.cli import app


def test_a_manifest_that_gives_no_image_is_said(tmp_path: Path) -> None:
    sound = canvas_3("https://x/c/1", "Side A", {"id": "https://x/a.mp3", "type": "Sound"})
    blank = canvas_2("https://x/c/2", "Side B", "") | {"images": []}
    (tmp_path / "tape.json").write_text(json.dumps(manifest_3("https://x/tape", [sound])))
    (tmp_path / "blank.json").write_text(json.dumps(manifest_2("https://x/blank", [blank])))
    command = ["ingest", str(tmp_path / "archive")]
    command += [str(tmp_path / "tape.json"), str(tmp_path / "blank.json")]
    canvases = "2 canvases have no supported image and {} skipped."
    manifests = [
        f"{one} has no supported image. Open it in a IIIF viewer: if it shows images, download "
        "them and ingest the files."
        for one in ("https://x/tape", "https://x/blank")
    ]
    rehearsed = CliRunner().invoke(app, [*command, "--dry-run"])
    assert rehearsed.exit_code == 0
    assert rehearsed.stdout.splitlines()[1:-1] == [canvases.format("would be"), *manifests]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 1
    assert canvases.format("were") in done.stdout.splitlines()
    assert done.stdout.splitlines()[-2:] == manifests
    told = CliRunner().invoke(app, [*command, "--json"])
    assert told.exit_code == 1
    said = json.loads(told.stdout)
    assert said["skipped"] == 0
    assert said["canvases_without_image"] == 2
    assert said["manifests_without_image"] == ["https://x/tape", "https://x/blank"]


def test_bad_input_goes_to_quarantine_and_the_status_says_so(tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    cv2.imwrite(str(scans / "good.png"), np.full((80, 80), 255, np.uint8))
    (scans / "bad.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut short")
    done = run("ingest", tmp_path / "archive", scans)
    assert done.exit_code == 1
    assert "1 input could not be read" in done.stdout
    assert "bad.jpg" in (tmp_path / "archive/quarantine.csv").read_text()
    again = run("ingest", tmp_path / "archive", scans, "--json")
    assert json.loads(again.stdout)["unchanged"] >= 1


def test_no_archive_is_made_where_a_source_does_not_exist(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    done = run("ingest", tmp_path / "archive", tmp_path / "scans", tmp_path / "scnas")
    assert done.exit_code == 2 and "scnas does not exist" in done.stderr
    assert not (tmp_path / "archive").exists()


def test_no_archive_is_made_where_the_documents_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    done = run(
        "ingest", tmp_path / "archive", tmp_path / "scans", "--documents", tmp_path / "d.csv"
    )
    assert done.exit_code == 2 and "d.csv cannot be read" in done.stderr
    assert not (tmp_path / "archive").exists()


def test_commands_that_are_suggested_can_be_pasted_as_they_are(tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    (scans / "a.jpg").write_bytes(b"GIF89a")
    folder = tmp_path / "my archive"
    assert f"ingest '{folder}' SOURCE`." in run("status", folder).stderr
    run("ingest", folder, scans)
    assert f"ingest '{folder}' --retry-quarantined" in run("ingest", folder, scans).stdout
    told = run("status", folder).stdout.splitlines()
    assert told[0] == str(folder)
    assert f"To retry them: prizemarks ingest '{folder}' --retry-quarantined" in told
    assert f"Next: prizemarks ingest '{folder}' SOURCE" in told
    assert f"prizemarks index '{folder}' --everywhere, and" in run("search", folder, "x").stderr


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
    assert "1 input could now be read and has left quarantine." in done.stdout


def test_what_will_never_be_read_is_taken_out_of_quarantine(tmp_path: Path) -> None:
    archive, scans = tmp_path / "archive", tmp_path / "scans"
    scans.mkdir()
    for name in ("a.jpg", "b.jpg", "=c.jpg"):
        (scans / name).write_bytes(b"GIF89a")
    assert run("ingest", archive, scans).exit_code == 1
    wrong = run("ingest", archive, "--forget", "a.jpg", "--forget", "d.jpg")
    assert wrong.exit_code == 2
    assert f"Nothing in {archive} is named 'd.jpg'." in wrong.stderr
    by_both = ("--forget", scans / "b.jpg", "--forget", "'=c.jpg")
    done = run("ingest", archive, *by_both)
    assert (done.exit_code, done.stdout) == (0, "2 inputs were removed from quarantine.\n")
    rows = (archive / "quarantine.csv").read_text().splitlines()[1:]
    assert [row.split(",")[0] for row in rows] == ["a.jpg"]
    told = run("ingest", archive, "--forget", "a.jpg", "--json")
    assert json.loads(told.stdout)["forgotten"] == 1


def test_pages_are_taken_out_of_the_archive_but_for_those_that_people_judged(
    tmp_path: Path,
) -> None:
    archive, scans = tmp_path / "my archive", tmp_path / "holiday"
    scans.mkdir()
    for number in range(2):
        page = np.full((300, 300), 255, np.uint8)
        cv2.circle(page, (150, 150), 30 + 10 * number, 0, 5)
        cv2.imwrite(str(scans / f"{number}.png"), page)
    assert run("ingest", archive, scans).exit_code == 0
    with contextlib.closing(sqlite3.connect(archive / "archive.db")) as catalogue:
        with catalogue:
            catalogue.execute("update marks set status = 'confirmed' where page_id = 1")
        held = catalogue.execute("select page_id, count(*) from marks group by 1").fetchall()
    (_, judged), (_, proposed) = held
    assert judged == proposed == 1
    done = run("ingest", archive, "--forget", scans)
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "1 page was removed from the archive, with 1 mark. To add them again, ingest their files "
        "again.",
        "1 file was kept, because people judged, drew or named marks on the pages: 0.png.",
        f"To save these marks first: prizemarks annotate export '{archive}' --format csv "
        "--output marks.csv; then --even-judged removes the pages with their marks.",
        f"Next: prizemarks index '{archive}'",
    ]
    told = run("ingest", archive, "--forget", scans, "--even-judged", "--json")
    assert told.exit_code == 0
    assert json.loads(told.stdout) == {
        "forgotten": 0, "pages": 1, "marks": 1, "documents": 0, "masters": 0,
        "judged": [], "beside": [], "pageless": [],
    }  # fmt: skip
    assert sorted(path.name for path in scans.iterdir()) == ["0.png", "1.png"]
    refused = run("ingest", archive, scans, "--even-judged")
    assert refused.exit_code == 2 and "--even-judged works only with --forget" in refused.stderr


@pytest.mark.parametrize(
    "beside", [("--documents", "d.csv"), ("--as", "marks"), ("--documents", "d.csv", "--dry-run")]
)
def test_nothing_is_taken_out_of_quarantine_with_an_option_that_means_nothing_there(
    tmp_path: Path, beside: tuple[str, ...]
) -> None:
    archive, scan = tmp_path / "archive", tmp_path / "a.jpg"
    scan.write_bytes(b"GIF89a")
    assert run("ingest", archive, scan).exit_code == 1
    before = (archive / "quarantine.csv").read_bytes()
    refused = run("ingest", archive, "--forget", "a.jpg", *beside)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "--forget cannot be combined with --documents or --as marks" in refused.stderr
    assert (archive / "quarantine.csv").read_bytes() == before
    assert run("status", archive, "--json").stdout.count("GIF image") == 1


def test_a_documents_file_that_meets_no_page_is_said(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    cv2.imwrite(str(tmp_path / "scans/1.png"), np.full((80, 80), 255, np.uint8))
    (tmp_path / "d.csv").write_text("reference,source\nHCA 32/1,page 1.tif\n")
    command = (
        "ingest",
        tmp_path / "archive",
        tmp_path / "scans",
        "--documents",
        tmp_path / "d.csv",
    )
    done = run(*command)
    assert done.exit_code == 1
    assert (
        "No page matches d.csv: it must name pages as the archive does. `prizemarks export "
        f"{tmp_path / 'archive'} --format documents` lists the pages of documents in its column "
        "source; `ingest --json` lists the others as sources_without_document."
    ) in done.stdout.splitlines()
    told = run(*command, "--json")
    assert told.exit_code == 1
    assert json.loads(told.stdout)["files_without_page"] == ["d.csv"]
    (tmp_path / "d.csv").write_text("reference,source\nHCA 32/1,page 1.tif\nHCA 32/1,1.png\n")
    done = run(*command)
    assert done.exit_code == 0
    assert "No page matches" not in done.stdout


def test_a_documents_file_that_names_pages_of_several_folders_is_to_be_given_with_its_own(
    tmp_path: Path,
) -> None:
    archive, described = tmp_path / "archive", tmp_path / "d.csv"
    for volume in ("1", "2"):
        (tmp_path / volume).mkdir()
        cv2.imwrite(str(tmp_path / volume / "a.png"), np.full((80, 80), 255, np.uint8))
        assert run("ingest", archive, tmp_path / volume).exit_code == 0
    described.write_text("reference,source\nHCA 32/1,a.png\n")
    done = run("ingest", archive, "--documents", described)
    assert done.exit_code == 1
    assert done.stdout.splitlines()[-2:] == [
        "No page matches d.csv: what it names may be pages in several folders. Name the folder "
        f"that it describes, `prizemarks ingest {archive} FOLDER --documents d.csv`, or write "
        "longer paths in it.",
        "d.csv, line 2: 'a.png' matches 2 pages, such as 'a.png' and '2/a.png': write more "
        "of its path, '1/a.png' or '2/a.png'.",
    ]
    assert run("ingest", archive, tmp_path / "2", "--documents", described).exit_code == 0
    described.write_text("reference,source\nHCA 32/1,1/a.png\n")
    done = run("ingest", archive, "--documents", described)
    assert done.exit_code == 0 and "1 page was assigned" in done.stdout


def test_what_would_be_forgotten_is_said_and_stays(tmp_path: Path) -> None:
    archive, scans = tmp_path / "archive", tmp_path / "scans"
    scans.mkdir()
    for number in (1, 2):
        page = np.full((300, 300), 255, np.uint8)
        cv2.circle(page, (150, 150), 30 + 10 * number, 0, 5)
        cv2.imwrite(str(scans / f"{number}.png"), page)
    (scans / "3.png").write_bytes(b"GIF89a")
    described = tmp_path / "documents.csv"
    described.write_text("reference,source\nHCA 32/1,1.png\nHCA 32/2,\n")
    assert run("ingest", archive, scans, "--documents", described).exit_code == 1
    before = {path: path.read_bytes() for path in archive.rglob("*") if path.is_file()}
    names = ("--forget", "1.png", "--forget", "3.png", "--forget", "HCA 32/2")
    said = run("ingest", archive, *names, "--dry-run")
    assert said.exit_code == 0, said.output
    told = run("ingest", archive, *names, "--dry-run", "--json")
    assert said.stdout.splitlines() == [
        "1 input would be removed from quarantine.",
        "1 page would be removed from the archive, with 1 mark.",
        "1 document would be removed from the archive.",
        "1 document would have no pages then: HCA 32/1.",
        "Nothing was written.",
    ]
    assert {path: path.read_bytes() for path in archive.rglob("*") if path.is_file()} == before
    assert run("ingest", archive, *names, "--json").stdout == told.stdout
    refused = run("ingest", tmp_path / "none", "--forget", "1.png", "--dry-run")
    assert refused.exit_code == 2 and "There is no archive in" in refused.stderr


def test_documents_may_come_after_the_pages(tmp_path: Path) -> None:
    archive, described = tmp_path / "archive", tmp_path / "documents.csv"
    (tmp_path / "scans").mkdir()
    cv2.imwrite(str(tmp_path / "scans/1.png"), np.full((80, 80), 255, np.uint8))
    described.write_text("reference,source\nHCA 32/9,1.png\n")
    alone = run("ingest", archive, "--documents", described)
    assert (alone.exit_code, archive.exists()) == (2, False)
    rehearsed = run("ingest", archive, "--documents", described, "--dry-run")
    assert (rehearsed.exit_code, archive.exists()) == (2, False)
    assert run("ingest", archive, tmp_path / "scans").exit_code == 0
    rehearsed = run("ingest", archive, "--documents", described, "--dry-run")
    assert rehearsed.exit_code == 0, rehearsed.output
    assert rehearsed.stdout.splitlines() == [
        "1 document is described; 1 would have pages.",
        "1 page would be assigned to a document: 1.png to HCA 32/9.",
        "Nothing was written.",
    ]
    said = run("ingest", archive, "--documents", described, "--json")
    assert said.exit_code == 0
    report = json.loads(said.stdout)
    assert (report["documents"], report["bound"], report["unchanged"]) == (1, 1, 0)


def test_pages_that_look_alike_are_said(tmp_path: Path) -> None:
    page = written_page(1)
    (tmp_path / "scans").mkdir()
    cv2.imwrite(str(tmp_path / "scans/a.png"), page)
    cv2.imwrite(str(tmp_path / "scans/b.jpg"), page, [cv2.IMWRITE_JPEG_QUALITY, 40])
    done = run("ingest", tmp_path / "archive", tmp_path / "scans")
    assert "1 page looks like another, perhaps scanned or saved twice" in done.stdout
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
    assert "1 page whose marks were proposed by ink-0" in told and "--resegment" in told
    status = json.loads(run("status", tmp_path / "archive", "--json").stdout)
    assert status["older_segmenters"] == {"ink-0": 1}
    done = json.loads(run("ingest", tmp_path / "archive", "--resegment", "--json").stdout)
    assert (done["changed"], done["unchanged"], done["failed"]) == (1, 0, 0)
    assert "--resegment" not in run("status", tmp_path / "archive").stdout


def test_masters_that_are_missing_are_named_and_not_sought_anew_for_ever(tmp_path: Path) -> None:
    archive, scans = tmp_path / "archive", tmp_path / "scans"
    scans.mkdir()
    for number in range(2):
        cv2.imwrite(str(scans / f"{number}.png"), np.full((80, 80), 250 + number, np.uint8))
    run("ingest", archive, scans)
    with contextlib.closing(sqlite3.connect(archive / "archive.db")) as database, database:
        database.execute("UPDATE pages SET segmenter = 'ink-0'")
    (scans / "1.png").unlink()
    told = run("status", archive).stdout.splitlines()
    assert f"To look for marks on them again: prizemarks ingest {archive} --resegment" in told
    assert "1 page of these cannot be read again: the files are missing." in told
    assert told[told.index("  1.png") - 1] == (
        "1 page file is missing. The marks are kept; if the files have moved, ingest them from "
        "their new place:"
    )
    done = run("ingest", archive, "--resegment")
    assert done.exit_code == 0
    assert (
        "1 file is missing or out of reach and could not be read again; the marks on these pages "
        "stay as they are: "
        "1.png."
    ) in done.stdout.splitlines()
    told = json.loads(run("status", archive, "--json").stdout)
    assert told["older_segmenters"] == {"ink-0": 1}
    assert (told["older_missing"], told["missing_masters"]) == (1, ["1.png"])
    assert "--resegment" not in run("status", archive).stdout
    done = run("ingest", archive, "--resegment", "--json")
    assert json.loads(done.stdout)["missing"] == ["1.png"]
