"""Places: where a search finds something on a page though no mark was found there.

    embedded query -> nearest regions (shards of `ingest.everywhere`)
                   -> places: the best of those that overlap, and none that a known mark covers

A place is a box on a page that nobody has called a mark. It is found by its own embedding alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from retrieval.boxes import Box
from retrieval.calibration import Calibration, calibrate
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.canvases import CanvasRow, canvas_rows
from retrieval.catalogue.documents import Filters
from retrieval.catalogue.errors import ModelError, QueryError
from retrieval.catalogue.marks import marked_boxes
from retrieval.catalogue.pages import (
    PageSize,
    PlacePage,
    has_pages_by_content,
    page_ids,
    pages_by_content,
    place_pages,
)
from retrieval.embedding import dimension
from retrieval.index_state import index_command
from retrieval.model import Model
from retrieval.orientation import UPRIGHT, Orientation
from retrieval.shards import (
    STEP,
    decoded,
    each_page,
    in_pixels,
    most_regions,
    shard_paths,
    shards_folder,
)

#: Two boxes are at one place if they share this part of their union ...
SAME = 0.3
#: ... or if this part of the smaller lies in the larger, and that is not larger than so many times.
INSIDE, LARGER = 0.7, 6.0
#: What a square slid over the page must be more alike than what fits the strokes of the page: it
#: finds what nothing else fits, but its box is a loose one.
HANDICAP = 0.1
#: Regions that random pairs are drawn from, to say what a likeness means.
_SAMPLE = 50_000
#: Regions that are added to an index at once, and a few of the next page.
_ADDED = 20_000


@dataclass(frozen=True)
class Places:
    """The N regions of an archive's P pages under one model, in memory: 141 bytes each."""

    codes: Any  # faiss.IndexScalarQuantizer over N codes of one byte a component
    pages: NDArray[np.int64]  # (P,) ids
    sizes: NDArray[np.int64]  # (P, 2) width and height of each page's master in pixels
    page: NDArray[np.int32]  # (N,) which of the pages each region is on
    boxes: NDArray[np.uint16]  # (N, 4) x, y, width, height in 65,535ths of the page's sides
    slid: NDArray[np.bool_]  # (N,) whether it was slid over its page
    scores: Calibration

    def __len__(self) -> int:
        return len(self.page)

    def pages_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the ids of the pages of some regions."""
        return self.pages[self.page[rows]]

    def boxes_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the boxes of R regions in pixels of their masters, (R, 4)."""
        return in_pixels(self.boxes[rows], self.sizes[self.page[rows]])


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place of a ranked list without a mark."""

    rank: int
    score: float  # cosine, less `HANDICAP` for a square, in [-1, 1]
    unrelated: float  # share of unrelated regions at least this alike in any way, in (0, 1]
    source: str
    page: int
    box: Box  # x, y, width, height in pixels of the master
    document: dict[str, Any] | None
    held: Orientation = UPRIGHT  # how the query is to be held to look like this place
    canvas: CanvasRow | None = None  # what the IIIF canvas of its page says of it


def has_places(archive: Archive, model_id: str) -> bool:
    """Return whether regions of pages were ever embedded under the model."""
    return bool(shard_paths(shards_folder(archive, model_id)))


def has_pages(archive: Archive) -> bool:
    """Return whether the archive holds pages that can be searched; crops are not pages."""
    with archive.session() as session:
        return has_pages_by_content(session)


def load_places(archive: Archive, model: Model) -> Places:
    """Load the regions of the archive's pages as they are now, damaged shards left out.

    There are none where the archive holds no pages, but crops alone. Raises ModelError when it
    holds pages, and none was looked through.
    """
    folder, size = shards_folder(archive, model.id), dimension(model)
    if not has_places(archive, model.id) and has_pages(archive):
        raise ModelError(
            f"The pages of {archive.folder} are not indexed under model {model.id}; run: "
            f"{index_command(archive, model.id)} --everywhere"
        )
    with archive.session() as session:
        pages = pages_by_content(session)
    index = _index_for(folder, size)
    found: list[PageSize] = []
    counts: list[int] = []
    boxes, slid = [np.zeros((0, 4), np.uint16)], [np.zeros(0, bool)]
    waiting: list[NDArray[np.int8]] = []
    for known in each_page(folder, size):
        page = pages.get(known.page)
        if page is None:
            continue  # gone or read anew since; the next `index --everywhere` clears it away
        found.append(page)
        counts.append(len(known.boxes))
        boxes.append(known.boxes)
        slid.append(known.slid)
        waiting.append(known.codes)
        if sum(map(len, waiting)) >= _ADDED:
            index.add(decoded(np.concatenate(waiting)))
            waiting.clear()
    if waiting:
        index.add(decoded(np.concatenate(waiting)))
    return Places(
        index,
        np.array([page.page for page in found], np.int64),
        np.array([(page.width, page.height) for page in found], np.int64).reshape(-1, 2),
        np.repeat(np.arange(len(found), dtype=np.int32), counts),
        np.concatenate(boxes),
        np.concatenate(slid),
        _calibrated(index),
    )


def _index_for(folder: Path, size: int) -> Any:
    """Return an empty FAISS index with room for the regions of a folder's shards.

    Its codes are theirs, one byte a component.
    """
    index = faiss.IndexScalarQuantizer(
        size, faiss.ScalarQuantizer.QT_8bit_uniform, faiss.METRIC_INNER_PRODUCT
    )
    # Its steps are ours, not learned. "8bit_direct" would round the queries to whole numbers.
    steps = np.array([-128.5 * STEP, 255 * STEP], np.float32)
    faiss.copy_array_to_vector(steps, index.sq.trained)
    index.is_trained = True
    # A vector that grows is copied, old and new both in memory. One that shrinks keeps its room.
    index.codes.resize(most_regions(folder, size) * size)
    index.codes.resize(0)
    return index


def _calibrated(index: Any) -> Calibration:
    rows = np.arange(index.ntotal)
    if len(rows) > _SAMPLE:
        rows = np.sort(np.random.default_rng(0).choice(len(rows), _SAMPLE, replace=False))
    return calibrate(index.reconstruct_batch(rows))


def find_places(
    archive: Archive,
    places: Places,
    vectors: NDArray[np.float32],
    ways: Sequence[Orientation],
    top: int,
    where: Filters | None = None,
) -> list[Place]:
    """Return up to `top` places most like a query held in W ways, (W, D) L2-normalised.

    Of regions that overlap on a page the best is left, and none that a mark covers, whatever its
    status: a known mark is its own result, and what was rejected is not put forward again.
    """
    if top < 1:
        raise QueryError(f"A search returns at least one result; top = {top} was asked for.")
    chosen: Any = None
    among = len(places)
    if where is not None and where != Filters():
        with archive.session() as session:
            fitting = np.asarray(page_ids(session, where), np.int64)
        rows = np.flatnonzero(np.isin(places.pages, fitting)[places.page])
        chosen, among = faiss.IDSelectorBatch(rows), len(rows)
    wanted = 200 + 10 * top
    while True:
        count = min(wanted, among)
        scores, rows, way = _nearest(places, vectors, count, chosen, among)
        with archive.session() as session:
            marked = marked_boxes(session, np.unique(places.pages_of(rows)).tolist())
        kept = _apart(places, rows, marked, top)
        if len(kept) == top or count == among:
            break
        wanted *= 4  # so much lay on marks, or on one another
    unrelated = np.minimum(places.scores.unrelated(scores) * len(ways), 1.0)
    with archive.session() as session:
        named = np.unique(places.pages_of(rows[kept])).tolist()
        pages, canvases = place_pages(session, named), canvas_rows(session, named)
    found: list[Place] = []
    on, boxes = places.pages_of(rows[kept]).tolist(), places.boxes_of(rows[kept]).tolist()
    for at, number, (x, y, width, height) in zip(kept, on, boxes, strict=True):
        page: PlacePage | None = pages.get(number)
        if page is None:
            continue  # deleted since the places were loaded
        found.append(
            Place(
                rank=len(found) + 1,
                score=float(scores[at]),
                unrelated=float(unrelated[at]),
                source=page.source,
                page=page.page,
                box=(x, y, width, height),
                document=page.document,
                held=ways[int(way[at])],
                canvas=canvases.get(page.page),
            )
        )
    return found


def _nearest(
    places: Places, vectors: NDArray[np.float32], count: int, chosen: Any, among: int
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Return scores, rows and ways of the nearest regions, each region once, best first.

    Those of which it is not certain that they come before all others are left out.
    """
    if count == 0:
        nothing = np.zeros(0, np.int64)
        return np.zeros(0, np.float32), nothing, nothing
    parameters: Any = faiss.SearchParameters
    asked = np.ascontiguousarray(vectors, np.float32)
    if chosen is None:
        scores, rows = places.codes.search(asked, count)
    else:
        scores, rows = places.codes.search(asked, count, params=parameters(sel=chosen))
    way = np.repeat(np.arange(len(vectors))[:, None], count, axis=1)
    least = scores[:, -1].max() if count < among else -np.inf
    flat, row, ways = scores.ravel(), rows.ravel(), way.ravel()
    flat = np.where(places.slid[row], flat - np.float32(HANDICAP), flat)
    certain = flat >= least
    flat, row, ways = flat[certain], row[certain], ways[certain]
    order = np.lexsort((row, -flat))
    _, first = np.unique(row[order], return_index=True)
    best = order[np.sort(first)]
    return np.minimum(flat[best], np.float32(1)), row[best], ways[best]


