"""The demo: a synthetic archive that goes in through the very code a user's scans go through."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape

from ingest.batch import Progress, ingest_pages
from ingest.synthetic.archive import draw_archive
from retrieval.catalogue.archive import create_archive
from retrieval.index import refresh_index
from retrieval.learn import archive_model
from ui.progress import bar, console

PAGES, IDENTITIES, SEED = 60, 40, 7


def make_demo(folder: Path) -> None:
    """Draw, ingest and index the synthetic archive in `folder`; a second time does nothing anew.

    The drawn pages lie beside the archive, in `<folder>-scans`, as a user's masters would.
    """
    scans = folder.with_name(f"{folder.name}-scans")
    with bar("Drawing synthetic pages") as report:
        draw_archive(scans, seed=SEED, identities=IDENTITIES, pages=PAGES, progress=report)
    archive = create_archive(folder)
    try:
        with bar("Ingesting") as report:

            def show(progress: Progress) -> None:
                report(progress.done, progress.total, progress.name)

            done = ingest_pages(
                archive, [scans / "pages"], documents=[scans / "documents.csv"], progress=show
            )
        with bar("Embedding") as report, archive.lock():
            indexed = refresh_index(archive, archive_model(archive), report)
    finally:
        archive.close()
    console.print(
        f"{escape(str(folder))}: {done.added + done.unchanged} synthetic pages, "
        f"{indexed.total} marks indexed."
    )
