from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, event, update

from retrieval.catalogue import tables
from retrieval.catalogue.archive import Archive, create_archive
from retrieval.catalogue.errors import ModelError
from retrieval.catalogued_embeddings import embed_marks, register_model
from retrieval.company import company, find_neighbours
from retrieval.crops import write_crop
from retrieval.index import index_to_search, load_index, nearest, refresh_index, stored_vectors
from retrieval.index_files import SEAL
from retrieval.model import Model
from tests.drawn_marks import add_marks


def catalogued_vectors(archive: Archive) -> dict[int, np.ndarray]:
    with archive.session() as session:
        rows = session.query(tables.Embedding.mark_id, tables.Embedding.vector).all()
    return {mark: np.frombuffer(vector, "<f4") for mark, vector in rows}


@pytest.mark.parametrize("top", [30, 4])
def test_search_is_exact(archive: Archive, tiny_model: Model, top: int) -> None:
    add_marks(archive, range(30))
    refresh_index(archive, tiny_model)
    index = load_index(archive, tiny_model)
    marks, vectors = zip(*sorted(catalogued_vectors(archive).items()), strict=True)
    own = np.stack(vectors)
    together = company(own, find_neighbours(np.array(marks), own))
    query = own[[7, 12]] + np.float32(0.05)
    query /= np.linalg.norm(query, axis=1, keepdims=True)
    wanted = np.maximum(query @ own.T, query @ together.T)
    scores, found = nearest(index, query, top)
    order = np.argsort(-wanted, axis=1)[:, :top]
    np.testing.assert_array_equal(found, np.array(marks)[order])
    np.testing.assert_allclose(scores, np.take_along_axis(wanted, order, axis=1), atol=1e-5)
    assert (together @ query[0] > own @ query[0]).any(), "company counted"


def test_what_was_followed_is_what_a_rebuilt_index_finds(
    archive: Archive, tiny_model: Model
) -> None:
    marks = add_marks(archive, range(30))
    refresh_index(archive, tiny_model)
    with archive.session() as session:
        session.execute(delete(tables.Mark).where(tables.Mark.id == marks[3]))
    add_marks(archive, range(30, 34))
    refresh_index(archive, tiny_model)
    query = stored_vectors(load_index(archive, tiny_model), marks[5:8])
    followed = nearest(load_index(archive, tiny_model), query, 33)
    (archive.index_folder / tiny_model.id / SEAL).unlink()
    rebuilt = nearest(load_index(archive, tiny_model), query, 33)
    np.testing.assert_allclose(followed[0], rebuilt[0], atol=1e-5)
    assert (followed[1] == rebuilt[1]).mean() > 0.95, "equal but for ties"


def test_only_what_is_new_is_embedded_and_added(archive: Archive, tiny_model: Model) -> None:
    add_marks(archive, range(10))
    first = refresh_index(archive, tiny_model)
    assert (first.embedded, first.added, first.removed, first.total) == (10, 10, 0, 10)
    again = refresh_index(archive, tiny_model)
    assert (again.embedded, again.added, again.removed, again.total) == (0, 0, 0, 10)
    add_marks(archive, range(10, 13))
    more = refresh_index(archive, tiny_model)
    assert (more.embedded, more.added, more.removed, more.total) == (3, 3, 0, 13)


def test_marks_without_ink_do_not_change_what_is_rare(archive: Archive, tiny_model: Model) -> None:
    add_marks(archive, range(20))
    refresh_index(archive, tiny_model)
    alone = load_index(archive, tiny_model)
    blank = add_marks(archive, range(20, 30))
    with archive.session() as session:
        paper = write_crop(archive.crops_folder, np.full((60, 60, 3), 250, np.uint8))
        session.execute(update(tables.Mark).where(tables.Mark.id.in_(blank)).values(crop=paper))
    refresh_index(archive, tiny_model)
    index = load_index(archive, tiny_model)
    assert len(index) == 30, "they stay in the archive"
    assert index.cosines == alone.cosines
    assert (index.scores.pairs, index.scores_of_marks.pairs) == (380, 380)


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


