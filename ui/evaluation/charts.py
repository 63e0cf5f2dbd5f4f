"""Line charts as plain coordinates, which the page's template writes as inline SVG."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

#: Colours and dashes differ both, so that lines can be told apart in grey print.
_COLOURS = (
    "#2f5d7c", "#6b7f3a", "#b07d2b", "#6a4c86", "#2f8577", "#a8577e", "#5d5448", "#4a6fb0",
    "#8a7a1f", "#9a5a3f",
)  # fmt: skip
_DASHES = ("", "6 3", "2 2", "9 3 2 3", "", "4 2", "6 3", "2 2", "9 3 2 3", "4 2")
_LINE_HEIGHT = 13.0


@dataclass(frozen=True)
class Axis:
    """Where values lie between two ends of a chart, and which of them are named."""

    title: str
    ticks: tuple[tuple[float, str], ...]
    first: float
    last: float
    place: Callable[[float], float] = float  # monotone: the identity, or a logarithm

    def share(self, value: float) -> float:
        """Return how far along the axis `value` lies, from 0 to 1."""
        low, high = self.place(self.first), self.place(self.last)
        return (self.place(value) - low) / (high - low)


@dataclass(frozen=True)
class Stroke:
    """How the line of a series is drawn, on every chart alike."""

    colour: str
    dash: str
    width: float


#: The model's: in the colour of sealing wax, before all others.
OWN = Stroke("#8c2f22", "", 2.6)


def strokes(names: Sequence[str]) -> dict[str, Stroke]:
    """Return each series' stroke; the first is the model's."""
    others = [
        Stroke(_COLOURS[at % len(_COLOURS)], _DASHES[at % len(_DASHES)], 1.4)
        for at in range(len(names) - 1)
    ]
    return dict(zip(names, [OWN, *others], strict=True))


@dataclass(frozen=True)
class Line:
    """A series: its corners in the SVG, how it is drawn, and where its name stands."""

    name: str
    points: str
    stroke: Stroke
    name_y: float


@dataclass(frozen=True)
class Tick:
    """A named value of an axis: where it lies in the SVG."""

    at: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart laid out: its size, the frame of its lines, its axes and its lines, in pixels."""

    title: str
    width: float
    height: float
    left: float
    top: float
    right: float
    bottom: float
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    across_title: str
    lines: tuple[Line, ...]


def line_chart(
    title: str,
    series: Mapping[str, Sequence[tuple[float, float]]],
    drawn: Mapping[str, Stroke],
    across: Axis,
    up: Axis,
    *,
    size: tuple[float, float],
    room: float,
) -> Chart:
    """Lay out a chart of `series`, (x, y) pairs by name, each with its stroke of `drawn`.

    The upright axis stands on the right; `room` is left for the names on the left, where the
    lines begin.
    """
    width, height = size
    left, top, right, bottom = room, 12.0, width - 40, height - 38.0

    def x(value: float) -> float:
        return round(left + across.share(value) * (right - left), 1)

    def y(value: float) -> float:
        return round(bottom - up.share(min(max(value, up.first), up.last)) * (bottom - top), 1)

    names = _apart([y(points[0][1]) for points in series.values()], top, bottom)
    lines = tuple(
        Line(name, " ".join(f"{x(a)},{y(b)}" for a, b in points), drawn[name], names[at])
        for at, (name, points) in enumerate(series.items())
    )
    return Chart(
        title=title, width=width, height=height, left=left, top=top, right=right, bottom=bottom,
        across=tuple(Tick(x(value), text) for value, text in across.ticks),
        up=tuple(Tick(y(value), text) for value, text in up.ticks),
        across_title=across.title, lines=lines,
    )  # fmt: skip


def _apart(heights: Sequence[float], top: float, bottom: float) -> list[float]:
    """Return heights for names, as near to the lines' beginnings as they go without touching."""
    order = sorted(range(len(heights)), key=lambda at: heights[at])
    placed = dict.fromkeys(order, 0.0)
    below = top - _LINE_HEIGHT
    for at in order:
        below = placed[at] = max(heights[at], below + _LINE_HEIGHT)
    above = max(bottom, top + _LINE_HEIGHT * (len(order) - 1)) + _LINE_HEIGHT
    for at in reversed(order):
        above = placed[at] = min(placed[at], above - _LINE_HEIGHT)
    return [round(placed[at], 1) for at in range(len(heights))]
