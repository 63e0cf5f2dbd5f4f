"""VGG Image Annotator 2: its project (JSON), its annotations as JSON, and as CSV.

What VIA has no place for goes into `region_attributes` and `file_attributes`, which VIA shows and
lets be edited. https://www.robots.ox.ac.uk/~vgg/software/via/
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ingest.annotations.annotation import (
    MAX_REGIONS,
    MAX_REGIONS_OF_AN_IMAGE,
    STATUSES,
    AnnotatedImage,
    Annotation,
    FloatBox,
    RegionError,
    Understood,
    annotation_of,
    bounding_box,
    box_of,
    moment_text,
    number,
    pixels,
    polygon_of,
    score_text,
    whole,
)
from ingest.csv_text import row_text
from ingest.plain_json import listed, mapped, parse_json, text_of
from ingest.streamed_json import StreamOfMembers, write_json
from retrieval.catalogue.errors import MetadataError

CSV_COLUMNS = (
    "filename",
    "file_size",
    "file_attributes",
    "region_count",
    "region_id",
    "region_shape_attributes",
    "region_attributes",
)

_FILE_ATTRIBUTES = ("frame", "width", "height", "sha256")
_REGION_ATTRIBUTES = ("mark", "score", "origin", "created")


def read_via(value: Mapping[str, Any], name: str) -> Understood:
    """Read a project, or annotations that were exported as JSON."""
    files = value.get("_via_img_metadata", value)
    images: list[AnnotatedImage] = []
    refused: list[str] = []
    count = 0
    for given in mapped(files).values():
        file = mapped(given)
        regions = file.get("regions")
        numbered = regions.values() if isinstance(regions, dict) else listed(regions)  # VIA 1
        count += len(numbered)
        if count > MAX_REGIONS or len(numbered) > MAX_REGIONS_OF_AN_IMAGE:
            raise _too_many(name)
        annotations = []
        for at, region in enumerate(numbered, start=1):
            where = f"{str(file.get('filename'))[:200]!r}, region {at}"
            try:
                annotations.append(
                    _annotation(
                        mapped(mapped(region).get("shape_attributes")),
                        mapped(mapped(region).get("region_attributes")),
                        where,
                        refused,
                    )
                )
            except RegionError as error:
                refused.append(f"{where}: {error}.")
        images.append(
            _image(
                name,
                file.get("filename"),
                file.get("size"),
                mapped(file.get("file_attributes")),
                annotations,
            )
        )
    return Understood(tuple(images), tuple(refused))


def read_via_csv(rows: Sequence[tuple[int, Mapping[str, str]]], name: str) -> Understood:
    """Read annotations that were exported as CSV: numbered lines by the names of the columns."""
    found: dict[tuple[str, str, str], list[Annotation]] = {}
    refused: list[str] = []
    for line, row in rows:
        where = f"line {line}"
        file = row["filename"], row.get("file_size", ""), row.get("file_attributes", "")
        here = found.setdefault(file, [])
        shape = _inner(row["region_shape_attributes"], name, line)
        if not shape and row.get("region_count", "0").strip() in ("", "0"):
            continue  # an image without regions has a line of its own
        try:
            attributes = _inner(row.get("region_attributes", ""), name, line)
            here.append(_annotation(shape, attributes, where, refused))
        except RegionError as error:
            refused.append(f"{where}: {error}.")
        if len(here) > MAX_REGIONS_OF_AN_IMAGE:
            raise _too_many(name)
    images = [
        _image(name, file, size, _inner(attributes, name, 0), annotations)
        for (file, size, attributes), annotations in found.items()
    ]
    return Understood(tuple(images), tuple(refused))


def write_via(images: Iterable[AnnotatedImage]) -> Iterator[str]:
    """Give images and marks as a project of VIA 2.0, with a choice of the three statuses."""
    names: list[str] = []  # whole when it is written
    return write_json(
        {
            "_via_settings": {
                "ui": {},
                "core": {"buffer_size": 18, "filepath": {}, "default_filepath": ""},
                "project": {"name": "prizemarks"},
            },
            "_via_img_metadata": StreamOfMembers(_files(images, names)),
            "_via_attributes": {
                "region": {
                    "status": {
                        "type": "dropdown",
                        "description": "What a person says of the mark",
                        "options": dict.fromkeys(STATUSES, ""),
                        "default_options": {"confirmed": True},
                    },
                    **{one: _text_field(one) for one in _REGION_ATTRIBUTES},
                },
                "file": {one: _text_field(one) for one in _FILE_ATTRIBUTES},
            },
            "_via_data_format_version": "2.0.10",
            "_via_image_id_list": names,
        }
    )


def _files(
    images: Iterable[AnnotatedImage], names: list[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the images, each with its marks, by what VIA calls them, which is added to `names`."""
    for image in images:
        frame = f"#{image.frame}" if image.frame else ""
        names.append(f"{image.source}{image.size or -1}{frame}")
        file = {
            "filename": image.source,
            "size": image.size or -1,
            "regions": [
                {"shape_attributes": _shape(one), "region_attributes": _attributes(one)}
                for one in image.annotations
            ],
            "file_attributes": _file_attributes(image),
        }
        yield names[-1], file


