from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from ingest.annotations.formats import ANNOTATION_FORMATS, EXPORT_FORMATS
from retrieval.catalogue.archive import create_archive
from tests.ingest.scans import pages_of, scan
from tests.ui.running import run
from ui.commands.annotate import MOST_SAID, AnnotationFormat, ExportFormat


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of two pages with three marks."""
    folder = tmp_path_factory.mktemp("annotating")
    scan(folder / "scans/1.png", (0, 0), (1, 1))
    scan(folder / "scans/2.png", (2, 2))
    archive = create_archive(folder / "archive")
    pages_of(archive, folder / "scans")
    archive.close()
    return folder


@pytest.fixture(scope="module")
def archive(folder: Path) -> Path:
    return folder / "archive"


def test_the_commands_offer_the_formats_there_are() -> None:
    assert {one.value for one in AnnotationFormat} == set(ANNOTATION_FORMATS)
    assert {one.value for one in ExportFormat} == {*EXPORT_FORMATS, "documents"}
    assert set(EXPORT_FORMATS) - set(ANNOTATION_FORMATS) == {"bibtex"}


@pytest.mark.parametrize("command", ["import", "export"])
def test_the_commands_have_help_with_an_example(command: str) -> None:
    shown = run("annotate", command, "--help")
    assert shown.exit_code == 0
    assert f"Example: prizemarks annotate {command}" in re.sub(r"\s+", " ", shown.stdout)


@pytest.mark.parametrize("form", sorted(set(EXPORT_FORMATS) - {"page-xml"}))
def test_both_commands_write_the_same_but_for_the_columns_of_csv(form: str, archive: Path) -> None:
    listed = run("export", archive, "--format", form)
    assert listed.exit_code == 0
    if form == "bibtex":
        assert run("annotate", "export", archive, "--format", form).exit_code == 2
        return
    given = run("annotate", "export", archive, "--format", form)
    if form != "csv":
        assert given.stdout == listed.stdout
        return
    columns = [next(csv.reader(io.StringIO(one.stdout))) for one in (listed, given)]
    assert columns[1][:10] == columns[0] and len(columns[1]) == 17


def test_out_and_in_again(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "pages"
    done = run("annotate", "export", archive, "--format", "page-xml", "--output", out)
    assert done.exit_code == 0, done.output
    assert f"3 marks written to 2 files in {out}" in done.stdout
    done = run("annotate", "import", archive, out / "1.xml", out / "2.xml")
    assert done.exit_code == 0, done.output
    assert done.stdout == "2 files: 0 marks added, 0 corrected, 3 as they were.\n"
    done = run("annotate", "import", archive, out / "1.xml")
    said = "1.xml (page-xml): 0 marks added, 0 corrected, 2 as they were."
    assert done.stdout.splitlines() == [f"{out}/{said}"]
    done = run("export", archive, "--format", "iiif", "-o", tmp_path / "m.json", "--json")
    told = json.loads(done.stdout)
    assert told == {
        "output": str(tmp_path / "m.json"), "marks": 3, "pages": 2, "files": 1, "remarks": []
    }  # fmt: skip


@pytest.mark.parametrize("command", [("export",), ("annotate", "export")])
def test_marks_are_left_out_by_status_and_by_document(
    command: tuple[str, ...], archive: Path, pages: Path
) -> None:
    def number(folder: Path, *options: str) -> int:
        done = run(*command, folder, "--format", "csv", *options)
        assert done.exit_code == 0, done.output
        return len(list(csv.DictReader(io.StringIO(done.stdout))))

    assert number(archive, "--status", "confirmed") == 0
    assert number(archive, "--status", "confirmed, Proposed") == 3
    assert number(archive, "--status", "confirmed", "--status", "proposed") == 3
    assert number(archive, "--without-rejected") == 3
    everything = number(pages / "archive")
    assert 0 == number(pages / "archive", "--where", "year=..1600") < everything
    assert everything == number(pages / "archive", "--where", "year=1600..")


def test_a_bar_takes_nothing_from_standard_output(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = io.StringIO()
    plain = run("export", archive, "--format", "csv")
    terminal = Console(file=shown, force_terminal=True, width=120, color_system=None)
    monkeypatch.setattr("ui.progress.console", terminal)
    assert run("export", archive, "--format", "csv").stdout == plain.stdout
    assert "Exporting" in shown.getvalue() and "3/3" in shown.getvalue()


def test_a_file_beyond_what_import_takes_is_said(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.annotations.exporting.MAX_REGIONS", 2)
    plain = run("export", archive, "--format", "csv")
    assert plain.exit_code == 0 and "import" not in plain.stdout
    assert "more than `annotate import` takes back in one file: 3 marks" in plain.stderr
    done = run("export", archive, "--format", "csv", "-o", tmp_path / "m.csv", "--json")
    (said,) = json.loads(done.stdout)["remarks"]
    assert said in done.stderr and "--status" in said


def test_of_a_folder_all_files_of_annotations_are_taken(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "pages"
    assert run("annotate", "export", archive, "--format", "page-xml", "-o", out).exit_code == 0
    (out / "vol 2").mkdir()
    (out / "2.xml").rename(out / "vol 2/2.XML")
    (out / ".hidden.xml").write_text("<")
    (out / "notes.txt").write_text("<")
    done = run("annotate", "import", archive, out, "--json")
    assert done.exit_code == 0, done.output
    assert [Path(one["file"]).name for one in json.loads(done.stdout)["files"]] == [
        "1.xml",
        "2.XML",
    ]
    (tmp_path / "empty").mkdir()
    done = run("annotate", "import", archive, tmp_path / "empty")
    assert done.exit_code == 2
    assert "No file in" in done.stderr


def test_failures_are_said_and_are_status_1(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    rows = ["gone.png,1,1,5,5", *["1.png,500,1,5,5"] * (MOST_SAID + 2), "1.png,60,60,9,9"]
    (tmp_path / "marks.csv").write_text("\n".join(["source,x,y,width,height", *rows]))
    files = (tmp_path / "bad.json", tmp_path / "marks.csv")
    done = run("annotate", "import", archive, *files)
    assert done.exit_code == 1
    assert "bad.json is no JSON" in done.stdout
    assert "'gone.png': no such page is in the archive" in done.stdout
    assert "... and 3 more such" in done.stdout
    assert "1 marks added" in done.stdout and "Next: prizemarks index" in done.stdout
    done = run("annotate", "import", archive, *files, "--json")
    assert done.exit_code == 1
    bad, marks = json.loads(done.stdout)["files"]
    assert bad["format"] is None
    assert (marks["format"], marks["added"], marks["unchanged"]) == ("csv", 0, 1)
    assert len(marks["refused"]) == MOST_SAID + 3


def test_of_many_files_those_refused_come_first_and_those_unchanged_are_only_counted(
    archive: Path, tmp_path: Path
) -> None:
    header = "source,x,y,width,height,status"
    for at in range(MOST_SAID + 1):
        (tmp_path / f"{at:02}.csv").write_text(f"{header}\n2.png,{at},0,1,1,rejected\n")
    (tmp_path / "98.csv").write_text(f"{header}\n2.png,0,0,1,1,proposed\n")
    (tmp_path / "99.csv").write_text(f"{header}\n2.png,500,0,1,1,proposed\n")
    done = run("annotate", "import", archive, tmp_path)
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    number = MOST_SAID + 3
    assert lines[0] == f"{number} files: {MOST_SAID + 1} marks added, 0 corrected, 1 as they were."
    assert lines[1].startswith(f"{tmp_path}/99.csv (csv): 0 marks added")
    assert lines[2].startswith("  Left out: '2.png', line 2: it lies outside the page")
    assert lines[3] == f"{tmp_path}/00.csv (csv): 1 marks added, 0 corrected, 0 as they were."
    assert lines[-2] == "... and 2 more files (--json: all)."
    assert lines[-1] == f"Next: prizemarks index {archive}"
    assert len(lines) == 1 + 2 + (MOST_SAID - 1) + 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("annotate", "import", "ARCHIVE", "/nowhere.xml"), "/nowhere.xml is no file"),
        (("annotate", "export", "/nowhere", "--format", "coco"), "no archive in /nowhere"),
        (("export", "ARCHIVE", "--format", "page-xml"), "name a folder"),
        (("export", "ARCHIVE", "--format", "coco", "--json"), "give --output too"),
        (("export", "ARCHIVE", "--format", "csv", "--status", "new"), "'new' is none of proposed"),
        (("export", "ARCHIVE", "--format", "csv", "--status", ","), "'' is none of proposed"),
        (
            ("export", "ARCHIVE", "--format", "csv", "--status", "rejected", "--without-rejected"),
            "leave --without-rejected out",
        ),
        (("export", "ARCHIVE", "--format", "csv", "--where", "ship=X"), "has the ship 'X'"),
        (("export", "ARCHIVE", "--format", "iiif", "--base", "x"), "'x' is no address"),
        (("export", "ARCHIVE", "--format", "csv", "-o", "/proc/x/y"), "cannot be written"),
    ],
)
def test_wrong_use_is_one_sentence_and_status_2(
    archive: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = run(*(archive if part == "ARCHIVE" else part for part in arguments))
    assert done.exit_code == 2
    assert said in re.sub(r"\s+", " ", done.stderr)
    assert "Traceback" not in done.output


def test_export_to_a_file(marks: Path, tmp_path: Path) -> None:
    done = run("export", marks / "archive", "--format", "csv", "-o", tmp_path / "marks.csv")
    assert done.exit_code == 0
    with (tmp_path / "marks.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 12


@pytest.fixture(scope="module")
def catalogued(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of two documents, one of them with a page."""
    folder = tmp_path_factory.mktemp("catalogued")
    scan(folder / "scans/1.png", (0, 0))
    (folder / "documents.csv").write_text(
        "reference,ship,source,Language\nHCA 32/10,Anna,1.png,nl\nHCA 32/9,De Hoop,,\n"
    )
    ingest = ("ingest", folder / "archive", folder / "scans", "--documents")
    assert run(*ingest, folder / "documents.csv").exit_code == 0
    return folder


