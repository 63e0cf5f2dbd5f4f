"""Sentences that tell a person what `ingest` did, or would do."""

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

_AS_PAGES = "to seek marks on them, ingest the very folder they lie in."
_AS_CROPS = "to take each for one mark, ingest the very folder they lie in with --as marks."


def ingest_sentences(folder: Path, report: IngestReport) -> list[str]:
    """Return a run's report for a person, one fact a line, and what to do next."""
    lines = [
        f"{report.added} pages added, {report.changed} read again, {report.moved} moved, "
        f"{report.unchanged} unchanged; {report.marks} marks found."
    ]
    if report.fetched:
        lines.append(f"{report.fetched} images fetched.")
    if report.duplicates:
        lines.append(f"{report.duplicates} of the pages are byte for byte copies of another page.")
    if report.copies_replaced:
        lines.append(
            f"{counted(report.copies_replaced, 'page')} of copies went: the files of their "
            "originals are gone, so these lie in theirs now, with their marks."
        )
    if report.marks_of_copies:
        lines.append(
            f"{counted(report.marks_of_copies, 'mark')} that people had judged or named on the "
            f"copies {'is' if report.marks_of_copies == 1 else 'are'} the originals' now."
        )
    lines += [
        f"{folder} is empty, as when a disc or a share is away: copies of files from there stay "
        "copies. If those are gone for good, delete that folder, or put a file into it, and run "
        "this again."
        for folder in report.away
    ]
    if report.resembling:
        alike = [f"{one.called} like {one.like_called}" for one in report.resembling]
        lines.append(
            f"{len(alike)} of the pages look like another page, perhaps the same scanned or saved "
            f"again; all are kept{_named(alike)}."
        )
    if report.healed:
        lines.append(f"{report.healed} inputs could be read now and left quarantine.")
    if report.skipped:
        lines.append(f"{report.skipped} files are no images and were passed over.")
    if report.canvases_without_image:
        lines.append(
            f"{report.canvases_without_image} canvases have no image that is understood and were "
            "passed over."
        )
    if report.failed:
        lines.append(
            f"{report.failed} inputs could not be read: {folder / 'quarantine.csv'} says why."
        )
    if report.left:
        lines.append(
            f"{report.left} of them have not changed and were not tried again: "
            f"{command_on(folder, 'ingest', '--retry-quarantined')} does."
        )
    if report.left_as_crops:
        lines.append(f"{report.left_as_crops} files came in as crops and were left so: {_AS_PAGES}")
    if report.left_as_pages:
        lines.append(f"{report.left_as_pages} files came in as pages and were left so: {_AS_CROPS}")
    if report.made_crops:
        one = report.made_crops == 1
        lines.append(
            f"{counted(report.made_crops, 'page')} {'is' if one else 'are'} taken for one mark "
            f"{'' if one else 'each '}now; proposals on {'it' if one else 'them'} that nobody had "
            "looked at went."
        )
    if report.made_pages:
        lines.append(f"On {counted(report.made_pages, 'crop')} marks were sought now, as on pages.")
    if report.missing:
        lines.append(
            f"{counted(len(report.missing), 'file')} could not be read again, being missing; the "
            f"marks of their pages stay as they are{_named(report.missing)}."
        )
    if report.documents or report.bound or report.bound_already:
        already = f"; {report.bound_already} were already" if report.bound_already else ""
        lines.append(
            f"{report.documents} documents catalogued, {report.bound} pages bound to one{already}."
        )
    if report.taken:
        taken = [
            f"{image_called(one.source, one.frame)} from {one.before} to {one.now}"
            for one in report.taken
        ]
        lines.append(f"{len(taken)} of them were another document's{_named(taken)}.")
    if report.reordered:
        lines.append(f"{report.reordered} documents have their pages in another order now.")
    if report.pages_without_document:
        named = _named(report.sources_without_document)
        lines.append(f"{report.pages_without_document} pages belong to no document yet{named}.")
    if report.documents_without_pages:
        named = _named(report.references_without_page)
        lines.append(f"{report.documents_without_pages} documents have no page yet{named}.")
    lines += [_unmet(folder, name, report) for name in report.files_without_page]
    remarks = [*_imageless(report.manifests_without_image), *report.problems]
    lines += some_of(remarks, MOST_PROBLEMS, "more remarks")
    if report.marks:
        lines.append(f"Next: {command_on(folder, 'index')}")
    return lines


