"""How clerks lay out each kind of document: where its text goes, and where its marks stand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ingest.synthetic.handwriting import text_width, write_line, write_paraph
from ingest.synthetic.layout import LETTER_HEIGHT, Layout, Spot, add_incidents, blank_layout
from ingest.synthetic.paper import Sheet
from ingest.synthetic.records import Document, Kind
from ingest.synthetic.wording import GOODS, SALUTATIONS


def lay_out(document: Document, sheet: Sheet, rng: np.random.Generator) -> Layout:
    """Return a page of `document` as it is written on `sheet`: all strokes, all marks' spots."""
    layout = blank_layout(document, sheet, rng)
    _KINDS[document.kind](layout)
    add_incidents(layout)
    return layout


def _numbers(layout: Layout, spot: Spot) -> None:
    """Write the numbers of the bales under their mark, "N° 1 a 20"."""
    if layout.rng.random() < 0.45:
        low = int(layout.rng.integers(1, 60))
        high = low + int(layout.rng.integers(1, 40))
        size = float(layout.rng.uniform(0.7, 0.95))
        y = spot.y + spot.side + 1.5 * size * layout.scribe.x_height
        text = f"N° {low} - {high}"
        most = layout.left - text_width(layout.scribe, text, size) - 1.2 * layout.scribe.x_height
        layout.phrase(text, max(min(spot.x, most), layout.edge + 8), y, size)


def _margin_mark(layout: Layout, identity: int, y: float, most: float = 5.0) -> Spot:
    """Set a mark in the margin with its top at `y`; now and then it runs into the text."""
    room = layout.left - layout.edge
    side = min(layout.mark_side(1.8, most), int(room * 0.8))
    if layout.rng.random() < 0.25:
        x = layout.left - side * float(layout.rng.uniform(0.75, 0.95))
    else:
        low, high = layout.edge + 0.12 * room, layout.left - side * 1.1
        x = float(layout.rng.uniform(min(low, high), high))
    spot = Spot(identity, x, y, side, "margin")
    layout.spots.append(spot)
    return spot


def _sign(layout: Layout, y: float) -> None:
    """Sign off under the text."""
    scribe, rng = layout.scribe, layout.rng
    x = layout.left + (layout.right - layout.left) * float(rng.uniform(0.4, 0.62))
    size = float(rng.uniform(1.15, 1.7))
    name = layout.document.captain
    x = max(layout.left, min(x, layout.right - text_width(scribe, name, size)))
    end = layout.phrase(name, x, y, size)
    if rng.random() < 0.7:
        write_paraph(
            layout.writing,
            scribe,
            min(end, layout.right) - 6 * scribe.x_height,
            y + size * scribe.x_height,
            rng,
        )


def _heading(layout: Layout, text: str) -> float:
    """Write a heading; return the baseline of the first line under it."""
    rng = layout.rng
    size = float(rng.uniform(1.2, 1.8))
    y = layout.top + size * 2 * layout.scribe.x_height
    x = layout.left + (layout.right - layout.left) * float(rng.uniform(0, 0.3))
    size = min(size, (layout.right - layout.left) * 0.9 / text_width(layout.scribe, text))
    x = max(layout.left, min(x, layout.right - text_width(layout.scribe, text, size)))
    end = layout.phrase(text, x, y, size)
    if rng.random() < 0.3:
        below = y + 0.9 * size * layout.scribe.x_height
        layout.rule((x, below), (min(end, layout.right), below), layout.scribe.pen * 0.8)
    return y + layout.leading * float(rng.uniform(1.4, 2.4))


