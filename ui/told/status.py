"""What `prizemarks status` says about an archive, in sentences for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrieval.catalogue.suggesting import command_on
from ui.wording import counted, some_of, waits

if TYPE_CHECKING:  # slow to load, and annotations alone name them
    from ingest.everywhere import Standing
    from ingest.status import Status

#: Pages that look like another which are named.
_MOST_ALIKE = 5
#: Files that are missing which are named.
_MOST_MISSING = 5


def status_sentences(status: Status) -> list[str]:
    """Return the state of an archive for a person, one fact a line, and what to do next."""
    return [
        *_on_holdings(status),
        *_on_older_proposals(status),
        *_on_missing_masters(status),
        *_on_resembling_pages(status),
        *_on_failures(status),
        *_on_training(status),
        *_on_model(status),
    ]


def _on_holdings(status: Status) -> list[str]:
    """Return what is in the archive, as the lines of a table."""
    held = status.counts
    marks = ", ".join(f"{number} {kind}" for kind, number in held.marks.items())
    lines = [
        f"{status.folder}",
        f"  documents   {held.documents} ({held.documents_without_pages} without a page)",
        f"  pages       {held.pages} ({held.pages_without_document} without a document, "
        f"{held.duplicate_pages} copies of another, {held.resembling_pages} that look like "
        "another)",
        f"  marks       {sum(held.marks.values())} ({marks})",
        f"  identities  {held.identities}",
        f"  groups      {held.groups['proposed']} to review, {held.groups['same']} accepted, "
        f"{held.groups['different']} refused",
        f"  quarantine  {held.failures}" + (" (see quarantine.csv)" if held.failures else ""),
        *(f"    {number:>6} {reason}" for reason, number in status.failure_reasons.items()),
        f"  model       {status.model or 'none'}",
        f"  not indexed {status.not_indexed}",
    ]
    if status.everywhere.pages:
        lines += _on_everywhere(status.index_command, status.everywhere)
    return lines


def _on_everywhere(command: str, found: Standing) -> list[str]:
    """Return which pages `search --everywhere` covers, and the command that updates them."""
    line = f"  everywhere  {found.searchable} of {counted(found.pages, 'page')}"
    if found.older:
        line += f", {found.older} of them indexed by an older version"
    if found.missing:
        line += f"; {found.missing} not yet"
    if found.other_model:
        line += f", of which {found.other_model} only under another model"
    lines = [line]
    if found.current < found.pages:
        lines.append(f"To update: {command} --everywhere")
    return lines


def _on_older_proposals(status: Status) -> list[str]:
    """Return how many pages have marks that an older segmenter proposed, and what to do."""
    lines = [
        f"{counted(number, 'page')} whose marks were proposed by {segmenter}, not "
        f"{status.segmenter}."
        for segmenter, number in status.older_segmenters.items()
    ]
    if sum(status.older_segmenters.values()) > status.older_missing:
        anew = command_on(status.folder, "ingest", "--resegment")
        lines.append(f"To look for marks on them again: {anew}")
    if status.older_missing:
        lines.append(
            f"{counted(status.older_missing, 'page')} of these cannot be read again: the files "
            "are missing."
        )
    return lines


def _on_missing_masters(status: Status) -> list[str]:
    if not status.missing_masters:
        return []
    missing = counted(len(status.missing_masters), "page file is missing", "page files are missing")
    named = [f"  {source}" for source in status.missing_masters]
    return [
        f"{missing}. The marks are kept; if the files have moved, ingest them from their new "
        "place:",
        *some_of(named, _MOST_MISSING, "more"),
    ]


def _on_resembling_pages(status: Status) -> list[str]:
    alike = [f"  {one.called} looks like {one.like_called}" for one in status.resembling]
    if not alike:
        return []
    return [
        "Perhaps the same page, scanned or saved twice:",
        *some_of(alike, _MOST_ALIKE, "more"),
    ]


def _on_failures(status: Status) -> list[str]:
    if not status.counts.failures:
        return []
    return [f"To retry them: {command_on(status.folder, 'ingest', '--retry-quarantined')}"]


def _on_training(status: Status) -> list[str]:
    """Return what to do about a training that was interrupted."""
    if status.training_problem is not None:
        anew = command_on(status.folder, "train", "--restart")
        return [status.training_problem, f"To train from the start: {anew}"]
    if status.unfinished_training:
        return [f"Interrupted training: {command_on(status.folder, 'train', '--resume')}"]
    return []


def _on_model(status: Status) -> list[str]:
    """Return why models cannot be had, what to do next, and which model waits."""
    lines = []
    if status.model_problem is not None:
        lines.append(status.model_problem)
    if status.model is None:
        lines.append(f"To search with another model meanwhile: {status.search_command}")
    if not status.counts.pages:
        lines.append(f"Next: {command_on(status.folder, 'ingest', 'SOURCE')}")
    elif status.not_indexed:
        lines.append(f"Next: {status.index_command}")
    if status.model_waiting is not None:
        index = command_on(status.folder, "index")
        lines.append(f"{waits(status.model_waiting)} To search with it: {index}")
    return lines
