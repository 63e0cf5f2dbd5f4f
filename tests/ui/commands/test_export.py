from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from ingest.annotations.formats import ANNOTATION_FORMATS, EXPORT_FORMATS
from retrieval.catalogue.archive import create_archive
from retrieval.catalogue.tables import Identity, IdentityMark
from tests.ingest.scans import scan
from tests.ui.running import run
from ui.commands.export import AnnotationFormat, ExportFormat


def test_the_commands_offer_the_formats_there_are() -> None:
    assert {one.value for one in AnnotationFormat} == set(ANNOTATION_FORMATS)
    assert {one.value for one in ExportFormat} == {*EXPORT_FORMATS, "crops", "documents"}
    assert set(EXPORT_FORMATS) - set(ANNOTATION_FORMATS) == {"bibtex"}


@pytest.mark.parametrize("form", sorted(set(EXPORT_FORMATS) - {"page-xml"}))
def test_both_commands_write_the_same_but_for_the_columns_of_csv(
    form: str, two_pages: Path
) -> None:
    listed = run("export", two_pages, "--format", form)
    assert listed.exit_code == 0
    if form == "bibtex":
        assert run("annotate", "export", two_pages, "--format", form).exit_code == 2
        return
    given = run("annotate", "export", two_pages, "--format", form)
    if form != "csv":
        assert given.stdout == listed.stdout
        return
    columns = [next(csv.reader(io.StringIO(one.stdout))) for one in (listed, given)]
    assert columns[1][:10] == columns[0] and len(columns[1]) == 17


@pytest.mark.parametrize("command", [("export",), ("annotate", "export")])
def test_marks_are_left_out_by_status_and_by_document(
    command: tuple[str, ...], two_pages: Path, pages: Path
) -> None:
    def number(folder: Path, *options: str) -> int:
        done = run(*command, folder, "--format", "csv", *options)
        assert done.exit_code == 0, done.output
        return len(list(csv.DictReader(io.StringIO(done.stdout))))

    assert number(two_pages, "--status", "confirmed") == 0
    assert number(two_pages, "--status", "confirmed, Proposed") == 3
    assert number(two_pages, "--status", "confirmed", "--status", "proposed") == 3
    assert number(two_pages, "--without-rejected") == 3
    everything = number(pages / "archive")
    assert 0 == number(pages / "archive", "--where", "year=..1600") < everything
    assert everything == number(pages / "archive", "--where", "year=1600..")


