"""Search: how a sketch becomes a ranked list.

    picture -> ink on paper (retrieval.ink) -> embedding (retrieval.embedding)
            -> nearest marks by cosine (retrieval.index) -> their pages and documents (catalogue)

A query may also be marks already in the archive: what a person liked, less what they did not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.calibration import Calibration
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import QueryError
from retrieval.catalogue.queries import MarkRow, mark_ids, mark_rows
from retrieval.embedding import embed
from retrieval.index import VectorIndex, load_index, nearest, stored_vectors
from retrieval.learn import archive_model
from retrieval.model import Model

#: How far a disliked mark pushes the query away, against 1 for a liked one (Rocchio 1971).
DISLIKE = 0.5


@dataclass(frozen=True)
class Filters:
    """What a historian narrows a search to; None lets everything through.

    A document dated over a span of years fits when its span meets the filter's.
    """

    year_from: int | None = None
    year_to: int | None = None
    series: str | None = None  # "HCA 32"
    ship: str | None = None


@dataclass(frozen=True)
class Searcher:
    """An archive with its model and index loaded: answers any number of queries."""

    archive: Archive
    model: Model
    index: VectorIndex

    @property
    def calibration(self) -> Calibration:
        """What share of unrelated marks reaches a cosine, under this model in this archive."""
        return self.index.calibration


@dataclass(frozen=True)
class Hit:
    """One place of a ranked list."""

    rank: int
    mark: int
    score: float  # cosine, in [-1, 1]
    unrelated: float  # share of unrelated marks at least this alike, in (0, 1]
    source: str
    page: int
    box: tuple[int, int, int, int]  # x, y, width, height in pixels of the master
    crop: str  # SHA-256 of the crop's picture
    document: dict[str, Any] | None


def load_searcher(archive: Archive, model_id: str | None = None) -> Searcher:
    """Load the model (`archive_model` says which) and its index, brought up to date.

    Raises ModelError when there is no such model or nothing is indexed under it.
    """
    model = archive_model(archive, model_id)
    return Searcher(archive, model, load_index(archive, model))


def search_images(
    searcher: Searcher,
    images: Sequence[NDArray[np.uint8]],
    *,
    top: int = 20,
    where: Filters | None = None,
) -> list[list[Hit]]:
    """Return a ranked list for each picture of a mark: uint8, (H, W) or (H, W, 3 or 4)."""
    return list(_ranked(searcher, embed(searcher.model, images), top, where))


def search_marks(
    searcher: Searcher,
    liked: Sequence[int],
    disliked: Sequence[int] = (),
    *,
    top: int = 20,
    where: Filters | None = None,
) -> list[Hit]:
    """Return what is like the `liked` marks and unlike the `disliked` ones, these left out.

    Raises QueryError when no mark is liked or one is not in the index.
    """
    if not liked:
        raise QueryError("A search by marks needs at least one mark that is liked.")
    try:
        wanted = stored_vectors(searcher.index, list(liked)).mean(axis=0)
        unwanted = stored_vectors(searcher.index, list(disliked))
    except KeyError as error:
        raise QueryError(
            f"Mark {error.args[0]} is not in the index of {searcher.archive.folder}: it does not "
            "exist, was rejected, or the archive has to be indexed again."
        ) from None
    if len(unwanted):
        wanted = wanted - DISLIKE * unwanted.mean(axis=0)
    length = float(np.linalg.norm(wanted))
    if length < 1e-6:
        raise QueryError("What is liked and what is disliked are the same; like another mark.")
    named = {*liked, *disliked}
    hits = next(_ranked(searcher, wanted[None] / length, top + len(named), where))
    kept = [hit for hit in hits if hit.mark not in named][:top]
    return [replace(hit, rank=rank) for rank, hit in enumerate(kept, start=1)]


def _ranked(
    searcher: Searcher, vectors: NDArray[np.float32], top: int, where: Filters | None
) -> Iterator[list[Hit]]:
    """Give one ranked list a query vector, (N, D)."""
    if top < 1:
        raise QueryError(f"A search returns at least one result; top = {top} was asked for.")
    with searcher.archive.session() as session:
        among = None
        if where is not None and where != Filters():
            fitting = np.asarray(mark_ids(session, **asdict(where)), np.int64)
            among = np.intersect1d(fitting, searcher.index.marks, assume_unique=True)
        scores, marks = nearest(searcher.index, vectors, top, among)
        rows = mark_rows(session, np.unique(marks).tolist())
    unrelated = searcher.calibration.unrelated(scores)
    for places in zip(scores.tolist(), unrelated.tolist(), marks.tolist(), strict=True):
        # A mark deleted since the index was read is passed over.
        known = [(s, u, rows[m]) for s, u, m in zip(*places, strict=True) if m in rows]
        yield [_hit(rank, *place) for rank, place in enumerate(known, start=1)]


def _hit(rank: int, score: float, unrelated: float, row: MarkRow) -> Hit:
    return Hit(
        rank, row.mark, score, unrelated, row.source, row.page, row.box, row.crop, row.document
    )
