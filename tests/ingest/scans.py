"""Small scans with squares for marks, and what an archive holds after taking them in."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import inspect, select, text

from ingest.batch import ingest_crops, ingest_pages
from ingest.manner import Manner
from ingest.report import IngestReport
from ingest.segmentation import Proposal, Propose, Segmenter
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.tables import Mark, Page


def propose(image: np.ndarray) -> list[Proposal]:
    """Take every dark rectangle of the test pages for a mark: they lie on a grid of 20 pixels."""
    found = []
    for y in range(0, image.shape[0] - 19, 20):
        for x in range(0, image.shape[1] - 19, 20):
            if image[y : y + 20, x : x + 20].mean() < 128:
                found.append(Proposal(x, y, 20, 20, 0.75))
    return found


def scan(path: Path, *marks: tuple[int, int], size: tuple[int, int] = (100, 80)) -> Path:
    """Write a page with a dark square at each (column, row) of a grid of 20 pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(page_image(*marks, size=size)).save(path)
    return path


def page_image(*marks: tuple[int, int], size: tuple[int, int] = (100, 80)) -> np.ndarray:
    image = np.full((size[1], size[0], 3), 230, np.uint8)
    for column, row in marks:
        image[20 * row : 20 * row + 20, 20 * column : 20 * column + 20] = (
            10 + column,
            10 + row,
            10,
        )
    return image


def written_page(seed: int, size: tuple[int, int] = (900, 640)) -> np.ndarray:
    """A page of words: dark bars of random lengths in lines, on paper with noise."""
    rng = np.random.default_rng(seed)
    page = np.full((*size, 3), 215, np.float64) + rng.normal(0, 3, (*size, 1))
    for y in range(60, size[0] - 60, 24):
        x = int(rng.integers(40, 160))
        while x < size[1] - 60:
            width = int(rng.integers(8, 70))
            page[y : y + 9, x : min(x + width, size[1] - 40)] = 60
            x += width + int(rng.integers(6, 30 if rng.random() < 0.8 else 200))
    return np.clip(page, 0, 255).astype(np.uint8)


SQUARES = Segmenter("squares-1", propose)


def pages_of(
    archive: Archive,
    *sources: Path | str,
    propose: Propose = propose,
    segmenter: str = SQUARES.name,
    **manner: Any,
) -> IngestReport:
    found_by = Segmenter(segmenter, propose)
    return ingest_pages(archive, sources, found_by, Manner(**{"workers": 0} | manner))


def crops_of(archive: Archive, *sources: Path, **manner: Any) -> IngestReport:
    return ingest_crops(archive, sources, Manner(**{"workers": 0} | manner))


def dump(archive: Archive, *, moments: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, without the times at which they were written."""
    with archive.engine.connect() as connection:
        return {
            table: [
                {
                    column: value
                    for column, value in row._mapping.items()
                    if moments or not column.endswith("_at")
                }
                for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2"))
            ]
            for table in sorted(inspect(connection).get_table_names())
            if table != "alembic_version"
        }


def refuse(monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[Path]:
    """Let nobody into the folder; return where those are kept who ask for what lies in it."""
    asked: list[Path] = []
    stat = Path.stat

    def refused(path: Path, **options: bool) -> os.stat_result:
        if folder in path.parents:
            asked.append(path)
            raise PermissionError(13, "Permission denied")
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", refused)
    return asked


def crops_in(archive: Archive) -> set[str]:
    return {path.name for path in archive.crops_folder.rglob("*") if path.is_file()}


def rows(archive: Archive, statement: Any) -> list[Any]:
    with archive.session() as session:
        return [tuple(row) for row in session.execute(statement)]


def boxes(archive: Archive, source: str) -> list[tuple[int, int, str]]:
    return rows(
        archive,
        select(Mark.x, Mark.y, Mark.status)
        .join(Page, Mark.page_id == Page.id)
        .where(Page.source == source)
        .order_by(Mark.x, Mark.y),
    )


def quarantine(archive: Archive) -> list[dict[str, str]]:
    with (archive.folder / "quarantine.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
