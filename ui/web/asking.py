"""The left of the page: four ways to say which mark is looked for."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import streamlit as st

from ingest.listing import IMAGE_SUFFIXES
from ingest.query_pictures import QueryPicture, query_picture
from retrieval.boxes import Box
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import QueryError, SourceError
from retrieval.catalogue.marks import page_marks
from retrieval.catalogue.pages import PageRow
from retrieval.catalogue.pages import page as catalogued_page
from retrieval.index_state import index_command
from retrieval.ink import Pixels
from retrieval.places import has_pages, has_places
from retrieval.search import Searcher
from ui.pictures import ONE_OF_SEVERAL, parse_region
from ui.serve import UPLOAD_LIMIT
from ui.web.canvas import Sketch, box_canvas, sketch_canvas
from ui.web.chosen import show_chosen
from ui.web.loading import most_pixels, page_preview, region_of
from ui.web.markup import section
from ui.web.picking import MOST_OFFERED, offered_pages
from ui.web.previews import outlined, preview_as_wide, to_master, to_preview
from ui.web.state import ask_otherwise, show, view
from ui.web.view import View, Way
from ui.web.wording import as_markdown
from ui.wording import counted

SHEET = 300  # pixels of the side of the sheet to draw on
PAGE_WIDE, PAGE_LARGER, PAGE_TALLEST = 520, 1000, 640
UPLOAD_WIDE = 300

#: What is wrong with the box that was written.
_NO_REGION = "region refused"

_WAYS: dict[Way, str] = {
    "draw": "Draw",
    "upload": "Upload",
    "page": "From a page",
    "marks": "Chosen",
}


@dataclass(frozen=True)
class Question:
    """What is looked for: a picture of a mark, or the view's liked marks, or nothing yet."""

    picture: Pixels | None = None
    by_marks: bool = False

    @property
    def asked(self) -> bool:
        """Whether there is anything to look for."""
        return self.by_marks or self.picture is not None


def ask(searcher: Searcher) -> Question:
    """Show the ways to ask of an archive under a model, and return what is asked."""
    archive, now = searcher.archive, view()
    ways = [way for way in _WAYS if way != "marks" or now.liked]
    st.html(section("Which mark are you looking for?"))
    st.session_state["way"] = now.way
    st.segmented_control(
        "How to ask",
        ways,
        format_func=lambda way: _WAYS[cast(Way, way)],
        key="way",
        required=True,
        label_visibility="collapsed",
        on_change=lambda: ask_otherwise(way=st.session_state["way"]),
    )
    if now.way == "draw":
        question = Question(_drawn())
    elif now.way == "upload":
        question = Question(_uploaded(archive))
    elif now.way == "page":
        question = Question(_from_page(archive, now))
    else:
        question = Question(by_marks=bool(now.liked))
    _ways_to_hold(view())
    _how_far_to_look(archive, searcher.model.id, view())
    now = view()
    if now.disliked or now.way == "marks":
        show_chosen(searcher, now)
        st.button("Start again", on_click=_start_again, key="start again")
    return question


def _ways_to_hold(now: View) -> None:
    """Offer to look for the mark turned and mirrored; changing it changes the view."""
    offers = (
        ("turned", now.turned, "Also turned", "By 90 degrees either way, and upside down."),
        ("mirrored", now.mirrored, "Also mirrored", "Its mirror image."),
    )
    with st.container(horizontal=True, gap="medium", key="ways"):
        for name, chosen, title, meaning in offers:
            st.session_state[name] = chosen
            st.checkbox(
                title,
                key=name,
                help=f"{meaning} A turned or mirrored mark may be another owner's.",
                on_change=lambda name=name: ask_otherwise(**{name: st.session_state[name]}),
            )


def _how_far_to_look(archive: Archive, model: str, now: View) -> None:
    """Offer to look where no mark was found, or say which command makes that possible.

    Where there are no pages, but crops alone, there is nowhere else to look.
    """
    if not has_places(archive, model):
        if not has_pages(archive):
            return
        st.caption(
            "Only marks that the program found are searched. To search the whole pages as well, "
            "run:"
        )
        st.code(f"{index_command(archive, model)} --everywhere", language=None)
        return
    st.session_state["everywhere"] = now.everywhere
    st.checkbox(
        "Also where no mark was found",
        key="everywhere",
        help="Also searches the whole pages, for marks that the program missed.",
        on_change=lambda: ask_otherwise(everywhere=st.session_state["everywhere"]),
    )


