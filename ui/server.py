"""Streamlit's server, with what it has no option for: `ui.serve` runs it as its own process."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from streamlit import net_util
from streamlit.web import bootstrap
from streamlit.web.cli import main

from ui.command import STOPPED


def ask_nobody() -> None:
    """Keep the server from looking up this machine's address on the Internet.

    Streamlit asks checkip.amazonaws.com whenever a page of another site tries to open a connection,
    and has no option against it. The public names are given to it instead.
    """
    net_util.get_external_ip = lambda: None


def note_interrupts() -> Callable[[], bool]:
    """Return what tells whether Ctrl-C stopped the server: Streamlit ends as if it were done."""
    interrupted = False
    set_up: Callable[[Any], None] = bootstrap._set_up_signal_handler

    def note_before(handle: Any) -> None:
        def noting(number: int, frame: FrameType | None) -> None:
            nonlocal interrupted
            interrupted = True
            handle(number, frame)

        signal.signal(signal.SIGINT, noting)

    def set_up_and_note(server: Any) -> None:
        set_up(server)
        note_before(signal.getsignal(signal.SIGINT))

    note_before(signal.default_int_handler)  # until the server has started
    bootstrap._set_up_signal_handler = set_up_and_note
    return lambda: interrupted


if __name__ == "__main__":
    ask_nobody()
    interrupted = note_interrupts()
    try:
        main(prog_name="streamlit")
    finally:
        if interrupted():
            sys.exit(STOPPED)
