"""Marks without ink: crops of blank paper, which all look alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.marks import mark_rows
from retrieval.crops import load_crops
from retrieval.embedding import embed_pictures
from retrieval.ink import normalise_all, without_ink
from retrieval.model import Model
from retrieval.vectors import Vectors

#: A crop is read where its cosine to blank paper is this or more. Of 64 drawings under the bundled
#: weights none had more than 0.41, and crops without ink have 1.
LIKE_PAPER = 0.999


def marks_without_ink(
    archive: Archive, model: Model, marks: NDArray[np.int64], vectors: Vectors
) -> NDArray[np.int64]:
    """Return which of N marks have no ink, by their embeddings under a model, (N, D).

    Only crops whose embedding is near that of blank paper are read; unreadable ones count as
    blank.
    """
    side = model.shape.size
    paper = embed_pictures(model, np.full((1, 1, side, side), -1, np.float32))[0]
    like_it: list[int] = marks[vectors @ paper >= LIKE_PAPER].tolist()
    with archive.session() as session:
        rows = mark_rows(session, like_it)
    crops = [(mark, rows[mark].crop) for mark in like_it if mark in rows]
    inked = [
        crops[at][0]
        for at, picture in load_crops(archive, crops, [])
        if not without_ink(normalise_all([picture], side))
    ]
    return np.setdiff1d(np.array(like_it, np.int64), np.array(inked, np.int64))
