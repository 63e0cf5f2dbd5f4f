from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.evaluation.charts import OWN, Axis, line_chart, strokes

SHARES = Axis("", ((0, "0"), (1, "1")), 0, 1)
PLACES = Axis("places", ((1, "1"), (10, "10"), (100, "100")), 1, 100, math.log)


def test_values_lie_where_the_axes_say() -> None:
    series = {"one": [(1.0, 0.0), (10.0, 0.5), (100.0, 1.0)]}
    chart = line_chart(
        "recall", series, strokes(list(series)), PLACES, SHARES, size=(400, 200), room=100
    )
    corners = [tuple(map(float, corner.split(","))) for corner in chart.lines[0].points.split()]
    middle = ((chart.left + chart.right) / 2, (chart.top + chart.bottom) / 2)
    assert corners[0] == (chart.left, chart.bottom)
    assert corners[1] == pytest.approx(middle, abs=0.1), "a logarithmic axis, and half-way up"
    assert corners[2] == (chart.right, chart.top)
    assert [tick.at for tick in chart.across] == [corner[0] for corner in corners]


def test_what_lies_beyond_the_axis_stays_on_the_chart() -> None:
    chart = line_chart(
        "cosine",
        {"one": [(1.0, -0.4), (100.0, 1.2)]},
        {"one": OWN},
        PLACES,
        SHARES,
        size=(400, 200),
        room=0,
    )
    heights = [float(corner.split(",")[1]) for corner in chart.lines[0].points.split()]
    assert heights == [chart.bottom, chart.top]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_names_never_touch_and_keep_the_lines_order(ends: list[float]) -> None:
    series = {str(at): [(1.0, end), (100.0, 1.0)] for at, end in enumerate(ends)}
    chart = line_chart(
        "recall", series, strokes(list(series)), PLACES, SHARES, size=(400, 380), room=100
    )
    placed = sorted((line.name_y, -ends[int(line.name)]) for line in chart.lines)
    for (above, high), (below, low) in pairwise(placed):
        assert below - above >= 12.9
        assert high <= low + 1e-3
    assert chart.top - 0.1 <= placed[0][0] and placed[-1][0] <= chart.bottom + 0.1


def test_strokes_differ_and_the_models_stands_out() -> None:
    drawn = strokes([str(at) for at in range(11)])
    assert drawn["0"] == OWN
    assert len(set(drawn.values())) == 11
    assert all(stroke.width < OWN.width for name, stroke in drawn.items() if name != "0")
    assert len(strokes([str(at) for at in range(30)])) == 30
