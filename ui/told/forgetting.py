"""What `ingest --forget` took out of an archive, or would, in sentences for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.catalogue.suggesting import command_on
from ui.told.facts import named, that_count
from ui.wording import counted

if TYPE_CHECKING:  # it is slow to load, and annotations alone name it
    from ingest.forgetting import Forgotten


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
    return that_count(
        [
            (done.forgotten, f"{forgotten} removed from quarantine."),
            (
                len(done.beside),
                f"{beside} pages, which stay. To remove these as well, run the same command "
                f"again{named(done.beside)}.",
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
                f"{named(done.pageless)}.",
            ),
            (
                len(done.judged),
                f"{judged} kept, because people judged, drew or named marks on the pages"
                f"{named(done.judged)}.",
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
        *that_count(
            [
                (
                    found.forgotten,
                    f"{counted(found.forgotten, 'input')} would be removed from quarantine.",
                ),
                (len(found.beside), f"{beside} pages, which would stay{named(found.beside)}."),
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
                    f"{named(found.pageless)}.",
                ),
                (
                    len(found.judged),
                    f"{judged} would be kept, because people judged, drew or named marks on the "
                    f"pages{named(found.judged)}. With --even-judged they would go as well.",
                ),
            ]
        ),
        "Nothing was written.",
    ]
