"""What `ingest --dry-run` would do, in sentences for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrieval.catalogue.source_names import image_called
from ui.told.facts import (
    MOST_NAMED,
    MOST_PROBLEMS,
    ON_PERMISSIONS,
    TO_CROPS,
    TO_PAGES,
    imageless,
    named,
    that_count,
)
from ui.wording import counted, some_of

if TYPE_CHECKING:  # it is slow to load, and annotations alone name it
    from ingest.rehearsal import Rehearsal


def rehearsal_sentences(found: Rehearsal) -> list[str]:
    """Return for a person what a run would do, one fact a line."""
    moved = counted(found.moved, "page was moved", "pages were moved")
    copies = counted(
        len(found.copies),
        "of the new files is a byte-for-byte copy",
        "of the new files are byte-for-byte copies",
    )
    replaced = counted(found.copies_replaced, "duplicate page", "duplicate pages")
    unreadable = [f"  {one.source}: {one.reason}" for one in found.unreadable]
    pages_and_inputs = [
        (len(found.copies), f"{copies}{named(found.copies)}."),
        (
            found.copies_replaced,
            f"{replaced} would be removed: where an original file is missing, its page would use "
            "the file of the duplicate.",
        ),
        (found.to_fetch, f"{counted(found.to_fetch, 'image')} would be fetched."),
        (
            len(unreadable),
            f"{counted(len(unreadable), 'input')} cannot be read and would go to quarantine:",
        ),
    ]
    return [
        f"It would read {counted(found.new, 'new file')}, and "
        f"{counted(len(found.changed), 'file')} that changed{named(found.changed)}; "
        f"{moved}, {found.unchanged:,} unchanged.",
        *that_count(pages_and_inputs),
        *some_of(unreadable, MOST_NAMED, "more inputs"),
        *sentences_without_source(found),
    ]


def sentences_without_source(found: Rehearsal) -> list[str]:
    """Return what a run would do beside reading files, as for one that has documents alone."""
    remarks = [*imageless(found.manifests_without_image), *found.problems]
    return [
        *_that_would_happen(found),
        *some_of(remarks, MOST_PROBLEMS, "more remarks"),
        "Nothing was written.",
    ]


def _that_would_happen(found: Rehearsal) -> list[str]:
    """Return what would be left, skipped, or become pages, crops or documents."""
    left = counted(
        found.left,
        "file has not changed and would stay",
        "files have not changed and would stay",
    )
    left_as_crops = counted(
        found.left_as_crops,
        "file was ingested as a crop and would stay one",
        "files were ingested as crops and would stay crops",
    )
    left_as_pages = counted(
        found.left_as_pages,
        "file was ingested as a page and would stay one",
        "files were ingested as pages and would stay pages",
    )
    made_crops = counted(
        found.made_crops,
        "of the changed files was ingested as a page and would become one mark; proposals on it",
        "of the changed files were ingested as pages and would become one mark each; proposals "
        "on them",
    )
    made_pages = counted(
        found.made_pages,
        "of the changed files was ingested as a crop and would become a page",
        "of the changed files were ingested as crops and would become pages",
    )
    skipped = counted(found.skipped, "file is not an image", "files are not images")
    unlisted = counted(len(found.unlisted), "folder", "folders")
    canvases = counted(
        found.canvases_without_image,
        "canvas has no supported image",
        "canvases have no supported image",
    )
    documents = counted(found.documents, "document is", "documents are")
    assigned = [
        f"{image_called(one.source, one.frame)}{f' from {one.before}' if one.before else ''} to "
        f"{one.now}"
        for one in found.assigned
    ]
    return that_count(
        [
            (found.left, f"{left} in quarantine."),
            (found.left_as_crops, f"{left_as_crops}: {TO_PAGES}"),
            (found.left_as_pages, f"{left_as_pages}: {TO_CROPS}"),
            (found.made_crops, f"{made_crops} that nobody has judged would be removed."),
            (found.made_pages, f"{made_pages}, to look for marks on."),
            (found.skipped, f"{skipped} and would be skipped."),
            (
                len(found.unlisted),
                f"{unlisted} may not be listed and would be passed over{named(found.unlisted)}. "
                f"{ON_PERMISSIONS}",
            ),
            (found.canvases_without_image, f"{canvases} and would be skipped."),
            (
                found.documents,
                f"{documents} described; {found.would_bind:,} would have pages.",
            ),
            (
                len(assigned),
                f"{counted(len(assigned), 'page')} would be assigned to a document"
                f"{named(assigned)}.",
            ),
        ]
    )
