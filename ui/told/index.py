"""Sentences that tell a person what `index` did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.wording import counted, unread_sentences

if TYPE_CHECKING:  # it loads torch
    from ingest.everywhere import LookedThrough
    from retrieval.index import Refreshed


def index_sentences(model: str, done: Refreshed, ranked_by: int) -> list[str]:
    """Return what `index` did under a model, for a person, one fact a line.

    `ranked_by` is by how many confirmed marks it ranked the proposals; 0 where it did not.
    """
    lines = [
        f"{counted(done.total, 'mark is', 'marks are')} searchable under model {model}: "
        f"{done.embedded:,} embedded now, {done.added:,} added to the index, "
        f"{done.removed:,} removed."
    ]
    if ranked_by:
        lines.append(
            "Proposals are also ranked by how much they look like the "
            f"{counted(ranked_by, 'confirmed mark')}."
        )
    number = counted(len(done.unread), "mark")
    said = f"{number} could not be embedded; the next run will try again:"
    return lines + unread_sentences(said, done.unread)


def everywhere_sentences(looked: LookedThrough) -> list[str]:
    """Return what `index --everywhere` did, for a person, one fact a line."""
    size = looked.bytes / max(looked.pages, 1) / 1000
    lines = [
        f"{counted(looked.regions, 'region is', 'regions are')} also searchable, with "
        f"`search --everywhere`, on {counted(looked.pages, 'page')}: "
        f"{counted(looked.looked, 'page')} indexed now, in {looked.seconds:.0f} s; "
        f"{looked.bytes / 1e6:.1f} MB, {size:.1f} kB per page."
    ]
    number = counted(len(looked.unread), "page")
    said = f"{number} could not be indexed; the next run will try again:"
    return lines + unread_sentences(said, looked.unread)
