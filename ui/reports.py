"""What `ingest` and `index --everywhere` say when they have finished."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ingest.batch import IngestReport
from ingest.everywhere import LookedThrough
from ui.wording import counted, some_of

#: Remarks on the documents file that are shown; it may be wrong in every line.
MOST_PROBLEMS = 10
#: Pages without a document, and documents without a page, that are named.
MOST_NAMED = 5


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
    if report.skipped:
        lines.append(f"{report.skipped} files are no images and were passed over.")
    if report.failed:
        lines.append(
            f"{report.failed} inputs could not be read: {folder / 'quarantine.csv'} says why."
        )
    if report.documents:
        lines.append(f"{report.documents} documents catalogued, {report.bound} pages bound to one.")
    if report.pages_without_document:
        named = _named(report.sources_without_document)
        lines.append(f"{report.pages_without_document} pages belong to no document yet{named}.")
    if report.documents_without_pages:
        named = _named(report.references_without_page)
        lines.append(f"{report.documents_without_pages} documents have no page yet{named}.")
    lines += some_of(report.problems, MOST_PROBLEMS, "more remarks")
    if report.marks:
        lines.append(f"Next: prizemarks index {folder}")
    return lines


def _named(left: Sequence[str]) -> str:
    """Return ": a, b, c and 9 more (--json: all)", or nothing where nothing is named."""
    if not left:
        return ""
    more = len(left) - MOST_NAMED
    others = f" and {more} more (--json: all)" if more > 0 else ""
    return f": {', '.join(left[:MOST_NAMED])}{others}"


def everywhere_sentences(looked: LookedThrough) -> list[str]:
    """Return what `index --everywhere` did, for a person, one fact a line."""
    size = looked.bytes / max(looked.pages, 1) / 1000
    lines = [
        f"{counted(looked.regions, 'region')} of {counted(looked.pages, 'page')} are searchable "
        f"too, with `search --everywhere`: {counted(looked.looked, 'page')} looked through now, "
        f"in {looked.seconds:.0f} s; {looked.bytes / 1e6:.1f} MB, {size:.1f} kB a page."
    ]
    if looked.unread:
        number = counted(len(looked.unread), "page")
        lines.append(f"{number} could not be looked through; the next run tries again:")
        lines += some_of(looked.unread, MOST_PROBLEMS, "more")
    return lines
