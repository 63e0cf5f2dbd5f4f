"""Ships and their captains, as catalogues name them.

Neither EAD nor MODS has an element for a ship. What is understood here:

- a name whose role (EAD 2002 `role`, EAD3 `relator` or `localtype`, MODS `role`, `displayLabel`)
  is "ship" or "vessel";
- a name that ends in "(Ship)", the form of the Library of Congress's name authorities;
- the sentence with which The National Archives begin their descriptions of the Prize Papers:
  "Captured ship: Enterprize of Maryland (master Thomas Jones, or as a French prize, ...)." The
  place stays with the ship's name: in "Duke of York" it could not be told from one.

A captain is a name whose role is captain, master, shipmaster or skipper, or that sentence's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from retrieval.catalogue.spelling import plain_word

_SHIPS = {"ship", "ships", "vessel", "shipname", "vesselname", "nameofship", "nameofvessel"}
_CAPTAINS = {"captain", "master", "shipmaster", "shipsmaster", "masterofship", "skipper"}
_QUALIFIER = re.compile(r"\s*\((?:ship|vessel)(?:\s*:[^()]*)?\)\s*$", re.IGNORECASE)
_CAPTURED = re.compile(
    r"\bcaptured ship:\s*(?:the\s+)?(?P<ship>[^():;\n]{1,200}?)\s*"
    r"\(masters?\s+(?P<captain>[^(),;\n]{1,200}?)\s*[,;)]",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Captured:
    """A ship and its captain, None where nothing is said."""

    ship: str | None = None
    captain: str | None = None


def captured_ship(texts: Iterable[str]) -> Captured:
    """Return the ship and captain of the first text that has The National Archives' sentence."""
    for text in texts:
        if found := _CAPTURED.search(text):
            return Captured(found["ship"].strip(), found["captain"].strip())
    return Captured()


def named_as(name: str, roles: Iterable[str]) -> tuple[str, str] | None:
    """Return ("ship" or "captain", the name) for a name with its roles; None for another's."""
    plain = {plain_word(role) for role in roles}
    without = _QUALIFIER.sub("", name)
    if without and (plain & _SHIPS or without != name):
        return "ship", without
    return ("captain", name) if plain & _CAPTAINS else None
