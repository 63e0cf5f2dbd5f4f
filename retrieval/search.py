"""Search: how a sketch becomes a ranked list.

    picture -> ink on paper (retrieval.ink) -> embedding (retrieval.embedding)
            -> nearest marks by cosine, their own or their company's (retrieval.index)
            -> their pages and documents (catalogue)
            -> and, where that is asked for, places without a mark (retrieval.places)

A query may also be marks already in the archive: what a person liked, less what they did not.
It is held as it is, unless other ways to hold it are named (retrieval.orientation): then it is
embedded in all of them at once, and a mark counts by the way in which it is most alike.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.calibration import Calibration
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.canvases import CanvasRow, canvas_rows
from retrieval.catalogue.documents import Filters
from retrieval.catalogue.errors import ArchiveError, NoInk, QueryError
from retrieval.catalogue.marks import MarkRow, mark_ids, mark_rows
from retrieval.crops import load_crop
from retrieval.embedding import embed_pictures
from retrieval.index import VectorIndex, index_to_search, nearest, stored_vectors
from retrieval.ink import normalise_all, without_ink
from retrieval.model import Model
from retrieval.orientation import UPRIGHT, Orientation, held
from retrieval.places import Place, Places, find_places
from retrieval.which_model import searched_model

#: How far a disliked mark pushes the query away, against 1 for a liked one (Rocchio 1971).
DISLIKE = 0.5


@dataclass(frozen=True)
class Searcher:
    """An archive with its model and index loaded: answers any number of queries."""

    archive: Archive
    model: Model
    index: VectorIndex


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One place of a ranked list."""

    rank: int
    mark: int
    score: float  # cosine to the mark or its company, the larger, in [-1, 1]
    unrelated: float  # share of unrelated marks at least this alike in any way, in (0, 1]
    source: str
    page: int
    box: tuple[int, int, int, int]  # x, y, width, height in pixels of the master
    crop: str  # SHA-256 of the crop's picture
    status: str  # proposed or confirmed
    document: dict[str, Any] | None
    held: Orientation = UPRIGHT  # how the query is to be held to look like this mark
    canvas: CanvasRow | None = None  # what the IIIF canvas of its page says of it


Found = Hit | Place


@dataclass(frozen=True)
class Scope:
    """Among what a search looks, how it holds the query, and how much it returns."""

    places: Places | None = None  # looked at beside the marks
    top: int = 20  # results at the most
    where: Filters = field(default_factory=Filters)
    ways: Sequence[Orientation] = (UPRIGHT,)  # as `orientations` gives them


def load_searcher(archive: Archive, model_id: str | None = None) -> Searcher:
    """Load the model (`searched_model` says which) and its index (`index_to_search`), to search.

    The index holds no mark where none is indexed: places are found all the same, and
    `check_indexed` says what to do. Raises ModelError when there is no such model.
    """
    model = searched_model(archive, model_id)
    return Searcher(archive, model, index_to_search(archive, model))


def search_images(
    searcher: Searcher,
    images: Sequence[NDArray[np.uint8]],
    disliked: Sequence[int] = (),
    *,
    scope: Scope = Scope(),
) -> list[list[Found]]:
    """Return a ranked list for each picture of a mark: uint8, (H, W) or (H, W, 3 or 4).

    Each picture is held in every one of the scope's ways; the best of them is a mark's score. What
    is `disliked` pushes the search away and is left out. With places in the scope, those that are
    like it stand among the marks. Raises NoInk where nothing is drawn on a picture, QueryError when
    a disliked mark does not exist, was rejected or has no ink.
    """
    vectors = query_vectors(searcher, images, scope.ways, disliked)
    ranked = rank_marks(searcher, vectors, searcher.index.scores, scope, disliked)
    return [
        _with_places(searcher, hits, one, scope) for hits, one in zip(ranked, vectors, strict=True)
    ]


def search_marks(
    searcher: Searcher,
    liked: Sequence[int],
    disliked: Sequence[int] = (),
    *,
    scope: Scope = Scope(),
) -> list[Found]:
    """Return what is like the `liked` marks and unlike the `disliked` ones, these left out.

    `scope` as for `search_images`. Raises QueryError when no mark is liked, one does not exist, was
    rejected, has no ink or is both liked and disliked, and ArchiveError when the picture is gone of
    a liked mark that is to be turned, or of one that is not indexed yet.
    """
    wanted = wanted_vectors(searcher, liked, disliked, scope.ways)
    scores = searcher.index.scores_of_marks
    (hits,) = rank_marks(searcher, wanted[None], scores, scope, [*liked, *disliked])
    return _with_places(searcher, hits, wanted, scope)


