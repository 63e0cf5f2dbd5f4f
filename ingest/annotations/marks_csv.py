"""Marks as a table: one row a mark, boxes in pixels of the master."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ingest.annotations.annotation import (
    MAX_REGIONS_OF_AN_IMAGE,
    AnnotatedImage,
    Annotation,
    RegionError,
    Understood,
    annotation_of,
    bounding_box,
    box_of,
    moment_text,
    pixels,
    points_of,
    points_text,
    polygon_of,
    score_text,
    whole,
)
from ingest.csv_text import as_cell, as_said, row_text
from retrieval.catalogue.canvases import CanvasRow
from retrieval.catalogue.errors import MetadataError

#: The columns of `export --format csv`, in their order.
COLUMNS = (
    "mark",
    "source",
    "page",
    "x",
    "y",
    "width",
    "height",
    "status",
    "score",
    "reference",
)

#: What a mark has besides, so that it comes back whole.
FULL_COLUMNS = (
    *COLUMNS, "frame", "origin", "created", "polygon", "page_width", "page_height", "sha256",
)  # fmt: skip

#: How likely proposals are marks, after what people said of others: after those, and only where
#: that was reckoned.
REALISM_COLUMNS = ("realism",)

#: What canvases of IIIF manifests say of pages: after that, and only where one says any.
#: Not "label": in a file of marks that is taken for whose mark it is.
CANVAS_COLUMNS = ("page_label", "attribution", "rights")

#: Whose mark a person said it is, how surely, who and when: the last columns, and only where
#: somebody said so of any. Where that is several things of one mark, all have them in one order.
IDENTITY_COLUMNS = ("identity", "certainty", "said_by", "said_at")

NEEDED = ("source", "x", "y", "width", "height")


def read_marks_csv(rows: Sequence[tuple[int, Mapping[str, str]]], name: str) -> Understood:
    """Read numbered lines by the names of the columns, of which `NEEDED` must be there."""
    found: dict[AnnotatedImage, list[Annotation]] = {}
    refused: list[str] = []
    for line, row in rows:
        where = f"line {line}"
        try:
            image = _image(row)
            here = found.setdefault(image, [])
            here.append(_annotation(row, where, refused))
        except RegionError as error:
            refused.append(f"{where}: {error}.")
            continue
        if len(here) > MAX_REGIONS_OF_AN_IMAGE:
            raise MetadataError(
                f"{name} has more than {MAX_REGIONS_OF_AN_IMAGE:,} rows of {image.source!r}."
            )
    images = [replace(image, annotations=tuple(here)) for image, here in found.items()]
    return Understood(tuple(images), tuple(refused))


def write_marks_csv(images: Iterable[AnnotatedImage]) -> Iterator[str]:
    """Give all that the marks have: `FULL_COLUMNS`.

    `REALISM_COLUMNS`, `CANVAS_COLUMNS` and `IDENTITY_COLUMNS` follow where anything is in them.
    """
    return _table(images, FULL_COLUMNS)


def write_mark_list(images: Iterable[AnnotatedImage]) -> Iterator[str]:
    """Give the list of marks that spreadsheets and other programs read: `COLUMNS`.

    `REALISM_COLUMNS` follow where proposals were ranked by it, `CANVAS_COLUMNS` where marks are on
    pages from a IIIF manifest, `IDENTITY_COLUMNS` where a mark belongs to one.
    """
    return _table(images, COLUMNS)


def columns_written(
    columns: Sequence[str], *, realism: bool, canvases: bool, identities: bool
) -> tuple[str, ...]:
    """Return a table's columns, with those that follow where there is anything in them."""
    following = (
        (REALISM_COLUMNS, realism), (CANVAS_COLUMNS, canvases), (IDENTITY_COLUMNS, identities),
    )  # fmt: skip
    return (*columns, *(column for more, there in following if there for column in more))


def rows_text(images: Iterable[AnnotatedImage], columns: Sequence[str]) -> str:
    """Return the rows of the images' marks, one after another, without the columns' names."""
    return "".join(
        row_text([fields[column] for column in columns])
        for image in images
        for one in image.annotations
        if (fields := _fields(image, one))
    )


def _table(images: Iterable[AnnotatedImage], columns: Sequence[str]) -> Iterator[str]:
    marks = [replace(image, annotations=(one,)) for image in images for one in image.annotations]
    marks.sort(key=lambda image: image.annotations[0].mark or 0)
    columns = columns_written(
        columns,
        realism=any(image.annotations[0].realism is not None for image in marks),
        canvases=any(image.described for image in marks),
        identities=any(image.annotations[0].identities for image in marks),
    )
    yield row_text(columns)
    yield rows_text(marks, columns)


def _fields(image: AnnotatedImage, one: Annotation) -> dict[str, object]:
    x, y, width, height = map(pixels, one.box)
    said = image.described or CanvasRow(None, None, None)
    return {
        "mark": one.mark,
        "source": image.source,
        "page": image.page,
        "x": x,
        "y": y,
        "width": width,
        "height": height,
        "status": one.status,
        "score": score_text(one.score),
        "realism": score_text(one.realism),
        "reference": as_cell((image.document or {}).get("reference")),
        "frame": image.frame,
        "origin": as_cell(one.origin),
        "created": moment_text(one.created),
        "polygon": points_text(one.polygon) if one.polygon else None,
        "page_width": image.width,
        "page_height": image.height,
        "sha256": image.sha256,
        "page_label": as_cell(said.label),
        "attribution": as_cell(said.attribution),
        "rights": as_cell(said.rights),
        "identity": as_cell("; ".join(word.name for word in one.identities)),
        "certainty": "; ".join(word.certainty for word in one.identities),
        "said_by": as_cell("; ".join(word.said_by for word in one.identities)),
        "said_at": "; ".join(moment_text(word.said_at) or "" for word in one.identities),
    }


def _image(row: Mapping[str, str]) -> AnnotatedImage:
    """Return the image that a row is about; RegionError where it names none."""
    if not row["source"]:
        raise RegionError("it has no source")

    def said(column: str) -> int | None:
        return whole(row[column], column) if row.get(column) else None

    # What other programs call a page is not one of our ids.
    page = said("page") if row.keys() >= set(COLUMNS) else None
    return AnnotatedImage(
        (row["source"],),
        frame=said("frame"),
        width=said("page_width"),
        height=said("page_height"),
        sha256=row.get("sha256") or None,
        page=page or 0,
    )


def _annotation(row: Mapping[str, str], where: str, refused: list[str]) -> Annotation:
    outline = polygon_of(points_of(row["polygon"])) if row.get("polygon") else None
    box = box_of(*(row[one] for one in ("x", "y", "width", "height")))
    if outline is not None and bounding_box(outline) != box:
        # Whoever corrects a box in a spreadsheet leaves the outline: the box is the later word.
        outline = None
    said = dict(row) | {"origin": as_said(row.get("origin", ""))}
    # Spreadsheets of many countries write 0,93; a table parted by commas has it in quotation marks.
    said["score"] = row.get("score", "").replace(",", ".")
    return annotation_of(box, outline, said, where, refused)
