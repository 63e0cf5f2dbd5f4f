"""Five pages for marks to be imported into, and out of which they are exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import tifffile
from sqlalchemy import select

from ingest.annotations.exporting import export_file
from ingest.annotations.formats import ANNOTATION_FORMATS
from ingest.annotations.importing import FileReport, import_annotations
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.tables import Mark, Page
from tests.ingest.scans import page_image, scan

WIDTH, HEIGHT = 100, 80
TROUBLE = "ö (2);\u2028&<{.png"


def make_scans(folder: Path) -> Path:
    """Five pages: two alike in name, one with two images, one whose name asks for trouble."""
    scan(folder / "a/1.png", (0, 0), (1, 1))
    scan(folder / "b/1.png", (2, 2))
    scan(folder / "b" / TROUBLE, (3, 3))
    with tifffile.TiffWriter(folder / "b/two.tif") as writer:
        for column in (0, 4):
            writer.write(page_image((column, 0)), photometric="rgb")
    return folder


def written(archive: Archive, form: str, folder: Path) -> list[Path]:
    """Export into a new place; return the files."""
    folder.mkdir(exist_ok=True, parents=True)
    one = ANNOTATION_FORMATS[form]
    place = folder / f"{form}.d" if one.a_file_an_image else folder / f"marks{one.suffix}"
    for old in [place] if place.is_file() else place.rglob("*.xml"):
        old.unlink()
    export_file(archive, one, place)
    return sorted(place.rglob("*.xml")) if one.a_file_an_image else [place]


def only_marks(archive: Archive, source: str) -> list[Mark]:
    with archive.session() as session:
        found = list(
            session.scalars(
                select(Mark).join(Page).where(Page.source == source).order_by(Mark.x, Mark.id)
            )
        )
        session.expunge_all()
    return found


def imported(archive: Archive, path: Path, content: Any) -> FileReport:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    (report,) = import_annotations(archive, [path])
    return report


def coco(source: str, *regions: dict[str, Any], **image: Any) -> dict[str, Any]:
    return {
        "images": [{"id": 1, "file_name": source, **image}],
        "annotations": [{"id": at, "image_id": 1, **one} for at, one in enumerate(regions)],
    }
