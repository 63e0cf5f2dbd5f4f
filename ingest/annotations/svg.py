"""The outline that an SVG selector draws: what Mirador, Annotorious and Recogito write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.annotations.annotation import MAX_POINTS, Point, RegionError, number, points_of
from ingest.annotations.plain_xml import Element, parse_xml
from retrieval.catalogue.errors import MetadataError

_MAX_CHARACTERS = 1_000_000
_NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_TOKEN = re.compile(rf"([A-Za-z])|({_NUMBER})|[\s,]+|(.)", re.DOTALL)
_SHAPES = ("polygon", "polyline", "path", "rect", "circle", "ellipse")

#: Numbers that a command of a path takes; the last two are where it ends.
_TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}


@dataclass(frozen=True)
class Drawn:
    """What was drawn: its points, whether they are an outline, and whether nothing was lost."""

    points: tuple[Point, ...]
    is_outline: bool
    exact: bool = True


def drawn_by(text: str) -> Drawn:
    """Return what the SVG draws; RegionError where it draws nothing, or moves it."""
    if len(text) > _MAX_CHARACTERS:
        raise RegionError("its SVG is too long")
    try:
        shapes = list(parse_xml(text, "its SVG").walk())
    except (MetadataError, UnicodeError) as error:
        raise RegionError(f"{error}".rstrip(".")) from error
    if any("transform" in one.attributes for one in shapes):
        raise RegionError("its SVG has a transform, which is not supported")
    drawn = [_drawn(one) for one in shapes if one.name in _SHAPES]
    if not drawn:
        raise RegionError("its SVG has no outline")
    if sum(len(one.points) for one in drawn) > MAX_POINTS:
        raise RegionError(f"its outline has more than {MAX_POINTS:,} points")
    if len(drawn) == 1:
        return drawn[0]
    return Drawn(tuple(point for one in drawn for point in one.points), False, False)


def _drawn(shape: Element) -> Drawn:
    given = shape.attributes
    if shape.name in ("polygon", "polyline"):
        # SVG allows any mixture of spaces and commas between the numbers.
        numbers = given.get("points", "").replace(",", " ").split()
        if len(numbers) % 2:
            raise RegionError("its points have an odd number of coordinates")
        pairs = points_of(" ".join(map(",".join, zip(numbers[::2], numbers[1::2], strict=True))))
        return Drawn(tuple((number(x, "outline"), number(y, "outline")) for x, y in pairs), True)
    if shape.name == "path":
        return _along(given.get("d", ""))
    if shape.name == "rect":
        x, y = number(given.get("x", 0), "x"), number(given.get("y", 0), "y")
        width, height = number(given.get("width"), "width"), number(given.get("height"), "height")
        return Drawn(((x, y), (x + width, y + height)), False)
    x, y = number(given.get("cx", 0), "cx"), number(given.get("cy", 0), "cy")
    across = number(given.get("r", given.get("rx")), "radius")
    down = number(given.get("r", given.get("ry")), "radius")
    return Drawn(((x - across, y - down), (x + across, y + down)), False)


def _along(path: str) -> Drawn:
    """Follow a path from corner to corner; a curve is taken for the line between its ends."""
    points: list[Point] = []
    at = start = (0.0, 0.0)
    begun, exact = 0, True
    for command, values in _steps(path):
        if command in ("Z", "z"):
            at = start
            continue
        at = _next(at, command, values)
        points.append(at)
        exact = exact and command.upper() in "MLHV"
        if command in ("M", "m"):
            start, begun = at, begun + 1
    if len(points) > 1 and points[-1] == points[0]:
        points.pop()  # it was closed by hand
    return Drawn(tuple(points), begun == 1, exact and begun == 1)


def _steps(path: str) -> Iterator[tuple[str, list[float]]]:
    """Give the commands of a path with the numbers that each takes; one stands for its repeats."""
    tokens = _tokens(path)
    command, place = "", 0
    while place < len(tokens):
        token = tokens[place]
        if isinstance(token, str):
            command = token
            place += 1
            if command.upper() not in _TAKES:
                raise RegionError(f"its path has an unknown command {command!r}")
            if command.upper() == "Z":
                yield command, []
                command = ""
                continue
        takes = _TAKES.get(command.upper(), 0)
        values = [one for one in tokens[place : place + takes] if isinstance(one, float)]
        if not takes or len(values) < takes:
            raise RegionError("its path cannot be read")
        place += takes
        yield command, values
        # Further pairs after a move are lines.
        command = {"M": "L", "m": "l"}.get(command, command)


def _tokens(path: str) -> list[str | float]:
    """Return the letters and numbers of a path."""
    tokens: list[str | float] = []
    for letter, figures, other in _TOKEN.findall(path):
        if other:
            raise RegionError("its path cannot be read")
        if letter:
            tokens.append(letter)
        elif figures:
            tokens.append(number(figures, "outline"))
    return tokens


def _next(at: Point, command: str, values: list[float]) -> Point:
    x, y = at if command.islower() else (0.0, 0.0)
    if command in "Hh":
        return x + values[0], at[1]
    if command in "Vv":
        return at[0], y + values[0]
    return x + values[-2], y + values[-1]
