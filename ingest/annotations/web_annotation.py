"""W3C Web Annotations, alone or on the canvases of a IIIF Presentation 3 manifest.

The target says where: a canvas or an image, with a FragmentSelector (`xywh=`, pixels or percent)
or an SvgSelector. The status is a tag, as any annotation tool shows and edits it; score and origin
are properties of our own (`urn:prizemarks:score`): JSON-LD takes a full IRI without a context.
https://www.w3.org/TR/annotation-model/ https://iiif.io/api/presentation/3.0/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from ingest.annotations.annotation import (
    MAX_REGIONS,
    MAX_REGIONS_OF_AN_IMAGE,
    STATUSES,
    AnnotatedImage,
    Annotation,
    Canvas,
    Point,
    RegionError,
    Understood,
    bounding_box,
    box_of,
    moment_of,
    moment_text,
    origin_of,
    pixels,
    points_text,
    polygon_of,
    score_of,
    whole,
)
from ingest.annotations.svg import drawn_by
from ingest.plain_json import listed, mapped, text_of
from ingest.streamed_json import Stream, write_json
from retrieval.catalogue.errors import MetadataError

#: Where addresses begin that nobody has given a place: `.invalid` is nobody's, for good.
BASE = "https://prizemarks.invalid/"

ANNOTATIONS_CONTEXT = "http://www.w3.org/ns/anno.jsonld"
PRESENTATION_CONTEXT = "http://iiif.io/api/presentation/3/context.json"

#: What annotations are for that say nothing of a mark: the image itself, and transcriptions.
_NOT_OF_MARKS = frozenset({"painting", "supplementing"})

#: The types that are told apart here.
_TYPES = frozenset(
    {"Annotation", "AnnotationPage", "AnnotationCollection", "Canvas", "Manifest"}
    | {"SvgSelector", "FragmentSelector"}
)

_XYWH = re.compile(r"(?:^|&)xywh=(?:(pixel|percent):)?([^&]*)")
_MARK = re.compile(r"/mark/([0-9]{1,18})$")


def read_web_annotations(value: object, name: str) -> Understood:
    """Read annotations, pages or collections of them, or a manifest; MetadataError for others."""
    top = listed(value)
    held = _held(top, name)
    if not held.regions and not held.canvases and not any(
        _type_of(one) in ("AnnotationPage", "AnnotationCollection", "Manifest") for one in top
    ):  # fmt: skip
        raise MetadataError(f"{name} contains neither a Web Annotation nor a IIIF manifest.")
    refused: list[str] = []
    remarks: list[str] = []
    images = _placed(held, name, refused, remarks)
    if held.linked:
        refused.append(
            f"The file only links to {held.linked} of its annotation pages: download and import "
            "them as well."
        )
    return Understood(images, tuple(refused), tuple(remarks))


@dataclass
class _Held:
    """What a file holds: canvases by their addresses, annotations, and how many pages of these are
    not in it but only linked."""

    canvases: dict[str, AnnotatedImage] = field(default_factory=dict)
    regions: list[Mapping[str, Any]] = field(default_factory=list)
    linked: int = 0


def _type_of(one: object) -> str:
    """Return the type of a JSON object that is known here, else its first; "" where it has none.

    JSON-LD may give several.
    """
    types = [each for each in listed(mapped(one).get("type")) if isinstance(each, str)]
    return next((each for each in types if each in _TYPES), types[0] if types else "")


def _held(top: Sequence[Any], name: str) -> _Held:
    """Walk through what a file holds, in its order."""
    held = _Held()
    waiting = list(reversed(top))
    while waiting:
        one = mapped(waiting.pop())
        kind = _type_of(one)
        if not kind and str(one.get("@type", "")).startswith(("sc:", "oa:")):
            raise MetadataError(f"{name} is IIIF Presentation 2: convert it to version 3.")
        if kind == "Annotation":
            held.regions.append(one)
        elif kind == "AnnotationPage":
            held.linked += "items" not in one
            waiting.extend(reversed(listed(one.get("items"))))
        elif kind == "AnnotationCollection":
            held.linked += isinstance(one.get("first"), str)
            waiting += [each for each in listed(one.get("first")) if isinstance(each, dict)]
        elif kind == "Canvas":
            if canvas := text_of(one.get("id")):
                held.canvases[canvas] = _canvas(one, canvas, name)
            waiting.extend(reversed(listed(one.get("annotations"))))  # its own items paint it
        elif kind == "Manifest":
            below = [*listed(one.get("items")), *listed(one.get("annotations"))]
            waiting.extend(reversed(below))
        if len(held.regions) > MAX_REGIONS:
            raise MetadataError(
                f"{name} has more than {MAX_REGIONS:,} annotations: split the file."
            )
    return held


def _placed(
    held: _Held, name: str, refused: list[str], remarks: list[str]
) -> tuple[AnnotatedImage, ...]:
    """Return the images with the annotations that are on them."""
    found: dict[AnnotatedImage, list[Annotation]] = {image: [] for image in held.canvases.values()}
    passed = 0
    for at, region in enumerate(held.regions, start=1):
        where = f"annotation {text_of(region.get('id')) or at!r}"[:200]
        if _NOT_OF_MARKS & set(map(str, listed(region.get("motivation")))):
            passed += 1
            continue
        try:
            for target in listed(region.get("target")) or [None]:  # without one it is refused
                image, annotation = _annotation(
                    region, target, held.canvases, where, refused, remarks
                )
                here = found.setdefault(image, [])
                here.append(annotation)
                if len(here) > MAX_REGIONS_OF_AN_IMAGE:
                    raise MetadataError(
                        f"{name}: {image.source!r} has more than {MAX_REGIONS_OF_AN_IMAGE:,} "
                        "annotations."
                    )
        except RegionError as error:
            refused.append(f"{where}: {error}.")
    if passed:
        remarks.append(
            f"{passed} annotation{'' if passed == 1 else 's'} skipped: images or transcriptions, "
            "not marks."
        )
    return tuple(
        replace(image, annotations=tuple(annotations))
        for image, annotations in found.items()
        if annotations
    )


def write_web_annotations(images: Iterable[AnnotatedImage], base: str = BASE) -> Iterator[str]:
    """Give the marks as one AnnotationPage, part by part."""
    return write_json(
        {
            "@context": ANNOTATIONS_CONTEXT,
            "id": f"{base}annotations",
            "type": "AnnotationPage",
            "items": Stream(
                as_web_annotation(one, image, _whole_target(image, base), base)
                for image in images
                for one in image.annotations
            ),
        }
    )


def as_web_annotation(
    one: Annotation, image: AnnotatedImage, source: object, base: str
) -> dict[str, Any]:
    """Return the annotation of a mark of `image`, whose canvas is `source`."""
    one = _in_units_of_canvas(one, image)
    selector: dict[str, str] = {
        "type": "FragmentSelector",
        "conformsTo": "http://www.w3.org/TR/media-frags/",
        "value": "xywh=pixel:" + ",".join(str(pixels(each)) for each in one.box),
    }
    if one.polygon is not None:
        selector = {
            "type": "SvgSelector",
            "value": '<svg xmlns="http://www.w3.org/2000/svg"><polygon points='
            f'"{points_text(one.polygon)}"/></svg>',
        }
    written: dict[str, Any] = {
        "id": None if one.mark is None else f"{base}mark/{one.mark}",
        "type": "Annotation",
        "motivation": "tagging",
        "created": moment_text(one.created),
        "urn:prizemarks:score": one.score,
        "urn:prizemarks:origin": one.origin,
        "body": one.status
        and [
            {
                "type": "TextualBody",
                "purpose": "tagging",
                "format": "text/plain",
                "value": one.status,
            }
        ],
        "target": {"type": "SpecificResource", "source": source, "selector": selector},
    }
    return {key: each for key, each in written.items() if each is not None}


def canvas_id(image: AnnotatedImage, base: str) -> str:
    """Return the address of an image's canvas: the one it was fetched from, else one of our own.

    Ours holds the page's source, and its frame if any.
    """
    if (canvas := _fetched_from(image)) is not None:
        return canvas.id
    frame = f"?frame={image.frame}" if image.frame else ""
    return f"{base}canvas/{quote(image.source, safe='')}{frame}"


def canvas_size(image: AnnotatedImage) -> tuple[int | None, int | None]:
    """Return width and height of an image's canvas, in the canvas's units."""
    canvas = _fetched_from(image) or image
    return canvas.width, canvas.height


def _fetched_from(image: AnnotatedImage) -> Canvas | None:
    """Return the canvas of another's manifest that the whole image fills, if there is one."""
    canvas = image.canvas
    if canvas is None or not image.width or not image.height or image.frame:
        return None
    # A smaller copy was rounded to whole pixels.
    fills = (
        abs(image.width * canvas.height / canvas.width - image.height) <= 1
        or abs(canvas.width * image.height / image.width - canvas.height) <= 1
    )
    return canvas if fills else None


