"""The boxes that may be proposed on pages whose marks are known: what there is to learn from."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from proposals.clutter import CLUTTER, lay_clutter_in
from proposals.inlay import (
    AMONG_WRITING,
    ANYWHERE,
    BY_CLERKS,
    InlaidPage,
    Sort,
    lay_marks_in,
    writing_ink,
)
from segmentation import TrueBox, scanned_pages, synthetic_pages

from ingest.appearance import ink_planes
from ingest.inks import Inks, separate_inks
from ingest.segmentation import candidates, working_copy
from ingest.traits import Boxes, describe
from retrieval.boxes import Edges, overlaps

Values = NDArray[np.float32]

#: A box that overlaps a mark by this much (intersection over union) is that mark.
IS_MARK = 0.55
#: Each scan serves so often, with marks of these sorts laid in.
_ROUNDS = (ANYWHERE, ANYWHERE, ANYWHERE, AMONG_WRITING)
#: Rounds in which things are laid in that are no marks, and how many.
_CLUTTERED, _THINGS = (1, 2, 3), 8
#: Marks laid into a page at once.
_MARKS = 12


@dataclass(frozen=True)
class Boxed:
    """The boxes of one page: their traits, (N, T), and how far each is each mark, (M, N)."""

    page: str
    names: tuple[str, ...]
    boxes: Boxes
    traits: Values
    overlaps: Values
    centred: NDArray[np.bool_]  # (M, N): the box's centre lies in the mark
    unknown: NDArray[np.bool_]  # (N,): what overlaps a true stamp is neither mark nor other
    planes: NDArray[np.uint8]  # of the page's ink, for the pictures of its boxes
    letter: float
    sorts: tuple[str, ...]


def boxed(
    name: str,
    page: NDArray[np.uint8],
    marks: Sequence[Sequence[float]],
    sorts: Sequence[str],
    stamps: Sequence[Sequence[float]] = (),
) -> Boxed:
    """Find the boxes of a page of working size, on which `marks` and `stamps` are known."""
    inks = separate_inks(page)
    boxes = candidates(inks)
    traits = describe(inks, boxes)
    scale = inks.ink.shape[1] / page.shape[1]
    known, true = (np.array(some, np.float32).reshape(-1, 4) * scale for some in (marks, stamps))
    unknown = (overlaps(true, boxes) > 0).any(axis=0)
    if name.startswith("synthetic"):
        # The drawn pages bear repository stamps that their truth does not list.
        unknown |= (traits["coloured"] > 0.5) | (traits["ring"] > 0.9)
    columns = np.stack(list(traits.values()), axis=1)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    centred = (known[:, None, :2] < middle) & (middle < known[:, None, 2:])
    return Boxed(
        page=name,
        names=tuple(traits),
        boxes=boxes,
        traits=columns,
        overlaps=overlaps(known, boxes),
        centred=centred.all(axis=2),
        unknown=np.asarray(unknown, np.bool_),
        planes=ink_planes(inks),
        letter=inks.letter,
        sorts=tuple(sorts),
    )


def reduced(path: Path, boxes: Sequence[TrueBox]) -> tuple[NDArray[np.uint8], list[list[float]]]:
    """Read a page at working size, with its true boxes."""
    image = np.asarray(Image.open(path).convert("RGB"))
    page = working_copy(image)
    scale = page.shape[1] / image.shape[1]
    return page, [[v * scale for v in (b.left, b.top, b.right, b.bottom)] for b in boxes]


def among_clutter(
    page: NDArray[np.uint8],
    inks: Inks,
    rng: np.random.Generator,
    taken: Sequence[Edges],
    sorts: Sequence[Sort],
) -> InlaidPage:
    """Lay things that are no marks into a page, then marks off them."""
    ink = writing_ink(page, inks)
    busy = tuple(taken)
    if ink is not None:
        letter = inks.letter * page.shape[1] / inks.ink.shape[1]
        kinds = [CLUTTER[int(nth)] for nth in rng.integers(0, len(CLUTTER), _THINGS)]
        page, boxes = lay_clutter_in(page, letter, ink, rng, kinds, busy)
        busy += boxes
    return lay_marks_in(page, inks, rng, _MARKS, busy, sorts)


def whole_pixels(boxes: Sequence[Sequence[float]]) -> list[Edges]:
    return [(round(x), round(y), round(right), round(low)) for x, y, right, low in boxes]


def inlaid_examples(folder: Path, seed: int) -> list[Boxed]:
    examples = []
    for at, (path, true) in enumerate(scanned_pages(folder)):
        page, stamps = reduced(path, true)
        inks = separate_inks(page)
        taken = whole_pixels(stamps)
        for turn, sorts in enumerate(_ROUNDS):
            rng = np.random.default_rng([seed, at, turn])
            if turn in _CLUTTERED:
                laid = among_clutter(page, inks, rng, taken, sorts)
            else:
                laid = lay_marks_in(page, inks, rng, _MARKS, taken, sorts)
            examples.append(boxed(path.name, laid.image, laid.boxes, laid.sorts, stamps))
    return examples


def synthetic_examples(pages: int, seed: int) -> list[Boxed]:
    """Give each drawn page as it is, and once more with clutter and more marks of clerks."""
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for at, (path, true) in enumerate(synthetic_pages(Path(folder), pages, seed=99)):
            name, (page, marks) = f"synthetic {path.name}", reduced(path, true)
            sorts = [box.sort for box in true]
            found.append(boxed(name, page, marks, sorts))
            rng = np.random.default_rng([seed, at])
            inks = separate_inks(page)
            laid = among_clutter(page, inks, rng, whole_pixels(marks), BY_CLERKS)
            found.append(boxed(name, laid.image, [*marks, *laid.boxes], [*sorts, *laid.sorts]))
    return found


def by_name(example: Boxed) -> dict[str, Values]:
    """Return the traits of a page's boxes, (N,) each, by their names."""
    return dict(zip(example.names, example.traits.T, strict=True))
