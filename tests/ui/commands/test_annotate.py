from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.ui.running import run
from ui.commands.export import MOST_SAID


@pytest.mark.parametrize("command", ["import", "export"])
def test_the_commands_have_help_with_an_example(command: str) -> None:
    shown = run("annotate", command, "--help")
    assert shown.exit_code == 0
    assert f"Example: prizemarks annotate {command}" in re.sub(r"\s+", " ", shown.stdout)


def test_out_and_in_again(two_pages: Path, tmp_path: Path) -> None:
    out = tmp_path / "pages"
    done = run("annotate", "export", two_pages, "--format", "page-xml", "--output", out)
    assert done.exit_code == 0, done.output
    assert f"3 marks written to 2 files in {out}" in done.stdout
    done = run("annotate", "import", two_pages, out / "1.xml", out / "2.xml")
    assert done.exit_code == 0, done.output
    assert done.stdout == "2 files: 0 marks added, 0 corrected, 3 unchanged.\n"
    done = run("annotate", "import", two_pages, out / "1.xml")
    said = "1.xml (page-xml): 0 marks added, 0 corrected, 2 unchanged."
    assert done.stdout.splitlines() == [f"{out}/{said}"]
    done = run("export", two_pages, "--format", "iiif", "-o", tmp_path / "m.json", "--json")
    told = json.loads(done.stdout)
    assert told == {
        "output": str(tmp_path / "m.json"), "marks": 3, "pages": 2, "files": 1, "remarks": []
    }  # fmt: skip


def test_of_a_folder_all_files_of_annotations_are_taken(two_pages: Path, tmp_path: Path) -> None:
    out = tmp_path / "pages"
    assert run("annotate", "export", two_pages, "--format", "page-xml", "-o", out).exit_code == 0
    (out / "vol 2").mkdir()
    (out / "2.xml").rename(out / "vol 2/2.XML")
    (out / ".hidden.xml").write_text("<")
    (out / "notes.txt").write_text("<")
    done = run("annotate", "import", two_pages, out, "--json")
    assert done.exit_code == 0, done.output
    assert [Path(one["file"]).name for one in json.loads(done.stdout)["files"]] == [
        "1.xml",
        "2.XML",
    ]
    (tmp_path / "empty").mkdir()
    done = run("annotate", "import", two_pages, tmp_path / "empty")
    assert done.exit_code == 2
    assert "has no files ending in" in done.stderr


def test_failures_are_said_and_are_status_1(two_pages: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    rows = ["gone.png,1,1,5,5", *["1.png,500,1,5,5"] * (MOST_SAID + 2), "1.png,60,60,9,9"]
    (tmp_path / "marks.csv").write_text("\n".join(["source,x,y,width,height", *rows]))
    files = (tmp_path / "bad.json", tmp_path / "marks.csv")
    done = run("annotate", "import", two_pages, *files)
    assert done.exit_code == 1
    assert "bad.json is not JSON" in done.stdout
    assert "'gone.png': the archive has no such page" in done.stdout
    assert "... and 3 more such" in done.stdout
    assert "1 mark added" in done.stdout and "Next: prizemarks index" in done.stdout
    done = run("annotate", "import", two_pages, *files, "--json")
    assert done.exit_code == 1
    bad, marks = json.loads(done.stdout)["files"]
    assert bad["format"] is None
    assert (marks["format"], marks["added"], marks["unchanged"]) == ("csv", 0, 1)
    assert len(marks["refused"]) == MOST_SAID + 3


def test_of_many_files_those_refused_come_first_and_those_unchanged_are_only_counted(
    two_pages: Path, tmp_path: Path
) -> None:
    header = "source,x,y,width,height,status"
    for at in range(MOST_SAID + 1):
        (tmp_path / f"{at:02}.csv").write_text(f"{header}\n2.png,{at},0,1,1,rejected\n")
    (tmp_path / "98.csv").write_text(f"{header}\n2.png,0,0,1,1,proposed\n")
    (tmp_path / "99.csv").write_text(f"{header}\n2.png,500,0,1,1,proposed\n")
    done = run("annotate", "import", two_pages, tmp_path)
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    number = MOST_SAID + 3
    assert lines[0] == f"{number} files: {MOST_SAID + 1} marks added, 0 corrected, 1 unchanged."
    assert lines[1].startswith(f"{tmp_path}/99.csv (csv): 0 marks added")
    assert lines[2].startswith("  Left out: '2.png', line 2: it lies outside the page")
    assert lines[3] == f"{tmp_path}/00.csv (csv): 1 mark added, 0 corrected, 0 unchanged."
    assert lines[-2] == "... and 2 more files (--json: all)."
    assert lines[-1] == f"Next: prizemarks index {two_pages}"
    assert len(lines) == 1 + 2 + (MOST_SAID - 1) + 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("annotate", "import", "ARCHIVE", "/nowhere.xml"), "/nowhere.xml is not a file"),
        (("annotate", "export", "/nowhere", "--format", "coco"), "no archive in /nowhere"),
        (("export", "ARCHIVE", "--format", "page-xml"), "give a folder"),
        (("export", "ARCHIVE", "--format", "coco", "--json"), "give --output as well"),
        (
            ("export", "ARCHIVE", "--format", "csv", "--status", "new"),
            "Unknown status 'new': choose from proposed",
        ),
        (
            ("export", "ARCHIVE", "--format", "csv", "--status", ","),
            "Unknown status '': choose from proposed",
        ),
        (
            ("export", "ARCHIVE", "--format", "csv", "--status", "rejected", "--without-rejected"),
            "leave out --without-rejected",
        ),
        (("export", "ARCHIVE", "--format", "csv", "--where", "ship=X"), "has the ship 'X'"),
        (("export", "ARCHIVE", "--format", "iiif", "--base", "x"), "'x' is not a URL"),
        (
            ("export", "ARCHIVE", "--format", "coco", "--base", "http://a/"),
            "coco contains no addresses",
        ),
        (("export", "ARCHIVE", "--format", "csv", "-o", "/proc/x/y"), "cannot be written"),
    ],
)
def test_wrong_use_is_one_sentence_and_status_2(
    two_pages: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = run(*(two_pages if part == "ARCHIVE" else part for part in arguments))
    assert done.exit_code == 2
    assert said in re.sub(r"\s+", " ", done.stderr)
    assert "Traceback" not in done.output
