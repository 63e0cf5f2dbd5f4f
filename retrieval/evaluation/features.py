"""What makes marks comparable: functions from pictures to vectors, and how vectors compare."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.catalogue.archive import Archive
from retrieval.company import company, find_neighbours
from retrieval.crops import load_crop
from retrieval.embedding import embed_pictures
from retrieval.ink import normalise
from retrieval.model import Model
from retrieval.progress import Report, nobody
from retrieval.vectors import Vectors

#: Pictures given to a feature function at once, at 64 pixels; fewer where they are larger.
_AT_ONCE = 256
#: Vectors longer than this are held in half precision: 50,000 of them must fit in memory.
_LONG = 2048
_GALLERY_AT_ONCE = 8192

#: Gives the similarities (Q, G) of vectors (Q, D) to vectors (G, D); larger is more alike.
Compare = Callable[[Vectors, Vectors], Vectors]
#: Gives what marks with the vectors (G, D) are found by, each again (G, D); the most alike counts.
FoundBy = Callable[[Vectors], Sequence[Vectors]]


def cosine(queries: Vectors, gallery: Vectors) -> Vectors:
    """Return the cosines of L2-normalised vectors."""
    return queries @ gallery.T


def euclidean(queries: Vectors, gallery: Vectors) -> Vectors:
    """Return the negative Euclidean distances."""
    return -np.sqrt(np.maximum(_squares(queries, gallery), 0))


def relative(queries: Vectors, gallery: Vectors) -> Vectors:
    """Return the negative distances over the sum of both lengths, as image-match compares."""
    lengths = np.linalg.norm(queries, axis=1)[:, None] + np.linalg.norm(gallery, axis=1)[None]
    return np.asarray(euclidean(queries, gallery) / np.maximum(lengths, 1e-9), np.float32)


def _squares(queries: Vectors, gallery: Vectors) -> Vectors:
    squares = np.square(queries).sum(axis=1)[:, None] + np.square(gallery).sum(axis=1)[None]
    return np.asarray(squares - 2 * queries @ gallery.T, np.float32)


@dataclass(frozen=True)
class Features:
    """A picture becomes a vector: `vectors` takes ink (N, side, side) in [0, 1], gives (N, D)."""

    side: int
    vectors: Callable[[Vectors], Vectors]
    compare: Compare = cosine
    note: str = ""
    found_by: FoundBy = lambda vectors: [vectors]


@dataclass(frozen=True)
class Matching:
    """Pictures are compared pair by pair: too slow for every query, so a sample of them asks."""

    side: int
    describe: Callable[[Vectors], list[Any]]  # ink (N, side, side) in [0, 1] -> one a picture
    likeness: Callable[[Any, Any], float]  # of two descriptions; larger is more alike
    note: str = ""


def model_features(model: Model) -> Features:
    """Return a model's own embedding over pictures of ink, and marks found as `search` does."""
    return replace(lone_model_features(model), found_by=own_and_company)


def lone_model_features(model: Model) -> Features:
    """Return a model's own embedding, and marks found by nothing else."""
    return Features(
        model.shape.size,
        lambda ink: embed_pictures(model, np.ascontiguousarray(ink[:, None] * 2 - 1)),
    )


def own_and_company(vectors: Vectors) -> Sequence[Vectors]:
    """Return the embeddings of marks, and their company's among them (retrieval.company)."""
    return [vectors, company(vectors, find_neighbours(np.arange(len(vectors)), vectors))]


def ink_pictures(archive: Archive, crops: list[str], side: int) -> Iterator[Vectors]:
    """Give the crops as ink on paper, in parts of (n, side, side) float32 in [0, 1], 1 = ink."""
    step = max(8, _AT_ONCE * 64 * 64 // (side * side))
    for start in range(0, len(crops), step):
        part = [normalise(load_crop(archive, crop), side) for crop in crops[start : start + step]]
        yield np.asarray((np.stack(part) + 1) / 2, np.float32)


def vectors_of(
    archive: Archive,
    crops: list[str],
    features: Features,
    report: Report = nobody,
) -> NDArray[Any]:
    """Return the vectors of the crops, (N, D) float32, or float16 where they are long."""
    filled: NDArray[Any] | None = None
    done = 0
    for ink in ink_pictures(archive, crops, features.side):
        part = features.vectors(ink)
        if filled is None:
            kept = np.float16 if part.shape[1] > _LONG else np.float32
            filled = np.empty((len(crops), part.shape[1]), kept)
        filled[done : done + len(part)] = part
        done += len(part)
        report(done, len(crops))
    return filled if filled is not None else np.zeros((0, 1), np.float32)


def compared(
    vectors: NDArray[Any], gallery: NDArray[np.int64], features: Features
) -> Callable[[NDArray[np.int64]], Vectors]:
    """Return the similarity of some rows of `vectors` to the rows of `gallery`."""
    found_by = features.found_by(vectors[gallery])

    def similarity(rows: NDArray[np.int64]) -> Vectors:
        asked = vectors[rows].astype(np.float32)
        scores = np.full((len(rows), len(gallery)), -np.inf, np.float32)
        for start in range(0, len(gallery), _GALLERY_AT_ONCE):
            part = slice(start, start + _GALLERY_AT_ONCE)
            for found in found_by:
                alike = features.compare(asked, found[part].astype(np.float32))
                scores[:, part] = np.maximum(scores[:, part], alike)
        return scores

    return similarity
