from __future__ import annotations

import json

import faiss
import numpy as np
import pytest
from sqlalchemy import delete, update

from retrieval.catalogue import tables
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import ModelError
from retrieval.index import (
    SEAL,
    VECTORS,
    gpu_works,
    load_index,
    nearest,
    refresh_index,
    stored_vectors,
)
from retrieval.model import Model
from tests.drawn_marks import add_marks


def catalogued_vectors(archive: Archive) -> dict[int, np.ndarray]:
    with archive.session() as session:
        rows = session.query(tables.Embedding.mark_id, tables.Embedding.vector).all()
    return {mark: np.frombuffer(vector, "<f4") for mark, vector in rows}


def test_search_is_exact(archive: Archive, tiny_model: Model) -> None:
    add_marks(archive, range(30))
    refresh_index(archive, tiny_model)
    index = load_index(archive, tiny_model)
    vectors = catalogued_vectors(archive)
    query = np.stack([vectors[7], vectors[12]])
    scores, marks = nearest(index, query, 30)
    for row, row_scores, wanted in zip(marks, scores, query, strict=True):
        cosines = {mark: float(vector @ wanted) for mark, vector in vectors.items()}
        assert sorted(cosines.values(), reverse=True) == pytest.approx(
            row_scores.tolist(), abs=1e-5
        )
        assert [cosines[mark] for mark in row] == pytest.approx(row_scores.tolist(), abs=1e-5)
    assert marks[0, 0] == 7
    assert marks[1, 0] == 12


def test_vectors_are_normalised(archive: Archive, tiny_model: Model) -> None:
    add_marks(archive, range(5))
    refresh_index(archive, tiny_model)
    for vector in catalogued_vectors(archive).values():
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_only_what_is_new_is_embedded_and_added(archive: Archive, tiny_model: Model) -> None:
    add_marks(archive, range(10))
    first = refresh_index(archive, tiny_model)
    assert (first.embedded, first.added, first.removed, first.total) == (10, 10, 0, 10)
    again = refresh_index(archive, tiny_model)
    assert (again.embedded, again.added, again.removed, again.total) == (0, 0, 0, 10)
    add_marks(archive, range(10, 13))
    more = refresh_index(archive, tiny_model)
    assert (more.embedded, more.added, more.removed, more.total) == (3, 3, 0, 13)


def test_deleted_and_rejected_marks_leave_the_index(archive: Archive, tiny_model: Model) -> None:
    marks = add_marks(archive, range(10))
    refresh_index(archive, tiny_model)
    with archive.session() as session:
        session.execute(delete(tables.Mark).where(tables.Mark.id == marks[3]))
        session.execute(
            update(tables.Mark).where(tables.Mark.id == marks[5]).values(status="rejected")
        )
    index = load_index(archive, tiny_model)
    _, found = nearest(index, np.eye(1, index.vectors.d, dtype=np.float32), 10)
    assert set(found[0]) == set(marks) - {marks[3], marks[5]}
    with pytest.raises(KeyError):
        stored_vectors(index, [marks[3]])


def test_a_mark_cut_anew_is_embedded_anew(archive: Archive, tiny_model: Model) -> None:
    marks = add_marks(archive, range(4))
    refresh_index(archive, tiny_model)
    before = load_index(archive, tiny_model)
    with archive.session() as session:
        other = session.get_one(tables.Mark, marks[1]).crop
        session.execute(update(tables.Mark).where(tables.Mark.id == marks[0]).values(crop=other))
    done = refresh_index(archive, tiny_model)
    assert (done.embedded, done.added, done.removed) == (1, 1, 1)
    after = load_index(archive, tiny_model)
    same = stored_vectors(after, [marks[0], marks[1]])
    np.testing.assert_allclose(same[0], same[1], atol=1e-6)
    assert not np.allclose(stored_vectors(before, [marks[0]]), same[0])


@pytest.mark.parametrize("damage", ["missing", "truncated", "garbled", "foreign"])
def test_a_damaged_index_is_rebuilt_from_the_catalogue(
    archive: Archive, tiny_model: Model, damage: str
) -> None:
    add_marks(archive, range(12))
    refresh_index(archive, tiny_model)
    path = archive.index_folder / tiny_model.id / VECTORS
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "garbled":
        path.write_bytes(content[:-40] + bytes(40))
    else:
        path.write_bytes(faiss.serialize_index(faiss.IndexFlatIP(7)).tobytes())
    index = load_index(archive, tiny_model)
    vectors = catalogued_vectors(archive)
    assert len(index) == 12
    np.testing.assert_allclose(stored_vectors(index, [4])[0], vectors[4], atol=1e-6)
    assert path.read_bytes() == content, "the same file as before"


def test_the_seal_does_not_vouch_for_another_archive(archive: Archive, tiny_model: Model) -> None:
    add_marks(archive, range(3))
    refresh_index(archive, tiny_model)
    seal = archive.index_folder / tiny_model.id / SEAL
    seal.write_text(json.dumps({"vectors": "0", "ids": "0"}))
    assert len(load_index(archive, tiny_model)) == 3


def test_search_among_some_marks(archive: Archive, tiny_model: Model) -> None:
    marks = add_marks(archive, range(20))
    refresh_index(archive, tiny_model)
    index = load_index(archive, tiny_model)
    among = np.array(marks[5:9])
    scores, found = nearest(index, stored_vectors(index, [marks[0]]), 50, among)
    assert sorted(found[0]) == marks[5:9]
    assert (np.diff(scores[0]) <= 0).all()
    nothing = nearest(index, stored_vectors(index, [marks[0]]), 5, np.zeros(0, np.int64))
    assert nothing[1].shape == (1, 0)


def test_an_archive_without_embeddings_says_what_to_do(archive: Archive, tiny_model: Model) -> None:
    with pytest.raises(ModelError, match="prizemarks index"):
        load_index(archive, tiny_model)


def test_a_gpu_is_not_believed_by_its_count_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faiss, "get_num_gpus", lambda: 1)
    gpu_works.cache_clear()
    try:
        if not hasattr(faiss, "GpuIndexFlat"):
            assert not gpu_works()
    finally:
        gpu_works.cache_clear()