def _drawn() -> Pixels | None:
    st.caption(
        "Draw the mark as you see it; results update after every stroke. Undo with the buttons "
        "above the sheet."
    )
    pen = st.slider("Pen", 2, 20, 7, key="pen", help="Width of the pen, in pixels of the sheet.")
    held = st.session_state.setdefault("sketch", Sketch(None, None))
    number = _canvas_number("sketch")
    if number != st.session_state.get("sketch canvas"):
        st.session_state["sketch canvas"] = number
        st.session_state["sketch before"] = held.strokes
    sketch = sketch_canvas(
        f"sketch-{number}", side=SHEET, pen=pen, strokes=st.session_state["sketch before"]
    )
    if sketch.strokes is not None and sketch.picture is None:
        sketch = Sketch(sketch.strokes, held.picture)  # just put back; not sent again yet
    st.session_state["sketch"] = sketch
    if sketch.strokes is not None:
        st.button("Clear the sheet", on_click=_clear_sketch, type="tertiary")
    return sketch.picture


def _clear_sketch() -> None:
    st.session_state["sketch"] = Sketch(None, None)
    _renew_canvas("sketch")


def _canvas_number(name: str) -> int:
    """Return the number of the canvas `name`: a new one when it was not on the last page shown."""
    rounds: dict[str, tuple[int, int]] = st.session_state.setdefault("canvases", {})
    run = int(st.session_state["run"])
    number, last = rounds.get(name, (0, run))
    if run - last > 1:
        number += 1
    rounds[name] = (number, run)
    return number


def _renew_canvas(name: str) -> None:
    number, last = st.session_state.setdefault("canvases", {}).get(name, (0, 0))
    st.session_state["canvases"][name] = (number + 1, last)


def _uploaded(archive: Archive) -> Pixels | None:
    endings = sorted({suffix.removeprefix(".") for suffix in IMAGE_SUFFIXES})
    file = st.file_uploader(
        "A picture of the mark",
        endings,
        max_upload_size=UPLOAD_LIMIT,
        key="upload",
        help="A photograph, a scan or a crop. It is sent only to the computer that serves this "
        "page, and is not kept.",
        on_change=_remove_picture,
    )
    # The uploader forgets its file when it was out of sight; what was read from it stays.
    held: tuple[str, QueryPicture | SourceError] | None = st.session_state.get("uploaded")
    if file is not None and held is None:
        with st.spinner("Reading the picture …"):
            held = file.file_id, _read_upload(file.getvalue(), archive)
        st.session_state["uploaded"] = held
    if held is None:
        return None
    name, read = held
    if isinstance(read, SourceError):
        if file is None:
            _remove_picture()
            return None
        st.error(as_markdown(f"{file.name} cannot be used. {read.reason} {read.advice}"))
        return None
    if file is None:
        st.button("Remove the picture", key="remove picture", on_click=_remove_picture)
    picture = read.image
    shown = preview_as_wide(picture, UPLOAD_WIDE)
    if read.several:
        st.caption(ONE_OF_SEVERAL)
    whole = read.mark[2:] == (picture.shape[1], picture.shape[0])
    if whole:
        st.caption("The search uses the whole picture. To use a part, drag a box around it.")
    else:
        st.caption("The search uses the part in the frame. To use another, drag a box around it.")
    number = _canvas_number("upload")
    jpeg = shown.jpeg if whole else outlined(shown, [read.mark])
    boxes = box_canvas(f"upload-{name}-{number}", jpeg, shown.size, box=None, tallest=PAGE_TALLEST)
    box = to_master(boxes[-1], shown) if boxes else None
    if box is None:
        return picture
    x, y, width, height = box
    return picture[y : y + height, x : x + width]


def _remove_picture() -> None:
    st.session_state.pop("uploaded", None)


def _read_upload(content: bytes, archive: Archive) -> QueryPicture | SourceError:
    """Return an uploaded picture, or why it cannot be had."""
    with tempfile.TemporaryDirectory(prefix="prizemarks-") as folder:
        path = Path(folder, "upload")
        path.write_bytes(content)
        return query_picture(path, most_pixels(archive))


