"""The demo: a synthetic archive that goes in through the very code a user's scans go through."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape
from sqlalchemy import select

from ingest.batch import ingest_pages
from ingest.manner import Manner, Progress
from ingest.synthetic.archive import draw_archive
from ingest.synthetic.records import plan_documents
from retrieval.catalogue.archive import archive_as_it_stands, create_archive
from retrieval.catalogue.errors import ArchiveError
from retrieval.catalogue.suggesting import command_on
from retrieval.catalogue.tables import Page
from retrieval.index import refresh_index
from retrieval.proposal_ranking import rank_proposals
from retrieval.which_model import archive_model
from ui.progress import bar, console
from ui.wording import counted

PAGES, IDENTITIES, SEED = 60, 40, 7


def make_demo(folder: Path) -> None:
    """Draw, ingest and index the synthetic archive in `folder`; a second time does nothing anew.

    The drawn pages lie beside the archive, in `<folder>-scans`, as a user's masters would.
    Raises ArchiveError, before anything is drawn, where the folder holds anything else.
    """
    _check_is_free(folder)
    scans = folder.with_name(f"{folder.name}-scans")
    with bar("Drawing synthetic pages") as report:
        draw_archive(scans, seed=SEED, identities=IDENTITIES, pages=PAGES, progress=report)
    archive = create_archive(folder)
    try:
        with bar("Ingesting") as report:

            def show(progress: Progress) -> None:
                report(progress.done, progress.total, progress.name)

            manner = Manner(documents=[scans / "documents.csv"], progress=show)
            done = ingest_pages(archive, [scans / "pages"], manner=manner)
        with bar("Embedding") as report, archive.lock():
            model = archive_model(archive)
            indexed = refresh_index(archive, model, report)
            rank_proposals(archive, model)
    finally:
        archive.close()
    console.print(
        f"{escape(str(folder))}: {counted(done.added + done.unchanged, 'synthetic page')}, "
        f"{counted(indexed.total, 'mark')} indexed."
    )


def _check_is_free(folder: Path) -> None:
    """Raise ArchiveError where an archive in `folder` has pages that the demo did not draw."""
    drawn = [document.source for document in plan_documents(SEED, IDENTITIES, PAGES)]
    others = select(Page.source).where(Page.source.not_in(drawn)).order_by(Page.id)
    with archive_as_it_stands(folder) as archive, archive.session() as session:
        sources = session.scalars(others).all()
    if sources:
        raise ArchiveError(
            f"{folder} contains {counted(len(sources), 'page')} that the demo did not make, such "
            f"as {sources[0]!r}: choose another folder for the demo. To open this archive: "
            f"{command_on(folder, 'serve')}"
        )
