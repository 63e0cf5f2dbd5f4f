from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from retrieval.catalogue.suggesting import command_on


@pytest.mark.parametrize("name", ["/a/Prize Papers", "it's", "$HOME (2)", "a\\b", "Brief & Co", ""])
def test_a_shell_reads_the_folder_as_it_is_called(name: str) -> None:
    said = command_on(name, "ingest", "SOURCE --as marks")
    assert shlex.split(said) == ["prizemarks", "ingest", name, "SOURCE", "--as", "marks"]


def test_a_plain_folder_is_written_plainly() -> None:
    assert command_on(Path("/a/my-archive"), "index") == "prizemarks index /a/my-archive"
