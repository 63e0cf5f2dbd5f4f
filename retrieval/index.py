"""The index: the searchable embeddings of one model, exact inner product in FAISS.

The catalogue is the truth; an index is derived from it. `embed_marks` brings the embeddings in the
catalogue up to date (retrieval.catalogued_embeddings), `refresh_index` brings the FAISS file up to
date with them: new vectors are added, those of marks removed that a search may not find any more,
and a file that is missing, damaged or foreign is rebuilt. Beside it lie each mark's nearest
neighbours: a mark is found by the company it keeps, too (retrieval.company). How the files lie
there, `retrieval.index_files` says.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from retrieval.calibration import Calibration, by_cosine, calibrate_pairs
from retrieval.catalogue import tables
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.files import disk_errors_said
from retrieval.catalogue.marks import may_be_found
from retrieval.catalogue.parts import in_parts
from retrieval.catalogued_embeddings import catalogued_vectors, embed_marks, register_model
from retrieval.company import company, find_neighbours, scores_from_outside, scores_within
from retrieval.embedding import dimension
from retrieval.gpu import on_gpu
from retrieval.index_files import Stored, once_finished, read_stored, write_stored
from retrieval.index_state import check_indexed, how_indexed, is_embedded_under
from retrieval.inkless import marks_without_ink
from retrieval.model import Model
from retrieval.progress import Report, nobody

_READ = 10_000  # rows read from the catalogue at once
_SEEN_BITS = 32  # of a look, the lowest, in which how a crop was seen is mixed with the crop's hash
#: A query alone is answered fastest by one thread: the others' barriers cost more than they bring.
_FEW_QUERIES = 8


@dataclass(frozen=True)
class VectorIndex:
    """Two FAISS indexes over mark ids, of the marks and of their company, and what scores mean."""

    model_id: str
    vectors: Any  # faiss.IndexIDMap2 over IndexFlatIP, on the CPU
    companies: Any  # the same
    searched: tuple[Any, Any]  # both on the GPU, where one works; else the same two
    cosines: Calibration  # of the cosines between two marks
    scores: Calibration  # of what `nearest` gives to a picture from outside
    scores_of_marks: Calibration  # of what it gives to a mark that is in it
    marks: NDArray[np.int64]  # the ids in it, ascending
    looks: NDArray[np.int64]  # which crop each was embedded by, as `_look` says it

    def __len__(self) -> int:
        return int(self.vectors.ntotal)

    def knows(self, mark: int, crop: str) -> bool:
        """Return whether a mark is in the index by this crop: its box may be another by now."""
        at = int(np.searchsorted(self.marks, mark))
        if at == len(self.marks) or self.marks[at] != mark:
            return False
        return int(self.looks[at]) >> _SEEN_BITS == _look(crop, None) >> _SEEN_BITS


@dataclass(frozen=True)
class Refreshed:
    """What bringing an index up to date changed.

    `unread` are sentences on marks whose crops could not be read, which the next run tries again.
    """

    embedded: int
    added: int
    removed: int
    total: int
    unread: tuple[str, ...]


def _look(crop: str, seen: str | None) -> int:
    """Return a number that tells whether a mark was cut or seen anew, from its crop's hash."""
    return int(crop[:15], 16) ^ zlib.crc32((seen or "").encode())


def refresh_index(
    archive: Archive,
    model: Model,
    report: Report = nobody,
    report_compared: Report = nobody,
) -> Refreshed:
    """Bring embeddings and index of `model` up to date with the archive's marks.

    Marks whose crops cannot be read are passed over. `report` as for `embed_marks`; then the marks
    are compared with one another, and `report_compared` is called with (done, total). Raises
    ArchiveError when the disk is full or refuses.
    """
    origin = "trained" if (archive.models_folder / model.id).exists() else "bundled"
    register_model(archive, model, origin)
    embedded, unread = embed_marks(archive, model, report)
    current = _synchronised(archive, model, report_compared)
    folder = archive.index_folder / model.id
    if current.changed or not once_finished(folder, model.id):
        with disk_errors_said(folder):
            write_stored(folder, model.id, current.stored, finished=True)
    return Refreshed(embedded, current.added, current.removed, len(current.stored.rows), unread)


