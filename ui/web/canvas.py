"""The only module that knows streamlit-drawable-canvas.

The component registers itself when it is imported and refuses to outside `streamlit run`, so it is
imported where it is used.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

INK, BOX = "#2b2620", "#a32a1c"
#: A canvas is no larger than this in the browser, whatever the browser says it has sent.
_MOST_PIXELS = 4_000_000


@dataclass(frozen=True)
class Sketch:
    """What was drawn: the strokes, to be put back on a canvas, and their picture as RGBA."""

    strokes: dict[str, Any] | None
    picture: NDArray[np.uint8] | None


def sketch_canvas(key: str, *, side: int, pen: int, strokes: dict[str, Any] | None) -> Sketch:
    """Show a square sheet to draw on, `strokes` already on it; return what is on it now.

    The picture is None where nothing is drawn, or the browser has not sent it yet.
    """
    from streamlit_drawable_canvas import st_canvas

    result = st_canvas(
        stroke_width=pen,
        stroke_color=INK,
        background_color="#ffffff",
        height=side,
        width=side,
        drawing_mode="freedraw",
        initial_drawing=strokes,
        return_image_data=True,
        key=key,
    )
    drawn = result.json_data if (result.json_data or {}).get("objects") else None
    return Sketch(drawn, _decoded(result.image_bytes) if drawn else None)


def box_canvas(
    key: str,
    jpeg: bytes,
    size: tuple[int, int],
    *,
    box: tuple[int, int, int, int] | None,
    tallest: int,
) -> list[tuple[float, float, float, float]]:
    """Show a picture of `size` to drag boxes on, `box` already on it; return the boxes, in order.

    Boxes are (x, y, width, height) in pixels of the picture as shown. A picture over `tallest`
    pixels scrolls.
    """
    from streamlit_drawable_canvas import boxes_to_drawing, st_canvas

    drawing = None
    if box is not None:
        x, y, width, height = box
        known = [{"left": x, "top": y, "width": width, "height": height}]
        drawing = boxes_to_drawing(known, stroke_color=BOX, stroke_width=2)
    result = st_canvas(
        fill_color="rgba(0, 0, 0, 0)",
        stroke_width=2,
        stroke_color=BOX,
        background_image=jpeg,
        height=size[1],
        width=size[0],
        drawing_mode="labeled_rect",
        initial_drawing=drawing,
        max_display_height=tallest if size[1] > tallest else None,
        key=key,
    )
    return [
        (float(one["left"]), float(one["top"]), float(one["width"]), float(one["height"]))
        for one in result.boxes
    ]


def _decoded(png: bytes | None) -> NDArray[np.uint8] | None:
    if not png:
        return None
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        if image.width * image.height > _MOST_PIXELS:
            return None
        return np.asarray(image.convert("RGBA"))