def _apart(
    places: Places, rows: NDArray[np.int64], marked: dict[int, NDArray[np.int64]], top: int
) -> list[int]:
    """Return which of `rows`, best first, lie on no mark and on no better one; `top` at most."""
    kept: list[int] = []
    taken: dict[int, list[NDArray[np.int64]]] = defaultdict(list)
    for page, boxes in marked.items():
        taken[page].extend(boxes)
    for at, (page, box) in enumerate(
        zip(places.pages_of(rows).tolist(), places.boxes_of(rows), strict=True)
    ):
        if len(kept) == top:
            break
        if taken[page] and one_place(box, np.array(taken[page])).any():
            continue
        kept.append(at)
        taken[page].append(box)
    return kept


def one_place(box: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which of `others`, (N, 4), are at the place of `box`: x, y, width, height.

    They share `SAME` of their union, or one lies in the other and is not much smaller.
    """
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[:2] + box[2:], others[:, :2] + others[:, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=1)
    one, areas = float(box[2] * box[3]), np.prod(others[:, 2:], axis=1)
    smaller, larger = np.minimum(one, areas), np.maximum(one, areas)
    alike = common >= SAME * (one + areas - common)
    inside = (common >= INSIDE * smaller) & (larger <= LARGER * smaller)
    return np.asarray(alike | inside, np.bool_)
