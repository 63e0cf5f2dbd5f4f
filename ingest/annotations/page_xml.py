"""PAGE-XML of PRImA, as Transkribus, Aletheia and OCR-D read and write it.

One file an image. A mark is a GraphicRegion; what PAGE has no place for goes into `custom`, in the
way that Transkribus writes there: `prizemarks {status:confirmed; score:0.9;}`. eScriptorium reads
and writes text regions alone, and the type of a zone there: `structure {type:GraphicZone;}`.
https://github.com/PRImA-Research-Lab/PAGE-XML
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from xml.etree.ElementTree import Element as Written
from xml.etree.ElementTree import SubElement, indent, tostring

from ingest.annotations.annotation import (
    MAX_REGIONS_OF_AN_IMAGE,
    AnnotatedImage,
    Annotation,
    FloatBox,
    Point,
    RegionError,
    Understood,
    annotation_of,
    bounding_box,
    moment_text,
    points_of,
    points_text,
    polygon_of,
    score_text,
    whole,
)
from ingest.annotations.plain_xml import Element, parse_xml, without_control
from retrieval.catalogue.errors import MetadataError

NAMESPACE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"
_ANY_VERSION = "http://schema.primaresearch.org/PAGE/gts/pagecontent/"

#: Kinds of regions that may be marks. Text, tables, rules, stains and the like are not.
_OF_MARKS = frozenset(
    {"GraphicRegion", "ImageRegion", "LineDrawingRegion", "CustomRegion", "UnknownRegion"}
)

#: Types of zones, in letters alone, that may be marks though they are text regions: of SegmOnto, of
#: eScriptorium's own, and words that people would use. Drop capitals, signatures of quires and
#: damage are not marks. https://segmonto.github.io/gd
_ZONES_OF_MARKS = frozenset(
    {
        "graphiczone", "sealzone", "stampzone", "graphic", "illustration", "image", "mark", "marks",
        "merchantmark", "merchantmarks", "merchantsmark", "merchantsmarks",
    }
)  # fmt: skip

_STRUCTURE = re.compile(r"structure\s*\{[^{}]*\btype:([^;{}]*)")
_CUSTOM = re.compile(r"prizemarks\s*\{([^{}]*)\}")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{6})")


def read_page_xml(content: bytes, name: str) -> Understood:
    """Read PAGE-XML of any version; MetadataError where it is something else."""
    root = parse_xml(content, name)
    if root.name != "PcGts" or not root.namespace.startswith(_ANY_VERSION):
        raise MetadataError(f"{name} is XML, but not PAGE-XML: its root is {root.name!r}.")
    page = next((one for one in root.children if one.name == "Page"), None)
    file = page.attributes.get("imageFilename", "") if page is not None else ""
    if page is None or not file:
        raise MetadataError(f"{name} names no image: its Page needs an imageFilename.")
    ours = _custom(page.attributes.get("custom", ""))
    try:
        width = _size(page.attributes.get("imageWidth"))
        height = _size(page.attributes.get("imageHeight"))
        frame = whole(ours["frame"], "frame") if "frame" in ours else None
    except RegionError as error:
        raise MetadataError(f"{name}: {error}.") from error
    annotations: list[Annotation] = []
    refused: list[str] = []
    others: dict[str, int] = {}
    for region in page.walk():
        if not region.name.endswith("Region"):
            continue
        said = _custom(region.attributes.get("custom", ""))
        if region.name not in _OF_MARKS and not said and not _is_zone_of_marks(region):
            others[region.name] = others.get(region.name, 0) + 1
            continue
        where = f"{region.name} {region.attributes.get('id', '')!r}"
        if len(annotations) == MAX_REGIONS_OF_AN_IMAGE:
            raise MetadataError(f"{name} has more than {MAX_REGIONS_OF_AN_IMAGE:,} regions.")
        try:
            annotations.append(_annotation(region, said, where, refused))
        except RegionError as error:
            refused.append(f"{where}: {error}.")
    names = tuple(dict.fromkeys((ours.get("source", file), file)))
    image = AnnotatedImage(
        names, tuple(annotations), frame, width, height, ours.get("sha256") or None
    )
    remarks = [f"{count} {kind} skipped: not a mark." for kind, count in sorted(others.items())]
    return Understood((image,), tuple(refused), tuple(remarks))


def write_page_xml(images: Iterable[AnnotatedImage]) -> Iterator[str]:
    """Give the only image there is, and its marks, as PAGE-XML of 2019-07-15."""
    (image,) = images
    made = [one.created for one in image.annotations if one.created]
    made += [image.ingested] if image.ingested else []
    root = Written("PcGts", {"xmlns": NAMESPACE})
    metadata = SubElement(root, "Metadata")
    SubElement(metadata, "Creator").text = "prizemarks"
    # Not the moment of writing: what has not changed is to be written byte for byte as before.
    for moment, tag in ((min, "Created"), (max, "LastChange")):
        SubElement(metadata, tag).text = moment_text(moment(made or [datetime.now(UTC)]))
    file = without_control(image.source)
    page = SubElement(
        root,
        "Page",
        {
            "imageFilename": file,
            "imageWidth": str(image.width),
            "imageHeight": str(image.height),
            "custom": _as_custom(
                {
                    "source": image.source if file != image.source else None,
                    "frame": None if image.frame is None else str(image.frame),
                    "sha256": image.sha256,
                }
            ),
        },
    )
    for at, one in enumerate(image.annotations, start=1):
        corners = _corners(one.box)
        outline = one.polygon or corners
        region = SubElement(page, "GraphicRegion", {"id": f"mark{at}", "type": "other"})
        region.set(
            "custom",
            _as_custom(
                {
                    "mark": None if one.mark is None else str(one.mark),
                    "status": one.status,
                    "score": score_text(one.score),
                    "origin": one.origin,
                    "created": moment_text(one.created),
                    "outline": "polygon" if one.polygon and _is_upright(outline) else None,
                }
            ),
        )
        SubElement(region, "Coords", {"points": points_text(outline)})
    indent(root, " ")
    yield '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, "unicode") + "\n"


def _is_zone_of_marks(region: Element) -> bool:
    """Return whether it is a zone without text whose type, as SegmOnto's `Zone:kind#1`, fits."""
    found = _STRUCTURE.search(region.attributes.get("custom", ""))
    if found is None or any(one.name == "TextLine" for one in region.children):
        return False
    # Some write Zone-kind; "signature-mark" is a word of its own.
    name, _, kind = found[1].partition("#")[0].replace("Zone-", "Zone:").partition(":")
    return not _ZONES_OF_MARKS.isdisjoint(
        "".join(filter(str.isalpha, part.casefold())) for part in (name, kind)
    )


