"""Pieces of HTML made of text that others wrote: everything is escaped here, and only here.

And what buttons are called to those who hear the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def heading(title: str, archive: str, facts: Sequence[str]) -> str:
    """Return the page's head: its title, the archive's name, and a line of facts."""
    line = " <span class='pm-dot'>·</span> ".join(escape(fact) for fact in facts)
    return (
        f"<header class='pm-head'><h1>{escape(title)} "
        f"<bdi class='pm-archive'>{escape(archive)}</bdi></h1>"
        f"<p class='pm-facts'>{line}</p></header>"
    )


def card(
    likeness: str,
    notable: bool,
    reference: str,
    beside: str,
    *,
    way: str = "",
    already: str = "",
    credit: str = "",
) -> str:
    """Return the lines under a mark's picture.

    `way` is how it stands against the query, `already` what was said of it before, `credit` whose
    image it is cut from; a long one is shown in part, and whole where the pointer rests on it.
    """
    strength = "pm-strong" if notable else "pm-weak"
    alike = f"<p class='pm-alike {strength}'>{escape(likeness)}</p>" if likeness else ""
    held = f"<p class='pm-way'>{escape(way)}</p>" if way else ""
    said = f"<p class='pm-already'>{escape(already)}</p>" if already else ""
    whose = f"<p class='pm-credit' title='{escape(credit)}'>{escape(credit)}</p>" if credit else ""
    return (
        f"<div class='pm-card'>{alike}{held}<p class='pm-reference'>{escape(reference)}</p>"
        f"<p class='pm-beside'>{escape(beside)}</p>{said}{whose}</div>"
    )


def section(title: str, line: str = "") -> str:
    """Return a heading within the page with a line under it."""
    under = f"<p class='pm-line'>{escape(line)}</p>" if line else ""
    return f"<div class='pm-section'><h2>{escape(title)}</h2>{under}</div>"


def table(rows: Sequence[tuple[str, str]], links: Sequence[tuple[str, str]] = ()) -> str:
    """Return (label, value) rows as a table, and under them `links`: (label, address).

    An address that is not of http or https is shown, and leads nowhere.
    """
    cells = [(label, escape(value)) for label, value in rows]
    cells += [(label, _link(address)) for label, address in links]
    body = "".join(
        f"<tr><th scope='row'>{escape(label)}</th><td>{cell}</td></tr>" for label, cell in cells
    )
    return f"<table class='pm-table'><tbody>{body}</tbody></table>"


def _link(address: str) -> str:
    shown = escape(address)
    if not address.startswith(("http://", "https://")):
        return shown
    return f"<a href='{shown}' target='_blank' rel='noopener noreferrer'>{shown}</a>"


def one_of_many(label: str, which: str) -> str:
    """Return a button's label as Markdown, for buttons that are on many cards under one name.

    `which`, Markdown as well, says of what: it is heard, and the style hides it.
    """
    return f"{label} :small[{which}]"
