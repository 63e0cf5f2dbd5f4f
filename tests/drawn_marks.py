"""Marks for tests: drawn by the project's own hands, and archives with such marks in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from retrieval.catalogue import tables
from retrieval.catalogue.archive import Archive
from retrieval.crops import write_crop
from retrieval.gan.redrawing import random_family
from retrieval.strokes.hand import random_hand
from retrieval.strokes.pen import draw


def drawn_mark(seed: int, side: int = 60) -> np.ndarray:
    """A mark on white paper, (side, side, 3) uint8."""
    rng = np.random.default_rng(seed)
    ink = draw(random_family(rng).identity(rng), random_hand(rng), rng, side)
    return np.repeat((255 - 230 * ink).astype(np.uint8)[..., None], 3, axis=2)


def add_marks(
    archive: Archive, seeds: range, reference: str | None = None, **document: object
) -> list[int]:
    """Put one page with one mark a seed into the archive; return the marks' ids."""
    with archive.session() as session:
        owner = None
        if reference is not None:
            owner = tables.Document(reference=reference, details={}, **document)
            session.add(owner)
        marks = []
        for seed in seeds:
            image = drawn_mark(seed)
            page = tables.Page(
                document=owner,
                source=f"{seed}.png",
                location=str(Path("/nowhere") / f"{seed}.png"),
                width=60,
                height=60,
                sha256=f"{seed:064x}",
                size=1,
                mtime_ns=1,
            )
            session.add(page)
            session.flush()
            mark = tables.Mark(
                page_id=page.id, x=0, y=0, width=60, height=60, status="confirmed",
                origin="ingest", crop=write_crop(archive.crops_folder, image),
            )  # fmt: skip
            session.add(mark)
            session.flush()
            marks.append(mark.id)
    return marks
