"""`prizemarks serve` and `demo`, up to where the server starts."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from retrieval.catalogue.archive import Archive
from tests.ui.running import run


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The host and the port of each server that was started."""
    started: list[tuple[str, int]] = []

    def run_server(_archive: Path, host: str, port: int, *_more: object) -> int:
        started.append((host, port))
        return 0

    monkeypatch.setattr("ui.serve.run_server", run_server)
    return started


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
    assert "The public name 'https://a.example/' is not a host name" in done.stderr
    assert named == []


def test_a_host_without_an_address_starts_nothing(archive: Archive) -> None:
    done = run("serve", archive.folder, "--host", "nosuch.invalid")
    assert done.exit_code == 2
    assert "Error: The host 'nosuch.invalid' cannot be resolved" in done.stderr
    assert done.stdout == ""


def test_the_demo_is_served_where_the_settings_or_the_options_say(
    archive: Archive, places: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.demo.make_demo", lambda _: None)
    monkeypatch.setattr("ui.serve.check_place", lambda *_: None)
    (archive.folder / "prizemarks.toml").write_text('host = "localhost"')
    monkeypatch.setenv("PRIZEMARKS_PORT", "18499")
    assert run("demo", archive.folder).exit_code == 0
    assert run("demo", archive.folder, "--host", "127.0.0.1", "--port", 18498).exit_code == 0
    assert places == [("localhost", 18499), ("127.0.0.1", 18498)]


def test_a_demo_for_a_port_that_is_taken_draws_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        done = run("demo", tmp_path / "demo", "--port", port)
    assert done.exit_code == 2
    assert f"Error: Port {port} of 127.0.0.1 is in use" in done.stderr
    assert list(tmp_path.iterdir()) == []