def _with_places(
    searcher: Searcher, hits: Sequence[Hit], vectors: NDArray[np.float32], scope: Scope
) -> list[Found]:
    if scope.places is None:
        return list(hits)
    places = find_places(
        searcher.archive, scope.places, vectors, scope.ways, scope.top, scope.where
    )
    return together(hits, places, scope.top)


def together(hits: Iterable[Hit], places: Iterable[Place], top: int) -> list[Found]:
    """Return marks and places in one list, the most alike first; of equal ones the mark."""
    both: list[Found] = [*hits, *places]
    both.sort(key=lambda one: -one.score)  # stable: marks stay before places
    return [replace(one, rank=rank) for rank, one in enumerate(both[:top], start=1)]


def wanted_vectors(
    searcher: Searcher,
    liked: Sequence[int],
    disliked: Sequence[int] = (),
    ways: Sequence[Orientation] = (UPRIGHT,),
) -> NDArray[np.float32]:
    """Return what a search by marks looks for in each of W ways, (W, D) L2-normalised.

    Raises what `search_marks` raises.
    """
    if not liked:
        raise QueryError("A search by marks needs at least one mark that is liked.")
    if both := sorted(set(liked) & set(disliked)):
        raise QueryError(f"Mark {both[0]} is both liked and disliked; leave out one of them.")
    rows = _rows_of(searcher, [*liked, *disliked])
    _check_ink(searcher, rows.values())
    stored = _vectors_of(searcher, liked, rows)
    wanted = _liked_held(searcher, [rows[mark] for mark in liked], stored, ways)
    return _pushed_away(wanted, _vectors_of(searcher, disliked, rows))


def query_vectors(
    searcher: Searcher,
    images: Sequence[NDArray[np.uint8]],
    ways: Sequence[Orientation],
    disliked: Sequence[int] = (),
) -> NDArray[np.float32]:
    """Return the embeddings of N pictures held in each of W ways, (N, W, D), in one batch.

    Each is pushed away from the `disliked` marks. Raises NoInk where nothing is drawn on one of
    them: bare paper is like nothing but bare paper; QueryError when a mark does not exist, was
    rejected or has no ink.
    """
    seen = normalise_all(images, searcher.model.shape.size)
    if bare := without_ink(seen):
        raise NoInk(bare)
    rows = _rows_of(searcher, disliked)
    _check_ink(searcher, rows.values())
    wanted = _held_vectors(searcher, seen, ways)
    return _pushed_away(wanted, _vectors_of(searcher, disliked, rows))


def _check_ink(searcher: Searcher, rows: Iterable[MarkRow]) -> None:
    """Raise QueryError where a mark has no ink; of one whose crop is gone nothing is known."""
    for row in rows:
        with contextlib.suppress(ArchiveError):
            crop = load_crop(searcher.archive, row.crop)
            if without_ink(normalise_all([crop], searcher.model.shape.size)):
                raise QueryError(
                    f"The picture of mark {row.mark} has no ink, so there is nothing to "
                    "compare. Leave it out of the search."
                )


def _held_vectors(
    searcher: Searcher, seen: NDArray[np.float32], ways: Sequence[Orientation]
) -> NDArray[np.float32]:
    """Return the embeddings of N normalised pictures held in each of W ways, (N, W, D)."""
    pictures = held(seen, ways)
    vectors = embed_pictures(searcher.model, pictures.reshape(-1, *pictures.shape[2:]))
    return vectors.reshape(len(seen), len(ways), vectors.shape[1])


def _crop_vectors(
    searcher: Searcher, rows: Iterable[MarkRow], ways: Sequence[Orientation]
) -> NDArray[np.float32]:
    """Return the embeddings of marks by their crops held in each of W ways, (N, W, D)."""
    crops = [load_crop(searcher.archive, row.crop) for row in rows]
    return _held_vectors(searcher, normalise_all(crops, searcher.model.shape.size), ways)


