from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import ArchiveError
from retrieval.catalogue.files import UNFINISHED
from retrieval.company import NEAREST
from retrieval.gan.architecture import Generator, draw_weights
from retrieval.index import (
    index_to_search,
    load_index,
    refresh_index,
    stored_vectors,
)
from retrieval.index_files import IDS, NEIGHBOURS, SEAL, VECTORS, once_finished
from retrieval.model import Model, build_discriminator, pack_weights, read_model, write_model
from tests.drawn_marks import add_marks
from tests.retrieval.conftest import TINY


def reseal(folder: Path, name: str, content: bytes) -> None:
    """Put other content into a file of an index, and the seal on it."""
    seal = json.loads((folder / SEAL).read_bytes()) | {name: hashlib.sha256(content).hexdigest()}
    (folder / f"{seal[name]}-{name}").write_bytes(content)
    whole = json.dumps(seal | {"sealed": None}, sort_keys=True).encode()
    (folder / SEAL).write_text(json.dumps(seal | {"sealed": hashlib.sha256(whole).hexdigest()}))


def sealed(folder: Path, name: str) -> Path:
    """Where the file of an index lies that its seal names."""
    return folder / f"{json.loads((folder / SEAL).read_bytes())[name]}-{name}"


@pytest.mark.parametrize("name", [VECTORS, IDS, NEIGHBOURS])
@pytest.mark.parametrize("damage", ["missing", "truncated", "garbled"])
def test_a_damaged_index_is_rebuilt_from_the_catalogue(
    archive: Archive, tiny_model: Model, damage: str, name: str
) -> None:
    marks = add_marks(archive, range(12))
    refresh_index(archive, tiny_model)
    path = sealed(archive.index_folder / tiny_model.id, name)
    before = stored_vectors(load_index(archive, tiny_model), marks)
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    else:
        path.write_bytes(content[:-40] + bytes(40))
    index = load_index(archive, tiny_model)
    assert index.marks.tolist() == marks
    np.testing.assert_array_equal(stored_vectors(index, marks), before)
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
    marks = add_marks(archive, range(12))
    refresh_index(archive, tiny_model)
    folder = archive.index_folder / tiny_model.id
    vectors = stored_vectors(load_index(archive, tiny_model), marks)
    before = sealed(folder, name).read_bytes()
    reseal(folder, name, content)
    index = load_index(archive, tiny_model)
    assert index.marks.tolist() == marks
    np.testing.assert_array_equal(stored_vectors(index, marks), vectors)
    assert sealed(folder, name).read_bytes() == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda seal: seal["scores"].update(quantiles=[]),
        lambda seal: seal["cosines"].update(quantiles=[q - 0.5 for q in _quantiles(seal)]),
        lambda seal: seal["scores"].update(power=None),
        lambda seal: seal["scores"].update(power=40.0),
        lambda seal: seal["cosines"].pop("pairs"),
        lambda seal: seal.pop("scores"),
        lambda seal: seal["scores_of_marks"].update(pairs=10**9),
        lambda seal: seal.update(model=None),
        lambda seal: seal.clear(),
    ],
)
def test_a_damaged_seal_is_not_trusted_and_made_again(
    archive: Archive, tiny_model: Model, damage: Callable[[dict[str, Any]], object]
) -> None:
    marks = add_marks(archive, range(12))
    refresh_index(archive, tiny_model)
    path = archive.index_folder / tiny_model.id / SEAL
    content = path.read_bytes()
    index = load_index(archive, tiny_model)
    for mend in (refresh_index, load_index):
        seal = json.loads(content)
        damage(seal)
        path.write_text(json.dumps(seal))
        mend(archive, tiny_model)
        assert path.read_bytes() == content
    path.write_text("[]")
    again = load_index(archive, tiny_model)
    assert again.marks.tolist() == marks
    assert (again.cosines, again.scores) == (index.cosines, index.scores)