def _bill_of_lading(layout: Layout) -> None:
    """Text in long lines with the mark let into it, or beside it "as in the margin"."""
    rng, document = layout.rng, layout.document
    y = _heading(layout, f"{document.place} {document.date}")
    count = int(rng.integers(12, 27))
    lines = [y + i * layout.leading for i in range(count)]
    lines = [line for line in lines if line < layout.bottom - 4 * layout.leading]
    breaks: dict[int, list[tuple[float, float]]] = {}
    wide = layout.right - layout.left
    in_margin = rng.random() < 0.3
    stacked = max(1, (len(lines) - 3) // max(1, len(document.identities)))
    for nth, identity in enumerate(document.identities):
        first = min(2 + nth * stacked + int(rng.integers(0, 2)), max(1, len(lines) - 3))
        cap = lines[first] - 1.9 * layout.scribe.x_height
        if in_margin:
            most = min(
                5.0, stacked * layout.leading / (LETTER_HEIGHT * layout.scribe.x_height) - 1.5
            )
            _numbers(layout, _margin_mark(layout, identity, cap, max(2.0, most)))
            continue
        most = min(5.0, stacked * layout.leading / (LETTER_HEIGHT * layout.scribe.x_height) - 0.6)
        side = layout.mark_side(1.8, max(2.2, most))
        x = layout.left + float(rng.uniform(0.05, 0.7)) * wide
        layout.spots.append(Spot(identity, x, cap, side, "text"))
        # Some clerks left too little room, and the text runs into the mark.
        tight = side * (0.14 if rng.random() < 0.25 else -0.08)
        for at, line in enumerate(lines):
            body = (line - 1.2 * layout.scribe.x_height, line)
            if body[0] < cap + side and body[1] > cap:
                breaks.setdefault(at, []).append((x + tight, x + side - tight))
    for at, line in enumerate(lines):
        layout.line(line, 0, tuple(sorted(breaks.get(at, []))))
    end = lines[-1] + layout.leading
    if rng.random() < 0.8:
        layout.line(end + layout.leading, wide * 0.3)
    _sign(layout, min(end + 3 * layout.leading, layout.bottom))


def _letter(layout: Layout) -> None:
    """Paragraphs with marks in the margin beside them."""
    rng, document = layout.rng, layout.document
    openings = (*SALUTATIONS[document.language], f"{document.place} {document.date}")
    y = _heading(layout, openings[int(rng.integers(len(openings)))])
    marked = list(document.identities)
    while y < layout.bottom - 3 * layout.leading:
        length = int(rng.integers(4, 10))
        if marked:
            room = length * layout.leading / (LETTER_HEIGHT * layout.scribe.x_height)
            top = y - 1.5 * layout.scribe.x_height
            _numbers(layout, _margin_mark(layout, marked.pop(0), top, min(5.5, max(2.5, room - 2))))
            length = max(length, 5)
        indent = layout.scribe.x_height * float(rng.uniform(0, 5))
        for _ in range(length):
            if y > layout.bottom - 2.5 * layout.leading:
                break
            layout.line(y, indent)
            indent = 0
            y += layout.leading * float(rng.uniform(0.97, 1.03))
        y += layout.leading * float(rng.uniform(0, 0.6))
        if not marked and rng.random() < 0.12:
            break
    _sign(layout, min(y + layout.leading, layout.bottom))


def _figures(layout: Layout, columns: list[float], y: float) -> None:
    """Write an amount, right-aligned in its columns of guilders, stivers and pence."""
    tops = (4000, 20, 16)
    for column, top in zip(columns, tops, strict=False):
        text = str(int(layout.rng.integers(1, top)))
        advance = sum(layout.scribe.letters[c][1] for c in text) * 1.25
        layout.phrase(text, column - advance, y)


def _goods(layout: Layout, y: float, short: float) -> None:
    """Write how many there are of what; where that ends left of `short`, perhaps on to the end."""
    rng, goods = layout.rng, GOODS[layout.document.language]
    count = int(rng.integers(1, 90))
    item = goods[int(rng.integers(len(goods)))]
    end = layout.phrase(f"{count} {item}", layout.left, y)
    if end < short and rng.random() < 0.6:
        write_line(
            layout.writing,
            layout.scribe,
            lambda: next(layout.words),
            (end, y),
            layout.right,
            rng,
        )


def _listing(layout: Layout, lines_each: int) -> None:
    """Rows of goods and figures; the marks stand before their entries, in the margin."""
    rng, document = layout.rng, layout.document
    y = _heading(layout, f"{document.ship} {document.year}")
    first = y
    pitch = layout.scribe.x_height * 4.2
    columns = [layout.right - pitch * 1.7, layout.right - pitch * 0.8, layout.right]
    marked = list(document.identities)
    right, layout.right = layout.right, columns[0] - pitch * 1.5
    rows = max(4, int((layout.bottom - y) / (layout.leading * (lines_each + 0.3))) - 2)
    # Marks are spread over the first entries, at least two leadings apart.
    every = max(1, round(2.6 / lines_each)) if lines_each < 3 else 1
    every = max(every, min(4, rows // (len(marked) + 1)))
    for row in range(rows):
        if y > layout.bottom - 3 * layout.leading:
            break
        if marked and row % every == 0:
            room = every * lines_each * layout.leading / (LETTER_HEIGHT * layout.scribe.x_height)
            top = y - 1.6 * layout.scribe.x_height
            spot = _margin_mark(layout, marked.pop(0), top, min(5.0, max(2.0, room - 1.6)))
            if room > 4:
                _numbers(layout, spot)
        _goods(layout, y, layout.right - 2 * pitch)
        for _ in range(lines_each - 1):
            y += layout.leading
            layout.line(y, layout.scribe.x_height * 2)
        _figures(layout, columns, y)
        y += layout.leading
        y += 0.3 * layout.leading
    layout.right = right
    layout.rule(
        (columns[0] - pitch, y - layout.leading * 0.4),
        (right, y - layout.leading * 0.4),
        layout.scribe.pen * 0.7,
    )
    _figures(layout, columns, y + layout.leading * 0.5)
    if rng.random() < 0.6:
        for x in (columns[0] - pitch * 1.05, *(column + pitch * 0.1 for column in columns[:2])):
            layout.rule(
                (x, first - layout.leading), (x, y + layout.leading), layout.scribe.pen * 0.5
            )
    if rng.random() < 0.5:
        _sign(layout, min(y + 2.5 * layout.leading, layout.bottom))


def _journal(layout: Layout) -> None:
    """A ship's journal: days in the margin, lines of text, no marks."""
    y = _heading(layout, f"{layout.document.ship} {layout.document.year}")
    day = int(layout.rng.integers(1, 20))
    while y < layout.bottom - layout.leading:
        layout.phrase(str(day), layout.left - 4 * layout.scribe.x_height, y)
        for _ in range(int(layout.rng.integers(2, 5))):
            if y < layout.bottom:
                layout.line(y)
            y += layout.leading
        day = day % 30 + 1


_KINDS: dict[Kind, Callable[[Layout], None]] = {
    "bill of lading": _bill_of_lading,
    "letter": _letter,
    "account": lambda layout: _listing(layout, 1),
    "manifest": lambda layout: _listing(layout, 2),
    "journal": _journal,
}
