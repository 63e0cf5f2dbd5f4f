"""What `prizemarks status` says about an archive."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import ModelError
from retrieval.catalogue.queries import Counts, counts, marks_to_embed
from retrieval.learn import archive_model, unfinished_run


@dataclass(frozen=True)
class Status:
    """The state of an archive and what to do next."""

    folder: str
    counts: Counts
    model: str | None
    not_indexed: int
    unfinished_training: bool

    def as_json(self) -> dict[str, Any]:
        """Return the status for a program."""
        return asdict(self)

    def sentences(self) -> list[str]:
        """Return the status for a person, one fact a line."""
        held = self.counts
        marks = ", ".join(f"{number} {status}" for status, number in held.marks.items())
        lines = [
            f"{self.folder}",
            f"  documents   {held.documents} ({held.documents_without_pages} without a page)",
            f"  pages       {held.pages} ({held.pages_without_document} without a document, "
            f"{held.duplicate_pages} copies of another)",
            f"  marks       {sum(held.marks.values())} ({marks})",
            f"  identities  {held.identities}",
            f"  groups      {held.groups['proposed']} to look at, {held.groups['same']} accepted, "
            f"{held.groups['different']} refused",
            f"  quarantine  {held.failures}" + (" (see quarantine.csv)" if held.failures else ""),
            f"  model       {self.model or 'none'}",
            f"  not indexed {self.not_indexed}",
        ]
        if self.unfinished_training:
            lines.append(f"Interrupted training: prizemarks train {self.folder} --resume")
        if not held.pages:
            lines.append(f"Next: prizemarks ingest {self.folder} SOURCE")
        elif self.not_indexed:
            lines.append(f"Next: prizemarks index {self.folder}")
        return lines


def archive_status(archive: Archive) -> Status:
    """Return the state of an archive under the model that a search would use."""
    try:
        model = archive_model(archive).id
    except ModelError:
        model = None
    with archive.session() as session:
        held = counts(session)
        not_indexed = len(marks_to_embed(session, model or ""))
    return Status(
        str(archive.folder), held, model, not_indexed, unfinished_run(archive) is not None
    )