def _in_units_of_canvas(one: Annotation, image: AnnotatedImage) -> Annotation:
    width, height = canvas_size(image)
    if not (width and height and image.width and image.height):
        return one
    across, down = width / image.width, height / image.height
    if across == down == 1:
        return one
    x, y, wide, high = one.box
    box = (_short(x * across), _short(y * down), _short(wide * across), _short(high * down))
    outline = one.polygon and tuple((_short(x * across), _short(y * down)) for x, y in one.polygon)
    return replace(one, box=box, polygon=outline)


def _short(value: float) -> float:
    # Finer than any master's pixel, so that the way back ends at the same one.
    return round(value, 4)


def file_facts(image: AnnotatedImage) -> dict[str, Any]:
    """Return the properties of our own that tell a canvas's file for certain."""
    facts = {"urn:prizemarks:frame": image.frame, "urn:prizemarks:sha256": image.sha256}
    return {key: each for key, each in facts.items() if each is not None}


def _whole_target(image: AnnotatedImage, base: str) -> dict[str, Any]:
    return {
        "id": canvas_id(image, base),
        "type": "Canvas",
        "width": canvas_size(image)[0],
        "height": canvas_size(image)[1],
        **file_facts(image),
    }


def _canvas(one: Mapping[str, Any], canvas: str, name: str) -> AnnotatedImage:
    """Return the image that a canvas shows, by all the names that may be known here."""
    names = list(_names(canvas))
    for page in listed(one.get("items")):
        for painting in listed(mapped(page).get("items")):
            for body in listed(mapped(painting).get("body")):
                names += [text_of(mapped(body).get("id")) or ""]
                names += [
                    text_of(mapped(each).get("id")) or text_of(mapped(each).get("@id")) or ""
                    for each in listed(mapped(body).get("service"))
                ]
    split = parse_qs(urlsplit(canvas).query) if _is_address(canvas) else {}
    said = one.get("urn:prizemarks:frame", split.get("frame", [None])[0])
    try:
        return AnnotatedImage(
            names=tuple(dict.fromkeys(each for each in names if each)),
            frame=None if said is None else whole(said, "frame"),
            width=_size(one.get("width")),
            height=_size(one.get("height")),
            sha256=text_of(one.get("urn:prizemarks:sha256")),
        )
    except RegionError as error:
        raise MetadataError(f"{name}: of the canvas {canvas[:200]!r}, {error}.") from error


