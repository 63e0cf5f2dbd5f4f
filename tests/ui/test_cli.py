from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.version import program_version
from tests.ui.running import run
from ui.command import CRASHED

COMMANDS = (
    "ingest", "train", "index", "search", "evaluate", "group", "status", "export", "serve", "demo",
)  # fmt: skip


SLOW_TO_LOAD = {
    "PIL", "cv2", "faiss", "imagecodecs", "jinja2", "numpy", "pypdfium2", "streamlit", "tifffile",
    "torch", "urllib3",
}  # fmt: skip


def test_help_does_not_wait_for_what_it_does_not_need() -> None:
    """The workers of an ingest import the command anew, each of them."""
    program = f"import sys, ui.cli; print(sorted({SLOW_TO_LOAD} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    shown = run(command, "--help")
    assert shown.exit_code == 0
    assert f"Example: prizemarks {command}" in re.sub(r"\s+", " ", shown.stdout)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("ingest", "ARCHIVE"),
            "SOURCE, --retry-quarantined, --resegment or",
        ),
        (("ingest", "ARCHIVE", ".", "--retry-quarantined"), "Give one of SOURCE"),
        (("ingest", "ARCHIVE", "--resegment", "--retry-quarantined"), "Give one of SOURCE"),
        (("ingest", "ARCHIVE", "--resegment", "--dry-run"), "`prizemarks status` says"),
        (("ingest", "ARCHIVE", "--retry-quarantined", "--as", "marks"), "as it was first ingested"),
        (("search", "ARCHIVE"), "Give one kind of query"),
        (("search", "ARCHIVE", "--page", "1"), "must be given together"),
        (("search", "ARCHIVE", "--page", "1", "--region", "1,2"), "is not a region"),
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
        (("train", "ARCHIVE", "--with", "r1"), "Leave out --with"),
        (("train", "ARCHIVE", "--objective", "hinge", "--with", "conditional"), "--documents"),
        (("train", "ARCHIVE", "--architecture", "resnet"), "no architecture"),
        (("train", "ARCHIVE", "--resume"), "no interrupted run"),
        (("evaluate", "ARCHIVE", "--labels", "/nowhere.csv"), "/nowhere.csv cannot be read"),
        (("evaluate", "ARCHIVE", "--regions", "/nowhere.csv"), "/nowhere.csv cannot be read"),
        (("evaluate", "ARCHIVE"), "give --labels, --regions, or both"),
        (("evaluate", "ARCHIVE", "--regions", "x.csv", "--baselines"), "need --labels"),
        (("evaluate", "ARCHIVE", "--labels", "x.csv", "--complete"), "needs --regions"),
        (("group", "ARCHIVE", "--share", "2"), "A share of 2 is out of range"),
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


def test_a_fault_of_the_program_has_a_status_of_its_own_and_shows_where() -> None:
    program = (
        "import ui.commands.status, ui.cli, sys\n"
        "def broken(folder): raise ZeroDivisionError('of the test')\n"
        "ui.commands.status.archive_to_read = broken\n"
        "sys.argv = ['prizemarks', 'status', '/nowhere']\n"
        "sys.exit(ui.cli.app())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == CRASHED == 70
    assert "Traceback" in done.stderr and "in broken" in done.stderr
    assert done.stderr.splitlines()[-2:] == [
        "ZeroDivisionError: of the test",
        "Error: This is a bug in prizemarks: please report it with the lines above.",
    ]
    assert done.stdout == ""


def test_the_version_is_said() -> None:
    done = run("--version")
    assert (done.exit_code, done.stdout) == (0, f"prizemarks {program_version()}\n")