@dataclass(frozen=True)
class _Synchronised:
    """What is to be stored as the catalogue has it, and how many marks were added and removed."""

    stored: Stored
    added: int
    removed: int
    changed: bool  # it is not what lies in the index's folder


def _synchronised(archive: Archive, model: Model, report: Report = nobody) -> _Synchronised:
    """Return what is stored after adding and removing what the catalogue says."""
    size = dimension(model)
    read = read_stored(archive.index_folder / model.id, model.id, size)
    stored = read or Stored.nothing(size)
    with archive.session() as session:  # one for all: what others do meanwhile is not seen
        target = _embedded(session, model.id)
        gone, new = _not_in(target, stored.rows), _not_in(stored.rows, target)
        if len(gone):
            stored.vectors.remove_ids(gone)
        for start in range(0, len(new), _READ):
            part = new[start : start + _READ]
            vectors = catalogued_vectors(session, model.id, part.tolist(), size)
            stored.vectors.add_with_ids(vectors, part)
    changed = read is None or len(gone) + len(new) > 0
    if changed:
        marks, vectors = target[:, 0], _in_order(stored.vectors)
        neighbours = find_neighbours(marks, vectors, stored.neighbours, np.isin(marks, new), report)
        # Blank pictures are as alike as can be, and nobody asks for them.
        bare = marks_without_ink(archive, model, marks, vectors)
        inked = np.flatnonzero(np.isin(marks, bare, invert=True))
        together = company(vectors, neighbours)
        stored = Stored(
            stored.vectors,
            target,
            neighbours,
            cosines=calibrate_pairs(by_cosine(vectors), inked),
            scores=calibrate_pairs(scores_from_outside(vectors, together, neighbours), inked),
            scores_of_marks=calibrate_pairs(scores_within(vectors, together), inked),
        )
    return _Synchronised(stored, len(new), len(gone), changed)


def _searchable(model_id: str, stored: Stored) -> VectorIndex:
    companies = faiss.IndexIDMap2(faiss.IndexFlatIP(stored.vectors.d))
    together = company(_in_order(stored.vectors), stored.neighbours)
    companies.add_with_ids(together, stored.rows[:, 0])
    return VectorIndex(
        model_id=model_id,
        vectors=stored.vectors,
        companies=companies,
        searched=(on_gpu(stored.vectors), on_gpu(companies)),
        cosines=stored.cosines,
        scores=stored.scores,
        scores_of_marks=stored.scores_of_marks,
        marks=stored.rows[:, 0],
        looks=stored.rows[:, 1],
    )


def _embedded(session: Session, model_id: str) -> NDArray[np.int64]:
    """Return (mark, look) of every mark that may be found under a model, ascending: (N, 2)."""
    statement = _found_under(model_id).execution_options(yield_per=_READ)
    rows = ((mark, _look(crop, seen)) for mark, crop, seen in session.execute(statement))
    return np.fromiter(rows, np.dtype((np.int64, 2)))


def _found_under(model_id: str) -> Select[int, str, str | None]:
    """Return what selects the marks that may be found under a model, ascending, and their crops.

    Marks whose crop changed since are left out until re-embedded.
    """
    return (
        select(tables.Mark.id, tables.Embedding.crop, tables.Embedding.seen)
        .join(tables.Embedding, tables.Embedding.mark_id == tables.Mark.id)
        .where(tables.Embedding.model_id == model_id, may_be_found())
        .where(tables.Embedding.crop == tables.Mark.crop)
        .order_by(tables.Mark.id)
    )


def lacks_any(archive: Archive, index: VectorIndex, marks: Iterable[int]) -> bool:
    """Return whether bringing an index up to date would add any of a few marks to it."""
    with archive.session() as session:
        for some in in_parts(sorted(marks)):
            found = session.execute(_found_under(index.model_id).where(tables.Mark.id.in_(some)))
            if any(not index.knows(mark, crop) for mark, crop, _ in found):
                return True
    return False


