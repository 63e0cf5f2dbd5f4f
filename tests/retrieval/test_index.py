from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
from sqlalchemy import delete, event, update

from retrieval.catalogue import tables
from retrieval.catalogue.archive import Archive, create_archive
from retrieval.catalogue.errors import ArchiveError, ModelError
from retrieval.catalogue.files import UNFINISHED
from retrieval.company import NEAREST, Neighbours, company, find_neighbours
from retrieval.crops import crop_path
from retrieval.index import (
    current_index,
    embed_marks,
    index_to_search,
    load_index,
    nearest,
    refresh_index,
    register_model,
    stored_vectors,
)
from retrieval.model import Model, pack_weights, read_model, write_model
from retrieval.sealed import IDS, NEIGHBOURS, SEAL, VECTORS
from tests.drawn_marks import add_marks


def catalogued_vectors(archive: Archive) -> dict[int, np.ndarray]:
    with archive.session() as session:
        rows = session.query(tables.Embedding.mark_id, tables.Embedding.vector).all()
    return {mark: np.frombuffer(vector, "<f4") for mark, vector in rows}


def reseal(folder: Path, name: str, content: bytes) -> None:
    """Put other content into a file of an index, and the seal on it."""
    seal = json.loads((folder / SEAL).read_bytes()) | {name: hashlib.sha256(content).hexdigest()}
    (folder / f"{seal[name]}-{name}").write_bytes(content)
    (folder / SEAL).write_text(json.dumps(seal))


def sealed(folder: Path, name: str) -> Path:
    """Where the file of an index lies that its seal names."""
    return folder / f"{json.loads((folder / SEAL).read_bytes())[name]}-{name}"


