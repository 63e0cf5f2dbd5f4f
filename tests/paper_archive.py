"""A small archive for tests of the web page: three pages of drawn marks, indexed under a model."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from retrieval.catalogue import tables
from retrieval.catalogue.archive import Archive
from retrieval.crops import write_crop
from retrieval.gan.architecture import Architecture, Generator, draw_weights
from retrieval.index import refresh_index
from retrieval.model import build_discriminator, model_id, pack_weights, read_model, write_model
from tests.drawn_marks import drawn_mark

#: What a cataloguer may have pasted: nothing of it may become HTML, Markdown or a request.
HOSTILE = "<img src=x onerror=alert(1)> ![x](http://evil.example/x.png) [y](javascript:alert(1))"
WIDTH, HEIGHT, SIDE = 500, 360, 60
PLACES = ((40, 50), (220, 50), (40, 220), (300, 240))
#: Seeds of the marks at `PLACES` of each page: the first page's first mark is on all of them.
PAGES = ((1, 2, 3, 4), (1, 5, 6, 7), (1, 8, 9, 10))
DOCUMENTS = (
    ("HCA 32/1/1", "HCA 32", "De Hoop", 1702, HOSTILE),
    ("HCA 32/1/2", "HCA 32", "De Hoop", 1710, "Bill of lading"),
    ("HCA 30/7", "HCA 30", "Amity", 1745, "Letter"),
)


@dataclass(frozen=True)
class Papers:
    """The archive, and the ids of its pages and of the marks on each."""

    archive: Archive
    pages: tuple[int, ...]
    marks: tuple[tuple[int, ...], ...]


def make_papers(archive: Archive, scans: Path) -> Papers:
    """Draw the pages into `scans` and put them, with their marks, into `archive`; index them."""
    scans.mkdir(parents=True)
    pages, marks = [], []
    for number, (seeds, document) in enumerate(zip(PAGES, DOCUMENTS, strict=True)):
        reference, series, ship, year, title = document
        image = np.full((HEIGHT, WIDTH, 3), 246, np.uint8)
        for seed, (x, y) in zip(seeds, PLACES, strict=True):
            image[y : y + SIDE, x : x + SIDE] = drawn_mark(seed, SIDE)
        path = scans / f"{number}.png"
        cv2.imwrite(str(path), image)
        with archive.session() as session:
            owner = tables.Document(
                reference=reference,
                series=series,
                ship=ship,
                title=title,
                date=str(year),
                year_from=year,
                year_to=year,
                details={"cargo": HOSTILE},
            )
            page = tables.Page(
                document=owner,
                source=path.name,
                location=str(path),
                width=WIDTH,
                height=HEIGHT,
                sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
                size=path.stat().st_size,
                mtime_ns=path.stat().st_mtime_ns,
                segmenter="test",
            )
            session.add(page)
            session.flush()
            pages.append(page.id)
        marks.append(tuple(add_mark(archive, page_id, image, at) for at in PLACES
                           for page_id in pages[-1:]))  # fmt: skip
    keep_tiny_model(archive)
    index_papers(archive)
    return Papers(archive, tuple(pages), tuple(marks))


def add_mark(archive: Archive, page: int, image: np.ndarray, at: tuple[int, int]) -> int:
    """Put the mark of `SIDE` pixels at `at` into the catalogue; return its id."""
    x, y = at
    crop = write_crop(archive.crops_folder, image[y : y + SIDE, x : x + SIDE])
    with archive.session() as session:
        mark = tables.Mark(
            page_id=page, x=x, y=y, width=SIDE, height=SIDE, status="proposed", score=0.9,
            origin="test", proposed_by="test", crop=crop,
        )  # fmt: skip
        session.add(mark)
        session.flush()
        return mark.id


def keep_tiny_model(archive: Archive) -> None:
    """Give the archive a model of its own that is quick: equal pictures are equal to it."""
    shape = Architecture("dcgan", size=32, width=8)
    discriminator, generator = build_discriminator(shape, "contrastive"), Generator(shape)
    draw_weights(discriminator, 1)
    draw_weights(generator, 2)
    weights = pack_weights(discriminator, generator, "contrastive")
    manifest = {"id": model_id(weights), "settings": {"objective": "contrastive"}}
    write_model(archive.models_folder / model_id(weights), weights, manifest)


def index_papers(archive: Archive) -> None:
    """Index the archive under its own model."""
    (folder,) = archive.models_folder.iterdir()
    refresh_index(archive, read_model(folder))