def test_an_index_whose_seal_tells_less_of_its_scores_is_rebuilt_and_nothing_embedded_anew(
    archive: Archive, tiny_model: Model
) -> None:
    marks = add_marks(archive, range(12))
    refresh_index(archive, tiny_model)
    path = archive.index_folder / tiny_model.id / SEAL
    content = path.read_bytes()
    seal = json.loads(content)
    del seal["scores_of_marks"]
    for name in ("cosines", "scores"):
        del seal[name]["pairs"]
        seal[name]["rarest"] = 1 / 660
    whole = json.dumps(seal | {"sealed": None}, sort_keys=True).encode()
    path.write_text(json.dumps(seal | {"sealed": hashlib.sha256(whole).hexdigest()}))
    assert load_index(archive, tiny_model).marks.tolist() == marks
    assert path.read_bytes() == content
    assert refresh_index(archive, tiny_model).embedded == 0


def _quantiles(seal: dict[str, Any]) -> list[float]:
    return seal["cosines"]["quantiles"]


def test_the_index_of_another_model_is_not_taken_for_this_ones(
    archive: Archive, tiny_model: Model
) -> None:
    marks = add_marks(archive, range(6))
    discriminator, generator = build_discriminator(TINY, "contrastive"), Generator(TINY)
    draw_weights(discriminator, 3)
    other = Model("0" * 16, discriminator.eval(), generator.eval(), {"id": "0" * 16})
    for model in (tiny_model, other):
        refresh_index(archive, model)
    right = stored_vectors(load_index(archive, tiny_model), marks)
    folder = archive.index_folder / tiny_model.id
    shutil.rmtree(folder)
    shutil.copytree(archive.index_folder / other.id, folder)
    assert once_finished(archive.index_folder / other.id, other.id)
    assert not once_finished(folder, tiny_model.id)
    np.testing.assert_array_equal(stored_vectors(load_index(archive, tiny_model), marks), right)
    assert once_finished(folder, tiny_model.id)
    assert json.loads((folder / SEAL).read_bytes())["model"] == tiny_model.id


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
    assert index_to_search(archive, tiny_model).marks.tolist() == marks
    refresh_index(archive, tiny_model)
    assert {name: sealed(folder, name).read_bytes() for name in (IDS, NEIGHBOURS)} == content
    rows, nearest = (np.load(sealed(folder, name)) for name in (IDS, NEIGHBOURS))
    assert rows[:, 0].tolist() == marks
    assert nearest.shape == (count, NEAREST) and nearest.dtype.names == ("mark", "cosine")
    assert len(list(folder.iterdir())) == 4


STEP_BY_STEP = """
import sys
from pathlib import Path
from retrieval import index_files
from retrieval.catalogue.archive import open_archive
from retrieval.catalogue.files import write_atomically
from retrieval.index import refresh_index
from retrieval.model import read_model

def when_told(path, content):
    print(path.name, flush=True)
    sys.stdin.readline()
    write_atomically(path, content)

index_files.write_atomically = when_told
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


def test_an_index_that_does_not_say_its_model_is_rebuilt_and_nothing_embedded_anew(
    archive: Archive, tiny_model: Model
) -> None:
    marks = add_marks(archive, range(6))
    refresh_index(archive, tiny_model)
    folder = archive.index_folder / tiny_model.id
    named = {name: sealed(folder, name) for name in (VECTORS, IDS, NEIGHBOURS)}
    seal = json.loads((folder / SEAL).read_bytes())
    for name, path in named.items():
        path.rename(folder / name)  # as older versions called them
    (folder / SEAL).write_text(json.dumps({name: seal[name] for name in (*named, "cosines")}))
    assert once_finished(folder, tiny_model.id), "searches stay with this model"
    done = refresh_index(archive, tiny_model)
    assert (done.embedded, done.total) == (0, 6)
    assert set(folder.iterdir()) == {folder / SEAL, *named.values()}
    assert load_index(archive, tiny_model).marks.tolist() == marks


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
        said = f"{folder} cannot be written to: No space left on device. Check that the disk "
        with pytest.raises(ArchiveError, match=re.escape(said)):
            refresh_index(archive, tiny_model)
        assert load_index(archive, tiny_model).marks.tolist() == marks
        assert set(folder.iterdir()) == before
    assert refresh_index(archive, tiny_model).added == 2
