"""Starts the web page for an archive."""

from __future__ import annotations

import errno
import ipaddress
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path

from retrieval.catalogue.archive import open_archive_to_read
from retrieval.catalogue.errors import RequestError
from ui.web.look import THEME

#: Megabytes of a picture that may be uploaded as a query.
UPLOAD_LIMIT = 50

_NAME = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")


def public_names(said: Iterable[str]) -> tuple[str, ...]:
    """Return the host names in texts that may each hold several, separated by commas.

    Raises RequestError for anything else: a URL, a port, a wildcard.
    """
    names = [name for one in said for part in one.split(",") if (name := part.strip().lower())]
    for name in names:
        if not _NAME.fullmatch(name):
            raise RequestError(
                f"The public name {name!r} is not a host name: write it without https://, port and "
                "path, such as marks.example.org."
            )
    return tuple(dict.fromkeys(names))


def address_of(host: str) -> str:
    """Return the IP address to listen on for `host`: of several, IPv4 before IPv6.

    Raises RequestError for a host without an address.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:  # ValueError: it cannot even be asked for
        raise RequestError(
            f"The host {host!r} cannot be resolved: give an address of this computer with --host, "
            "or as host in prizemarks.toml, such as 127.0.0.1."
        ) from error
    *_, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    return socket.getnameinfo(address, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0]


def check_place(host: str, port: int) -> None:
    """Raise RequestError where no server can listen on `port` of `host`."""
    address = address_of(host)
    six = ":" in address
    both = six and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if six else socket.AF_INET
    try:
        socket.create_server((address, port), family=family, dualstack_ipv6=both).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise RequestError(
                f"Port {port} of {host} is in use, perhaps by another archive. Choose "
                "another port with --port."
            ) from error
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise RequestError(
            f"Port {port} of {host} cannot be used: {reason}. Choose another port with --port, "
            "or another address with --host."
        ) from error


def server_command(
    archive: Path, host: str, port: int, model: str | None = None, names: Sequence[str] = ()
) -> list[str]:
    """Return the command that serves the page of `archive` on `host` and `port`.

    The page searches under the model with the id `model`; None: under the newest with an index.
    `names` are those under which a proxy leads people to it. Raises RequestError for a host without
    an address.
    """
    address = address_of(host)
    options = {
        "server.address": address,
        "server.port": str(port),
        "server.headless": "true",
        "logger.hideWelcomeMessage": "true",  # `run_server` says where the page is
        "logger.level": "warning",
        "server.fileWatcherType": "none",
        "server.maxUploadSize": str(UPLOAD_LIMIT),
        "browser.gatherUsageStats": "false",
        "browser.serverAddress": host,
        "client.toolbarMode": "viewer",
        "client.showErrorDetails": "none",
        **{f"theme.{name}": value for name, value in THEME.items()},
    }
    page = str(files("ui.web").joinpath("script.py"))
    flags = [f"--{name}={value}" for name, value in options.items()]
    if is_loopback(address):
        # Another site's name that is made to lead to this machine must not reach the page.
        hosts = dict.fromkeys((host, address, "localhost", "127.0.0.1", *names))
        flags += [f"--server.allowedHosts={name}" for name in hosts]
    # Of a proxy that asks for us by our address, only the browser's Origin says the public name.
    # As a bare name it lets a page of that host open the connection, and grants nothing else.
    flags += [f"--server.corsAllowedOrigins={name}" for name in names]
    given = [str(archive), *([model] if model is not None else [])]
    return [sys.executable, "-m", "ui.server", "run", page, *flags, "--", *given]


def is_loopback(address: str) -> bool:
    """Return whether an IP address can be reached from this machine only."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped.is_loopback
    return found.is_loopback


def run_server(
    archive: Path,
    host: str = "127.0.0.1",
    port: int = 8501,
    model: str | None = None,
    names: Sequence[str] = (),
) -> int:
    """Serve the page of `archive` until interrupted; return the exit status.

    `model` and `names` as for `server_command`.
    On POSIX the server takes this process's place, so that it ends when this process is told to.
    Raises ArchiveError when there is no archive to serve, and RequestError where it cannot be.
    """
    opened = open_archive_to_read(archive)
    folder = opened.folder
    opened.close()
    check_place(host, port)
    command = server_command(folder, host, port, model, names)
    shown = f"[{host}]" if ":" in host else host
    print(f"Serving {folder} at http://{shown}:{port} (Ctrl-C to stop)", flush=True)
    if not is_loopback(address_of(host)):
        print(
            "Anyone who can reach this address can see the archive, and can confirm, reject and "
            "add marks and judge groups under any name.",
            flush=True,
        )
    if os.name == "posix":
        os.execv(command[0], command)
    try:
        return subprocess.run(command, check=False).returncode
    except KeyboardInterrupt:
        return 0
