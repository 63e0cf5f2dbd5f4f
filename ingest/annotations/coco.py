"""COCO's JSON of images, annotations and categories, with CVAT's `attributes` for the rest.

https://cocodataset.org/#format-data
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ingest.annotations.annotation import (
    MAX_REGIONS,
    MAX_REGIONS_OF_AN_IMAGE,
    AnnotatedImage,
    Annotation,
    Point,
    RegionError,
    Understood,
    annotation_of,
    bounding_box,
    box_of,
    moment_text,
    pixels,
    polygon_of,
    whole,
)
from ingest.plain_json import listed, mapped, text_of
from ingest.streamed_json import Stream, write_json
from retrieval.catalogue.errors import MetadataError

CATEGORY = "merchant's mark"


def read_coco(value: Mapping[str, Any], name: str) -> Understood:
    """Read a file with `images` and `annotations`; MetadataError where images cannot be told."""
    by_image: dict[object, list[Annotation]] = defaultdict(list)
    refused: list[str] = []
    remarks: list[str] = []
    kinds = {str(mapped(one).get("name")) for one in listed(value.get("categories")) if mapped(one)}
    regions = listed(value.get("annotations"))
    if len(regions) > MAX_REGIONS:
        raise MetadataError(f"{name} has more than {MAX_REGIONS:,} annotations: split the file.")
    for at, region in enumerate(regions):
        where = f"annotation {mapped(region).get('id', at)!r}"[:60]
        try:
            key = _key(mapped(region).get("image_id"))
            by_image[key].append(_annotation(mapped(region), where, refused, remarks))
        except RegionError as error:
            refused.append(f"{where}: {error}.")
    images = []
    for at, given in enumerate(listed(value.get("images"))):
        image = mapped(given)
        try:
            key = _key(image.get("id"))
            names = [text_of(image.get(one)) for one in ("file_name", "coco_url", "flickr_url")]
            found = AnnotatedImage(
                names=tuple(dict.fromkeys(one for one in names if one)),
                annotations=tuple(by_image.pop(key, ())),
                frame=_known(image.get("frame"), "frame"),
                width=_known(image.get("width"), "width") or None,
                height=_known(image.get("height"), "height") or None,
                sha256=text_of(image.get("sha256")),
            )
        except RegionError as error:
            raise MetadataError(f"{name}: of image {at + 1}, {error}.") from error
        if not found.names:
            raise MetadataError(f"{name}: image {at + 1} has no file_name.")
        if len(found.annotations) > MAX_REGIONS_OF_AN_IMAGE:
            raise MetadataError(
                f"{name}: {found.source!r} has more than {MAX_REGIONS_OF_AN_IMAGE:,} annotations."
            )
        images.append(found)
    for orphans in by_image.values():
        refused += [f"{one.where}: its image is not in the file." for one in orphans]
    if len(kinds) > 1:
        remarks.append(f"All its {len(kinds)} categories were taken for marks.")
    return Understood(tuple(images), tuple(refused), tuple(remarks))


def write_coco(images: Iterable[AnnotatedImage]) -> Iterator[str]:
    """Give images and marks as one COCO file, part by part: the marks first."""
    seen: list[dict[str, Any]] = []  # whole when it is written
    return write_json(
        {
            "info": {"description": "Merchants' marks, written by prizemarks", "version": "1"},
            "licenses": [],
            "categories": [{"id": 1, "name": CATEGORY, "supercategory": "mark"}],
            "annotations": Stream(_annotations(images, seen)),
            "images": seen,
        }
    )


def _annotations(
    images: Iterable[AnnotatedImage], seen: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Give the images' marks; what is to be said of the images themselves is added to `seen`."""
    unnumbered = 0
    for at, image in enumerate(images, start=1):
        seen.append(
            {
                "id": image.page or at,
                "file_name": image.source,
                "width": image.width,
                "height": image.height,
                "frame": image.frame,
                "sha256": image.sha256,
            }
        )
        for one in image.annotations:
            unnumbered -= 1
            outline = [pixels(each) for point in one.polygon or () for each in point]
            yield {
                "id": one.mark if one.mark is not None else unnumbered,
                "image_id": image.page or at,
                "category_id": 1,
                "bbox": [pixels(each) for each in one.box],
                "segmentation": [outline] if outline else [],
                "area": pixels(_area(one)),
                "iscrowd": 0,
                "attributes": {
                    "mark": one.mark,
                    "status": one.status,
                    "score": one.score,
                    "origin": one.origin,
                    "created": moment_text(one.created),
                },
            }


def _annotation(
    region: Mapping[str, Any], where: str, refused: list[str], remarks: list[str]
) -> Annotation:
    said = mapped(region.get("attributes"))
    parts = region.get("segmentation")
    outline = None
    if isinstance(parts, dict) or (isinstance(parts, list) and len(parts) > 1):
        remarks.append(
            f"{where}: its outline is a pixel mask or has several parts; only its box was used."
        )
    elif isinstance(parts, list) and parts and region.get("bbox") and _too_few(parts[0]):
        if parts[0]:
            remarks.append(f"{where}: its outline has fewer than 3 points; only its box was used.")
    elif isinstance(parts, list) and parts:
        outline = _outline(parts[0])
    if outline is not None:
        box = bounding_box(outline)
    else:
        box_sides = listed(region.get("bbox"))
        if len(box_sides) != 4:
            raise RegionError("it has no bbox of four numbers")
        box = box_of(*box_sides)
    # Detectors write a score of their own beside the box.
    said = {"score": region.get("score"), **said}
    return annotation_of(box, outline, said, where, refused)


def _too_few(part: object) -> bool:
    return isinstance(part, list) and len(part) < 6


def _outline(part: object) -> tuple[Point, ...]:
    flat = listed(part)
    if len(flat) % 2:
        raise RegionError("its segmentation has an odd number of coordinates")
    return polygon_of(list(zip(flat[::2], flat[1::2], strict=True)))


def _key(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise RegionError("the id of its image is neither a number nor text")
    return value


def _known(value: object, what: str) -> int | None:
    return None if value is None else whole(value, what)


def _area(one: Annotation) -> float:
    if one.polygon is None:
        return one.box[2] * one.box[3]
    following = (*one.polygon[1:], one.polygon[0])
    twice = sum(a * d - b * c for (a, b), (c, d) in zip(one.polygon, following, strict=True))
    return abs(twice) / 2
