from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import select, update

from retrieval.catalogue import tables
from retrieval.catalogue.archive import Archive
from retrieval.catalogued_embeddings import catalogued_vectors, embed_marks, register_model
from retrieval.crops import crop_path
from retrieval.index import load_index, refresh_index, stored_vectors
from retrieval.model import Model
from tests.drawn_marks import add_marks


def test_vectors_are_normalised(archive: Archive, tiny_model: Model) -> None:
    marks = add_marks(archive, range(5))
    register_model(archive, tiny_model, "trained")
    embed_marks(archive, tiny_model)
    with archive.session() as session:
        vectors = catalogued_vectors(session, tiny_model.id, marks, 128)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(5), abs=1e-5)


def test_marks_are_read_a_part_at_a_time_and_those_that_come_in_meanwhile_as_well(
    archive: Archive, tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.catalogued_embeddings.EMBEDDED_AT_ONCE", 2)
    register_model(archive, tiny_model, "trained")
    marks = add_marks(archive, range(5))
    steps: list[tuple[int, int]] = []

    def note(done: int, total: int) -> None:
        steps.append((done, total))
        if done == 4:
            marks.extend(add_marks(archive, range(5, 7)))

    assert embed_marks(archive, tiny_model, note) == (7, ())
    assert steps == [(2, 5), (4, 5), (6, 6), (7, 7)]
    with archive.session() as session:
        embedded = session.scalars(select(tables.Embedding.mark_id)).all()
    assert sorted(embedded) == marks


@pytest.mark.parametrize("damage", ["gone", "damaged"])
def test_a_crop_that_cannot_be_read_keeps_no_other_mark_out(
    archive: Archive, tiny_model: Model, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.catalogued_embeddings.EMBEDDED_AT_ONCE", 2)
    marks = add_marks(archive, range(5))
    with archive.session() as session:
        path = crop_path(archive, session.get_one(tables.Mark, marks[1]).crop)
    content = path.read_bytes()
    path.write_bytes(b"no picture") if damage == "damaged" else path.unlink()
    done = refresh_index(archive, tiny_model)
    assert (done.embedded, done.added, done.total) == (4, 4, 4)
    (said,) = done.unread
    assert said.startswith(f"mark {marks[1]}: The crop {path} ")
    assert load_index(archive, tiny_model).marks.tolist() == [marks[0], *marks[2:]]
    path.write_bytes(content)
    again = refresh_index(archive, tiny_model)
    assert (again.embedded, again.added, again.total, again.unread) == (1, 1, 5, ())


def test_a_mark_whose_new_crop_cannot_be_read_is_not_found_by_its_old_one(
    archive: Archive, tiny_model: Model
) -> None:
    marks = add_marks(archive, range(3))
    refresh_index(archive, tiny_model)
    with archive.session() as session:
        crop = session.get_one(tables.Mark, marks[0]).crop
        session.get_one(tables.Mark, marks[0]).crop = "0" * 64
    done = refresh_index(archive, tiny_model)
    assert (done.embedded, done.added, done.removed, done.total) == (0, 0, 1, 2)
    assert len(done.unread) == 1
    with archive.session() as session:  # back in its old box, it is known again
        session.get_one(tables.Mark, marks[0]).crop = crop
    assert load_index(archive, tiny_model).marks.tolist() == marks


def test_a_mark_cut_anew_is_embedded_anew(archive: Archive, tiny_model: Model) -> None:
    marks = add_marks(archive, range(4))
    refresh_index(archive, tiny_model)
    before = load_index(archive, tiny_model)
    with archive.session() as session:
        other = session.get_one(tables.Mark, marks[1]).crop
        session.execute(update(tables.Mark).where(tables.Mark.id == marks[0]).values(crop=other))
    assert before.knows(marks[1], other) and not before.knows(marks[0], other)
    assert load_index(archive, tiny_model).marks.tolist() == marks[1:], "nobody knows it any more"
    done = refresh_index(archive, tiny_model)
    assert (done.embedded, done.added, done.removed) == (1, 1, 0)
    after = load_index(archive, tiny_model)
    same = stored_vectors(after, [marks[0], marks[1]])
    np.testing.assert_allclose(same[0], same[1], atol=1e-6)
    assert not np.allclose(stored_vectors(before, [marks[0]]), same[0])


@pytest.mark.parametrize("before", ["ink-0", None])
def test_marks_seen_otherwise_are_embedded_anew(
    archive: Archive, tiny_model: Model, before: str | None
) -> None:
    marks = add_marks(archive, range(4))
    refresh_index(archive, tiny_model)
    right = stored_vectors(load_index(archive, tiny_model), marks)
    other = np.roll(right, 1, axis=0)
    with archive.session() as session:  # as a version left them that looked at crops otherwise
        for mark, vector in zip(marks, other, strict=True):
            session.execute(
                update(tables.Embedding)
                .where(tables.Embedding.mark_id == mark)
                .values(seen=before, vector=vector.tobytes())
            )
    old = load_index(archive, tiny_model)
    np.testing.assert_allclose(stored_vectors(old, marks), other, atol=1e-6)
    done = refresh_index(archive, tiny_model)
    assert (done.embedded, done.added, done.removed, done.total) == (4, 4, 4, 4)
    new = load_index(archive, tiny_model)
    np.testing.assert_allclose(stored_vectors(new, marks), right, atol=1e-6)
