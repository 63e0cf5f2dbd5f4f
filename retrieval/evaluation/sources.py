"""Which sources of an archive the rows of a table mean that a person wrote for an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy.orm import Session

from retrieval.catalogue.errors import MetadataError
from retrieval.catalogue.source_names import sources_meant
from retrieval.catalogue.suggesting import command_on


class Row(Protocol):
    """A row that names a source, and perhaps the id of one of its pages."""

    @property
    def source(self) -> str:
        """The source, or enough of its end."""

    @property
    def page(self) -> int | None:
        """The page's id; None where the row names none."""


@dataclass(frozen=True)
class Named:
    """What the sources that rows name may mean, and which of these are clear or unknown."""

    meant: dict[str, tuple[str, ...]]
    clear: tuple[str, ...]  # sources of the archive, ascending, that rows name clearly
    unknown: tuple[str, ...]  # as the rows have them


def sources_named(session: Session, folder: Path, rows: Sequence[Row], name: str) -> Named:
    """Return what the rows of the file `name` mean in the archive in `folder`.

    Raises MetadataError where no source is known.
    """
    meant = sources_meant(session, {row.source for row in rows})
    unknown = tuple(dict.fromkeys(row.source for row in rows if not meant[row.source]))
    if not any(meant.values()):
        raise MetadataError(
            f"None of the {len(unknown)} sources in {name} is in {folder}, such as "
            f"{rows[0].source!r}. The column must hold sources as the catalogue has them, or "
            f"file names: {command_on(folder, 'export', '--format csv')}"
        )
    clear = {
        source
        for row in rows
        if not is_unclear(row, meant[row.source])
        for source in meant[row.source]
    }
    return Named(meant, tuple(sorted(clear)), unknown)


def is_unclear(row: Row, sources: Sequence[str]) -> bool:
    """Return whether a row may mean several sources, and names no page that tells which."""
    return len(sources) > 1 and row.page is None