def _names(canvas: str) -> tuple[str, ...]:
    """Return what a canvas's address may name: itself, and the source that we put into it."""
    if not _is_address(canvas):
        return (canvas,)
    _, ours, last = urlsplit(canvas).path.rpartition("/canvas/")
    return (canvas, unquote(last)) if ours and last and "/" not in last else (canvas,)


def _is_address(text: str) -> bool:
    try:
        return bool(urlsplit(text).scheme)
    except ValueError:
        return False


def _annotation(
    region: Mapping[str, Any],
    target: object,
    canvases: Mapping[str, AnnotatedImage],
    where: str,
    refused: list[str],
    remarks: list[str],
) -> tuple[AnnotatedImage, Annotation]:
    resource = mapped(target)
    source = resource.get("source", resource) if resource else target
    canvas = text_of(mapped(source).get("id")) if isinstance(source, dict) else text_of(source)
    if canvas is None:
        raise RegionError("its target names no canvas")
    canvas, _, fragment = canvas.partition("#")
    selectors = listed(resource.get("selector"))
    if fragment and not selectors:
        selectors = [{"type": "FragmentSelector", "value": fragment}]
    said = _size_and_facts(source)
    image = canvases.get(canvas)
    if image is None or said:
        try:
            image = _canvas(said, canvas, "")
        except MetadataError as error:
            raise RegionError(f"{error}".lstrip(": ").rstrip(".")) from error
    tagged = [
        word
        for body in listed(region.get("body"))
        if isinstance(body, dict) and body.get("purpose", "tagging") == "tagging"
        and (word := str(body.get("value")).strip().casefold()) in STATUSES
    ]  # fmt: skip
    if len(set(tagged)) > 1:
        raise RegionError(f"it is tagged {' and '.join(tagged)} at once")
    ours = _MARK.search(text_of(region.get("id")) or "")
    box, outline, percent = _selected(selectors, where, remarks)
    return image, Annotation(
        box=box,
        polygon=outline,
        percent=percent,
        status=tagged[0] if tagged else None,
        origin=origin_of(region.get("urn:prizemarks:origin")),
        mark=int(ours[1]) if ours else None,
        created=_moment(region.get("created")),
        score=score_of(region.get("urn:prizemarks:score"), where, refused),
        where=where,
    )


