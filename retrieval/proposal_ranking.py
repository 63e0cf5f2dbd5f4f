"""Proposals ranked anew by their realism, each time that an archive is indexed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import and_, select, update
from sqlalchemy.orm import Session

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.marks import LIKELY
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.tables import Embedding, Mark, Page
from retrieval.realism import LEAST_CONFIRMED, fit_realism, realism
from retrieval.vectors import Vectors

#: Marks of each verdict that are learned from; of more, this many from all over the archive.
MOST_LEARNED = 10_000
_AT_ONCE = 10_000  # rows read from the catalogue or the index, or written in one transaction
_PLACES = 4  # decimals that are kept

_SCORED = np.dtype([("mark", np.int64), ("score", np.float64), ("realism", np.float64)])


def rank_proposals(archive: Archive, model_id: str, indexed: Any, marks: NDArray[np.int64]) -> int:
    """Give each proposal of an index its realism; return by how many confirmed marks.

    `indexed` is the model's faiss.IndexIDMap2 of `marks`, (N,). Learned from are marks on pages
    that were segmented: crops that were taken in as marks lie on other paper, and look otherwise.
    Where fewer than `LEAST_CONFIRMED` are confirmed, no proposal has any, and 0 is returned.
    """
    with archive.session() as session:
        confirmed = _on_pages(session, "confirmed", marks)
        proposed = _on_pages(session, "proposed", marks)
        rejected, none_of_them = _rejected(session, model_id, indexed.d)
    proposed = proposed[~np.isnan(proposed["score"])]
    enough = len(confirmed) >= LEAST_CONFIRMED
    values = np.full(len(proposed), np.nan)
    if enough and len(proposed):
        learned = [_some(confirmed), _some(proposed)]
        weights = fit_realism(
            np.concatenate([*(_embeddings(indexed, part) for part in learned), none_of_them]),
            np.concatenate([part["score"] for part in (*learned, rejected)]),
            np.repeat(np.array([1, 0, -1], np.int8), [*map(len, learned), len(rejected)]),
        )
        parts = in_parts(range(len(proposed)), _AT_ONCE)
        likeness = [
            _embeddings(indexed, proposed[part[0] : part[-1] + 1]) @ weights for part in parts
        ]
        values = realism(proposed["score"], np.concatenate(likeness), LIKELY).round(_PLACES)
    _write(archive, proposed, values)
    return len(confirmed) if enough else 0


def _on_pages(session: Session, status: str, among: NDArray[np.int64]) -> NDArray[Any]:
    """Return the marks of a status on segmented pages, in order of id; NaN for what is null."""
    statement = (
        select(Mark.id, Mark.score, Mark.realism)
        .join(Page, Mark.page_id == Page.id)
        .where(Mark.status == status, Page.segmenter.is_not(None))
        .order_by(Mark.id)
        .execution_options(yield_per=_AT_ONCE)
    )
    found = np.fromiter(map(_scored, session.execute(statement)), _SCORED)
    return found[np.isin(found["mark"], among)]


def _rejected(session: Session, model_id: str, size: int) -> tuple[NDArray[Any], Vectors]:
    """Return the last rejected marks that were embedded as they are, and their embeddings."""
    statement = (
        select(Mark.id, Mark.score, Mark.realism, Embedding.vector)
        .join(Page, Mark.page_id == Page.id)
        .join(Embedding, and_(Embedding.mark_id == Mark.id, Embedding.crop == Mark.crop))
        .where(Mark.status == "rejected", Page.segmenter.is_not(None))
        .where(Embedding.model_id == model_id)
        .order_by(Mark.id.desc())
        .limit(MOST_LEARNED)
    )
    rows = session.execute(statement).all()
    vectors = np.frombuffer(b"".join(row.vector for row in rows), "<f4").reshape(-1, size)
    return np.array([_scored(row[:3]) for row in rows], _SCORED), vectors


def _scored(row: Sequence[Any]) -> tuple[int, float, float]:
    mark, score, seen = row
    return mark, np.nan if score is None else score, np.nan if seen is None else seen


def _some(rows: NDArray[Any]) -> NDArray[Any]:
    """Return `MOST_LEARNED` of the rows at the most, evenly from first to last."""
    at = np.linspace(0, len(rows) - 1, min(len(rows), MOST_LEARNED)).round().astype(np.int64)
    return rows[at]


def _embeddings(indexed: Any, rows: NDArray[Any]) -> Vectors:
    """Return the embeddings of marks from their index, (N, D)."""
    return np.asarray(indexed.reconstruct_batch(np.ascontiguousarray(rows["mark"])), np.float32)


def _write(archive: Archive, proposed: NDArray[Any], values: NDArray[np.float64]) -> None:
    """Keep what changed. What is no proposal any more has no realism."""
    before = proposed["realism"]
    changed = (before != values) & ~(np.isnan(before) & np.isnan(values))
    rows = [
        {"id": mark, "realism": None if np.isnan(value) else value}
        for mark, value in zip(
            proposed["mark"][changed].tolist(), values[changed].tolist(), strict=True
        )
    ]
    judged = update(Mark).where(Mark.status != "proposed", Mark.realism.is_not(None))
    with archive.writing() as session:
        session.execute(judged.values(realism=None))
    for part in in_parts(rows, _AT_ONCE):
        with archive.writing() as session:
            session.execute(update(Mark), part)
