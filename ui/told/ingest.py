"""What `ingest` did, in sentences for people."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from retrieval.catalogue.source_names import image_called
from retrieval.catalogue.suggesting import command_on
from ui.told.facts import (
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
    from ingest.report import IngestReport


def ingest_sentences(folder: Path, report: IngestReport) -> list[str]:
    """Return a run's report for a person, one fact a line, and what to do next."""
    remarks = [*imageless(report.manifests_without_image), *report.problems]
    return [
        f"{counted(report.added, 'page')} added, {report.changed:,} read again, "
        f"{report.moved:,} moved, {report.unchanged:,} unchanged; "
        f"{counted(report.marks, 'mark')} found.",
        *_on_pages(report),
        *_on_inputs(folder, report),
        *_on_documents(report),
        *[_unmet(folder, name, report) for name in report.files_without_page],
        *some_of(remarks, MOST_PROBLEMS, "more remarks"),
        *that_count([(report.marks, f"Next: {command_on(folder, 'index')}")]),
    ]


def _on_pages(report: IngestReport) -> list[str]:
    """Return what became of the pages and their files."""
    alike = [f"{one.called} like {one.like_called}" for one in report.resembling]
    fetched = counted(report.fetched, "image")
    duplicates = counted(
        report.duplicates,
        "page is a byte-for-byte copy of another page",
        "pages are byte-for-byte copies of other pages",
    )
    replaced = counted(report.copies_replaced, "duplicate page was", "duplicate pages were")
    marks_of_copies = counted(
        report.marks_of_copies,
        "judged or named mark of a duplicate page now belongs",
        "judged or named marks of duplicate pages now belong",
    )
    resembling = counted(len(alike), "page looks like another", "pages look like others")
    before_away = [
        (report.fetched, f"{fetched} fetched."),
        (report.duplicates, f"{duplicates}."),
        (
            report.copies_replaced,
            f"{replaced} removed: where an original file is missing, its page now uses the file "
            "of the duplicate and keeps its marks.",
        ),
        (report.marks_of_copies, f"{marks_of_copies} to the original page."),
    ]
    away = [
        f"{folder} is empty, as if a disk or network share were not mounted, so copies of files "
        "from there stay copies. If its files are gone for good, delete that folder, or put a "
        "file into it, and run this again."
        for folder in report.away
    ]
    after_away = [
        (len(alike), f"{resembling}, perhaps scanned or saved twice; all are kept{named(alike)}.")
    ]
    return [*that_count(before_away), *away, *that_count(after_away)]


def _on_inputs(folder: Path, report: IngestReport) -> list[str]:
    """Return which inputs were read, skipped, failed, or became pages or crops."""
    healed = counted(
        report.healed,
        "input could now be read and has",
        "inputs could now be read and have",
    )
    skipped = counted(
        report.skipped, "file is not an image and was", "files are not images and were"
    )
    canvases = counted(
        report.canvases_without_image,
        "canvas has no supported image and was",
        "canvases have no supported image and were",
    )
    left = counted(
        report.left,
        "of them has not changed and was",
        "of them have not changed and were",
    )
    left_as_crops = counted(
        report.left_as_crops,
        "file was ingested as a crop and stays one",
        "files were ingested as crops and stay crops",
    )
    left_as_pages = counted(
        report.left_as_pages,
        "file was ingested as a page and stays one",
        "files were ingested as pages and stay pages",
    )
    made_crops = counted(
        report.made_crops,
        "page is now treated as one mark; proposals on it",
        "pages are now treated as one mark each; proposals on them",
    )
    made_pages = counted(
        report.made_pages,
        "crop is now treated as a page; marks were looked for on it",
        "crops are now treated as pages; marks were looked for on them",
    )
    missing = counted(len(report.missing), "file is", "files are")
    unlisted = counted(
        len(report.unlisted),
        "folder may not be listed and was",
        "folders may not be listed and were",
    )
    return that_count(
        [
            (report.healed, f"{healed} left quarantine."),
            (report.skipped, f"{skipped} skipped."),
            (
                len(report.unlisted),
                f"{unlisted} passed over{named(report.unlisted)}. {ON_PERMISSIONS}",
            ),
            (report.canvases_without_image, f"{canvases} skipped."),
            (
                report.failed,
                f"{counted(report.failed, 'input')} could not be read; "
                f"{folder / 'quarantine.csv'} says why.",
            ),
            (
                report.left,
                f"{left} not tried again. To retry: "
                f"{command_on(folder, 'ingest', '--retry-quarantined')}",
            ),
            (report.left_as_crops, f"{left_as_crops}: {TO_PAGES}"),
            (report.left_as_pages, f"{left_as_pages}: {TO_CROPS}"),
            (report.made_crops, f"{made_crops} that nobody had judged were removed."),
            (report.made_pages, f"{made_pages}."),
            (
                len(report.missing),
                f"{missing} missing or out of reach and could not be read again; the marks on "
                f"these pages stay as they are{named(report.missing)}.",
            ),
        ]
    )


def _on_documents(report: IngestReport) -> list[str]:
    """Return what became of the documents and of their pages."""
    already = f"; {report.bound_already:,} already were" if report.bound_already else ""
    taken = [
        f"{image_called(one.source, one.frame)} from {one.before} to {one.now}"
        for one in report.taken
    ]
    bound = counted(report.bound, "page was", "pages were")
    reordered = counted(report.reordered, "document has its pages", "documents have their pages")
    pages = counted(report.pages_without_document, "page belongs", "pages belong")
    documents = counted(report.documents_without_pages, "document has", "documents have")
    return that_count(
        [
            (
                report.documents or report.bound or report.bound_already,
                f"{counted(report.documents, 'document')} catalogued; {bound} assigned to "
                f"a document{already}.",
            ),
            (len(taken), f"{len(taken):,} of them belonged to another document{named(taken)}."),
            (report.reordered, f"{reordered} in a new order."),
            (
                report.pages_without_document,
                f"{pages} to no document yet{named(report.sources_without_document)}.",
            ),
            (
                report.documents_without_pages,
                f"{documents} no page yet{named(report.references_without_page)}.",
            ),
        ]
    )


def _unmet(folder: Path, name: str, report: IngestReport) -> str:
    """Return what to do about a documents file that matches no page."""
    if name in report.files_unclear:
        given = command_on(folder, "ingest", f"FOLDER --documents {quote(name)}")
        return (
            f"No page matches {name}: what it names may be pages in several folders. Name the "
            f"folder that it describes, `{given}`, or write longer paths in it."
        )
    listed = command_on(folder, "export", "--format documents")
    return (
        f"No page matches {name}: it must name pages as the archive does. `{listed}` lists the "
        "pages of documents in its column source; `ingest --json` lists the others as "
        "sources_without_document."
    )