def _unmet(folder: Path, name: str, report: IngestReport) -> str:
    """Return what is to be done about a documents file by which no page was found."""
    if name in report.files_unclear:
        given = command_on(folder, "ingest", f"FOLDER --documents {quote(name)}")
        return (
            f"No page was found by {name}: what it names may be pages of several folders. Say "
            f"which folder it is about, `{given}`, or write more of the paths in it."
        )
    listed = command_on(folder, "export", "--format documents")
    return (
        f"No page was found by {name}: it must name pages as the archive does. `{listed}` lists "
        "those of documents in the column source, and `ingest --json` the others as "
        "sources_without_document."
    )


def rehearsal_sentences(found: Rehearsal) -> list[str]:
    """Return for a person what a run would do, one fact a line."""
    lines = [
        f"It would read {found.new} new files, and {len(found.changed)} that have changed"
        f"{_named(found.changed)}; {found.moved} pages were moved, {found.unchanged} are "
        "unchanged."
    ]
    if found.copies:
        lines.append(
            f"{len(found.copies)} of the new files are byte for byte copies{_named(found.copies)}."
        )
    if found.copies_replaced:
        lines.append(
            f"{counted(found.copies_replaced, 'page')} of copies would go: the files of their "
            "originals are gone, so these would lie in theirs."
        )
    if found.to_fetch:
        lines.append(f"{found.to_fetch} images would be fetched.")
    if found.unreadable:
        lines.append(f"{len(found.unreadable)} inputs cannot be read and would go to quarantine:")
        said = [f"  {one.source}: {one.reason}" for one in found.unreadable]
        lines += some_of(said, MOST_NAMED, "more inputs")
    if found.left:
        lines.append(f"{found.left} files would be left in quarantine, as they have not changed.")
    if found.left_as_crops:
        lines.append(
            f"{found.left_as_crops} files came in as crops and would be left so: {_AS_PAGES}"
        )
    if found.left_as_pages:
        lines.append(
            f"{found.left_as_pages} files came in as pages and would be left so: {_AS_CROPS}"
        )
    if found.made_crops:
        lines.append(
            f"{found.made_crops} of the changed came in as pages: each would be taken for one "
            "mark, and proposals on it that nobody has looked at would go."
        )
    if found.made_pages:
        lines.append(
            f"{found.made_pages} of the changed came in as crops: marks would be sought on them."
        )
    if found.skipped:
        lines.append(f"{found.skipped} files are no images and would be passed over.")
    if found.canvases_without_image:
        lines.append(
            f"{found.canvases_without_image} canvases have no image that is understood and would "
            "be passed over."
        )
    if found.documents:
        lines.append(
            f"{found.documents} documents are described, {found.would_bind} of them would have "
            "pages."
        )
    remarks = [*_imageless(found.manifests_without_image), *found.problems]
    lines += some_of(remarks, MOST_PROBLEMS, "more remarks")
    lines.append("Nothing was written.")
    return lines


def forgotten_sentences(folder: Path, done: Forgotten) -> list[str]:
    """Return for a person what was taken out of an archive, and what of it stays and why."""
    lines = []
    if done.forgotten:
        lines.append(f"{done.forgotten} inputs taken out of quarantine.")
    if done.beside:
        lines.append(
            f"Pages of {counted(len(done.beside), 'file')} named there stay: to take them out, "
            f"too, forget once more{_named(done.beside)}."
        )
    if done.pages:
        lines.append(
            f"{counted(done.pages, 'page')} taken out of the archive, with "
            f"{counted(done.marks, 'mark')}; given again, they come in again."
        )
    if done.masters:
        lines.append(
            f"{counted(done.masters, 'image')} fetched from IIIF servers deleted; given again, "
            "their manifests are fetched whole."
        )
    if done.documents:
        lines.append(f"{counted(done.documents, 'document')} taken out of the archive.")
    if done.pageless:
        lines.append(
            f"{counted(len(done.pageless), 'document')} without any page now; to take them out, "
            f"too, forget their references{_named(done.pageless)}."
        )
    if done.judged:
        export = command_on(folder, "annotate export", "--format csv --output marks.csv")
        lines += [
            f"{counted(len(done.judged), 'file')} kept, as people judged, drew or named marks on "
            f"the pages{_named(done.judged)}.",
            f"To keep these marks elsewhere: {export}; then --even-judged takes the pages out, "
            "with the marks.",
        ]
    if done.marks:
        lines.append(f"Next: {command_on(folder, 'index')}")
    return lines


def _imageless(manifests: Sequence[str]) -> list[str]:
    return [
        f"{one} gives no image that is understood. Look at it in a viewer: if it has any, download "
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
