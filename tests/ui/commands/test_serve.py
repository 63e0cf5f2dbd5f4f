"""`prizemarks serve`, up to where the server starts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from retrieval.catalogue.archive import Archive
from tests.ui.running import run


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The public names of each server that was started."""
    started: list[tuple[str, ...]] = []

    def run_server(
        archive: Path, host: str, port: int, model: str | None, names: Sequence[str]
    ) -> int:
        started.append(tuple(names))
        return 0

    monkeypatch.setattr("ui.serve.run_server", run_server)
    return started


def test_public_names_are_settings_and_options_go_before_them(
    archive: Archive, named: list[tuple[str, ...]]
) -> None:
    assert run("serve", archive.folder).exit_code == 0
    (archive.folder / "prizemarks.toml").write_text('public_name = "a.example, b.example"')
    assert run("serve", archive.folder).exit_code == 0
    options = ("--public-name", "c.example", "--public-name", "d.example")
    assert run("serve", archive.folder, *options).exit_code == 0
    assert named == [(), ("a.example", "b.example"), ("c.example", "d.example")]


def test_an_address_for_a_public_name_starts_nothing(
    archive: Archive, named: list[tuple[str, ...]]
) -> None:
    done = run("serve", archive.folder, "--public-name", "https://a.example/")
    assert done.exit_code == 2
    assert "The public name 'https://a.example/' is no name of a host" in done.stderr
    assert named == []


def test_a_host_without_an_address_starts_nothing(archive: Archive) -> None:
    done = run("serve", archive.folder, "--host", "nosuch.invalid")
    assert done.exit_code == 2
    assert "Error: No address is known for the host 'nosuch.invalid'" in done.stderr
    assert done.stdout == ""
