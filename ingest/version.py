"""Which program this is."""

from __future__ import annotations

import importlib.metadata


def program_version() -> str:
    """Return the version of prizemarks that is installed; "unknown" where none is."""
    try:
        return importlib.metadata.version("prizemarks")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