def _from_page(archive: Archive, now: View) -> Pixels | None:
    page = _picked_page(archive, now)
    if page is None:
        st.caption("Choose a page, then drag a box around the mark on it.")
        return None
    larger = st.toggle("Larger", key="larger", help="Show the page larger, with scrolling.")
    try:
        shown = page_preview(archive, page, wide=PAGE_LARGER if larger else PAGE_WIDE)
    except (QueryError, SourceError) as error:
        st.warning(as_markdown(str(error)))
        return None
    with archive.session() as session:
        marks = [row.box for row in page_marks(session, page.page) if row.status != "rejected"]
    st.caption("Drag a box around a mark. Thin blue frames are marks already found.")
    name = f"page-{page.page}-{larger}"
    number = _canvas_number(name)
    if (name, number) != st.session_state.get("page canvas"):
        st.session_state["page canvas"] = (name, number)
        st.session_state["page before"] = now.region
    before = st.session_state["page before"]
    came = to_preview(before, shown) if before else None
    boxes = box_canvas(
        f"{name}-{number}",
        outlined(shown, [], marks),
        shown.size,
        box=came,
        tallest=PAGE_TALLEST,
    )
    # The box as it came is not rounded to the preview and back, and may be however small.
    drawn = [
        known
        for box in boxes
        if (known := before if _rounded(box) == came else to_master(box, shown)) is not None
    ]
    region = drawn[-1] if drawn else None
    if region != now.region:
        ask_otherwise(region=region)
    if len(drawn) > 1:  # one box at a time: take the earlier ones off the page
        _renew_canvas(name)
        st.rerun()
    _written_region(page, region, name)
    if region is None:
        return None
    try:
        return region_of(archive, page.page, region)
    except (QueryError, SourceError) as error:
        st.error(as_markdown(str(error)))
        return None


def _rounded(box: tuple[float, float, float, float]) -> Box:
    x, y, width, height = box
    return round(x), round(y), round(width), round(height)


def _written_region(page: PageRow, region: Box | None, canvas: str) -> None:
    """Offer to write the box that is dragged on `canvas`, for who has but a keyboard."""
    problem = st.session_state.pop(_NO_REGION, "")
    if not problem:  # else what was written stays, to be corrected
        st.session_state["region text"] = ",".join(map(str, region)) if region else ""
    st.text_input(
        f"The box, in pixels of the page ({page.width} × {page.height})",
        key="region text",
        placeholder="x,y,width,height",
        help="Left edge, top edge, width and height.",
        on_change=_take_region,
        args=(canvas,),
    )
    if problem:
        st.error(as_markdown(problem))


def _take_region(canvas: str) -> None:
    text = st.session_state["region text"].strip()
    try:
        region = parse_region(text) if text else None
    except QueryError as error:
        st.session_state[_NO_REGION] = str(error)
        return
    ask_otherwise(region=region)
    _renew_canvas(canvas)


def _picked_page(archive: Archive, now: View) -> PageRow | None:
    text = st.text_input(
        "Find a page",
        key="page text",
        placeholder="reference, title, ship or file name",
        persist_state="session",
    )
    with archive.session() as session:
        offered = offered_pages(session, text, now.where, now.page)
        page = catalogued_page(session, now.page) if now.page is not None else None
    if now.page is not None and page is None:
        st.warning(f"This archive has no page {now.page}.")
    if offered.fitting > MOST_OFFERED:
        st.caption(
            f"{counted(offered.fitting, 'page')} match; the first {MOST_OFFERED} are listed. "
            "Type more to narrow the list."
        )
    elif not offered.fitting:
        st.caption("No page matches these words and filters.")
    st.session_state["picked"] = now.page if page is not None else None
    st.selectbox(
        "Page",
        list(offered.names),
        format_func=lambda one: offered.names.get(one, str(one)),
        key="picked",
        placeholder="Choose a page",
        on_change=_take_page,
    )
    return page


def _take_page() -> None:
    if st.session_state["picked"] != view().page:
        ask_otherwise(page=st.session_state["picked"], region=None)


def _start_again() -> None:
    _clear_sketch()
    _remove_picture()
    show(view().start_again())
