"""The files of an index: named by their content, and sealed by `index.json`.

The seal names those that belong together, and the model that they were made under; its own digest
stands in it. It is replaced last, so that the index of before counts until the new one is whole.
Nothing here is unpickled.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from retrieval.calibration import Calibration, calibrate
from retrieval.catalogue.files import UNFINISHED, write_atomically
from retrieval.company import NEAREST, Neighbours

VECTORS, IDS, NEIGHBOURS, SEAL = "vectors.faiss", "ids.npy", "neighbours.npy", "index.json"
_CONTENT = (VECTORS, IDS, NEIGHBOURS)
_CALIBRATIONS = ("cosines", "scores", "scores_of_marks")
_SELF = "sealed"  # under which the digest of all else in the seal stands
_NEIGHBOUR = np.dtype([("mark", "<i8"), ("cosine", "<f4")])


@dataclass(frozen=True)
class Stored:
    """What lies in an index's folder; `rows` are (mark, look), ascending."""

    vectors: Any
    rows: NDArray[np.int64]
    neighbours: Neighbours
    cosines: Calibration
    scores: Calibration
    scores_of_marks: Calibration

    @classmethod
    def nothing(cls, size: int) -> Stored:
        """Return what an index without marks stores, its vectors `size` numbers long."""
        unknown = calibrate(np.zeros((0, size), np.float32))
        empty = faiss.IndexIDMap2(faiss.IndexFlatIP(size))
        return cls(empty, np.zeros((0, 2), np.int64), Neighbours.none(), *[unknown] * 3)


def read_stored(folder: Path, model_id: str, size: int) -> Stored | None:
    """Return what is stored, or None if it cannot be trusted to be this model's index."""
    try:
        seal, content = _sealed(folder)
        if seal["model"] != model_id or seal[_SELF] != _digest_of_seal(seal):
            return None
        if any(seal[name] != _digest(read) for name, read in content.items()):
            return None
        index = faiss.deserialize_index(np.frombuffer(content[VECTORS], np.uint8))
        rows = _array(content[IDS]).reshape(-1, 2)
        nearest = _array(content[NEIGHBOURS]).reshape(len(rows), NEAREST)
        neighbours = Neighbours(rows[:, 0], nearest["mark"], nearest["cosine"])
        calibrations = [
            Calibration(tuple(seal[name]["quantiles"]), seal[name]["power"], seal[name]["pairs"])
            for name in _CALIBRATIONS
        ]
    except (OSError, EOFError, ValueError, LookupError, TypeError, RuntimeError):
        return None  # missing or damaged: it is derived, and will be rebuilt
    if index.ntotal != len(rows) or index.d != size:
        return None
    return Stored(index, rows, neighbours, *calibrations)


def write_stored(folder: Path, model_id: str, stored: Stored, finished: bool) -> None:
    """Write what is stored and seal it, then clear away what was sealed before. Raises OSError.

    `finished` says that a run ended, once, that left no mark out.
    """
    nearest = np.empty(stored.neighbours.nearest.shape, _NEIGHBOUR)
    nearest["mark"], nearest["cosine"] = stored.neighbours.nearest, stored.neighbours.cosines
    content = {
        VECTORS: faiss.serialize_index(stored.vectors).tobytes(),
        IDS: _npy(stored.rows.astype("<i8")),
        NEIGHBOURS: _npy(nearest),
    }
    seal: dict[str, Any] = {
        "model": model_id,
        **{name: _digest(written) for name, written in content.items()},
        **{name: asdict(getattr(stored, name)) for name in _CALIBRATIONS},
        "finished": finished,
    }
    seal[_SELF] = _digest_of_seal(seal)
    before = (folder / SEAL).stat().st_mtime_ns if (folder / SEAL).exists() else 0
    named = {name: folder / f"{seal[name]}-{name}" for name in content}
    for name, path in named.items():
        write_atomically(path, content[name])
    write_atomically(folder / SEAL, json.dumps(seal).encode())
    for pattern in (*(f"*{name}" for name in _CONTENT), f"{UNFINISHED}*"):
        for path in set(folder.glob(pattern)) - set(named.values()):
            # What is newer than the last seal, another process may be about to seal.
            with contextlib.suppress(OSError):  # it may have gone; else it goes the next time
                if path.stat().st_mtime_ns <= before:
                    path.unlink()


def once_finished(folder: Path, model_id: str) -> bool:
    """Return whether the model's index in `folder` was sealed as finished.

    Older seals say neither that nor which model's they are: they are taken for finished ones.
    """
    try:
        seal = json.loads((folder / SEAL).read_bytes())
        return seal.get("model", model_id) == model_id and bool(seal.get("finished", True))
    except (OSError, ValueError, AttributeError):
        return False


def _sealed(folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the seal and what is in the files that it names; OSError where one is missing."""
    written = (folder / SEAL).read_bytes()
    while True:
        seal = json.loads(written)
        try:
            named = {name: folder / f"{seal[name]}-{name}" for name in _CONTENT}
            return seal, {name: path.read_bytes() for name, path in named.items()}
        except FileNotFoundError:
            # Perhaps another process has sealed others meanwhile, and cleared these away.
            before, written = written, (folder / SEAL).read_bytes()
            if written == before:
                raise


def _array(content: bytes) -> NDArray[Any]:
    """Return the array of a `.npy` file; ValueError or EOFError where it is not one."""
    return np.asarray(np.load(io.BytesIO(content), allow_pickle=False))


def _npy(array: NDArray[Any]) -> bytes:
    """Return an array as a `.npy` file."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def _digest_of_seal(seal: dict[str, Any]) -> str:
    return _digest(json.dumps({**seal, _SELF: None}, sort_keys=True).encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
