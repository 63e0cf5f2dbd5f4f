"""JSON from strangers: bounded in depth, and asked for values only of the kinds they must be."""

from __future__ import annotations

import json
from typing import Any

from retrieval.catalogue.errors import MetadataError

MAX_DEPTH = 64


def parse_json(text: str, name: str) -> Any:
    """Return what JSON says; MetadataError names the file `name` and what is wrong."""
    try:
        value = json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise _too_deep(name) from error
    except ValueError as error:
        raise MetadataError(f"{name} is not JSON: {str(error)[:200]}.") from error
    waiting = [(value, 1)]
    while waiting:
        one, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise _too_deep(name)
        inside = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        waiting.extend((each, depth + 1) for each in inside if isinstance(each, dict | list))
    return value


def listed(value: object) -> list[Any]:
    """Return a list as it is, nothing as an empty one, and anything else as the only item."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def mapped(value: object) -> dict[str, Any]:
    """Return an object as it is; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def text_of(value: object) -> str | None:
    """Return text that says something; None for anything else."""
    return value if isinstance(value, str) and value else None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON number")


def _too_deep(name: str) -> MetadataError:
    return MetadataError(f"{name} is nested more than {MAX_DEPTH} deep.")
