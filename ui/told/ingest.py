"""What `ingest` did or would do, in sentences for people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from retrieval.catalogue.source_names import image_called
from retrieval.catalogue.suggesting import command_on
from ui.wording import counted, some_of

if TYPE_CHECKING:  # they are slow to load, and annotations alone name them
    from ingest.forgetting import Forgotten
    from ingest.rehearsal import Rehearsal
    from ingest.report import IngestReport

#: Remarks on the documents file that are shown; it may be wrong in every line.
MOST_PROBLEMS = 10
#: Pages without a document, and documents without a page, that are named.
MOST_NAMED = 5

_AS_PAGES = "to look for marks in such files, ingest the folder that directly contains them."
_AS_CROPS = (
    "to treat each as one mark, ingest the folder that directly contains them with --as marks."
)

_ON_PERMISSIONS = "Check its permissions, then run this again."


def ingest_sentences(folder: Path, report: IngestReport) -> list[str]:
    """Return a run's report for a person, one fact a line, and what to do next."""
    remarks = [*_imageless(report.manifests_without_image), *report.problems]
    return [
        f"{counted(report.added, 'page')} added, {report.changed:,} read again, "
        f"{report.moved:,} moved, {report.unchanged:,} unchanged; "
        f"{counted(report.marks, 'mark')} found.",
        *_on_pages(report),
        *_on_inputs(folder, report),
        *_on_documents(report),
        *[_unmet(folder, name, report) for name in report.files_without_page],
        *some_of(remarks, MOST_PROBLEMS, "more remarks"),
        *_that_happened([(report.marks, f"Next: {command_on(folder, 'index')}")]),
    ]