def _selected(
    selectors: Sequence[Any], where: str, remarks: list[str]
) -> tuple[tuple[float, float, float, float], tuple[Point, ...] | None, bool]:
    """Return what the selectors select: box, outline if any, and whether in percent.

    Several selectors say the same in other ways, so that an SVG one goes before a box.
    """
    chosen = [
        mapped(one)
        for kind in ("SvgSelector", "FragmentSelector")
        for one in selectors
        if _type_of(one) == kind
    ]
    if not chosen:
        raise RegionError("it selects no region")
    if "refinedBy" in chosen[0]:
        raise RegionError("its selector is refined by another, which is not supported")
    value = chosen[0].get("value")
    if not isinstance(value, str):
        raise RegionError("its selector has no value")
    if _type_of(chosen[0]) == "SvgSelector":
        drawn = drawn_by(value)
        if not drawn.exact:
            remarks.append(f"{where}: its curves or parts were read as straight lines.")
        if drawn.is_outline:
            outline = polygon_of(list(drawn.points))
            return bounding_box(outline), outline, False
        if not drawn.points:
            raise RegionError("its SVG draws nothing")
        return box_of(*bounding_box(drawn.points)), None, False
    found = _XYWH.search(unquote(value).lstrip("#"))
    if found is None:
        raise RegionError("its fragment has no xywh=x,y,w,h")
    sides = found[2].split(",")
    if len(sides) != 4:
        raise RegionError("its xywh does not have four numbers")
    return box_of(*sides), None, found[1] == "percent"


def _size_and_facts(source: object) -> dict[str, Any]:
    """Return what a target says of its canvas beyond the address."""
    wanted = ("width", "height", "urn:prizemarks:frame", "urn:prizemarks:sha256")
    return {one: mapped(source)[one] for one in wanted if one in mapped(source)}


def _size(value: object) -> int | None:
    return None if value is None else whole(value, "image size") or None


def _moment(value: object) -> datetime | None:
    """Return when the annotation was made, if that can be read: other programs have other ways."""
    try:
        return moment_of(value)
    except RegionError:
        return None
