"""Proposals ranked anew by their realism, each time that what is searched was indexed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, and_, not_, or_, select, update
from sqlalchemy.orm import Session

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.marks import LIKELY, on_a_copy
from retrieval.catalogue.parts import in_parts
from retrieval.catalogue.tables import Embedding, Mark, Page
from retrieval.catalogued_embeddings import EMBEDDED_AT_ONCE, catalogued_vectors, embed_part
from retrieval.embedding import dimension
from retrieval.ink import SEEN
from retrieval.model import Model
from retrieval.progress import Report, nobody
from retrieval.realism import LEAST_CONFIRMED, fit_realism, realism
from retrieval.vectors import Vectors

#: Marks that are learned from of those confirmed, rejected and not judged, each; of more, this many
#: from all over the archive.
MOST_LEARNED = 10_000
_AT_ONCE = 10_000  # rows read from the catalogue or the index, or written in one transaction
_PLACES = 4  # decimals that are kept
#: 2 ** 64 by the golden ratio: products with it, modulo 2 ** 64, scatter neighbouring ids
#: evenly (Knuth, The Art of Computer Programming 3, 6.4).
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)

_SCORED = np.dtype([("mark", np.int64), ("score", np.float64), ("realism", np.float64)])


def rank_proposals(archive: Archive, model: Model, report: Report = nobody) -> int:
    """Give each proposal its realism by its embedding under a model that is searched by.

    Learned from are marks on pages that were segmented: crops that were taken in as marks lie on
    other paper, and look otherwise. Returns by how many confirmed marks. Where fewer than
    `LEAST_CONFIRMED` are confirmed, no proposal has any realism, and 0 is returned.

    Rejected marks that are learned from are embedded, and `report` called with (done, total) of
    them; those whose crops cannot be read teach nothing.
    """
    _embed_rejected(archive, model, report)
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


def _embed_rejected(archive: Archive, model: Model, report: Report) -> None:
    """Embed those rejected marks that are learned from, if any are, and are not embedded yet.

    No index takes them in: they were rejected before there was one under this model, or before its
    marks were seen as they are now.
    """
    with archive.session() as session:
        if len(_embedded(session, model.id, "confirmed")) < LEAST_CONFIRMED:
            return
        every = np.fromiter(map(_scored, session.execute(_on_pages("rejected"))), _SCORED)
        known = _embedded(session, model.id, "rejected")
    missing = np.setdiff1d(_some(every)["mark"], known["mark"]).tolist()
    for number, ids in enumerate(in_parts(missing, EMBEDDED_AT_ONCE)):
        with archive.session() as session:
            crops = select(Mark.id, Mark.crop).where(Mark.id.in_(ids)).order_by(Mark.id)
            part = [(mark, crop) for mark, crop in session.execute(crops)]
        embed_part(archive, model, part, [])
        report(number * EMBEDDED_AT_ONCE + len(ids), len(missing))


def _on_pages(status: str) -> Select[int, float | None, float | None]:
    """Return the statement on the marks of a status on segmented pages, in order of id.

    Proposals on copies of a page are left out.
    """
    return (
        select(Mark.id, Mark.score, Mark.realism)
        .join(Page, Mark.page_id == Page.id)
        .where(Mark.status == status, Page.segmenter.is_not(None))
        .where(or_(Mark.status != "proposed", not_(on_a_copy())))
        .order_by(Mark.id)
        .execution_options(yield_per=_AT_ONCE)
    )


def _embedded(session: Session, model_id: str, status: str) -> NDArray[Any]:
    """Return those of `_on_pages` that were embedded as they are now; NaN for what is null."""
    as_it_is = and_(
        Embedding.mark_id == Mark.id,
        Embedding.model_id == model_id,
        Embedding.crop == Mark.crop,
        Embedding.seen == SEEN,
    )
    found = session.execute(_on_pages(status).join(Embedding, as_it_is))
    return np.fromiter(map(_scored, found), _SCORED)


def _scored(row: Sequence[Any]) -> tuple[int, float, float]:
    mark, score, seen = row
    return mark, np.nan if score is None else score, np.nan if seen is None else seen


def _some(rows: NDArray[Any]) -> NDArray[Any]:
    """Return at most `MOST_LEARNED` of the rows, scattered over all of them.

    With a few more rows nearly the same are chosen, so that few have to be embedded anew.
    """
    scattered = rows["mark"].astype(np.uint64) * _GOLDEN
    return rows[np.sort(np.argsort(scattered)[:MOST_LEARNED])]


def _vectors(session: Session, model: Model, rows: NDArray[Any]) -> Vectors:
    """Return the embeddings of marks, (N, D)."""
    return catalogued_vectors(session, model.id, rows["mark"].tolist(), dimension(model))


def _write(archive: Archive, proposed: NDArray[Any], values: NDArray[np.float64]) -> None:
    """Keep what changed. Marks that are no longer proposals get no realism."""
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
