"""Streamlit's server, kept from asking anybody else: `ui.serve` runs it as a process of its own."""

from __future__ import annotations

from streamlit import net_util
from streamlit.web.cli import main


def ask_nobody() -> None:
    """Keep the server from asking the Internet for this machine's address.

    Streamlit asks checkip.amazonaws.com whenever a page of another site tries to open a connection,
    and has no option against it. The public names are given to it instead.
    """
    net_util.get_external_ip = lambda: None


if __name__ == "__main__":
    ask_nobody()
    main(prog_name="streamlit")