def _annotation(
    region: Element, said: Mapping[str, str], where: str, refused: list[str]
) -> Annotation:
    coords = next((one for one in region.children if one.name == "Coords"), None)
    if coords is None:
        raise RegionError("it has no Coords")
    if "points" in coords.attributes:
        points = points_of(coords.attributes["points"])
    else:  # versions up to 2010
        inside = [one.attributes for one in coords.children if one.name == "Point"]
        points = [(one.get("x"), one.get("y")) for one in inside]
    outline = polygon_of(points)
    is_box = _is_upright(outline) and said.get("outline") != "polygon"
    return annotation_of(bounding_box(outline), None if is_box else outline, said, where, refused)


def _corners(box: FloatBox) -> tuple[Point, ...]:
    x, y, width, height = box
    return (x, y), (x + width, y), (x + width, y + height), (x, y + height)


def _is_upright(outline: Sequence[Point]) -> bool:
    """Return whether the outline is a box, however it goes around."""
    x, y, width, height = bounding_box(tuple(outline))
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    if len(outline) != 4 or outline[0] not in corners:
        return False
    at = corners.index(outline[0])
    around = corners[at:] + corners[:at]
    return list(outline) in (around, [around[0], *around[:0:-1]])


def _size(value: str | None) -> int | None:
    return whole(value, "image size") or None if value is not None else None


def _custom(text: str) -> dict[str, str]:
    found = _CUSTOM.search(text)
    pairs = (pair.partition(":") for pair in found[1].split(";")) if found else ()
    return {key.strip(): _unescaped(value.strip()) for key, colon, value in pairs if colon}


def _as_custom(values: Mapping[str, str | None]) -> str:
    pairs = [f"{key}:{_escaped(value)};" for key, value in values.items() if value is not None]
    return f"prizemarks {{{' '.join(pairs)}}}"


def _escaped(value: str) -> str:
    r"""Return a value in which nothing ends it, or is lost: `\u00007b` for `{`."""
    return "".join(
        char if char.isascii() and (char.isalnum() or char in "-_./+:") else f"\\u{ord(char):06x}"
        for char in value
    )


def _unescaped(value: str) -> str:
    def char(found: re.Match[str]) -> str:
        code = int(found[1], 16)
        return chr(code) if code <= 0x10FFFF else found[0]

    return _ESCAPED.sub(char, value)