def test_proposals_on_copies_of_a_page_are_found_on_the_original_alone(
    archive: Archive, tiny_model: Model
) -> None:
    marks = add_marks(archive, range(6))
    refresh_index(archive, tiny_model)  # as a version did that found copies, too
    with archive.session() as session:
        rows = [session.get_one(tables.Mark, mark) for mark in marks]
        for row, copy in ((rows[0], rows[1]), (rows[0], rows[2]), (rows[3], rows[4])):
            session.get_one(tables.Page, copy.page_id).duplicate_of = row.page_id
        for row in rows[:4]:
            row.status = "proposed"
        rows[2].status = "confirmed"
        copy = rows[1].page_id
    done = refresh_index(archive, tiny_model)
    assert (done.embedded, done.added, done.removed) == (0, 0, 1)
    assert load_index(archive, tiny_model).marks.tolist() == [marks[0], *marks[2:]]
    with archive.session() as session:  # the original is another page now
        session.get_one(tables.Page, copy).duplicate_of = None
    assert load_index(archive, tiny_model).marks.tolist() == marks


def test_the_index_of_another_archive_is_not_taken_for_this_ones(
    archive: Archive, tiny_model: Model, tmp_path: Path
) -> None:
    marks = add_marks(archive, range(3))
    refresh_index(archive, tiny_model)
    other = create_archive(tmp_path / "other")
    assert add_marks(other, range(10, 15))[:3] == marks, "the same ids, other marks"
    refresh_index(other, tiny_model)
    other.close()
    folder = archive.index_folder / tiny_model.id
    shutil.rmtree(folder)
    shutil.copytree(other.index_folder / tiny_model.id, folder)
    index = load_index(archive, tiny_model)
    vectors = catalogued_vectors(archive)
    assert index.marks.tolist() == marks == list(vectors)
    np.testing.assert_array_equal(stored_vectors(index, marks), np.stack(list(vectors.values())))


def test_marks_may_go_while_the_index_is_read(archive: Archive, tiny_model: Model) -> None:
    marks = add_marks(archive, range(6))
    register_model(archive, tiny_model, "trained")
    embed_marks(archive, tiny_model)
    going = [marks[2]]

    @event.listens_for(archive.engine, "before_cursor_execute")
    def ingest_deletes(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "embeddings.vector" in statement and going:
            with archive.session() as session:
                session.execute(delete(tables.Mark).where(tables.Mark.id == going.pop()))

    assert load_index(archive, tiny_model).marks.tolist() == marks, "as they were at one moment"
    assert not going
    assert load_index(archive, tiny_model).marks.tolist() == [*marks[:2], *marks[3:]]


def test_while_a_long_job_holds_the_archive_what_is_sealed_is_searched(
    archive: Archive, tiny_model: Model, known_before: list[list[int]]
) -> None:
    register_model(archive, tiny_model, "trained")
    first = add_marks(archive, range(4))
    path = archive.index_folder / tiny_model.id / SEAL
    with archive.lock():
        embed_marks(archive, tiny_model)
        assert index_to_search(archive, tiny_model).marks.tolist() == first, "nothing is sealed"
        seal = path.read_bytes()
        known_before.clear()
        more = add_marks(archive, range(4, 6))
        embed_marks(archive, tiny_model)
        for _ in range(2):
            assert index_to_search(archive, tiny_model).marks.tolist() == first
        assert (known_before, path.read_bytes()) == ([], seal)
        assert load_index(archive, tiny_model).marks.tolist() == [*first, *more], "for the job"
    more += add_marks(archive, range(6, 7))
    embed_marks(archive, tiny_model)
    assert index_to_search(archive, tiny_model).marks.tolist() == [*first, *more]


def test_a_run_tells_how_many_marks_are_embedded_and_then_compared(
    archive: Archive, tiny_model: Model
) -> None:
    add_marks(archive, range(5))
    told: list[tuple[str, int, int]] = []
    refresh_index(
        archive,
        tiny_model,
        lambda *one: told.append(("embedded", *one)),
        lambda *one: told.append(("compared", *one)),
    )
    assert told == [("embedded", 5, 5), ("compared", 5, 5)]


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


def test_an_index_without_marks_finds_none(archive: Archive, tiny_model: Model) -> None:
    index = index_to_search(archive, tiny_model)
    assert len(index) == 0 and index.marks.shape == (0,)
    query = np.full((2, 128), 128**-0.5, np.float32)
    scores, found = nearest(index, query, 5)
    assert scores.shape == found.shape == (2, 0)
    with pytest.raises(KeyError):
        stored_vectors(index, [1])
    marks = add_marks(archive, range(3))
    refresh_index(archive, tiny_model)
    assert index_to_search(archive, tiny_model).marks.tolist() == marks
