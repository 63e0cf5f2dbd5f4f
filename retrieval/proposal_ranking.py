"""Proposals ranked anew by their realism, each time that what is searched was indexed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import and_, not_, or_, select, update
from sqlalchemy.orm import Session

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.marks import LIKELY, on_a_copy
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.tables import Embedding, Mark, Page
from retrieval.embedding import dimension
from retrieval.index import catalogued_vectors
from retrieval.ink import SEEN
from retrieval.model import Model
from retrieval.realism import LEAST_CONFIRMED, fit_realism, realism
from retrieval.vectors import Vectors

#: Marks of each verdict that are learned from; of more, this many from all over the archive.
MOST_LEARNED = 10_000
_AT_ONCE = 10_000  # rows read from the catalogue or the index, or written in one transaction
_PLACES = 4  # decimals that are kept

_SCORED = np.dtype([("mark", np.int64), ("score", np.float64), ("realism", np.float64)])


def rank_proposals(archive: Archive, model: Model) -> int:
    """Give each proposal its realism by its embedding under a model that is searched by.

    Learned from are marks on pages that were segmented: crops that were taken in as marks lie on
    other paper, and look otherwise. Returns by how many confirmed marks. Where fewer than
    `LEAST_CONFIRMED` are confirmed, no proposal has any realism, and 0 is returned.
    """
    with archive.session() as session:
        confirmed, proposed, rejected = (
            _embedded(session, model.id, status) for status in ("confirmed", "proposed", "rejected")
        )
        proposed = proposed[~np.isnan(proposed["score"])]
        enough = len(confirmed) >= LEAST_CONFIRMED
        values = np.full(len(proposed), np.nan)
        if enough and len(proposed):
            learned = [_some(confirmed), _some(proposed), _some(rejected)]
            weights = fit_realism(
                np.concatenate([_vectors(session, model, part) for part in learned]),
                np.concatenate([part["score"] for part in learned]),
                np.repeat(np.array([1, 0, -1], np.int8), [len(part) for part in learned]),
            )
            parts = in_parts(range(len(proposed)), _AT_ONCE)
            likeness = [
                _vectors(session, model, proposed[part[0] : part[-1] + 1]) @ weights
                for part in parts
            ]
            values = realism(proposed["score"], np.concatenate(likeness), LIKELY).round(_PLACES)
    _write(archive, proposed, values)
    return len(confirmed) if enough else 0


def _embedded(session: Session, model_id: str, status: str) -> NDArray[Any]:
    """Return the marks of a status on segmented pages that were embedded as they are, by id.

    NaN for what is null. Proposals on copies of a page are left out.
    """
    as_it_is = and_(
        Embedding.mark_id == Mark.id,
        Embedding.model_id == model_id,
        Embedding.crop == Mark.crop,
        Embedding.seen == SEEN,
    )
    statement = (
        select(Mark.id, Mark.score, Mark.realism)
        .join(Page, Mark.page_id == Page.id)
        .join(Embedding, as_it_is)
        .where(Mark.status == status, Page.segmenter.is_not(None))
        .where(or_(Mark.status != "proposed", not_(on_a_copy())))
        .order_by(Mark.id)
        .execution_options(yield_per=_AT_ONCE)
    )
    return np.fromiter(map(_scored, session.execute(statement)), _SCORED)


def _scored(row: Sequence[Any]) -> tuple[int, float, float]:
    mark, score, seen = row
    return mark, np.nan if score is None else score, np.nan if seen is None else seen


def _some(rows: NDArray[Any]) -> NDArray[Any]:
    """Return `MOST_LEARNED` of the rows at the most, evenly from first to last."""
    at = np.linspace(0, len(rows) - 1, min(len(rows), MOST_LEARNED)).round().astype(np.int64)
    return rows[at]


def _vectors(session: Session, model: Model, rows: NDArray[Any]) -> Vectors:
    """Return the embeddings of marks, (N, D)."""
    return catalogued_vectors(session, model.id, rows["mark"].tolist(), dimension(model))


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