def write_via_csv(images: Iterable[AnnotatedImage]) -> Iterator[str]:
    """Give images and marks as VIA's CSV: one row a mark, one for an image without."""
    yield row_text(CSV_COLUMNS)
    for image in images:
        file = (image.source, image.size or -1, json.dumps(_file_attributes(image)))
        for at, one in enumerate(image.annotations):
            shape, attributes = json.dumps(_shape(one)), json.dumps(_attributes(one))
            yield row_text((*file, len(image.annotations), at, shape, attributes))
        if not image.annotations:
            yield row_text((*file, 0, 0, "{}", "{}"))


def _annotation(
    shape: Mapping[str, Any], said: Mapping[str, Any], where: str, refused: list[str]
) -> Annotation:
    kind = shape.get("name")
    outline = None
    if kind == "rect":
        box = box_of(*(shape.get(one) for one in ("x", "y", "width", "height")))
    elif kind in ("polygon", "polyline"):
        xs, ys = listed(shape.get("all_points_x")), listed(shape.get("all_points_y"))
        if len(xs) != len(ys):
            raise RegionError("its polygon has different numbers of x and y")
        outline = polygon_of(list(zip(xs, ys, strict=True)))
        box = bounding_box(outline)
    elif kind in ("circle", "ellipse"):
        box = _around(shape)
    else:
        raise RegionError(f"the shape {str(kind)[:40]!r} has no area")
    return annotation_of(box, outline, said, where, refused)


def _around(shape: Mapping[str, Any]) -> FloatBox:
    """Return the box around a circle or an ellipse; one that is turned gets room for any turn."""
    x, y = number(shape.get("cx"), "cx"), number(shape.get("cy"), "cy")
    across = number(shape.get("r", shape.get("rx")), "radius")
    down = number(shape.get("r", shape.get("ry")), "radius")
    if number(shape.get("theta", 0), "theta"):
        across = down = max(across, down)
    return box_of(x - across, y - down, 2 * across, 2 * down)


def _image(
    name: str,
    file: object,
    size: object,
    said: Mapping[str, Any],
    annotations: Sequence[Annotation],
) -> AnnotatedImage:
    called = text_of(file)
    if called is None:
        raise MetadataError(f"{name} has an image without a filename.")
    return AnnotatedImage(
        names=(called,),
        annotations=tuple(annotations),
        frame=_whole(said.get("frame")),
        width=_whole(said.get("width")) or None,
        height=_whole(said.get("height")) or None,
        sha256=text_of(said.get("sha256")),
        size=_whole(size) or None,
    )


def _whole(value: object) -> int | None:
    """Return a whole number from 0 on; None for anything else.

    Attributes of files may be anybody's own, and VIA gives -1 bytes to a file that it was only told
    the address of.
    """
    try:
        return whole(value, "number")
    except RegionError:
        return None


def _shape(one: Annotation) -> dict[str, Any]:
    if one.polygon is not None:
        return {
            "name": "polygon",
            "all_points_x": [pixels(x) for x, _ in one.polygon],
            "all_points_y": [pixels(y) for _, y in one.polygon],
        }
    x, y, width, height = map(pixels, one.box)
    return {"name": "rect", "x": x, "y": y, "width": width, "height": height}


def _attributes(one: Annotation) -> dict[str, str]:
    return {
        "status": one.status or "",
        "mark": "" if one.mark is None else str(one.mark),
        "score": score_text(one.score) or "",
        "origin": one.origin or "",
        "created": moment_text(one.created) or "",
    }


def _text_field(kept: str) -> dict[str, str]:
    return {"type": "text", "description": f"{kept}, kept by prizemarks", "default_value": ""}


def _file_attributes(image: AnnotatedImage) -> dict[str, str]:
    values = (image.frame, image.width, image.height, image.sha256)
    return {
        one: "" if value is None else str(value)
        for one, value in zip(_FILE_ATTRIBUTES, values, strict=True)
    }


def _inner(text: str, name: str, line: int) -> dict[str, Any]:
    """Return the JSON that a field of the CSV holds."""
    return mapped(parse_json(text, f"{name}, line {line}")) if text.strip() else {}


def _too_many(name: str) -> MetadataError:
    return MetadataError(
        f"{name} has more than {MAX_REGIONS:,} regions, or more than "
        f"{MAX_REGIONS_OF_AN_IMAGE:,} on an image: split it."
    )
