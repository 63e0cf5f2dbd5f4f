"""A synthetic archive on disk: pages, documents.csv, and truth.csv that says where the marks are.

    folder/
      pages/hca-32-9001-001.jpg ...   as a scanner would leave them
      documents.csv                   reference,title,date,ship,place,captain,source,language,note
      truth.csv                       source,x,y,width,height,identity,place
      sketches/merchant-0003.png ...  every mark on the pages, drawn once more from memory
      sketches.csv                    source,identity
      labels.csv                      source,label,kind,x,y,width,height: what `evaluate` takes

`source` is the file's name, that is a page's path below `folder/pages` and a sketch's below
`folder/sketches`: ingest the one as pages and the other as marks to evaluate sketches. Everything
in it says that it is synthetic: the titles, the column `note`, and a comment in every picture; a
page's also holds its marks, so that a run that was cut off is taken up where it stopped.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ingest.synthetic.page import (
    PlacedMark,
    draw_page,
    identity_program,
)
from ingest.synthetic.records import (
    NOTE,
    SKETCH,
    Document,
    documents_csv,
    plan_documents,
)
from retrieval.catalogue.errors import ArchiveError
from retrieval.catalogue.files import write_atomically
from retrieval.progress import Report
from retrieval.strokes.memory import from_memory, sketching_hand
from retrieval.strokes.pen import draw
from retrieval.strokes.program import Program

#: Raised whenever the same seed would draw something else than before.
DRAWING = 1

SMALLEST, LARGEST = (700, 900), (3000, 4000)
_QUALITY = 88

TRUTH_COLUMNS = ("source", "x", "y", "width", "height", "identity", "place")
LABEL_COLUMNS = ("source", "label", "kind", "x", "y", "width", "height")


@dataclass(frozen=True)
class TrueMark:
    """One row of truth.csv: a page, a tight box in its pixels, whose mark, and where it stands."""

    source: str
    x: int
    y: int
    width: int
    height: int
    identity: str
    place: str


@dataclass(frozen=True)
class Truth:
    """What `draw_archive` knows of what it drew."""

    folder: Path
    documents: tuple[Document, ...]
    marks: tuple[TrueMark, ...]

    @property
    def pages_folder(self) -> Path:
        """The folder to ingest."""
        return self.folder / "pages"

    @property
    def sketches_folder(self) -> Path:
        """The folder of the sketches, to ingest as marks or to search with."""
        return self.folder / "sketches"

    @property
    def identities(self) -> tuple[str, ...]:
        """The names of the identities that were drawn at least once, in order."""
        return tuple(sorted({mark.identity for mark in self.marks}))


def identity_name(number: int) -> str:
    """Return what identity `number` is called in truth.csv and labels.csv."""
    return f"merchant-{number:04d}"


def _check(size: tuple[int, int], **counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            raise ArchiveError(f"{count} {name} are too few: a synthetic archive needs at least 1.")
    if not (SMALLEST[0] <= size[0] <= LARGEST[0] and SMALLEST[1] <= size[1] <= LARGEST[1]):
        raise ArchiveError(
            f"Pages of {size[0]} x {size[1]} pixels were asked for; choose a size from "
            f"{SMALLEST[0]} x {SMALLEST[1]} to {LARGEST[0]} x {LARGEST[1]}."
        )


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()


def _write_unless_same(path: Path, content: bytes) -> None:
    if not (path.is_file() and path.read_bytes() == content):
        write_atomically(path, content)


def _marks_if_drawn(path: Path, settings: dict[str, object]) -> tuple[PlacedMark, ...] | None:
    """Return the marks of a page that stands there already as `settings` would draw it."""
    try:
        with Image.open(path) as image:
            comment = json.loads(image.info["comment"])
            if comment["settings"] != settings:
                return None
            return tuple(PlacedMark(**mark) for mark in comment["marks"])
    except (OSError, KeyError, TypeError, ValueError):  # none there, or not one of ours
        return None


def _jpeg(image: NDArray[np.uint8], comment: dict[str, object]) -> bytes:
    out = io.BytesIO()
    text = json.dumps(comment).encode()
    Image.fromarray(image).save(out, "JPEG", quality=_QUALITY, comment=text)
    return out.getvalue()


def _page_marks(
    folder: Path, document: Document, index: int, seed: int, size: tuple[int, int]
) -> tuple[PlacedMark, ...]:
    """Draw one page into `folder` unless it is there; return its marks."""
    settings: dict[str, object] = {
        "drawing": DRAWING,
        "seed": seed,
        "page": index,
        "size": list(size),
        "reference": document.reference,
        "title": document.title,
        "identities": list(document.identities),
    }
    path = folder / document.source
    done = _marks_if_drawn(path, settings)
    if done is not None:
        return done
    page = draw_page(document, seed=seed, index=index, size=size)
    marks = [asdict(mark) for mark in page.marks]
    write_atomically(path, _jpeg(page.image, {"note": NOTE, "settings": settings, "marks": marks}))
    return page.marks


def draw_archive(
    folder: Path,
    *,
    seed: int = 7,
    identities: int = 60,
    pages: int = 80,
    size: tuple[int, int] = (1400, 2000),
    workers: int | None = None,
    progress: Report | None = None,
) -> Truth:
    """Draw a synthetic archive into `folder`; return what stands where.

    `size` is a page's (width, height) in pixels. The same seed and counts give the same bytes,
    whatever the number of `workers` (threads; as many as there are processors if None). Pages that
    are there already are left alone. `progress` is told (pages done, pages in all).

    Raises ArchiveError for counts and sizes that cannot be drawn, and if `folder/pages` holds
    pictures that are not of this archive; OSError if the disk refuses.
    """
    _check(size, identities=identities, pages=pages)
    documents = plan_documents(seed, identities, pages)
    below = folder / "pages"
    expected = {document.source for document in documents}
    strangers = [p.name for p in sorted(below.glob("*.jpg")) if p.name not in expected]
    if strangers:
        raise ArchiveError(
            f"{below} holds {len(strangers)} other pictures ({strangers[0]} ...): "
            "name an empty folder for a synthetic archive."
        )
    below.mkdir(parents=True, exist_ok=True)
    drawn: list[tuple[PlacedMark, ...]] = []
    with ThreadPoolExecutor(min(workers or os.cpu_count() or 1, pages)) as pool:
        tasks = [
            pool.submit(_page_marks, below, document, index, seed, size)
            for index, document in enumerate(documents)
        ]
        try:
            for done, task in enumerate(tasks, 1):
                drawn.append(task.result())
                if progress is not None:
                    progress(done, pages)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    marks = tuple(
        TrueMark(
            document.source,
            mark.x,
            mark.y,
            mark.width,
            mark.height,
            identity_name(mark.identity),
            mark.place,
        )
        for document, placed in zip(documents, drawn, strict=True)
        for mark in placed
    )
    _write_unless_same(folder / "documents.csv", documents_csv(documents).encode())
    rows = ([getattr(mark, column) for column in TRUTH_COLUMNS] for mark in marks)
    _write_unless_same(folder / "truth.csv", _csv(TRUTH_COLUMNS, rows))
    _write_sketches(folder, seed, sorted({mark.identity for placed in drawn for mark in placed}))
    crops = ((m.source, m.identity, "crop", m.x, m.y, m.width, m.height) for m in marks)
    truth = Truth(folder, documents, marks)
    sketches = ((f"{name}.png", name, "sketch", "", "", "", "") for name in truth.identities)
    _write_unless_same(folder / "labels.csv", _csv(LABEL_COLUMNS, [*crops, *sketches]))
    return truth


def _write_sketches(folder: Path, seed: int, identities: Sequence[int]) -> None:
    """Write a sketch of each identity and the list of them."""
    (folder / "sketches").mkdir(exist_ok=True)
    names = [identity_name(identity) for identity in identities]
    for identity, name in zip(identities, names, strict=True):
        sketch = draw_sketch(identity_program(seed, identity), [seed, SKETCH, identity])
        text = PngInfo()
        text.add_text("Comment", NOTE)
        out = io.BytesIO()
        Image.fromarray(sketch).save(out, "PNG", pnginfo=text)
        _write_unless_same(folder / f"sketches/{name}.png", out.getvalue())
    rows = [(f"{name}.png", name) for name in names]
    _write_unless_same(folder / "sketches.csv", _csv(("source", "identity"), rows))


def draw_sketch(program: Program, seed: Sequence[int]) -> NDArray[np.uint8]:
    """Return `program` drawn from memory with a clean pen on white: (300, 300) uint8 grey."""
    rng = np.random.default_rng(seed)
    ink = draw(from_memory(program, rng), sketching_hand(rng), rng, 300)
    return np.asarray(np.round(255 - 255 * ink), np.uint8)