@pytest.mark.parametrize("command", [("export",), ("annotate", "export")])
def test_the_marks_of_one_identity_are_written(
    command: tuple[str, ...], two_pages: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "archive"
    shutil.copytree(two_pages, folder)
    archive = create_archive(folder)
    with archive.writing() as session:
        session.add_all([Identity(id=1, name="Jan"), Identity(id=2, name="the anchor")])
        session.flush()
        for identity, mark in ((1, 1), (1, 3), (2, 2)):
            said = {"certainty": "certain", "said_by": "Ada"}
            session.add(IdentityMark(identity_id=identity, mark_id=mark, **said))
    archive.close()
    done = run(*command, folder, "--format", "csv", "--identity", "jan")
    assert [row["mark"] for row in csv.DictReader(io.StringIO(done.stdout))] == ["1", "3"]
    refused = run(*command, folder, "--format", "csv", "--identity", "Piet")
    assert refused.exit_code == 2
    assert "No mark is identified as 'Piet'." in refused.stderr
    if command == ("export",):
        done = run("export", folder, "--format", "crops", "-o", tmp_path, "--identity", "Jan")
        assert sorted(path.name for path in tmp_path.glob("*.png")) == ["mark-1.png", "mark-3.png"]


def test_a_bar_takes_nothing_from_standard_output(
    two_pages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = io.StringIO()
    plain = run("export", two_pages, "--format", "csv")
    terminal = Console(file=shown, force_terminal=True, width=120, color_system=None)
    monkeypatch.setattr("ui.progress.console", terminal)
    assert run("export", two_pages, "--format", "csv").stdout == plain.stdout
    assert "Exporting" in shown.getvalue() and "3/3" in shown.getvalue()


def test_a_file_beyond_what_import_takes_is_said(
    two_pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.annotations.exporting.MAX_REGIONS", 2)
    plain = run("export", two_pages, "--format", "csv")
    assert plain.exit_code == 0 and "import" not in plain.stdout
    assert "more than `annotate import` accepts in one file: 3 marks" in plain.stderr
    done = run("export", two_pages, "--format", "csv", "-o", tmp_path / "m.csv", "--json")
    (said,) = json.loads(done.stdout)["remarks"]
    assert said in done.stderr and "--status" in said


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


@pytest.mark.parametrize("form", ["csv", "documents"])
def test_what_a_link_leads_to_is_written_and_the_link_stays(
    catalogued: Path, tmp_path: Path, form: str
) -> None:
    (tmp_path / "disk").mkdir()
    output, around = tmp_path / "out.csv", tmp_path / "around.csv"
    output.symlink_to(tmp_path / "disk/out.csv")
    around.symlink_to(around)
    for path in (output, around):
        done = run("export", catalogued / "archive", "--format", form, "-o", path)
        assert done.exit_code == 0, done.output
    assert output.is_symlink()
    assert (tmp_path / "disk/out.csv").read_bytes() == around.read_bytes()
    assert not list(tmp_path.glob("*/.unfinished*"))


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
    for option in (("--status", "confirmed"), ("--identity", "Jan")):
        refused = run("export", archive, "--format", "documents", *option)
        assert refused.exit_code == 2
        assert "documents are not marks" in refused.stderr


def test_crops_are_written_with_a_table_that_names_them(two_pages: Path, tmp_path: Path) -> None:
    done = run("export", two_pages, "--format", "crops", "-o", tmp_path / "out", "--json")
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert told == {"output": str(tmp_path / "out"), "pictures": 3, "unread": [], "others": 0}
    listed = run("export", two_pages, "--format", "csv").stdout.splitlines()
    rows = (tmp_path / "out/marks.csv").read_text().splitlines()
    assert rows[0] == f"file,{listed[0]}"
    assert rows[1:] == [f"mark-{row.split(',')[0]}.png,{row}" for row in listed[1:]]
    # What is written can be taken in as marks, and the table as annotations.
    again = run("ingest", tmp_path / "archive", tmp_path / "out", "--as", "marks", "--json")
    assert json.loads(again.stdout)["added"] == 3
    table = run("annotate", "import", two_pages, tmp_path / "out/marks.csv", "--json")
    assert json.loads(table.stdout)["files"][0]["unchanged"] == 3


@pytest.mark.parametrize("form", ["csv", "page-xml", "iiif", "bibtex", "crops", "documents"])
def test_nothing_is_written_into_the_archive(form: str, two_pages: Path) -> None:
    before = set(two_pages.rglob("*"))
    for place in (two_pages, two_pages / "archive.db", two_pages / "new/marks"):
        done = run("export", two_pages, "--format", form, "-o", place)
        assert done.exit_code == 2
        assert f"{place} is inside the archive's own folder" in done.stderr
    assert {path for path in two_pages.rglob("*") if path.stem != "archive"} <= before
    assert (two_pages / "archive.db").read_bytes().startswith(b"SQLite format 3")


def test_pictures_of_an_earlier_export_are_counted_and_stay(
    two_pages: Path, tmp_path: Path
) -> None:
    for name in ("mark-1.png", "mark-7.png", "mark-8.png", "mark-x.png"):
        (tmp_path / name).write_bytes(b"theirs")
    command = ("export", two_pages, "--format", "crops", "-o", tmp_path)
    assert run(*command).stdout == (
        f"3 pictures and marks.csv written to {tmp_path}\n"
        "The folder also contains 2 pictures of an earlier export, not listed in marks.csv. To get "
        "only what you asked for, use an empty folder.\n"
    )
    assert (tmp_path / "mark-8.png").read_bytes() == b"theirs"
    told = json.loads(run(*command, "--status", "confirmed", "--json").stdout)
    assert (told["pictures"], told["others"]) == (0, 5)


def test_bibliographies_are_one_file(two_pages: Path, tmp_path: Path) -> None:
    done = run("export", two_pages, "--format", "bibtex", "-o", tmp_path)
    assert done.exit_code == 2
    assert f"{tmp_path} is a folder" in done.stderr
    assert not list(tmp_path.iterdir())


def test_crops_need_a_folder(two_pages: Path) -> None:
    done = run("export", two_pages, "--format", "crops")
    assert done.exit_code == 2
    assert "give a folder" in done.stderr


def test_a_crop_that_is_gone_is_named_and_the_others_are_written(
    two_pages: Path, tmp_path: Path
) -> None:
    shutil.copytree(two_pages, tmp_path / "archive")
    next((tmp_path / "archive/crops").rglob("*.png")).unlink()
    done = run("export", tmp_path / "archive", "--format", "crops", "-o", tmp_path / "out")
    assert done.exit_code == 1
    assert done.stdout == f"2 pictures and marks.csv written to {tmp_path / 'out'}\n"
    assert "cannot be read" in done.stderr
    assert len((tmp_path / "out/marks.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize("form", ["csv", "documents"])
def test_excel_is_told_that_it_is_utf_8(form: str, two_pages: Path, tmp_path: Path) -> None:
    plain = run("export", two_pages, "--format", form).stdout
    done = run("export", two_pages, "--format", form, "--for-excel", "-o", tmp_path / "out.csv")
    assert done.exit_code == 0
    assert (tmp_path / "out.csv").read_bytes() == b"\xef\xbb\xbf" + plain.encode()


def test_excel_has_no_use_for_other_formats(two_pages: Path) -> None:
    done = run("export", two_pages, "--format", "iiif", "--for-excel")
    assert done.exit_code == 2
    assert "--for-excel works only with csv" in done.stderr
