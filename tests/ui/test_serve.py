from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import ArchiveMissing, RequestError
from ui.serve import address_of, check_place, is_loopback, public_names, run_server, server_command


def test_the_server_listens_where_it_is_told_and_tells_nobody() -> None:
    command = server_command(Path("/my archive"), "127.0.0.1", 8599)
    assert command[:4] == [sys.executable, "-m", "ui.server", "run"]
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
    assert all(map(is_loopback, ("127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1")))
    assert not any(map(is_loopback, ("0.0.0.0", "192.0.2.7", "::", "::ffff:192.0.2.7", "fe80::1")))


@pytest.mark.parametrize(
    ("host", "address"),
    [("LOCALHOST", "127.0.0.1"), ("127.1", "127.0.0.1"), ("::1", "::1"), ("six.example", "::1")],
)
def test_whatever_names_this_machine_lets_no_other_name_in(
    monkeypatch: pytest.MonkeyPatch, host: str, address: str
) -> None:
    asked = socket.getaddrinfo

    def with_six(name: str, *more: Any, **options: Any) -> Any:
        return asked("::1" if name == "six.example" else name, *more, **options)

    monkeypatch.setattr("socket.getaddrinfo", with_six)
    command = server_command(Path("/a"), host, 80)
    assert f"--server.address={address}" in command
    assert {f"--server.allowedHosts={name}" for name in (host, address)} <= set(command)


def test_of_several_addresses_one_of_ipv4_is_listened_on(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = (socket.SOCK_STREAM, 6, "")
    found = [
        (socket.AF_INET6, *stream, ("::1", 0, 0, 0)),
        (socket.AF_INET, *stream, ("127.0.0.1", 0)),
        (socket.AF_INET, *stream, ("192.0.2.7", 0)),
    ]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
    assert address_of("both.example") == "127.0.0.1"


@pytest.mark.parametrize("host", ["nosuch.invalid", "a..b", "[::1]", "a\0b"])
def test_a_host_without_an_address_is_refused(host: str) -> None:
    with pytest.raises(RequestError) as refused:
        address_of(host)
    assert str(refused.value) == (
        f"The host {host!r} cannot be resolved: give an address of this computer with --host, or "
        "as host in prizemarks.toml, such as 127.0.0.1."
    )


def test_a_public_name_is_let_in_and_closes_no_open_address() -> None:
    named = server_command(Path("/a"), "127.0.0.1", 80, names=["marks.example.org"])
    assert "--server.allowedHosts=marks.example.org" in named
    assert "--server.corsAllowedOrigins=marks.example.org" in named
    open_to_all = server_command(Path("/a"), "0.0.0.0", 80, names=["marks.example.org"])
    assert "--server.corsAllowedOrigins=marks.example.org" in open_to_all
    assert not any("allowedHosts" in part for part in open_to_all)


def test_public_names_may_be_several() -> None:
    said = ["Marks.Example.org, 192.0.2.7", "marks.example.org", ""]
    assert public_names(said) == ("marks.example.org", "192.0.2.7")


@pytest.mark.parametrize(
    "said", ["https://marks.example.org", "marks.example.org:443", "*", "*.org", "a b", "a/b", "a."]
)
def test_what_is_no_name_of_a_host_is_refused(said: str) -> None:
    with pytest.raises(RequestError, match="without https://, port and path") as refused:
        public_names([said])
    assert f"The public name {said!r} is not a host name" in str(refused.value)


def test_an_open_server_says_what_others_can_do(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ui.serve.os.execv", lambda *_: sys.exit(0))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = listener.getsockname()[1]
    for host, warned in (("127.0.0.1", False), ("LOCALHOST", False), ("0.0.0.0", True)):
        with pytest.raises(SystemExit):
            run_server(archive.folder, host, free)
        said = capsys.readouterr().out
        assert ("judge groups under any name." in said) is warned


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_a_port_that_is_taken_is_refused_before_anything_is_said(
    archive: Archive, capsys: pytest.CaptureFixture[str], host: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = listener.getsockname()[1]
        with pytest.raises(RequestError) as refused:
            run_server(archive.folder, host, taken)
    assert str(refused.value) == (
        f"Port {taken} of {host} is in use, perhaps by another archive. Choose another "
        "port with --port."
    )
    assert capsys.readouterr().out == ""
    check_place(host, taken)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="needs IPv6")
def test_a_port_that_is_taken_on_ipv6_is_refused() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        taken = listener.getsockname()[1]
        for host in ("::1", "::"):
            with pytest.raises(RequestError, match=f"Port {taken} of {host} is in use"):
                check_place(host, taken)
    check_place("::1", taken)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(RequestError, match=r"Port 8501 of 192\.0\.2\.7 cannot be used: "):
        check_place("192.0.2.7", 8501)


def test_without_an_archive_nothing_is_started(tmp_path: Path) -> None:
    with pytest.raises(ArchiveMissing):
        run_server(tmp_path / "none")