@pytest.fixture
def known_before(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The marks whose neighbours were known each time that those of all are brought up to date."""
    told: list[list[int]] = []

    def find(marks: np.ndarray, vectors: np.ndarray, known: Neighbours, *rest: Any) -> Neighbours:
        told.append(known.marks.tolist())
        return find_neighbours(marks, vectors, known, *rest)

    monkeypatch.setattr("retrieval.index.find_neighbours", find)
    return told


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


def test_marks_are_read_a_part_at_a_time_and_those_that_come_in_meanwhile_as_well(
    archive: Archive, tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.index._AT_ONCE", 2)
    register_model(archive, tiny_model, "trained")
    marks = add_marks(archive, range(5))
    steps: list[tuple[int, int]] = []

    def note(done: int, total: int) -> None:
        steps.append((done, total))
        if done == 4:
            marks.extend(add_marks(archive, range(5, 7)))

    assert embed_marks(archive, tiny_model, note) == (7, ())
    assert steps == [(2, 5), (4, 5), (6, 6), (7, 7)]
    assert sorted(catalogued_vectors(archive)) == marks


@pytest.mark.parametrize("damage", ["gone", "damaged"])
def test_a_crop_that_cannot_be_read_keeps_no_other_mark_out(
    archive: Archive, tiny_model: Model, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.index._AT_ONCE", 2)
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


def test_a_mark_whose_new_crop_cannot_be_read_is_found_as_it_was(
    archive: Archive, tiny_model: Model
) -> None:
    marks = add_marks(archive, range(3))
    refresh_index(archive, tiny_model)
    before = stored_vectors(load_index(archive, tiny_model), marks)
    with archive.session() as session:
        session.get_one(tables.Mark, marks[0]).crop = "0" * 64
    done = refresh_index(archive, tiny_model)
    assert (done.embedded, done.added, done.removed, done.total) == (0, 0, 0, 3)
    assert len(done.unread) == 1
    np.testing.assert_array_equal(stored_vectors(load_index(archive, tiny_model), marks), before)


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


@pytest.mark.parametrize("name", [VECTORS, IDS, NEIGHBOURS])
@pytest.mark.parametrize("damage", ["missing", "truncated", "garbled"])
def test_a_damaged_index_is_rebuilt_from_the_catalogue(
    archive: Archive, tiny_model: Model, damage: str, name: str
) -> None:
    add_marks(archive, range(12))
    refresh_index(archive, tiny_model)
    path = sealed(archive.index_folder / tiny_model.id, name)
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    else:
        path.write_bytes(content[:-40] + bytes(40))
    index = load_index(archive, tiny_model)
    vectors = catalogued_vectors(archive)
    assert len(index) == 12
    np.testing.assert_allclose(stored_vectors(index, [4])[0], vectors[4], atol=1e-6)
    assert path.read_bytes() == content, "the same file as before"


def faiss_file(count: int, size: int) -> bytes:
    index = faiss.IndexIDMap2(faiss.IndexFlatIP(size))
    index.add_with_ids(np.eye(count, size, dtype=np.float32), np.arange(1, count + 1))
    return bytes(faiss.serialize_index(index).tobytes())


def npy_file(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (VECTORS, faiss_file(12, 7)),
        (VECTORS, faiss_file(11, 128)),
        (VECTORS, b"no index"),
        (IDS, npy_file(np.ones((11, 2), np.int64))),
        (IDS, npy_file(np.ones(5, np.int64))),
        (NEIGHBOURS, npy_file(np.ones((11, NEAREST), np.int64))),
        (NEIGHBOURS, npy_file(np.ones((12, NEAREST), np.int64))),
    ],
)
def test_a_sealed_file_that_does_not_fit_the_others_is_rebuilt(
    archive: Archive, tiny_model: Model, name: str, content: bytes
) -> None:
    add_marks(archive, range(12))
    refresh_index(archive, tiny_model)
    folder = archive.index_folder / tiny_model.id
    before = sealed(folder, name).read_bytes()
    reseal(folder, name, content)
    index = load_index(archive, tiny_model)
    vectors = catalogued_vectors(archive)
    assert index.marks.tolist() == list(vectors)
    np.testing.assert_array_equal(stored_vectors(index, [4])[0], vectors[4])
    assert sealed(folder, name).read_bytes() == before


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


def test_what_an_older_version_thought_rare_is_estimated_anew(
    archive: Archive, tiny_model: Model
) -> None:
    add_marks(archive, range(3))
    refresh_index(archive, tiny_model)
    path = archive.index_folder / tiny_model.id / SEAL
    seal = json.loads(path.read_bytes())
    for name in ("cosines", "scores"):
        del seal[name]["rarest"]
        seal[name]["power"] = 40.0
    path.write_text(json.dumps(seal))
    assert load_index(archive, tiny_model).scores.rarest == 1.0
    assert json.loads(path.read_bytes())["scores"]["rarest"] == 1.0


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


@pytest.mark.parametrize("count", [3, 0])
def test_an_index_of_an_older_version_is_rebuilt_in_its_place(
    archive: Archive, tiny_model: Model, count: int
) -> None:
    marks = add_marks(archive, range(count))
    refresh_index(archive, tiny_model)
    folder = archive.index_folder / tiny_model.id
    content = {name: sealed(folder, name).read_bytes() for name in (IDS, NEIGHBOURS)}
    for name in content:  # as they were: bare bytes
        reseal(folder, name, np.load(sealed(folder, name)).tobytes())
    assert current_index(archive, tiny_model).marks.tolist() == marks
    refresh_index(archive, tiny_model)
    assert {name: sealed(folder, name).read_bytes() for name in (IDS, NEIGHBOURS)} == content
    rows, nearest = (np.load(sealed(folder, name)) for name in (IDS, NEIGHBOURS))
    assert rows[:, 0].tolist() == marks
    assert nearest.shape == (count, NEAREST) and nearest.dtype.names == ("mark", "cosine")
    assert len(list(folder.iterdir())) == 4


STEP_BY_STEP = """
import sys
from pathlib import Path
from retrieval import sealed
from retrieval.catalogue.archive import open_archive
from retrieval.catalogue.files import write_atomically
from retrieval.index import refresh_index
from retrieval.model import read_model

def when_told(path, content):
    print(path.name, flush=True)
    sys.stdin.readline()
    write_atomically(path, content)

sealed.write_atomically = when_told
refresh_index(open_archive(sys.argv[1]), read_model(Path(sys.argv[2])))
"""


def test_wherever_a_run_is_killed_the_index_of_before_is_whole(
    archive: Archive, tiny_model: Model, tmp_path: Path, known_before: list[list[int]]
) -> None:
    weights = pack_weights(tiny_model.discriminator, tiny_model.generator, "contrastive")
    write_model(tmp_path / "model", weights, tiny_model.manifest)
    model = read_model(tmp_path / "model")
    first = add_marks(archive, range(12))
    refresh_index(archive, model)
    added = add_marks(archive, range(12, 15))
    folder, script = archive.index_folder / model.id, tmp_path / "run.py"
    script.write_text(STEP_BY_STEP)
    left = []  # by a run that is killed at each of the moments
    with subprocess.Popen(
        [sys.executable, str(script), str(archive.folder), str(tmp_path / "model")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as victim:
        assert victim.stdin is not None and victim.stdout is not None
        while (asked := victim.stdout.readline().strip()) != SEAL:
            assert asked.endswith((VECTORS, IDS, NEIGHBOURS))
            left.append(shutil.copytree(folder, tmp_path / f"left {len(left)}"))
            victim.stdin.write("go on\n")
            victim.stdin.flush()
        victim.kill()
    left.append(shutil.copytree(folder, tmp_path / "left at last"))
    assert [len(list(one.iterdir())) for one in left] == [4, 5, 6, 7]
    for one in left:
        shutil.rmtree(folder)
        shutil.copytree(one, folder)
        known_before.clear()
        assert load_index(archive, model).marks.tolist() == [*first, *added]
        assert known_before == [first], "only what is new was looked at"
        assert len(list(folder.iterdir())) == 4


@pytest.mark.parametrize("at", [VECTORS, IDS, NEIGHBOURS])
def test_an_index_that_is_replaced_while_it_is_read_is_read_again(
    archive: Archive,
    tiny_model: Model,
    monkeypatch: pytest.MonkeyPatch,
    known_before: list[list[int]],
    at: str,
) -> None:
    marks = add_marks(archive, range(6))
    refresh_index(archive, tiny_model)
    marks += add_marks(archive, range(6, 8))
    read = Path.read_bytes

    def while_another_indexes(path: Path) -> bytes:
        if path.name.endswith(at):
            monkeypatch.setattr(Path, "read_bytes", read)
            refresh_index(archive, tiny_model)
            known_before.clear()
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", while_another_indexes)
    assert load_index(archive, tiny_model).marks.tolist() == marks
    assert known_before == [], "the other's index is used as it is"


def test_files_of_no_seal_go_but_those_that_another_may_be_about_to_seal(
    archive: Archive, tiny_model: Model
) -> None:
    add_marks(archive, range(3))
    refresh_index(archive, tiny_model)
    folder = archive.index_folder / tiny_model.id
    before = [sealed(folder, name) for name in (VECTORS, IDS, NEIGHBOURS)]
    abandoned = [folder / name for name in (f"{'0' * 64}-{VECTORS}", f"{UNFINISHED}1")]
    at_work = [folder / name for name in (f"{'1' * 64}-{VECTORS}", f"{UNFINISHED}2")]
    sealed_at = (folder / SEAL).stat().st_mtime
    for path, age in [*((one, 60) for one in abandoned), *((one, -60) for one in at_work)]:
        path.touch()
        os.utime(path, (sealed_at - age, sealed_at - age))
    add_marks(archive, range(3, 5))
    refresh_index(archive, tiny_model)
    now = [sealed(folder, name) for name in (VECTORS, IDS, NEIGHBOURS)]
    assert not set(now) & set(before)
    assert set(folder.iterdir()) == {folder / SEAL, *now, *at_work}


def test_files_that_an_older_version_named_otherwise_are_read_and_replaced(
    archive: Archive, tiny_model: Model, known_before: list[list[int]]
) -> None:
    marks = add_marks(archive, range(6))
    refresh_index(archive, tiny_model)
    folder = archive.index_folder / tiny_model.id
    for name in (VECTORS, IDS, NEIGHBOURS):
        sealed(folder, name).rename(folder / name)
    known_before.clear()
    assert load_index(archive, tiny_model).marks.tolist() == marks
    assert known_before == [], "nothing had changed"
    refresh_index(archive, tiny_model)
    marks += add_marks(archive, range(6, 8))
    refresh_index(archive, tiny_model)
    assert known_before == [marks[:6]]
    assert set(folder.iterdir()) == {
        folder / SEAL,
        *(sealed(folder, name) for name in (VECTORS, IDS, NEIGHBOURS)),
    }


def test_a_full_disk_ends_a_run_and_no_search(
    archive: Archive, tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = add_marks(archive, range(6))
    refresh_index(archive, tiny_model)
    folder = archive.index_folder / tiny_model.id
    before = set(folder.iterdir())
    marks += add_marks(archive, range(6, 8))

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        said = f"{folder} cannot be written to: No space left on device. See that the disk "
        with pytest.raises(ArchiveError, match=re.escape(said)):
            refresh_index(archive, tiny_model)
        assert load_index(archive, tiny_model).marks.tolist() == marks
        assert set(folder.iterdir()) == before
    assert refresh_index(archive, tiny_model).added == 2


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
    index = current_index(archive, tiny_model)
    assert len(index) == 0 and index.marks.shape == (0,)
    query = np.full((2, 128), 128**-0.5, np.float32)
    scores, found = nearest(index, query, 5)
    assert scores.shape == found.shape == (2, 0)
    with pytest.raises(KeyError):
        stored_vectors(index, [1])
    marks = add_marks(archive, range(3))
    refresh_index(archive, tiny_model)
    assert current_index(archive, tiny_model).marks.tolist() == marks