def _not_in(others: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the marks, ascending, of those (mark, look) rows that others lack; both ascend."""
    at = np.searchsorted(others[:, 0], rows[:, 0])
    known = at < len(others)
    known[known] = others[at[known], 0] == rows[known, 0]
    known[known] = others[at[known], 1] == rows[known, 1]
    return np.asarray(rows[~known, 0], np.int64)


def _in_order(index: Any) -> NDArray[np.float32]:
    """Return a copy of all vectors of an index, (N, D), in ascending order of their marks."""
    flat: Any = faiss.downcast_index(index.index)
    vectors = faiss.rev_swig_ptr(flat.get_xb(), index.ntotal * index.d).reshape(-1, index.d)
    return np.asarray(vectors[np.argsort(faiss.vector_to_array(index.id_map))])


def load_index(archive: Archive, model: Model) -> VectorIndex:
    """Return the index of `model` as the catalogue has it now, for a job that holds the archive.

    It is rebuilt if it cannot be trusted, and what changed is written to its folder, where the disk
    lets it be. Nothing is embedded. Raises what `check_indexed` raises.
    """
    check_indexed(archive, model)
    return _followed(archive, model)


def index_to_search(archive: Archive, model: Model) -> VectorIndex:
    """Return the index of `model` for a search, which holds no lock; an empty one raises nothing.

    It is what `load_index` returns, and is written as there. While a long job holds the archive it
    is what was sealed last, if anything was, and nothing is written: that job may be embedding
    thousands of marks, and every search would bring the index up to date with a few more. Marks
    that are gone since are for the search to leave out.
    """
    if archive.is_locked():
        stored = read_stored(archive.index_folder / model.id, model.id, dimension(model))
        if stored is not None:
            return _searchable(model.id, stored)
    return _followed(archive, model)


def _followed(archive: Archive, model: Model) -> VectorIndex:
    """Return the index as the catalogue has it now, and write it where it changed."""
    if not is_embedded_under(archive, model.id):
        return _searchable(model.id, Stored.nothing(dimension(model)))
    current = _synchronised(archive, model)
    if current.changed:
        finished = how_indexed(archive, model.id).finished
        with contextlib.suppress(OSError):  # it is derived: searches do without
            write_stored(archive.index_folder / model.id, model.id, current.stored, finished)
    return _searchable(model.id, current.stored)


def nearest(
    index: VectorIndex,
    vectors: NDArray[np.float32],
    top: int,
    among: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return scores and mark ids, (N, K) each, best first, of the K <= `top` nearest marks.

    `vectors` is (N, D), L2-normalised. A score is the cosine to the mark or to its company, the
    larger of the two. `among` restricts the search to those mark ids. Equal scores are ordered by
    mark id.
    """
    wanted = len(index) if among is None else len(among)
    count = max(0, min(top, wanted))
    if count == 0:
        return np.zeros((len(vectors), 0), np.float32), np.zeros((len(vectors), 0), np.int64)
    vectors = np.ascontiguousarray(vectors, np.float32)
    parameters: Any = faiss.SearchParameters
    threads = faiss.omp_get_max_threads()
    if len(vectors) < _FEW_QUERIES:
        faiss.omp_set_num_threads(1)
    try:
        if among is None:
            found = [searched.search(vectors, count) for searched in index.searched]
        else:
            chosen = parameters(sel=faiss.IDSelectorBatch(among))
            found = [
                searched.search(vectors, count, params=chosen)
                for searched in (index.vectors, index.companies)
            ]
    finally:
        faiss.omp_set_num_threads(threads)
    scores, marks = (np.hstack(both) for both in zip(*found, strict=True))
    # Whoever is among the best by the larger of two scores is among the best by one of them.
    order = np.lexsort((-scores, marks), axis=1)
    scores, marks = (np.take_along_axis(values, order, axis=1) for values in (scores, marks))
    scores[:, 1:][marks[:, 1:] == marks[:, :-1]] = -np.inf
    order = np.lexsort((marks, -scores), axis=1)[:, :count]
    return (
        np.take_along_axis(scores, order, axis=1),
        np.take_along_axis(marks, order, axis=1),
    )


def stored_vectors(index: VectorIndex, marks: list[int]) -> NDArray[np.float32]:
    """Return the embeddings of `marks` from the index, (N, D); KeyError for a mark not in it."""
    vectors = np.empty((len(marks), index.vectors.d), np.float32)
    for row, mark in zip(vectors, marks, strict=True):
        try:
            row[:] = index.vectors.reconstruct(mark)
        except RuntimeError:
            raise KeyError(mark) from None
    return vectors
