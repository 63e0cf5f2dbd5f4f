"""The embeddings in the catalogue: every mark that may be found, embedded under a model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from retrieval.catalogue import tables
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.marks import marks_to_embed, number_to_embed
from retrieval.catalogue.parts import in_parts
from retrieval.crops import load_crops
from retrieval.embedding import embed
from retrieval.ink import SEEN
from retrieval.model import Model
from retrieval.progress import Report, nobody

EMBEDDED_AT_ONCE = 512  # marks embedded and committed in one transaction


def register_model(archive: Archive, model: Model, origin: str) -> None:
    """Make `model` known to the catalogue, if it is not yet; embeddings refer to it."""
    with archive.writing() as session:
        if session.get(tables.Model, model.id) is None:
            objective = str(model.manifest.get("settings", {}).get("objective", "contrastive"))
            session.add(
                tables.Model(
                    id=model.id,
                    architecture=model.shape.name,
                    objective=objective,
                    origin=origin,
                    manifest=model.manifest,
                )
            )


def embed_marks(
    archive: Archive, model: Model, report: Report = nobody
) -> tuple[int, tuple[str, ...]]:
    """Embed every mark that may be found and has no embedding under `model`.

    An embedding of an older crop counts as missing.
    Committed every few hundred marks, so that an interrupted run goes on where it stopped; marks
    that come in meanwhile are embedded as well.
    Returns how many marks were embedded, and sentences on those whose crops could not be read.
    `report` is called with (done, total).
    """
    with archive.session() as session:
        missing = number_to_embed(session, model.id, SEEN)
    unread: list[str] = []
    done = last = 0
    while True:
        with archive.session() as session:
            part = marks_to_embed(session, model.id, SEEN, after=last, most=EMBEDDED_AT_ONCE)
        if not part:
            return done - len(unread), tuple(unread)
        embed_part(archive, model, part, unread)
        done, last = done + len(part), part[-1][0]
        report(done, max(done, missing))


def embed_part(
    archive: Archive, model: Model, part: Sequence[tuple[int, str]], unread: list[str]
) -> None:
    """Embed a few hundred marks, (mark, crop), anew under `model`, in one transaction.

    A sentence on each whose crop cannot be read is added to `unread`; its embedding stays.
    """
    pictures = dict(load_crops(archive, part, unread))
    vectors = embed(model, list(pictures.values()))
    read = [part[at] for at in pictures]
    ids = [mark for mark, _ in read]
    with archive.writing() as session:
        # A mark may have gone while its crop was being embedded.
        present = set(session.scalars(select(tables.Mark.id).where(tables.Mark.id.in_(ids))))
        session.execute(
            delete(tables.Embedding).where(
                tables.Embedding.mark_id.in_(ids), tables.Embedding.model_id == model.id
            )
        )
        rows = [
            {
                "mark_id": mark,
                "model_id": model.id,
                "crop": crop,
                "seen": SEEN,
                "vector": vector.astype("<f4").tobytes(),
            }
            for (mark, crop), vector in zip(read, vectors, strict=True)
            if mark in present
        ]
        if rows:
            session.execute(insert(tables.Embedding), rows)


def catalogued_vectors(
    session: Session, model_id: str, marks: list[int], size: int
) -> NDArray[np.float32]:
    """Return the catalogue's vectors of `marks` in that order, (N, size)."""
    vectors: dict[int, bytes] = {}
    for some in in_parts(marks):
        query = select(tables.Embedding.mark_id, tables.Embedding.vector).where(
            tables.Embedding.model_id == model_id,
            tables.Embedding.mark_id.in_(some),
        )
        vectors.update((mark, vector) for mark, vector in session.execute(query))
    stacked = np.frombuffer(b"".join(vectors[mark] for mark in marks), "<f4")
    return np.ascontiguousarray(stacked.reshape(-1, size), np.float32)
