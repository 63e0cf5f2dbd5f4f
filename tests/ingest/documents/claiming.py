"""Pages that documents files claim, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from ingest.documents.binding import Bound, bind_pages
from ingest.documents.claimed_pages import sources_held
from ingest.documents.claims import claims_met
from ingest.documents.record import DocumentsFile
from ingest.documents.storing import store_documents
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.tables import Document, Page
from tests.ingest.documents.reading import read


def add_pages(archive: Archive, *sources: str, frames: int = 1, folder: str = "/in") -> None:
    with archive.session() as session:
        session.add_all(
            Page(
                source=source,
                location=f"{folder}/{source}",
                frame=frame,
                width=1,
                height=1,
                sha256="0" * 64,
                size=1,
                mtime_ns=1,
            )
            for source in sources
            for frame in range(frames)
        )


def bindings(archive: Archive) -> list[tuple[str, int, str | None, int]]:
    with archive.session() as session:
        return [
            tuple(row)
            for row in session.execute(
                select(Page.source, Page.frame, Document.reference, Page.ordinal)
                .outerjoin(Document, Page.document_id == Document.id)
                .order_by(Document.reference, Page.ordinal, Page.source)
            )
        ]


@dataclass(frozen=True)
class Told:
    """How many pages were given to documents, what claimed them in vain, and what changed."""

    pages: int
    problems: tuple[str, ...]
    unmet: tuple[str, ...]
    unclear: tuple[str, ...]
    bound: Bound


def told(archive: Archive, *files: DocumentsFile) -> Told:
    with archive.writing() as session:
        for file in files:
            store_documents(session, file.documents)
        claimed = claims_met(sources_held(session), files)
        bound = bind_pages(session, claimed.owners)
        pages = len(bound.moved) + len(bound.stayed)
        return Told(pages, claimed.problems, claimed.unmet, claimed.unclear, bound)


def into(archive: Archive, tmp_path: Path, *contents: str) -> Told:
    files = [
        read(tmp_path, content, f"{'' if at == 1 else at}documents.csv")
        for at, content in enumerate(contents, start=1)
    ]
    return told(archive, *files)
