"""The page's server at work, on loopback: behind a reverse proxy, and what it asks of others."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

import pytest

from retrieval.catalogue.archive import create_archive
from ui.serve import server_command

NAME = "marks.example.org"
#: Seconds that the server may take to start: a slow machine is no failure.
PATIENCE = 120


def head_of(connection: socket.socket) -> str:
    """What comes first on a connection, to the empty line; less where it is closed before."""
    got = b""
    while b"\r\n\r\n" not in got and (more := connection.recv(4096)):
        got += more
    return got.decode("latin-1")


def opened(port: int, host: str, origin: str) -> str:
    """The status that a browser gets that opens the page's WebSocket through `port`."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        lines = (
            "GET /_stcore/stream HTTP/1.1", f"Host: {host}", f"Origin: {origin}",
            "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        )  # fmt: skip
        connection.sendall("\r\n".join((*lines, "", "")).encode())
        return head_of(connection).split()[1]


@contextmanager
def listening(handler: type[BaseRequestHandler]) -> Iterator[int]:
    """Have connections handled meanwhile; the port is given."""
    with ThreadingTCPServer(("127.0.0.1", 0), handler) as listener:
        threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True).start()
        yield listener.server_address[1]
        listener.shutdown()


@contextmanager
def serving(
    folder: Path, names: Sequence[str] = (), **environment: str
) -> Iterator[tuple[int, subprocess.Popen[bytes], Path]]:
    """Serve a new archive in `folder`: give the port, the process, and what it prints to."""
    create_archive(folder / "archive").close()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = server_command(folder / "archive", "127.0.0.1", port, names=names)
    log = folder / "server.log"
    with log.open("wb") as output:
        running = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **environment}
        )
        try:
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    with socket.create_connection(("127.0.0.1", port), timeout=5):
                        break
                except OSError:
                    assert running.poll() is None, log.read_text()
                    assert time.monotonic() < deadline, log.read_text()
                    time.sleep(0.1)
            yield port, running, log
        finally:
            running.terminate()
            running.wait(30)


@pytest.fixture(scope="module")
def asked_outside() -> list[str]:
    """What the server asked of anybody but itself: the first line of each request."""
    return []


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, asked_outside: list[str]) -> Iterator[int]:
    """The port of a server that people reach as `NAME`, and that nobody outside would answer."""

    class Outside(BaseRequestHandler):
        def handle(self) -> None:
            asked_outside.append(head_of(self.request).partition("\r\n")[0])

    with listening(Outside) as outside:
        by_way_of = dict.fromkeys(("http_proxy", "https_proxy"), f"http://127.0.0.1:{outside}")
        folder = tmp_path_factory.mktemp("served")
        with serving(folder, [NAME], **by_way_of) as (port, _, _):
            yield port


@pytest.fixture(params=["keeps Host", "asks by address"])
def proxy(server: int, request: pytest.FixtureRequest) -> Iterator[int]:
    """The port of a proxy before the server: nginx asks by address unless it is told otherwise."""
    keeps_host = request.param == "keeps Host"

    class Relay(BaseRequestHandler):
        def handle(self) -> None:
            asked = head_of(self.request)
            if not keeps_host:
                asked = re.sub(r"\r\nHost: [^\r]*", f"\r\nHost: 127.0.0.1:{server}", asked)
            with socket.create_connection(("127.0.0.1", server)) as upstream:
                upstream.sendall(asked.encode("latin-1"))
                self.request.sendall(head_of(upstream).encode("latin-1"))

    with listening(Relay) as port:
        yield port


@pytest.mark.parametrize("port", ["", ":8443"])
def test_people_reach_the_page_through_a_proxy_under_its_public_name(proxy: int, port: str) -> None:
    assert opened(proxy, f"{NAME}{port}", f"https://{NAME}{port}") == "101"


def test_without_the_proxy_the_page_is_there_as_before(server: int) -> None:
    for host in (f"127.0.0.1:{server}", f"localhost:{server}"):
        assert opened(server, host, f"http://{host}") == "101"


def test_under_no_other_name(server: int) -> None:
    assert opened(server, "evil.example", "https://evil.example") == "403"
    assert opened(server, f"sub.{NAME}", f"https://sub.{NAME}") == "403"


def test_no_web_site_makes_the_server_ask_anybody(server: int, asked_outside: list[str]) -> None:
    assert opened(server, f"127.0.0.1:{server}", "https://evil.example") == "403"
    assert opened(server, f"127.0.0.1:{server}", "http://192.0.2.7") == "403"
    assert opened(server, f"127.0.0.1:{server}", f"https://{NAME}") == "101"
    assert asked_outside == []


def test_a_server_gives_no_second_address_and_is_stopped_with_ctrl_c(tmp_path: Path) -> None:
    with serving(tmp_path) as (port, running, log):
        assert opened(port, f"127.0.0.1:{port}", f"http://127.0.0.1:{port}") == "101"
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 0
        assert log.read_text().split() == ["Stopping..."]