def _that_happened(facts: Sequence[tuple[int, str]]) -> list[str]:
    """Return the sentences whose number is not 0."""
    return [sentence for number, sentence in facts if number]


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
        (len(alike), f"{resembling}, perhaps scanned or saved twice; all are kept{_named(alike)}.")
    ]
    return [*_that_happened(before_away), *away, *_that_happened(after_away)]


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
    return _that_happened(
        [
            (report.healed, f"{healed} left quarantine."),
            (report.skipped, f"{skipped} skipped."),
            (
                len(report.unlisted),
                f"{unlisted} passed over{_named(report.unlisted)}. {_ON_PERMISSIONS}",
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
            (report.left_as_crops, f"{left_as_crops}: {_AS_PAGES}"),
            (report.left_as_pages, f"{left_as_pages}: {_AS_CROPS}"),
            (report.made_crops, f"{made_crops} that nobody had judged were removed."),
            (report.made_pages, f"{made_pages}."),
            (
                len(report.missing),
                f"{missing} missing or out of reach and could not be read again; the marks on "
                f"these pages stay as they are{_named(report.missing)}.",
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
    return _that_happened(
        [
            (
                report.documents or report.bound or report.bound_already,
                f"{counted(report.documents, 'document')} catalogued; {bound} assigned to "
                f"a document{already}.",
            ),
            (len(taken), f"{len(taken):,} of them belonged to another document{_named(taken)}."),
            (report.reordered, f"{reordered} in a new order."),
            (
                report.pages_without_document,
                f"{pages} to no document yet{_named(report.sources_without_document)}.",
            ),
            (
                report.documents_without_pages,
                f"{documents} no page yet{_named(report.references_without_page)}.",
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
        (len(found.copies), f"{copies}{_named(found.copies)}."),
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
        f"{counted(len(found.changed), 'file')} that changed{_named(found.changed)}; "
        f"{moved}, {found.unchanged:,} unchanged.",
        *_that_happened(pages_and_inputs),
        *some_of(unreadable, MOST_NAMED, "more inputs"),
        *sentences_without_source(found),
    ]


def sentences_without_source(found: Rehearsal) -> list[str]:
    """Return what a run would do beside reading files, as for one that has documents alone."""
    remarks = [*_imageless(found.manifests_without_image), *found.problems]
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
    return _that_happened(
        [
            (found.left, f"{left} in quarantine."),
            (found.left_as_crops, f"{left_as_crops}: {_AS_PAGES}"),
            (found.left_as_pages, f"{left_as_pages}: {_AS_CROPS}"),
            (found.made_crops, f"{made_crops} that nobody has judged would be removed."),
            (found.made_pages, f"{made_pages}, to look for marks on."),
            (found.skipped, f"{skipped} and would be skipped."),
            (
                len(found.unlisted),
                f"{unlisted} may not be listed and would be passed over{_named(found.unlisted)}. "
                f"{_ON_PERMISSIONS}",
            ),
            (found.canvases_without_image, f"{canvases} and would be skipped."),
            (
                found.documents,
                f"{documents} described; {found.would_bind:,} would have pages.",
            ),
            (
                len(assigned),
                f"{counted(len(assigned), 'page')} would be assigned to a document"
                f"{_named(assigned)}.",
            ),
        ]
    )


def forgotten_sentences(folder: Path, done: Forgotten) -> list[str]:
    """Return for a person what was taken out of an archive, and what of it stays and why."""
    export = command_on(folder, "annotate export", "--format csv --output marks.csv")
    forgotten = counted(done.forgotten, "input was", "inputs were")
    beside = counted(len(done.beside), "quarantined file also has", "quarantined files also have")
    pages = counted(done.pages, "page was", "pages were")
    masters = counted(done.masters, "image", "images")
    documents = counted(done.documents, "document was", "documents were")
    pageless = counted(len(done.pageless), "document has", "documents have")
    judged = counted(len(done.judged), "file was", "files were")
    return _that_happened(
        [
            (done.forgotten, f"{forgotten} removed from quarantine."),
            (
                len(done.beside),
                f"{beside} pages, which stay. To remove these as well, run the same command "
                f"again{_named(done.beside)}.",
            ),
            (
                done.pages,
                f"{pages} removed from the archive, with {counted(done.marks, 'mark')}. To add "
                "them again, ingest their files again.",
            ),
            (
                done.masters,
                f"{masters} fetched from IIIF servers deleted. To fetch them again, ingest their "
                "manifests again.",
            ),
            (done.documents, f"{documents} removed from the archive."),
            (
                len(done.pageless),
                f"{pageless} no pages now. To remove them as well, forget their references"
                f"{_named(done.pageless)}.",
            ),
            (
                len(done.judged),
                f"{judged} kept, because people judged, drew or named marks on the pages"
                f"{_named(done.judged)}.",
            ),
            (
                len(done.judged),
                f"To save these marks first: {export}; then --even-judged removes the pages "
                "with their marks.",
            ),
            (done.marks, f"Next: {command_on(folder, 'index')}"),
        ]
    )


def to_forget_sentences(found: Forgotten) -> list[str]:
    """Return for a person what would be taken out of an archive, and what would stay and why."""
    beside = counted(len(found.beside), "quarantined file also has", "quarantined files also have")
    marks, judged = counted(found.marks, "mark"), counted(len(found.judged), "file")
    return [
        *_that_happened(
            [
                (
                    found.forgotten,
                    f"{counted(found.forgotten, 'input')} would be removed from quarantine.",
                ),
                (len(found.beside), f"{beside} pages, which would stay{_named(found.beside)}."),
                (
                    found.pages,
                    f"{counted(found.pages, 'page')} would be removed from the archive, with "
                    f"{marks}.",
                ),
                (
                    found.masters,
                    f"{counted(found.masters, 'image')} fetched from IIIF servers would be "
                    "deleted.",
                ),
                (
                    found.documents,
                    f"{counted(found.documents, 'document')} would be removed from the archive.",
                ),
                (
                    len(found.pageless),
                    f"{counted(len(found.pageless), 'document')} would have no pages then"
                    f"{_named(found.pageless)}.",
                ),
                (
                    len(found.judged),
                    f"{judged} would be kept, because people judged, drew or named marks on the "
                    f"pages{_named(found.judged)}. With --even-judged they would go as well.",
                ),
            ]
        ),
        "Nothing was written.",
    ]


def _imageless(manifests: Sequence[str]) -> list[str]:
    return [
        f"{one} has no supported image. Open it in a IIIF viewer: if it shows images, download "
        "them and ingest the files."
        for one in manifests
    ]


def _named(left: Sequence[str]) -> str:
    """Return ": a, b, c and 9 more (--json: all)", or nothing where nothing is named."""
    if not left:
        return ""
    more = len(left) - MOST_NAMED
    others = f" and {more} more (--json: all)" if more > 0 else ""
    return f": {', '.join(left[:MOST_NAMED])}{others}"