def test_documents_are_written_as_ingest_takes_them_back(catalogued: Path) -> None:
    archive, output = catalogued / "archive", catalogued / "out.csv"
    shown = run("export", archive, "--format", "documents")
    assert list(csv.DictReader(io.StringIO(shown.stdout)))[1]["Language"] == "nl"
    written = run("export", archive, "--format", "documents", "-o", output)
    assert written.stdout == f"2 documents written to {output}\n"
    assert output.read_text(encoding="utf-8") == shown.stdout
    told = run("export", archive, "--format", "documents", "-o", output, "--json")
    assert json.loads(told.stdout) == {"output": str(output), "documents": 2}
    again = run("ingest", archive, "--documents", output, "--json")
    assert again.exit_code == 0
    assert json.loads(again.stdout)["problems"] == []
    assert run("export", archive, "--format", "documents").stdout == shown.stdout


def test_documents_can_be_narrowed_but_have_no_status(catalogued: Path) -> None:
    archive = catalogued / "archive"
    some = run("export", archive, "--format", "documents", "--where", "ship=de hoop")
    assert [row["reference"] for row in csv.DictReader(io.StringIO(some.stdout))] == ["HCA 32/9"]
    refused = run("export", archive, "--format", "documents", "--status", "confirmed")
    assert refused.exit_code == 2
    assert "documents are no marks" in refused.stderr
