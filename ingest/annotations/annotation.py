"""What all formats are read into and written from: marks, and the image that they are on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from retrieval.catalogue.canvases import CanvasRow
from retrieval.catalogue.identities import Word

Point = tuple[float, float]
FloatBox = tuple[float, float, float, float]  # x, y, width, height

STATUSES = ("proposed", "confirmed", "rejected")

#: Regions that one file may hold, and one image; and the points of one polygon.
MAX_REGIONS = 1_000_000
MAX_REGIONS_OF_AN_IMAGE = 10_000
MAX_POINTS = 10_000

#: Characters of a mark's origin that the catalogue holds.
MAX_ORIGIN = 128

_MAX_ID = 2**63 - 1


class RegionError(ValueError):
    """One region of a file cannot be understood: it is refused, and the rest goes in."""


@dataclass(frozen=True)
class Annotation:
    """A mark. On reading, what the file does not say is None.

    `box` and `polygon` are in pixels of the image as the file knows it, or in percent of its
    width and height. With a polygon, the box is its bounding box. `identities`, what people said
    of whose mark it is, and `realism`, which is reckoned, are only there on writing. `where` says
    what the region is called in the file it was read from.
    """

    box: FloatBox
    polygon: tuple[Point, ...] | None = None
    percent: bool = False
    status: str | None = None
    score: float | None = None
    realism: float | None = None
    origin: str | None = None
    mark: int | None = None  # the id in the archive that wrote the file
    created: datetime | None = None
    identities: tuple[Word, ...] = ()
    where: str = field(default="", compare=False)


@dataclass(frozen=True)
class Canvas:
    """The canvas of somebody's IIIF manifest that an image is shown on, in the canvas's units.

    `image` is the image's own address, `service` that of the image service that offers it.
    """

    id: str
    width: int
    height: int
    attribution: str | None = None
    rights: str | None = None
    image: str | None = None
    service: str | None = None


@dataclass(frozen=True)
class AnnotatedImage:
    """An image and its marks. On reading, what the file does not say is None.

    `names` are what a file calls the image, the best first: its path, its bare name, a URL; on
    writing there is one, the page's source. `frame` counts the images of a multi-page file
    from 0, `page` is its id in the archive that wrote the file, 0 where none is said. `ordinal`,
    `ingested`, `document`, `canvas` and `described`, what that canvas says of it, are only there
    on writing.
    """

    names: tuple[str, ...]
    annotations: tuple[Annotation, ...] = ()
    frame: int | None = None
    width: int | None = None
    height: int | None = None
    sha256: str | None = None
    size: int | None = None  # bytes of the file
    page: int = 0
    ordinal: int = 0
    ingested: datetime | None = None
    document: dict[str, Any] | None = field(default=None, hash=False)
    canvas: Canvas | None = None
    described: CanvasRow | None = None

    @property
    def source(self) -> str:
        """The best of its names."""
        return self.names[0]


@dataclass(frozen=True)
class Understood:
    """What a file says: its images, a sentence for each region that was refused, and remarks."""

    images: tuple[AnnotatedImage, ...]
    refused: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def bounding_box(points: tuple[Point, ...]) -> FloatBox:
    """Return the smallest box around the points."""
    left, top = min(x for x, _ in points), min(y for _, y in points)
    return left, top, max(x for x, _ in points) - left, max(y for _, y in points) - top


def number(value: object, what: str) -> float:
    """Return a finite number, which may be written as text; RegionError for anything else."""
    if isinstance(value, str):
        text = value.strip()
        try:
            value = float(text) if len(text) < 400 and "_" not in text else None
        except ValueError:
            value = None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RegionError(f"its {what} is not a number")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise RegionError(f"its {what} is not a number")
    return found


def whole(value: object, what: str) -> int:
    """Return a whole number from 0 on, which may be written as text; else RegionError."""
    found = number(value, what)
    if not found.is_integer() or not 0 <= found <= _MAX_ID:
        raise RegionError(f"its {what} is not a whole number of 0 or more")
    return int(value) if isinstance(value, int | str) and _is_digits(value) else int(found)


def box_of(x: object, y: object, width: object, height: object) -> FloatBox:
    """Return a box; RegionError where a side is not a number over 0."""
    box = number(x, "x"), number(y, "y"), number(width, "width"), number(height, "height")
    if box[2] <= 0 or box[3] <= 0:
        raise RegionError("its box has no area")
    return box


def polygon_of(points: list[tuple[object, object]]) -> tuple[Point, ...]:
    """Return a polygon; RegionError for fewer than 3 points, too many, or no area."""
    if len(points) > MAX_POINTS:
        raise RegionError(f"its outline has more than {MAX_POINTS:,} points")
    if len(points) < 3:
        raise RegionError("its outline has fewer than 3 points")
    outline = tuple((number(x, "outline"), number(y, "outline")) for x, y in points)
    _, _, width, height = bounding_box(outline)
    if width <= 0 or height <= 0:
        raise RegionError("its outline has no area")
    return outline


def status_of(value: object) -> str | None:
    """Return a status, or None if there is none; RegionError for an unknown status."""
    if value is None or value == "":
        return None
    word = value.strip().casefold() if isinstance(value, str) else ""
    if word not in STATUSES:
        raise RegionError(f"its status {_shown(value)} is not one of {', '.join(STATUSES)}")
    return word


def score_of(value: object, where: str, refused: list[str]) -> float | None:
    """Return a score from 0 to 1, or None for nothing.

    An invalid score becomes None; the mark is kept. `refused` gets a sentence.
    """
    if value is None or value == "":
        return None
    try:
        score = number(value, "score")
    except RegionError as error:
        refused.append(f"{where}: {error}; the mark is imported without it.")
        return None
    if not 0 <= score <= 1:
        refused.append(
            f"{where}: its score {score:g} is not between 0 and 1; the mark is imported without it."
        )
        return None
    return score


def origin_of(value: object) -> str | None:
    """Return an origin as the catalogue can hold it, or None for nothing; else RegionError."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > MAX_ORIGIN or "\0" in value:
        raise RegionError(f"its origin is longer than {MAX_ORIGIN} characters, or not text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise RegionError("its origin is not text") from None
    return value


def mark_of(value: object) -> int | None:
    """Return the id of a mark, or None: other programs may call something else a mark."""
    try:
        return whole(value, "mark")
    except RegionError:
        return None


def moment_of(value: object) -> datetime | None:
    """Return when a mark was made, in UTC, or None for nothing; else RegionError."""
    if value is None or value == "":
        return None
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is not None:
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise RegionError(f"its date {_shown(value)} is not a date: write it as 2026-01-31T12:00:00Z")


def moment_text(moment: datetime | None) -> str | None:
    """Return a moment as `moment_of` reads it."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def pixels(value: float) -> int | float:
    """Return a coordinate as it is written: whole where it is whole."""
    return int(value) if value == int(value) else value


def points_text(points: Sequence[Point]) -> str:
    """Return points as PAGE and SVG write them: `x,y x,y`."""
    return " ".join(f"{pixels(x)},{pixels(y)}" for x, y in points)


def points_of(text: str) -> list[tuple[object, object]]:
    """Return points that are written as `x,y x,y`; RegionError where they are not."""
    pairs = [pair.split(",") for pair in text.split()]
    if any(len(pair) != 2 for pair in pairs):
        raise RegionError("its points are not written as x,y x,y")
    return [(x, y) for x, y in pairs]


def score_text(score: float | None) -> str | None:
    """Return a score as text that loses nothing."""
    return None if score is None else repr(score)


def annotation_of(
    box: FloatBox,
    polygon: tuple[Point, ...] | None,
    said: Mapping[str, Any],
    where: str,
    refused: list[str],
) -> Annotation:
    """Return a mark with what a file says of it by our own names; RegionError for invalid values.

    An invalid score becomes None, and `refused` gets a sentence.
    """
    return Annotation(
        box=box,
        polygon=polygon,
        status=status_of(said.get("status")),
        origin=origin_of(said.get("origin")),
        mark=mark_of(said.get("mark")),
        created=moment_of(said.get("created")),
        score=score_of(said.get("score"), where, refused),  # the last: the others refuse the mark
        where=where,
    )


def _is_digits(value: int | str) -> bool:
    return isinstance(value, int) or (value.isascii() and value.isdigit() and len(value) < 20)


def _shown(value: object) -> str:
    return repr(value if isinstance(value, str | int | float) else type(value).__name__)[:60]
