from __future__ import annotations

import sys
from pathlib import Path

import pytest

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import ArchiveMissing
from ui.serve import is_loopback, run_server, server_command


def test_the_server_listens_where_it_is_told_and_tells_nobody() -> None:
    command = server_command(Path("/my archive"), "127.0.0.1", 8599)
    assert command[:4] == [sys.executable, "-m", "streamlit", "run"]
    assert Path(command[4]).is_file()
    assert command[-2:] == ["--", "/my archive"]
    for flag in (
        "--server.address=127.0.0.1",
        "--server.port=8599",
        "--server.headless=true",
        "--browser.gatherUsageStats=false",
        "--server.allowedHosts=127.0.0.1",
    ):
        assert flag in command


def test_the_model_to_search_under_goes_with_the_archive() -> None:
    command = server_command(Path("/my archive"), "127.0.0.1", 8599, "0123abcd")
    assert command[-3:] == ["--", "/my archive", "0123abcd"]


def test_on_an_open_address_any_name_may_lead_to_it() -> None:
    command = server_command(Path("/a"), "0.0.0.0", 80)
    assert not any("allowedHosts" in part for part in command)
    assert is_loopback("::1") and is_loopback("localhost") and is_loopback("127.0.0.1")
    assert not is_loopback("0.0.0.0") and not is_loopback("archive.example")


def test_an_open_server_says_what_others_can_do(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ui.serve.os.execv", lambda *_: sys.exit(0))
    for host, warned in (("127.0.0.1", False), ("0.0.0.0", True)):
        with pytest.raises(SystemExit):
            run_server(archive.folder, host)
        said = capsys.readouterr().out
        assert ("under any name confirm, reject and make marks and judge groups." in said) is warned


def test_without_an_archive_nothing_is_started(tmp_path: Path) -> None:
    with pytest.raises(ArchiveMissing):
        run_server(tmp_path / "none")
