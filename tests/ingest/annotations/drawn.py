"""Images and marks that hypothesis makes, for the tests of annotations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from ingest.annotations.annotation import AnnotatedImage, Annotation, bounding_box

#: What the catalogue can hold: no NUL, no half of a surrogate pair.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)

moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(
    lambda moment: moment.replace(tzinfo=UTC) + timedelta(0)
)


@st.composite
def boxes(draw: st.DrawFn, width: int, height: int) -> tuple[int, int, int, int]:
    x, y = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    return x, y, draw(st.integers(1, width - x)), draw(st.integers(1, height - y))


@st.composite
def polygons(draw: st.DrawFn, width: int, height: int) -> tuple[tuple[int, int], ...]:
    """Outlines of any kind, boxes among them, whose bounding box has an area."""
    if draw(st.booleans()):
        x, y, w, h = draw(boxes(width, height))
        return (x, y), (x + w, y), (x + w, y + h), (x, y + h)
    point = st.tuples(st.integers(0, width), st.integers(0, height))
    outlines = st.lists(point, min_size=3, max_size=9).map(tuple)
    return draw(outlines.filter(lambda outline: min(bounding_box(outline)[2:]) > 0))


@st.composite
def marks(draw: st.DrawFn, width: int, height: int) -> Annotation:
    outline = draw(st.none() | polygons(width, height))
    return Annotation(
        box=bounding_box(outline) if outline else draw(boxes(width, height)),
        polygon=outline,
        status=draw(st.sampled_from(["proposed", "confirmed", "rejected"])),
        score=draw(st.none() | st.floats(0, 1)),
        origin=draw(texts.filter(bool)),
        mark=None,
        created=draw(moments),
    )


@st.composite
def images(draw: st.DrawFn) -> list[AnnotatedImage]:
    """Up to three images of files with different names, and their marks with ids."""
    sources = draw(st.lists(texts.filter(bool), min_size=1, max_size=3, unique=True))
    found, number = [], 0
    for page, source in enumerate(sources, start=1):
        width, height = draw(st.integers(1, 5000)), draw(st.integers(1, 5000))
        drawn = []
        for one in draw(st.lists(marks(width, height), max_size=3)):
            number += 1
            drawn.append(Annotation(**{**vars(one), "mark": number}))
        found.append(
            AnnotatedImage(
                names=(source,),
                annotations=tuple(drawn),
                frame=draw(st.integers(0, 3)),
                width=width,
                height=height,
                sha256=f"{page:064x}",
                size=draw(st.integers(1, 10**9)),
                page=page,
                ingested=draw(moments),
                document=draw(
                    st.none()
                    | st.builds(lambda reference: {"reference": reference}, texts.filter(bool))
                ),
            )
        )
    return found
