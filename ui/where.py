"""Filters as a person writes them: `series=HCA 32`, `ship=De Hoop`, `year=1702..1710`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import replace

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.documents import Facets, Filters, facets
from retrieval.catalogue.errors import QueryError
from retrieval.catalogue.spelling import folded

_YEARS = re.compile(r"(\d{4})?(\.\.)?(\d{4})?")


def filters_on(archive: Archive, conditions: Sequence[str]) -> Filters:
    """Return the filter that the conditions make together, as the archive's catalogue writes it.

    Raises QueryError as `parse_where` and `as_catalogued` do.
    """
    with archive.session() as session:
        return as_catalogued(parse_where(conditions), facets(session))


def parse_where(conditions: Sequence[str]) -> Filters:
    """Return the filter that all `conditions` (`name=value` each) make together.

    Names are series, ship and year; a year is `1702`, `1702..1710`, `1702..` or `..1710`. Of
    several years those remain that all have in common. Raises QueryError for anything else, and
    for conditions that cannot all hold.
    """
    where = Filters()
    for condition in conditions:
        name, equals, value = (part.strip() for part in condition.partition("="))
        if not equals or not value:
            raise QueryError(
                f"The condition {condition!r} is not in the form name=value: write, for example, "
                "year=1702."
            )
        if name == "series":
            where = replace(where, series=_the_one(name, where.series, value))
        elif name == "ship":
            where = replace(where, ship=_the_one(name, where.ship, value))
        elif name == "year":
            where = _narrowed(where, value)
        else:
            raise QueryError(f"Unknown condition {name!r}; choose from series, ship and year.")
    return where


def as_catalogued(where: Filters, known: Facets) -> Filters:
    """Return the filter with series and ship as the catalogue writes them, whatever their case.

    Raises QueryError for a series or a ship that no document is of.
    """
    return replace(
        where,
        series=where.series and _one_of(known.series, where.series, "series"),
        ship=where.ship and _one_of(known.ships, where.ship, "ship"),
    )


def as_named(said: str, names: Sequence[str]) -> str:
    """Return which of the identities' names is meant, whatever its case; QueryError for none."""
    return _nearest(names, said, "No mark is identified as")


def _the_one(name: str, before: str | None, value: str) -> str:
    if before is not None and folded(before) != folded(value):
        raise QueryError(
            f"The {name} cannot be both {before!r} and {value!r}: all conditions must match. "
            "Search for one after the other."
        )
    return before or value


def _narrowed(where: Filters, value: str) -> Filters:
    """Return the filter with the years that it and `value` have in common."""
    first, last = _years(value)
    firsts = [year for year in (where.year_from, first) if year is not None]
    lasts = [year for year in (where.year_to, last) if year is not None]
    first, last = max(firsts, default=None), min(lasts, default=None)
    if first is not None and last is not None and last < first:
        raise QueryError(
            f"No year fits {f'year={value}'!r} and the conditions before it: all must match. Give "
            "one condition for all the years."
        )
    return replace(where, year_from=first, year_to=last)


def _one_of(known: Sequence[str], wanted: str, name: str) -> str:
    return _nearest(known, wanted, f"No document of this archive has the {name}")


def _nearest(known: Sequence[str], wanted: str, lacking: str) -> str:
    """Return what is meant of what is known; QueryError says what is `lacking` and what is near."""
    if wanted in known:
        return wanted
    for one in known:
        if folded(one) == folded(wanted):
            return one
    near = difflib.get_close_matches(wanted, known, n=3)
    hint = f" Perhaps {' or '.join(map(repr, near))}?" if near else ""
    raise QueryError(f"{lacking} {wanted!r}.{hint}")


def _years(text: str) -> tuple[int | None, int | None]:
    match = _YEARS.fullmatch(text)
    if not match or not (match[1] or match[3]) or (match[3] and not match[2]):
        raise QueryError(f"{text!r} is not a year: write 1702, 1702..1710, 1702.. or ..1710.")
    first = int(match[1]) if match[1] else None
    last = int(match[3]) if match[3] else None
    if first is not None and last is not None and last < first:
        raise QueryError(f"{text!r} runs backwards: write {last}..{first}.")
    return first, last if match[2] else first