def _pushed_away(wanted: NDArray[np.float32], disliked: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return vectors (..., D) less what the disliked (N, D) have in common, L2-normalised."""
    if len(disliked):
        wanted = wanted - DISLIKE * disliked.mean(axis=0)
    lengths = np.linalg.norm(wanted, axis=-1, keepdims=True)
    if lengths.min(initial=1.0) < 1e-6:
        raise QueryError("What is liked and what is disliked are the same; like another mark.")
    return np.asarray(wanted / lengths, np.float32)


def mark_vectors(searcher: Searcher, marks: Sequence[int]) -> NDArray[np.float32]:
    """Return the embeddings of marks of the archive, (N, D); those not indexed yet by their crops.

    So are those that were cut anew since. Raises QueryError for a mark that does not exist or was
    rejected, if only since the index was read.
    """
    return _vectors_of(searcher, marks, _rows_of(searcher, marks))


def _rows_of(searcher: Searcher, marks: Sequence[int]) -> dict[int, MarkRow]:
    """Return marks as they are now; QueryError where one does not exist or was rejected."""
    if not marks:
        return {}
    with searcher.archive.session() as session:
        rows = mark_rows(session, marks)
    for mark in marks:
        if mark not in rows or rows[mark].status == "rejected":
            raise QueryError(
                f"Mark {mark} is not in the index: it does not exist or was rejected. Search "
                "without it."
            )
    return rows


def _vectors_of(
    searcher: Searcher, marks: Sequence[int], rows: Mapping[int, MarkRow]
) -> NDArray[np.float32]:
    """Return what `mark_vectors` does, of marks that are in `rows`."""
    new = [mark for mark in marks if not searcher.index.knows(mark, rows[mark].crop)]
    if not new:
        return stored_vectors(searcher.index, list(marks))
    by_crop = _crop_vectors(searcher, [rows[mark] for mark in new], (UPRIGHT,))[:, 0]
    seen = dict(zip(new, by_crop, strict=True))
    known = [mark for mark in marks if mark not in seen]
    seen.update(zip(known, stored_vectors(searcher.index, known), strict=True))
    return np.stack([seen[mark] for mark in marks])


def _liked_held(
    searcher: Searcher,
    liked: Sequence[MarkRow],
    stored: NDArray[np.float32],
    ways: Sequence[Orientation],
) -> NDArray[np.float32]:
    """Return what the liked marks have in common in each of W ways, (W, D).

    `stored` (L, D) are their vectors as they lie in the archive. One may lie there turned against
    another: each is held as it is most like the first before their turns are averaged.
    """
    if tuple(ways) == (UPRIGHT,):
        return np.asarray(stored.mean(axis=0, keepdims=True), np.float32)
    seen = _crop_vectors(searcher, liked, ways)
    as_first = [ways[int(at)] for at in (seen @ stored[0]).argmax(axis=1)]
    turns = [[ways.index(first.then(way)) for way in ways] for first in as_first]
    return np.asarray(np.mean([s[at] for s, at in zip(seen, turns, strict=True)], axis=0))


def rank_marks(
    searcher: Searcher,
    vectors: NDArray[np.float32],
    scores_of: Calibration,
    scope: Scope,
    but: Sequence[int] = (),
) -> Iterator[list[Hit]]:
    """Give one ranked list a query, each of them W vectors: (N, W, D); marks in `but` in none.

    `scores_of` says what the scores of such queries mean.
    """
    top, ways = scope.top, scope.ways
    if top < 1:
        raise QueryError(f"A search returns at least one result; top = {top} was asked for.")
    with searcher.archive.session() as session:
        among = None
        if scope.where != Filters():
            fitting = np.asarray(mark_ids(session, scope.where), np.int64)
            among = np.intersect1d(fitting, searcher.index.marks, assume_unique=True)
        asked, passed_over = vectors.reshape(-1, vectors.shape[-1]), set(but)
        while True:
            count = top + len(passed_over)
            scores, marks = nearest(searcher.index, asked, count, among)
            seen: list[int] = np.unique(marks).tolist()
            rows = mark_rows(session, seen)
            # Deleted, rejected or cut anew since the index was read: others take their places.
            passed_over.update(
                mark
                for mark in seen
                if mark not in rows
                or rows[mark].status == "rejected"
                or not searcher.index.knows(mark, rows[mark].crop)
            )
            if top + len(passed_over) == count or marks.shape[1] < count:
                break
        canvases = canvas_rows(session, sorted({row.page for row in rows.values()}))
    # Held in W ways, an unrelated mark has W chances to look this alike.
    unrelated = np.minimum(scores_of.unrelated(scores) * len(ways), 1.0)
    for start in range(0, len(scores), len(ways)):
        part = slice(start, start + len(ways))
        known = [
            (score, share, rows[mark], way)
            for way, *lists in zip(
                ways, scores[part].tolist(), unrelated[part].tolist(), marks[part].tolist(),
                strict=True,
            )
            for score, share, mark in zip(*lists, strict=True)
            if mark not in passed_over
        ]  # fmt: skip
        best: dict[int, tuple[float, float, MarkRow, Orientation]] = {}
        for place in sorted(known, key=lambda place: (-place[0], place[2].mark)):
            best.setdefault(place[2].mark, place)
        listed = list(best.values())[:top]
        yield [
            Hit(
                rank=rank,
                mark=row.mark,
                score=score,
                unrelated=share,
                source=row.source,
                page=row.page,
                box=row.box,
                crop=row.crop,
                status=row.status,
                document=row.document,
                held=way,
                canvas=canvases.get(row.page),
            )
            for rank, (score, share, row, way) in enumerate(listed, start=1)
        ]
